"""What the cabinet's pages show: requests, steps and projects of one customer organisation, joined from their packages' selectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import selectors as crm
from crm.appointments import selectors as appointments
from customer_cabinet.access import visible_drafts
from portal.access import Actor, Audience
from portal.amounts import money_text
from portal.registry import SearchHit, SiteCard, SiteForm, SubjectRef
from portal.rows import PreparedFor
from projects import selectors as projects
from workflows.selectors import Forecast, TaskRow, first_tasks, forecasts, open_steps, standing


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request on the home page, with where it stands in plain words."""

    request: crm.RequestView
    stands_at: str
    needs_you: bool
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class ComingDate:
    """A day that the reader should know of."""

    day: date
    what: str
    about: str
    url: str
    icon: str
    is_yours: bool
    at: datetime | None = None  # where it is a time of that day


@dataclass(frozen=True, slots=True)
class DraftView:
    """A request that was begun and not sent."""

    product_id: int
    product: str
    title: str
    description: str
    updated: datetime
    answers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Home:
    """What needs you, what is in progress, what is done, the next dates, and who looks after you."""

    tasks: list[TaskRow]
    in_progress: list[RequestRow]
    done: list[crm.RequestView]
    projects: list[projects.ProjectRow]
    dates: list[ComingDate]
    caretaker: crm.Caretaker | None
    drafts: list[DraftView]
    cases: list[crm.CaseView]
    offers: list[appointments.AppointmentView]  # appointments that wait for a time

    @property
    def is_empty(self) -> bool:
        """Nothing at all yet."""
        return not (self.tasks or self.in_progress or self.done or self.projects or self.drafts or self.cases or self.offers)


def home(actor: Actor) -> Home:
    """The cabinet's home; the number of queries doesn't grow with requests."""
    tasks = [t for t in first_tasks(actor, 20) if t.audience == Audience.CUSTOMER]
    running = crm.requests_for(actor, state="open", limit=50)
    ahead = appointments.ahead(actor)
    return Home(
        tasks,
        request_rows(actor, running, tasks),
        crm.requests_for(actor, state="over", limit=10),
        projects.projects_for(actor, state="active", limit=10),
        coming_dates(actor, tasks, [one for one in ahead if one.state == "booked"]),
        crm.caretaker_of(actor),
        drafts(actor),
        crm.cases_for(actor, is_open=True, limit=10),
        [one for one in ahead if one.state == "offered"][:10],
    )


def drafts(actor: Actor, product_id: int | None = None) -> list[DraftView]:
    """The actor's own unsent requests for products that are still offered, the newest first; of one product, or of all."""
    rows = _DRAFTS.rows(actor, values=[] if product_id is None else [product_id])
    return [DraftView(row.product_id, row.product.name, row.title, row.description, row.updated, row.answers) for row in rows]


def _drafts(actor: Actor, *products: int) -> QuerySet:
    rows = visible_drafts(actor).filter(product__is_public=True, product__is_active=True).select_related("product")
    return (rows.filter(product_id__in=products) if products else rows).order_by("-updated", "-pk")[:20]


_DRAFTS = PreparedFor(_drafts, personal=True)


def request_rows(actor: Actor, requests: list[crm.RequestView], tasks: list[TaskRow]) -> list[RequestRow]:
    """Requests with where each stands and when it will probably be done."""
    ids = [r.instance_id for r in requests if r.instance_id and r.state == "open"]
    steps = open_steps(actor, ids)
    waiting, ends = standing(actor, ids, steps), forecasts(actor, ids, steps)
    mine = {t.instance_id for t in tasks}
    return [RequestRow(r, waiting.get(r.instance_id or 0, ""), r.instance_id in mine, ends.get(r.instance_id or 0)) for r in requests]


def coming_dates(actor: Actor, tasks: list[TaskRow], agreed: list[appointments.AppointmentView], limit: int = 6) -> list[ComingDate]:
    """The next days of the actor's steps, quotes, milestones and appointments, soonest first; what has passed is shown where it waits."""
    found = [_date_of_task(task, task.due) for task in tasks if task.due]
    decided = {task.subject.ref for task in tasks if task.due and task.subject}
    for quote in crm.quotes_for(actor, open_only=True, limit=limit):
        if quote.ref in decided:  # the step that decides on it ends the same day
            continue
        url = reverse("customer_cabinet:quote", args=[quote.id])
        found.append(ComingDate(quote.valid_until, _("The quote ends"), quote.number, url, "file-text", True))
    for milestone in projects.coming_milestones(actor, limit):
        url = reverse("customer_cabinet:project", args=[milestone.project_id])
        found.append(ComingDate(milestone.due, milestone.name, milestone.project, url, "target-arrow", milestone.is_mine))
    found += [_date_of_appointment(one) for one in agreed if one.starts]
    today = timezone.localdate()
    return sorted((one for one in found if one.day >= today), key=lambda one: (one.day, one.at.timestamp() if one.at else 0))[:limit]


def _date_of_appointment(one: appointments.AppointmentView) -> ComingDate:
    url = reverse("customer_cabinet:appointment", args=[one.id])
    about = f"{one.host_name} · {one.place}" if one.place else one.host_name
    return ComingDate(timezone.localdate(one.starts), one.title, about, url, "calendar-event", False, one.starts)


def appointments_of(actor: Actor, ref: SubjectRef) -> list[appointments.AppointmentView]:
    """The appointments about a record; a request shows those about its deal and its project as well."""
    refs = [ref]
    if ref.kind == "crm.request":
        refs += [SubjectRef("crm.deal", key) for key in crm.deal_ids_of_request(ref.id)]
        request = crm.request_view(actor, ref.id)
        if request and request.instance_id:
            refs += [SubjectRef("projects.project", key) for key in projects.projects_of_instance(actor, request.instance_id)]
    return appointments.appointments_on(actor, refs)


def _date_of_task(task: TaskRow, due: datetime) -> ComingDate:
    about = task.title or (task.subject.title if task.subject else "")
    url = (task.subject and task.subject.url) or reverse("customer_cabinet:step", args=[task.id])
    return ComingDate(timezone.localdate(due), task.name, about, url, "hand-click", True)


def site_forms() -> list[SiteForm]:
    """The forms that a landing page of the site may hold: one for any wish, one for each product of the public catalogue."""
    forms = [SiteForm("request", _("Start a request"), reverse("public_start:form"))]
    for card in crm.catalogue(Actor.anonymous()):
        address = reverse("public_start:form-product", args=[card.id])
        forms.append(SiteForm(f"request-{card.id}", _("Ask for “%(product)s”") % {"product": card.name}, address))
    return forms


def site_cards() -> list[SiteCard]:
    """The public catalogue as the site shows it."""
    return [
        SiteCard(
            card.name,
            card.description,
            reverse("products:product", args=[card.id]),
            card.icon,
            _("from %(price)s") % {"price": money_text(card.list_price.amount, str(card.list_price.currency))} if card.list_price else "",
            card.category,
        )
        for card in crm.catalogue(Actor.anonymous())
    ]


def find_products(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Products of the public catalogue by words, for the site's search."""
    cards = crm.catalogue(Actor.anonymous(), text)[:limit]
    return [SearchHit(card.name, card.description, reverse("products:product", args=[card.id]), card.icon) for card in cards]
