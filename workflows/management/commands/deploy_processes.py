"""Publish the shipped processes."""

from django.core.management.base import BaseCommand, CommandError

from bpmn.model import DeployRefused
from workflows.packs import deploy_shipped


class Command(BaseCommand):
    """`manage.py deploy_processes`: publishes what changed; running it again changes nothing."""

    help = "Publish every app's processes/*.bpmn with the decision tables beside them."

    def handle(self, *args, **options) -> None:
        """Publish, and say what was new."""
        try:
            results = deploy_shipped()
        except DeployRefused as refused:
            raise CommandError("\n".join(str(problem) for problem in refused.problems)) from refused
        for result in results:
            self.stdout.write(f"{result.key} v{result.version}{' (unchanged)' if result.unchanged else ''}")
