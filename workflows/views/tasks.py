"""One task: its form, and what can be done with it besides."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from workflows import selectors, services
from workflows.access import visible_tasks
from workflows.errors import NotFound
from workflows.forms import TaskForm, submit_task
from workflows.selectors.approvals import approval_of_task
from workflows.selectors.desk import queue
from workflows.selectors.inbox import people_to_delegate
from workflows.views.wanted import read_filter, to_work_through, write_filter


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    """Show a task; POST does it and goes on to the next one that waits."""
    if request.method == "POST":
        return _complete(request, task_id)
    return _page(request, task_id)


def _page(request: HttpRequest, task_id: int, form: TaskForm | None = None, status: int = 200) -> HttpResponse:
    detail = selectors.task_detail(request.actor, task_id, form)
    if detail is None:
        raise Http404
    wanted = read_filter(request.GET)
    place = place_in(queue(request.actor, to_work_through(wanted)), task_id)
    context = {
        "task": detail,
        "people": people_to_delegate(request.actor, task_id) if detail.can_delegate else [],
        "view": write_filter(wanted),
        "place": place,
        "approval": approval_of_task(request.actor, task_id),
        "post_url": f"{request.path}?{write_filter(wanted, next=place.after)}",
        "process_ref": f"workflows.instance:{detail.row.instance_id}",
    }
    return render(request, "workflows/task.html", context, status=status)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task stands in the list that is worked through; no number where it isn't in it any more."""

    number: int | None
    total: int
    before: int | None
    after: int | None


def place_in(ids: list[int], task_id: int) -> Place:
    """A task's place among the ids of a list. After the last one comes the first again."""
    if task_id not in ids:
        return Place(None, len(ids), None, ids[0] if ids else None)
    at = ids.index(task_id)
    others = len(ids) > 1
    return Place(at + 1, len(ids), ids[at - 1] if others and at else None, ids[(at + 1) % len(ids)] if others else None)


def _complete(request: HttpRequest, task_id: int) -> HttpResponse:
    try:
        sent = submit_task(request.actor, task_id, request.POST, request.FILES)
    except NotFound:
        raise Http404 from None
    if not sent.done:
        return _page(request, task_id, sent.form, 409 if sent.conflict else 422)
    messages.success(request, sent.result.message)
    return _go_on(request, task_id, sent.result.next_task_id)


def _go_on(request: HttpRequest, task_id: int, of_process: int | None = None) -> HttpResponse:
    """To the process's own next step where it is the reader's, else to the next task of the list that they work through."""
    wanted = read_filter(request.GET)
    view = write_filter(wanted)
    ids = [pk for pk in queue(request.actor, to_work_through(wanted)) if pk != task_id]
    asked = whole_number(request.GET.get("next"))
    following = of_process or (asked if asked in ids else next(iter(ids), None))
    if following is None:
        return redirect(f"{reverse('workflows:inbox')}?{view}{'&' if view else ''}cleared=yes")
    return redirect(f"{reverse('workflows:task', args=[following])}{'?' if view else ''}{view}")


@require_GET
@requires(Audience.INTERNAL)
def state(request: HttpRequest, task_id: int) -> HttpResponse:
    """Whether the task still waits, re-read when it changes, so that nobody types into what a colleague has done."""
    detail = selectors.task_detail(request.actor, task_id)
    if detail is None:
        return HttpResponse("")
    return render(request, "workflows/parts/_task_state.html", {"task": detail})


@require_GET
@requires(Audience.INTERNAL)
def peek(request: HttpRequest, task_id: int) -> HttpResponse:
    """A task in the drawer, beside the list."""
    detail = selectors.task_detail(request.actor, task_id)
    if detail is None:
        raise Http404
    return render(request, "workflows/parts/_task_peek.html", {"task": detail})


def _act(request: HttpRequest, task_id: int, words: str, act, *, goes_on: bool = False) -> HttpResponse:
    """Do something with a task; refusals are said on the task's page. What leaves the reader's list `goes_on` to the next one."""
    try:
        act()
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, words)
        if goes_on:
            return _go_on(request, task_id)
    view = write_filter(read_filter(request.GET))
    if not visible_tasks(request.actor).filter(pk=task_id).exists():
        return redirect(f"{reverse('workflows:inbox')}?{view}")
    return redirect(f"{reverse('workflows:task', args=[task_id])}{'?' if view else ''}{view}")


@require_POST
@requires(Audience.INTERNAL)
def claim(request: HttpRequest, task_id: int) -> HttpResponse:
    """Take it."""
    return _act(request, task_id, _("This task is yours now."), lambda: services.claim_task(request.actor, task_id))


@require_POST
@requires(Audience.INTERNAL)
def release(request: HttpRequest, task_id: int) -> HttpResponse:
    """Give it back."""
    return _act(request, task_id, _("Your group can take it again."), lambda: services.release_task(request.actor, task_id))


@require_POST
@requires(Audience.INTERNAL)
def delegate(request: HttpRequest, task_id: int) -> HttpResponse:
    """Hand it to a colleague."""
    raw = request.POST.get("user_id", "")
    person, note = whole_number(raw) or 0, request.POST.get("note", "")
    return _act(request, task_id, _("Handed on."), lambda: services.delegate_task(request.actor, task_id, person, note), goes_on=True)


@require_POST
@requires(Audience.INTERNAL)
def snooze(request: HttpRequest, task_id: int) -> HttpResponse:
    """Put it out of one's own inbox until `until` (tomorrow, monday, week), or wake it."""
    way = request.POST.get("until", "")
    words = _("It is in your inbox again.") if way == "now" else _("It comes back to your inbox by itself. Your colleagues still see it.")

    def act() -> None:
        services.snooze_task(request.actor, task_id, None if way == "now" else services.when_to_wake(request.actor, way))

    return _act(request, task_id, words, act, goes_on=way != "now")
