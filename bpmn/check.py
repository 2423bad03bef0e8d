"""Judges BPMN files without running them: `python -m bpmn.check FILES [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from bpmn import lint
from bpmn.model import Definition, DeployRefused, Problem
from bpmn.parser import read
from bpmn.vendors import translate
from bpmn.xml_safety import read_xml

EXECUTABLE, DRAWING, REFUSED = "executable", "drawing", "refused"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the deploy gate says about a file: it can run, it is a drawing only, or it is refused with reasons."""

    status: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    key: str = ""
    name: str = ""
    definition: Definition | None = None

    def as_dict(self) -> dict:
        """The report as plain JSON content."""
        return {
            "status": self.status,
            "key": self.key,
            "name": self.name,
            "problems": [asdict(problem) for problem in self.problems],
            "warnings": [asdict(problem) for problem in self.warnings],
        }


def check(
    xml: bytes,
    *,
    decisions: Mapping[str, bytes] = MappingProxyType({}),
    called: Mapping[str, bytes] = MappingProxyType({}),
) -> CheckReport:
    """Judge one file. A valid diagram without a process marked executable is a drawing; its problems tell what is left to do."""
    others: tuple[Problem, ...] = ()
    try:
        found = translate(bytes(xml))
        others = found.problems
        definition, problems = read(found.xml, decisions, called)
    except DeployRefused as refused:
        if _is_drawing(bytes(xml)):
            return CheckReport(DRAWING, tuple(refused.problems))
        return CheckReport(REFUSED, (*others, *refused.problems))
    problems = [*found.problems, *problems]
    notes = (*found.notes, *definition.warnings)
    if problems:
        return CheckReport(REFUSED, tuple(problems), notes, definition.key, definition.name)
    return CheckReport(EXECUTABLE, (), notes, definition.key, definition.name, definition)


def _is_drawing(xml: bytes) -> bool:
    """Valid BPMN in which no process claims to be executable."""
    try:
        root = read_xml(xml)
    except DeployRefused:
        return False
    return lint.is_bpmn(root) and lint.is_valid(root) and not lint.claims_to_run(root)


def main(arguments: list[str] | None = None) -> int:
    """Check files given on the command line; the exit code says whether all of them can run or are drawings."""
    parser = argparse.ArgumentParser(prog="python -m bpmn.check", description="Say whether BPMN files can run, and why not.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object per file and line")
    parser.add_argument("--dmn", action="append", type=Path, default=[], help="a DMN file that the processes use (may be repeated)")
    options = parser.parse_args(arguments)
    decisions = {path.name: path.read_bytes() for path in options.dmn}
    worst = 0
    for path in options.files:
        try:
            report = check(path.read_bytes(), decisions=decisions)
        except OSError as error:
            report = CheckReport(REFUSED, (Problem(None, "file.unreadable", f"The file can't be read: {error.strerror}."),))
        worst = max(worst, int(report.status == REFUSED))
        sys.stdout.write(
            json.dumps({"file": str(path), **report.as_dict()}, ensure_ascii=False) + "\n" if options.json else _words(path, report)
        )
    return worst


def _words(path: Path, report: CheckReport) -> str:
    lines = [f"{path}: {report.status}"]
    lines += [f"  {problem}" for problem in report.problems]
    lines += [f"  (note) {problem}" for problem in report.warnings]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
