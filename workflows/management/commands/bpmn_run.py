"""Run a diagram in memory, without a database row."""

import json
import sys
from pathlib import Path

from django.core.management.base import BaseCommand

from bpmn import sandbox
from bpmn.draft import MAX_ACTS
from bpmn.model import DeployRefused, EngineError
from workflows.management.commands.bpmn_check import CalledFiles, told


class Command(BaseCommand):
    """`manage.py bpmn_run FILE [--json] [--data JSON] [--answers JSON] [--acts N]`."""

    help = (
        "Run an executable BPMN file once, in a process of its own with limits on memory and time: people and services are answered by "
        "defaults (or by --answers, by element id), timers fire. Says how it ended or where it waits."
    )

    def add_arguments(self, parser) -> None:
        """The file, and what to answer."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--data", type=json.loads, default={}, help="variables to start with, as JSON")
        parser.add_argument("--answers", type=json.loads, default={}, help="answers by element id, as JSON")
        parser.add_argument("--acts", type=int, default=MAX_ACTS, help="how many tasks, timers and messages at most")

    def handle(self, *args, **options) -> None:
        """Run the file and print the report."""
        report = self.report(options["file"], options)
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(f"{report['file']}: {report['ended']}")
            for part in ("problems", "incidents", "waits"):
                for item in report.get(part, ()):
                    self.stdout.write("  " + " ".join(str(value) for value in item.values()))
        if report["ended"] in ("refused", "stopped"):
            sys.exit(1)

    def report(self, path: Path, options: dict) -> dict:
        """What the run says, or why there was none."""
        told_file = {"file": str(path)}
        try:
            content = path.read_bytes()
            run = sandbox.draft_run(
                content,
                decisions={other.name: other.read_bytes() for other in sorted(path.parent.glob("*.dmn"))},
                called=CalledFiles(path).needed_by(content),
                data=options["data"],
                answers=options["answers"],
                max_acts=options["acts"],
            )
        except DeployRefused as refused:
            return {**told_file, "ended": "refused", "problems": told(refused.problems)}
        except sandbox.SandboxFailed as failed:
            return {**told_file, "ended": "stopped", "problems": [{"code": failed.code, "message": str(failed)}]}
        except (EngineError, OSError) as error:
            return {**told_file, "ended": "refused", "problems": [{"code": "run", "message": str(error)}]}
        return {**told_file, **run}
