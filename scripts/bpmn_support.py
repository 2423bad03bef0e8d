"""Writes the table of what BPMN runs into docs/bpmn-support.md, from the tests: `python scripts/bpmn_support.py [--check]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "bpmn-support.md"
BEGIN, END = "<!-- what runs: written by scripts/bpmn_support.py -->", "<!-- end -->"


def table() -> str:
    """The table: each row with how it runs and the tests that prove it."""
    support = importlib.import_module("tests.bpmn.support")
    for path in sorted((ROOT / "tests" / "bpmn").glob("test_*.py")):
        if "from tests.bpmn.support import" in path.read_text():
            importlib.import_module(f"tests.bpmn.{path.stem}")
    lines = ["| element | how | tests |", "|---|---|---|"]
    for row, how in support.ROWS.items():
        proofs = support.PROOFS.get(row, [])
        if not proofs:
            raise SystemExit(f"No test proves “{row}”.")
        files = sorted({proof.partition("::")[0] for proof in proofs})
        lines.append(f"| {row} | {how} | {len(set(proofs))} in {', '.join(f'`{name}`' for name in files)} |")
    return "\n".join(lines)


def page() -> str:
    """The page with today's table."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is current."""
    sys.path.insert(0, str(ROOT))
    new = page()
    if "--check" in arguments:
        return int(PAGE.read_text() != new)
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
