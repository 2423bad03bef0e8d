"""Acting on many tasks: choose, see the effect, apply to exactly these, take it back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.jobs import Job
from portal.numbers import whole_number
from portal.selectors import employees
from workflows import services
from workflows.errors import NotFound
from workflows.selectors.batches import BatchView, batch_view
from workflows.selectors.desk import queue
from workflows.services.batches import MOST
from workflows.views.wanted import read_filter, write_filter

SHOWN = 100  # tasks that a preview names


def _list_url(view: str) -> str:
    return f"{reverse('workflows:inbox')}{'?' if view else ''}{view}"


@require_POST
@requires(Audience.INTERNAL)
def start(request: HttpRequest) -> HttpResponse:
    """Keep the chosen tasks: the marked ones, or everything that the list's filter finds; then show the effect."""
    actor = request.actor  # type: ignore[attr-defined]
    wanted = read_filter(dict(parse_qsl(request.POST.get("view", ""))))
    view = write_filter(wanted)
    if request.POST.get("everything") == "yes":
        ids = queue(actor, wanted, MOST + 1)
    else:
        ids = [pk for raw in request.POST.getlist("id") if (pk := whole_number(raw)) is not None]
    try:
        batch_id = services.choose_tasks(actor, request.POST.get("act", ""), ids, view=view)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect(_list_url(view))
    return redirect("workflows:batch", batch_id)


def _batch(request: HttpRequest, batch_id: int) -> BatchView:
    found = batch_view(request.actor, batch_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The effect before, the outcome after; POST applies it."""
    found = _batch(request, batch_id)
    if request.method == "POST":
        return _apply(request, found)
    return _page(request, found)


def _page(request: HttpRequest, found: BatchView, refused: Refused | None = None) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    asked = (request.POST if request.method == "POST" else request.GET).get("user_id", "")
    user_id = whole_number(asked)
    context: dict[str, Any] = {"batch": found, "back": _list_url(found.view), "refused": refused, "user_id": user_id}
    if found.state == "chosen":
        effect = services.preview_batch(actor, found.id, user_id=user_id)
        people = employees() if found.act == "delegate" else []
        context |= {
            "effect": effect,
            "shown": effect.changed[:SHOWN],
            "more": max(0, len(effect.changed) - SHOWN),
            "people": people,
            "person": next((p.name for p in people if p.id == user_id), ""),
            "way": request.POST.get("until", "tomorrow"),
            "note": request.POST.get("note", ""),
        }
    part = bool(request.htmx) and request.htmx.target == "batch-effect"  # type: ignore[attr-defined]
    template = "workflows/parts/_batch_effect.html" if part else "workflows/batch.html"
    return render(request, template, context, status=refused.status if refused else 200)


def _apply(request: HttpRequest, found: BatchView) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    raw = request.POST.get("user_id", "")
    try:
        until = services.when_to_wake(actor, request.POST.get("until", "")) if found.act == "snooze" else None
        user_id = whole_number(raw)
        job = services.apply_batch(actor, found.id, user_id=user_id, until=until, note=request.POST.get("note", ""))
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        return _page(request, _batch(request, found.id), refused)
    return _after(found, job)


def _after(found: BatchView, job: Job | None) -> HttpResponse:
    if job is not None:
        return redirect("job", job.pk)
    return redirect(f"{_list_url(found.view)}{'&' if found.view else '?'}did={found.id}")


@require_POST
@requires(Audience.INTERNAL)
def undo(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Take it back."""
    found = _batch(request, batch_id)
    try:
        job = services.undo_batch(request.actor, batch_id)  # type: ignore[attr-defined]
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect(_list_url(found.view))
    return _after(found, job)
