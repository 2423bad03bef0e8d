"""The cabinet's home and the customer's projects."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from customer_cabinet import selectors
from portal.access import Audience, requires
from projects import selectors as projects
from workflows.selectors import open_tasks_for
from workflows.selectors.questions import questions_to

customer = requires(Audience.CUSTOMER)


@require_GET
@customer
def home(request: HttpRequest) -> HttpResponse:
    """Needs you, in progress, done."""
    return render(request, "customer_cabinet/home.html", {"home": selectors.home(request.actor), "questions": questions_to(request.actor)})  # type: ignore[attr-defined]


@require_GET
@customer
def body(request: HttpRequest) -> HttpResponse:
    """The part of the home that changes live."""
    return render(
        request, "customer_cabinet/parts/_home.html", {"home": selectors.home(request.actor), "questions": questions_to(request.actor)}
    )  # type: ignore[attr-defined]


@require_GET
@customer
def project_list(request: HttpRequest) -> HttpResponse:
    """The customer's projects."""
    return render(request, "customer_cabinet/projects.html", {"rows": projects.projects_for(request.actor)})  # type: ignore[attr-defined]


@require_GET
@customer
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """One project: its milestones, the customer's part, messages and files."""
    actor = request.actor  # type: ignore[attr-defined]
    view = projects.project_view(actor, project_id)
    if view is None:
        raise Http404
    tasks = [t for t in open_tasks_for(actor, view.ref) if t.audience == Audience.CUSTOMER]
    return render(request, "customer_cabinet/project.html", {"project": view, "tasks": tasks})
