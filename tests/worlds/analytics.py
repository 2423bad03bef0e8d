"""Dashboards have no rows of their own, but charts with names."""

from __future__ import annotations


def build(world) -> None:
    """Nothing: the figures come from the other packages' rows."""


def samples(world) -> dict[str, list[dict]]:
    """The charts' names."""
    return {"analytics:sales-chart": [{"chart": "funnel"}, {"chart": "by-month"}]}
