"""A partner's joint deals, steps and projects."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from crm.selectors import stage_labels
from partners import selectors
from partners.contract import STEP, contract_of_organisation
from portal.access import Audience, requires
from projects import selectors as projects
from workflows.selectors import open_tasks_for, road_for, task_detail
from workflows.steps import question_page, step_page

partner = requires(Audience.PARTNER)


@require_GET
@partner
def deal_list(request: HttpRequest) -> HttpResponse:
    """Joint deals as a board by stage, or as a list."""
    joint = selectors.joint_deals(request.actor)  # type: ignore[attr-defined]
    as_list = request.GET.get("view") == "list"
    declined = selectors.joint_deals(request.actor, states=("declined",)) if as_list else []  # type: ignore[attr-defined]
    labels = stage_labels()
    used = [key for key in labels if any(d.stage == key for d in joint)]
    first = [("invited", labels.get("partner", ""), [d for d in joint if d.state == "invited"])]
    columns = [(key, labels[key], [d for d in joint if d.stage == key and d.state == "accepted"]) for key in used]
    columns = [c for c in first + columns if c[2]]
    return render(request, "partners/deals.html", {"joint": joint, "declined": declined, "columns": columns, "as_list": as_list})


@require_GET
@partner
def deal(request: HttpRequest, deal_id: int) -> HttpResponse:
    """One joint deal: shared facts, road, own steps, messages, files."""
    actor = request.actor  # type: ignore[attr-defined]
    view = selectors.joint_deal(actor, deal_id)
    if view is None:
        raise Http404
    contract = contract_of_organisation(actor.organisation_id)
    shows_road = contract is not None and contract.shows(STEP, "labelled")
    context = {
        "deal": view,
        "road": road_for(actor, view.ref) if shows_road else None,
        "tasks": [t for t in open_tasks_for(actor, view.ref) if t.audience == Audience.PARTNER],
        "projects": projects.projects_for(actor, source=view.ref),
    }
    return render(request, "partners/deal.html", context)


@require_http_methods(["GET", "POST"])
@partner
def step(request: HttpRequest, task_id: int) -> HttpResponse:
    """A step that is the partner's; afterwards back to its record."""
    detail = task_detail(request.actor, task_id)  # type: ignore[attr-defined]
    if detail is None:
        raise Http404
    record = next((s for s in reversed(detail.subjects) if s.url), None)
    after = record.url if record and record.url else reverse("partners:home")
    declines = request.POST.get("action") == "decline"
    return step_page(
        request, task_id, template="partners/step.html", after=reverse("partners:deals") if declines else after, context={"record": record}
    )


@require_GET
@partner
def project_list(request: HttpRequest) -> HttpResponse:
    """Projects that the partner has a part in."""
    return render(request, "partners/projects.html", {"rows": projects.projects_for(request.actor)})  # type: ignore[attr-defined]


@require_GET
@partner
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """One project, with the milestones that concern the partner."""
    view = projects.project_view(request.actor, project_id)  # type: ignore[attr-defined]
    if view is None:
        raise Http404
    return render(request, "partners/project.html", {"project": view, "tasks": open_tasks_for(request.actor, view.ref)})  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@partner
def question(request: HttpRequest, question_id: int) -> HttpResponse:
    """A question that we asked this person; POST answers it."""
    return question_page(request, question_id, "partners/question.html", "partners:home")
