"""Measurements, all as ratios within one run: `make bench`."""
