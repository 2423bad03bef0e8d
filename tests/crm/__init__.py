"""Tests of the customer base and of sales."""
