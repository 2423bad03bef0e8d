"""The demo company's people and organisations; all marked as demo, none of them exists."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from portal.access import Actor, Audience
from portal.models import Membership, Organisation, User
from portal.services.memberships import add_member, confirm_address

PASSWORD = "tandem-demo"  # noqa: S105  printed on the demo's own page
OWN, ACME, BIRCH, PINE, QUILL = (
    "Northwind Works (demo)",
    "Acme Bikes (demo)",
    "Birch Bakery (demo)",
    "Pine Partners (demo)",
    "Quill Consulting (demo)",
)


@dataclass(frozen=True)
class DemoPerson:
    """One line of the page that says who to sign in as."""

    email: str
    name: str
    organisation: str
    audience: Audience
    roles: tuple[str, ...]
    what: object
    job_title: str = ""


PEOPLE = [
    DemoPerson("cara@acme.example", "Cara Customer", ACME, Audience.CUSTOMER, ("customer_admin", "customer_member"), _("A customer's administrator: starts a request, decides on the quote, invites colleagues"), "Head of purchasing"),
    DemoPerson("colin@acme.example", "Colin Colleague", ACME, Audience.CUSTOMER, ("customer_member",), _("A customer's colleague: follows the same requests"), "Workshop manager"),
    DemoPerson("ann@acme.example", "Ann Accountant", ACME, Audience.CUSTOMER, ("customer_approver",), _("A customer's approver: large quotes need her word before they are signed"), "Chief financial officer"),
    DemoPerson("erin@northwind.example", "Erin Employee", OWN, Audience.INTERNAL, ("employee", "sales"), _("An employee in sales: inbox, CRM, board, feed"), "Account executive"),
    DemoPerson("mona@northwind.example", "Mona Manager", OWN, Audience.INTERNAL, ("employee", "sales", "manager"), _("A manager: approvals, sales dashboard"), "Head of sales"),
    DemoPerson("fiona@northwind.example", "Fiona Finance", OWN, Audience.INTERNAL, ("employee", "finance"), _("Finance: the second approval over the discount limit"), "Controller"),
    DemoPerson("dan@northwind.example", "Dan Delivery", OWN, Audience.INTERNAL, ("employee", "delivery"), _("Delivery: projects and milestones"), "Project lead"),
    DemoPerson("paul@pine.example", "Paul Partner", PINE, Audience.PARTNER, ("partner_admin", "partner_member"), _("A partner: joint deals, deal registration"), "Managing partner"),
    DemoPerson("pia@pine.example", "Pia Partner", PINE, Audience.PARTNER, ("partner_member",), _("A partner's colleague"), "Consultant"),
    DemoPerson("dora@northwind.example", "Dora Designer", OWN, Audience.INTERNAL, ("employee", "designer"), _("A process designer: definitions, drawing, publishing"), "Process designer"),
    DemoPerson("adam@northwind.example", "Adam Admin", OWN, Audience.INTERNAL, ("employee", "administrator", "designer", "manager"), _("An administrator: people, organisations, import, site"), "Administrator"),
    DemoPerson("bea@birch.example", "Bea Birch", BIRCH, Audience.CUSTOMER, ("customer_admin", "customer_member"), _("Another customer's administrator: sees nothing of the first"), "Owner"),
    DemoPerson("quinn@quill.example", "Quinn Quill", QUILL, Audience.PARTNER, ("partner_admin", "partner_member"), _("Another partner"), "Owner"),
]  # fmt: skip


MANAGERS = {"erin": "mona", "fiona": "mona", "dan": "mona", "dora": "mona", "mona": "adam"}


@dataclass
class World:
    """What the packages' `seed` functions share: organisations by name, users by e-mail, and room for their own rows."""

    organisations: dict[str, Organisation] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    rows: dict[str, object] = field(default_factory=dict)

    def actor(self, email: str) -> Actor:
        """The actor of a demo person, in their first membership."""
        member = Membership.objects.select_related("user", "organisation").filter(user=self.users[email]).order_by("pk").first()
        assert member is not None
        return Actor.for_membership(member)


def seed(world: World) -> None:
    """Make the demo's organisations and people; running it again changes nothing."""
    system = Actor.system("demo")
    for name, kinds in {
        OWN: {"is_own": True},
        ACME: {"is_customer": True},
        BIRCH: {"is_customer": True},
        PINE: {"is_partner": True},
        QUILL: {"is_partner": True},
    }.items():
        world.organisations[name], _made = Organisation.objects.get_or_create(name=name, defaults=kinds)
    for person in PEOPLE:
        user = User.objects.filter(email=person.email).first()
        if user is None:
            user = User.objects.create_user(person.email, PASSWORD, name=person.name, job_title=person.job_title)
            confirm_address(user)
            add_member(system, user, world.organisations[person.organisation].pk, person.audience, person.roles)
        world.users[person.email] = user
    for name, manager in MANAGERS.items():
        place = Membership.objects.filter(user=world.users[f"{name}@northwind.example"], audience="internal", manager=None)
        place.update(manager=world.users[f"{manager}@northwind.example"])
