"""The figures of sales on the command line."""

import json

from django.core.management.base import BaseCommand, CommandParser

from crm.reports import sales_figures
from portal.access import Actor


class Command(BaseCommand):
    """`manage.py crm_figures --json`."""

    help = "Print the figures of the sales dashboard."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the output's form."""
        parser.add_argument("--json", action="store_true", help="print JSON instead of lines")

    def handle(self, *args, **options) -> None:
        """Read the figures as the system and print them."""
        figures = sales_figures(Actor.system("crm_figures")).as_dict()
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, value in figures.items():
            self.stdout.write(f"{name.replace('_', ' '):28}{value if value is not None else '—'}")
