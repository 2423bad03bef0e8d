"""Writes of the kernel."""
