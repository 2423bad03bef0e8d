"""What the cabinet's pages show: requests, steps and projects of one customer organisation, joined from their packages' selectors."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from crm import selectors as crm
from portal.access import Actor, Audience
from portal.registry import SiteForm
from projects import selectors as projects
from workflows.selectors import InboxFilter, TaskRow, inbox_counts, standing, tasks_for


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request on the home page, with where it stands in plain words."""

    request: crm.RequestView
    stands_at: str
    needs_you: bool


@dataclass(frozen=True, slots=True)
class Home:
    """What needs you, what is in progress, what is done."""

    tasks: list[TaskRow]
    in_progress: list[RequestRow]
    done: list[crm.RequestView]
    projects: list[projects.ProjectRow]

    @property
    def is_empty(self) -> bool:
        """Nothing at all yet."""
        return not (self.tasks or self.in_progress or self.done or self.projects)


def waiting_count(actor: Actor) -> int | None:
    """How many steps wait for the actor, for the navigation's badge."""
    return inbox_counts(actor).get("todo") or None


def home(actor: Actor) -> Home:
    """The cabinet's home; the number of queries doesn't grow with requests."""
    tasks = [t for t in tasks_for(actor, InboxFilter(limit=20)).rows if t.audience == Audience.CUSTOMER]
    running = crm.requests_for(actor, state="open", limit=50)
    return Home(
        tasks,
        request_rows(actor, running, tasks),
        [r for r in crm.requests_for(actor, limit=60) if r.state != "open"][:10],
        projects.projects_for(actor, state="active", limit=10),
    )


def request_rows(actor: Actor, requests: list[crm.RequestView], tasks: list[TaskRow]) -> list[RequestRow]:
    """Requests with where each stands."""
    waiting = standing(actor, [r.instance_id for r in requests if r.instance_id])
    mine = {t.instance_id for t in tasks}
    return [RequestRow(r, waiting.get(r.instance_id or 0, ""), r.instance_id in mine) for r in requests]


def site_forms() -> list[SiteForm]:
    """The forms that a landing page of the site may hold: one for any wish, one for each product of the public catalogue."""
    forms = [SiteForm("request", _("Start a request"), reverse("public_start:form"))]
    for card in crm.catalogue(Actor.anonymous()):
        address = reverse("public_start:form-product", args=[card.id])
        forms.append(SiteForm(f"request-{card.id}", _("Ask for “%(product)s”") % {"product": card.name}, address))
    return forms
