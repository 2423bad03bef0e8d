"""The inbox: its boxes, what narrows and orders them, and the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from portal.access import Actor, Audience, requires
from portal.registry import registry
from portal.saved_views import views_menu
from portal.selectors import employees
from workflows import selectors
from workflows.access import WorkflowPermission, inbox_topics
from workflows.selectors.batches import batch_view
from workflows.selectors.definitions import process_choices, step_choices
from workflows.selectors.desk import BADGE_CAP, CAP, PAGE, Desk, InboxFilter, box_counts
from workflows.views.common import Paging, number, offset_of
from workflows.views.wanted import read_filter, write_filter

LIST_KEY = "inbox"
WITH_PEOPLE = ("all", "delegated", "waiting")  # boxes that may hold tasks in others' hands
CHOOSABLE = ("todo", "mine", "group", "delegated", "received", "snoozed", "all")  # boxes whose tasks can be acted on together


@dataclass(frozen=True, slots=True)
class Tab:
    """A box as its tab shows it."""

    key: str
    label: str
    count: str
    query: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class FilterChip:
    """Something that narrows the list, and the query without it."""

    label: str
    without: str


def words_of_count(count: int, cap: int = BADGE_CAP) -> str:
    """A count as it is shown: nobody counts beyond the cap."""
    return f"{cap - 1}+" if count >= cap else str(count)


def _topics(actor: Actor, page: Any) -> str:
    """What the list listens to: the reader's own inboxes, those of the people they stand in for, and the processes they wait for."""
    waiting = [f"process:{row.instance_id}" for row in page.rows if row.is_theirs]
    return " ".join([inbox_topics(actor), *(f"inbox:user:{user}" for user in selectors.stood_in_for(actor)), *waiting])


def _tabs(actor: Actor, wanted: InboxFilter, counts: dict[str, int]) -> list[Tab]:
    boxes = [
        ("todo", _("To do")),
        ("mine", _("Mine")),
        ("group", _("My groups’")),
        ("delegated", _("Handed on")),
        ("waiting", _("Waiting for others")),
        ("snoozed", _("Snoozed")),
    ]
    if actor.can(WorkflowPermission.VIEW_ALL):
        boxes.append(("all", _("Everybody’s")))
    boxes.append(("done", _("Done by me")))
    here = "delegated" if wanted.box == "received" else wanted.box
    shown = {**counts, "delegated": min(BADGE_CAP, counts["delegated"] + counts["received"])}
    return [
        Tab(key, label, words_of_count(shown[key]) if key in shown else "", write_filter(InboxFilter(key, sort=wanted.sort)), key == here)
        for key, label in boxes
    ]


def _sides(wanted: InboxFilter, counts: dict[str, int]) -> list[Tab]:
    """Handed on by the reader, or to them."""
    sides = [("delegated", _("By me")), ("received", _("To me"))]
    return [
        Tab(key, label, words_of_count(counts[key]), write_filter(InboxFilter(key, sort=wanted.sort)), key == wanted.box)
        for key, label in sides
    ]


def _choices(actor: Actor, wanted: InboxFilter) -> dict[str, Any]:
    """What can be chosen above the list."""
    processes = process_choices(actor)
    kinds = {one.subject_kind for one in processes if one.subject_kind in registry.subjects}
    roles = [role for role in registry.roles.values() if role.audience is Audience.INTERNAL]
    return {
        "processes": [(one.key, one.name) for one in processes],
        "steps": step_choices(wanted.process) if wanted.process else [],
        "kinds": sorted((key, str(registry.subjects[key].label)) for key in kinds),
        "dues": [("late", _("Late")), ("today", _("Today")), ("week", _("Within a week")), ("none", _("No date"))],
        "groups": [(role.key, str(role.label)) for role in roles if wanted.box == "all" or role.key in actor.roles],
        "people": [(str(p.id), p.name) for p in employees()] if wanted.box in WITH_PEOPLE else [],
    }


def _chips(wanted: InboxFilter, choices: dict[str, Any]) -> list[FilterChip]:
    """What narrows the list now."""
    asked = [
        ("process", wanted.process, choices["processes"]),
        ("step", wanted.step, choices["steps"]),
        ("about", wanted.about, choices["kinds"]),
        ("due", wanted.due, choices["dues"]),
        ("group", wanted.group, choices["groups"]),
        ("person", str(wanted.person or ""), choices["people"]),
        ("q", wanted.text, [(wanted.text, f"“{wanted.text}”")]),
    ]
    gone = {"process": {"process": "", "step": ""}}
    return [
        FilterChip(dict(known).get(value, value), write_filter(wanted, **gone.get(name, {name: ""})))
        for name, value, known in asked
        if value
    ]


def _elsewhere(actor: Actor, wanted: InboxFilter, tabs: list[Tab]) -> list[Tab]:
    """Boxes with something to do in them, offered where this one is empty."""
    return [tab for tab in tabs if tab.key in ("todo", "mine", "group") and tab.count != "0" and tab.key != wanted.box]


@require_GET
@requires(Audience.INTERNAL)
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for the reader, most urgent first; the list and its counts alone when it is re-read."""
    actor = request.actor  # type: ignore[attr-defined]
    part = bool(request.htmx) and request.htmx.target == "inbox-list"  # type: ignore[attr-defined]
    wanted = read_filter(request.GET, offset_of(request, PAGE))
    menu = None if part else views_menu(actor, LIST_KEY)
    if menu and not request.GET and menu.default:
        return redirect(f"{request.path}?{menu.default.query or 'view=none'}")
    desk = Desk(actor)
    page = selectors.tasks_for(actor, wanted, desk)
    counts = box_counts(actor, desk)
    tabs = _tabs(actor, wanted, counts)
    choices = _choices(actor, wanted)
    context = {
        "wanted": wanted,
        "view": write_filter(wanted),
        "page": page,
        "paging": Paging.of(page),
        "total": words_of_count(page.total, CAP),
        "capped": page.total >= CAP,
        "topics": _topics(actor, page),
        "tabs": tabs,
        "sides": _sides(wanted, counts) if wanted.box in ("delegated", "received") else [],
        "counts": counts,
        "choices": choices,
        "chips": _chips(wanted, choices),
        "sorts": [("due", _("Due first")), ("money", _("Most money first")), ("new", _("Newest first"))],
        "choosable": wanted.box in CHOOSABLE,
        "elsewhere": _elsewhere(actor, wanted, tabs),
        "cleared": request.GET.get("cleared") == "yes",
        "part": part,
        "menu": menu,
    }
    if not part:
        context["away"] = selectors.own_absence(actor)
        context["did"] = batch_view(actor, number(request, "did")) if "did" in request.GET else None
    return render(request, "workflows/parts/_inbox_list.html" if part else "workflows/inbox.html", context)
