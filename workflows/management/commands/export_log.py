"""The event log of the processes on the command line."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.access import Actor
from workflows.event_log import FORMATS, LogFilter, export


def _moment(text: str) -> datetime:
    """An ISO date or time; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” isn't a date such as 2026-01-31") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Command(BaseCommand):
    """`manage.py export_log --format xes|ocel [--output FILE]`."""

    help = "Write the event log of the processes as XES or OCEL 2.0 (JSON), for process mining."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take format, filters and target."""
        parser.add_argument("--format", choices=sorted(FORMATS), default="xes")
        parser.add_argument("--process", default="", help="only instances of this process (its key)")
        parser.add_argument("--status", default="", help="running, completed, failed, cancelled or incident")
        parser.add_argument("--since", type=_moment, help="only instances started at or after this date")
        parser.add_argument("--until", type=_moment, help="only instances started before this date")
        parser.add_argument("--gateways", action="store_true", help="gateways count as events too")
        parser.add_argument("--output", default="-", help="the file to write; - prints")

    def handle(self, *args, **options) -> None:
        """Stream it; a file appears only when it is whole."""
        wanted = LogFilter(
            key=options["process"],
            status=options["status"],
            since=options["since"],
            until=options["until"],
            routing=options["gateways"],
        )
        pieces = export(Actor.system("export_log"), wanted, options["format"])
        if options["output"] == "-":
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        target = Path(options["output"])
        unfinished = target.with_name(target.name + ".part")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                file.writelines(pieces)
        except OSError as error:
            raise CommandError(f"{target} can't be written: {error.strerror}") from error
        unfinished.replace(target)
        print(f"Written: {target}", file=sys.stderr)
