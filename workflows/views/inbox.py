"""The inbox."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from workflows import selectors, services
from workflows.access import WorkflowPermission, inbox_topics
from workflows.selectors.inbox import PAGE, InboxFilter, box_counts
from workflows.views.common import Paging, offset_of

BOXES = ("todo", "mine", "group", "delegated", "snoozed", "done", "all")


def _filter(request: HttpRequest) -> InboxFilter:
    box = request.GET.get("box", "todo")
    return InboxFilter(
        box=box if box in BOXES else "todo",
        text=request.GET.get("q", "").strip()[:100],
        sort="created" if request.GET.get("sort") == "created" else "due",
        process=request.GET.get("process", "")[:100],
        late=request.GET.get("late") == "yes",
        offset=offset_of(request, PAGE),
    )


def _topics(actor) -> str:
    """What the list listens to: the reader's own inboxes, and those of the people they stand in for."""
    return " ".join([inbox_topics(actor), *(f"inbox:user:{user}" for user in selectors.stood_in_for(actor))])


def _list_context(request: HttpRequest) -> dict:
    wanted = _filter(request)
    page = selectors.tasks_for(request.actor, wanted)
    return {"wanted": wanted, "page": page, "paging": Paging.of(page), "topics": _topics(request.actor)}


@require_GET
@requires(Audience.INTERNAL)
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for the reader, most urgent first."""
    actor = request.actor
    counts = box_counts(actor)
    boxes = [("todo", _("To do")), ("mine", _("Mine")), ("group", _("My groups’")), ("delegated", _("Handed on"))]
    if counts["snoozed"] or request.GET.get("box") == "snoozed":
        boxes.append(("snoozed", _("Snoozed")))
    if actor.can(WorkflowPermission.VIEW_ALL):
        boxes.append(("all", _("Everybody’s")))
    boxes.append(("done", _("Done by me")))
    context = {
        **_list_context(request),
        "boxes": [(key, label, counts.get(key)) for key, label in boxes],
        "counts": counts,
        "away": selectors.own_absence(actor),
        "processes": selectors.definitions(actor),
    }
    return render(request, "workflows/inbox.html", context)


@require_GET
@requires(Audience.INTERNAL)
def listing(request: HttpRequest) -> HttpResponse:
    """The list alone, re-read when something changes."""
    return render(request, "workflows/parts/_inbox_list.html", _list_context(request))


@require_POST
@requires(Audience.INTERNAL)
def bulk_claim(request: HttpRequest) -> HttpResponse:
    """Take several tasks at once; says how many a colleague had taken already."""
    ids = [int(raw) for raw in request.POST.getlist("id")[:200] if raw.isdigit()]
    taken, missed = 0, 0
    for task_id in ids:
        try:
            services.claim_task(request.actor, task_id)
            taken += 1
        except Refused:
            missed += 1
    if taken:
        messages.success(request, ngettext("%(n)d task is yours now.", "%(n)d tasks are yours now.", taken) % {"n": taken})
    if missed:
        messages.warning(request, ngettext("%(n)d task could not be taken.", "%(n)d tasks could not be taken.", missed) % {"n": missed})
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "workflows:inbox"
    return redirect(back)
