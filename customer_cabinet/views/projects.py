"""The customer's projects: milestones as a road, their tasks to tick and answer, what waits on whom, and the acceptance at the end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from customer_cabinet.views.requests import own_steps
from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from projects import selectors as projects
from projects import services
from workflows.selectors import open_tasks_for, road_for

customer = requires(Audience.CUSTOMER)


@require_GET
@customer
def project_list(request: HttpRequest) -> HttpResponse:
    """The customer's projects."""
    return render(request, "customer_cabinet/projects.html", {"rows": projects.projects_for(request.actor)})  # type: ignore[attr-defined]


def _page(request: HttpRequest, project_id: int, status: int = 200, **more: Any) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    view = projects.project_view(actor, project_id)
    if view is None:
        raise Http404
    tasks = [task for task in open_tasks_for(actor, view.ref) if task.audience == Audience.CUSTOMER]
    road = road_for(actor, view.ref)
    context: dict[str, Any] = {
        "project": view,
        "steps": own_steps(actor, tasks),
        "now": road.now if road and view.state == "active" else (),
        "acceptances": projects.acceptances_of(actor, project_id),
    }
    return render(request, "customer_cabinet/project.html", context | more, status=status)


@require_GET
@customer
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """One project."""
    return _page(request, project_id)


def _task(request: HttpRequest, project_id: int, task_id: int) -> projects.TaskView:
    view = projects.project_view(request.actor, project_id)  # type: ignore[attr-defined]
    found = next((task for task in view.tasks if task.id == task_id), None) if view else None
    if found is None:
        raise Http404
    return found


@require_POST
@customer
def tick(request: HttpRequest, project_id: int, task_id: int) -> HttpResponse:
    """A task of theirs is done, or isn't after all."""
    task = _task(request, project_id, task_id)
    try:
        services.move_task(request.actor, task.id, request.POST.get("state", ""), version=whole_number(request.POST.get("version")))  # type: ignore[attr-defined]
    except Refused as refusal:
        return _page(request, project_id, refusal.status, problem=refusal.message)
    messages.success(request, _("Done. You can undo it on the list.") if request.POST.get("state") == "done" else _("It is open again."))
    return redirect("customer_cabinet:project", project_id=project_id)


@require_POST
@customer
def answer(request: HttpRequest, project_id: int, task_id: int) -> HttpResponse:
    """Answer a task in words; what was typed stays where something is wrong."""
    task = _task(request, project_id, task_id)
    words = request.POST.get("answer", "")
    try:
        services.answer_task(request.actor, task.id, words, version=whole_number(request.POST.get("version")))  # type: ignore[attr-defined]
    except Refused as refusal:
        return _page(request, project_id, refusal.status, problem=refusal.message, answering=task.id, words=words[:5000])
    messages.success(request, _("Your answer is with us.") if words.strip() else _("Your answer is taken back."))
    return redirect("customer_cabinet:project", project_id=project_id)
