"""The one named cast that every test plays with; each package adds its rows in `tests/worlds/<package>.py`.

Rows hold `LEAK:<owner>` in every text that others must not see: `test_leaks.py` crawls for them as each actor.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from portal import demo
from portal.access import Actor

PACKAGES = ["portal", "workflows", "calendars", "social_feed", "crm", "crm_import", "projects", "partners", "customer_cabinet", "analytics"]


class Cast(demo.World):
    """Organisations and people of the demo, by the names that tests use."""

    @property
    def erin(self) -> Actor:
        """Sales."""
        return self.actor("erin@northwind.example")

    @property
    def mona(self) -> Actor:
        """Manager."""
        return self.actor("mona@northwind.example")

    @property
    def fiona(self) -> Actor:
        """Finance."""
        return self.actor("fiona@northwind.example")

    @property
    def dan(self) -> Actor:
        """Delivery."""
        return self.actor("dan@northwind.example")

    @property
    def dora(self) -> Actor:
        """Process designer."""
        return self.actor("dora@northwind.example")

    @property
    def adam(self) -> Actor:
        """Administrator."""
        return self.actor("adam@northwind.example")

    @property
    def cara(self) -> Actor:
        """Customer A's administrator."""
        return self.actor("cara@acme.example")

    @property
    def colin(self) -> Actor:
        """Customer A's colleague."""
        return self.actor("colin@acme.example")

    @property
    def ann(self) -> Actor:
        """Customer A's approver."""
        return self.actor("ann@acme.example")

    @property
    def bea(self) -> Actor:
        """Customer B's administrator."""
        return self.actor("bea@birch.example")

    @property
    def paul(self) -> Actor:
        """Partner A's administrator."""
        return self.actor("paul@pine.example")

    @property
    def pia(self) -> Actor:
        """Partner A's colleague."""
        return self.actor("pia@pine.example")

    @property
    def quinn(self) -> Actor:
        """Partner B's administrator."""
        return self.actor("quinn@quill.example")


def build_people() -> Cast:
    """Only organisations and people."""
    cast = Cast()
    demo.seed(cast)
    return cast


def build() -> Cast:
    """The whole cast with every package's rows."""
    cast = build_people()
    for package in PACKAGES:
        if find_spec(f"tests.worlds.{package}"):
            import_module(f"tests.worlds.{package}").build(cast)
    return cast
