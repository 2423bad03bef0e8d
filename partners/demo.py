"""The demo's partner programme, with both demo partners in it."""

from __future__ import annotations

from partners.models import JointDeal
from partners.services import ensure_programme, join_programme
from portal.access import Actor
from portal.demo import PINE, QUILL, World
from workflows.selectors import InboxFilter, tasks_for
from workflows.services import complete_task


def seed(world: World) -> None:
    """Make the standard programme and put the demo's partners under it; running it again changes nothing."""
    programme = ensure_programme("Standard programme")
    if not programme.description:
        programme.description = "What our partners may count on: a decision within two days, and protection of what they bring."
        programme.save(update_fields=["description"])
    manager = world.users["mona@northwind.example"].pk
    for name in (PINE, QUILL):
        join_programme(Actor.system("demo"), world.organisations[name].pk, programme, manager_id=manager)
    invite_first_partner(world)


def invite_first_partner(world: World) -> None:
    """The demo's deal that needs a partner invites one, as long as there is no joint deal at all."""
    if JointDeal.objects.exists():
        return
    erin = world.actor("erin@northwind.example")
    for task in tasks_for(erin, InboxFilter(process="request_to_delivery")).rows:
        if task.element_id == "choose_partner":
            complete_task(erin, task.id, {"needs_partner": "on", "partner": str(world.organisations[PINE].pk)})
