"""Real files that stand beside the project; a test that needs one is skipped, with a word, where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shared_input(name: str) -> Path:
    """The path of a shared input: under TANDEM_INPUTS, else in `shared/inputs` beside the project or a folder above it."""
    places = [Path(os.environ["TANDEM_INPUTS"])] if os.environ.get("TANDEM_INPUTS") else []
    places += [folder / "shared" / "inputs" for folder in list(ROOT.parents)[:3]]
    for place in places:
        if (place / name).exists():
            return place / name
    pytest.skip(f"shared/inputs/{name} is not beside the project; set TANDEM_INPUTS to its folder")
