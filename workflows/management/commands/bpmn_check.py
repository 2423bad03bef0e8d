"""Check diagrams without publishing them."""

import json
import sys
from pathlib import Path

from django.core.management.base import BaseCommand

from bpmn.check import CheckReport, check
from bpmn.model import Problem
from workflows.services.deployment import unknown_names


class Command(BaseCommand):
    """`manage.py bpmn_check FILES [--json]`: ends with status 1 where any file is refused."""

    help = (
        "Say of BPMN files whether they are executable, drawings, or refused, and why. Files of other engines are translated; *.bpmn and "
        "*.dmn files beside them are used for their calls and decisions. What this installation lacks (connectors, roles) is a warning."
    )

    def add_arguments(self, parser) -> None:
        """Files, and the form of the answer."""
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args, **options) -> None:
        """Check each file and print its problems and warnings."""
        findings = [self.findings_of(path) for path in options["files"]]
        if options["json"]:
            self.stdout.write(json.dumps(findings, indent=2, ensure_ascii=False))
        else:
            for finding in findings:
                self.stdout.write(f"{finding['file']}: {finding['status']}")
                for problem in (*finding["problems"], *finding["warnings"]):
                    place = f"{problem['element']}: " if problem["element"] else ""
                    self.stdout.write(f"  {place}{problem['message']} {problem['remedy']}".rstrip())
        if any(finding["status"] == "refused" for finding in findings):
            sys.exit(1)

    def findings_of(self, path: Path) -> dict:
        """One file's findings."""
        report = report_of(path)
        missing = tuple(unknown_names(report.definition)) if report.definition else ()
        return {
            "file": str(path),
            "status": report.status,
            "key": report.key,
            "problems": told(report.problems),
            "warnings": told((*missing, *report.warnings)),
        }


def report_of(path: Path) -> CheckReport:
    """The engine's judgement of a file, with the files beside it."""
    try:
        content = path.read_bytes()
        decisions = {other.name: other.read_bytes() for other in sorted(path.parent.glob("*.dmn"))}
        called = CalledFiles(path)
    except OSError as error:
        return CheckReport("refused", (Problem(None, "file.unreadable", f"The file can't be read: {error.strerror}."),))
    return check(content, decisions=decisions, called=called.needed_by(content))


def told(problems) -> list[dict[str, str]]:
    """Problems as plain values."""
    return [{"element": p.element_id or "", "code": p.code, "message": p.message, "remedy": p.remedy} for p in problems]


class CalledFiles:
    """The diagrams beside a file, by the keys of their processes."""

    def __init__(self, path: Path):
        self.others = [other for other in sorted(path.parent.glob("*.bpmn*")) if other != path and other.is_file()][:200]

    def needed_by(self, content: bytes) -> dict[str, bytes]:
        """The diagrams that this one calls, and those that they call."""
        from bpmn.vendors import called_keys, main_key, translate

        known: dict[str, bytes] | None = None
        found: dict[str, bytes] = {}
        waiting = called_keys(content)
        while waiting - found.keys():
            if known is None:
                known = {}
                for other in self.others:
                    text = other.read_bytes()
                    if key := main_key(text):
                        known.setdefault(key, text)
            fresh = {key: translate(known[key]).xml for key in waiting - found.keys() if key in known}
            if not fresh:
                break
            found |= fresh
            waiting = {key for text in fresh.values() for key in called_keys(text)}
        return found
