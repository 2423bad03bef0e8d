"""Fill an installation with the demo company."""

from importlib import import_module
from importlib.util import find_spec

from django.core.management.base import BaseCommand
from django.db import transaction

from portal.demo import World
from portal.demo_site import seed_site

# Floor order: a package's demo rows may stand on those before it.
PACKAGES = ["portal", "workflows", "social_feed", "crm", "projects", "partners", "customer_cabinet", "analytics"]


class Command(BaseCommand):
    """`manage.py seed_demo`: running it again changes nothing."""

    help = "Make the demo company: people, organisations, processes, sample work."

    def handle(self, *args, **options) -> None:
        """Call every package's `demo.seed(world)` in floor order, each in its own transaction."""
        world = World()
        for package in PACKAGES:
            if find_spec(f"{package}.demo"):
                with transaction.atomic():
                    import_module(f"{package}.demo").seed(world)
        with transaction.atomic():
            seed_site()  # last: the landing page embeds a form of the catalogue
        self.stdout.write(self.style.SUCCESS("The demo company stands."))
