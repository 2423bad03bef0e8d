"""The Node that built the front end: the machine's own, else the one that was brought into .venv."""

from __future__ import annotations

from pathlib import Path

from scripts.prepare import find_node


def node() -> Path | None:
    """Its program, or None where there is none that is new enough."""
    found = find_node()
    return found[0] if found else None
