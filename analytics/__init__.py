"""Dashboards drawn from the packages’ reports."""
