"""Pages of projects in the workspace."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from portal.registry import registry
from projects import selectors, services
from projects.access import ProjectPermission, visible_project_tasks
from projects.forms import ProjectForm, TaskForm
from projects.models import Project, ProjectTask

viewer = requires(Audience.INTERNAL, permission=ProjectPermission.VIEW)
editor = requires(Audience.INTERNAL, permission=ProjectPermission.EDIT)
PAGE = 50


@require_GET
@viewer
def project_list(request: HttpRequest) -> HttpResponse:
    """All projects by state and date."""
    actor = request.actor  # type: ignore[attr-defined]
    state = request.GET.get("state", Project.State.ACTIVE)
    if state not in Project.State.values:
        state = ""
    text = request.GET.get("q", "").strip()[:100]
    start = whole_number(request.GET.get("after")) or 0
    rows = selectors.projects_for(actor, state=state, text=text, limit=PAGE + 1, offset=start)
    context = {
        "rows": rows[:PAGE],
        "state": state,
        "text": text,
        "counts": selectors.counts(actor),
        "states": Project.State.choices,
        "more": start + PAGE if len(rows) > PAGE else None,
        "may_edit": actor.can(ProjectPermission.EDIT),
    }
    return render(request, "projects/list.html", context)


@require_http_methods(["GET", "POST"])
@editor
def project_new(request: HttpRequest) -> HttpResponse:
    """Start a project by hand."""
    form = ProjectForm(request.POST or None, initial={"starts": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        project_id = services.create_from_template(
            request.actor,  # type: ignore[attr-defined]
            data["template"],
            data["name"],
            customer_organisation_id=data["customer"],
            partner_organisation_id=data["partner"],
            manager_id=request.user.pk,
            starts=data["starts"],
        )
        return redirect("projects:project", project_id=project_id)
    return render(request, "projects/new.html", {"form": form}, status=400 if form.errors else 200)


def _view(request: HttpRequest, project_id: int) -> selectors.ProjectView:
    view = selectors.project_view(request.actor, project_id)  # type: ignore[attr-defined]
    if view is None:
        raise Http404
    return view


def _context(request: HttpRequest, view: selectors.ProjectView, form: TaskForm | None = None) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    columns = [(value, label, [t for t in view.tasks if t.state == value]) for value, label in ProjectTask.State.choices]
    source = getattr(view, "source", None)
    return {
        "project": view,
        "columns": columns,
        "form": form or TaskForm(milestones=view.milestones),
        "may_edit": actor.can(ProjectPermission.EDIT),
        "source": registry.resolve(actor, source) if source else None,
        "acceptances": selectors.acceptances_of(actor, view.id),
    }


@require_GET
@viewer
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """A project: milestones of all audiences, the board of tasks, messages and files."""
    return render(request, "projects/project.html", _context(request, _view(request, project_id)))


@require_GET
@viewer
def project_body(request: HttpRequest, project_id: int) -> HttpResponse:
    """The part that changes live."""
    return render(request, "projects/parts/_body.html", _context(request, _view(request, project_id)))


@require_POST
@editor
def note(request: HttpRequest, project_id: int) -> HttpResponse:
    """Keep the internal note."""
    services.set_note(request.actor, project_id, request.POST.get("note", ""))  # type: ignore[attr-defined]
    messages.success(request, _("The note is kept."))
    return redirect("projects:project", project_id=project_id)


@require_POST
@editor
def task_add(request: HttpRequest, project_id: int) -> HttpResponse:
    """Add a task; what was typed stays when something is missing."""
    view = _view(request, project_id)
    form = TaskForm(request.POST, milestones=view.milestones)
    if not form.is_valid():
        return render(request, "projects/project.html", _context(request, view, form), status=400)
    data = form.cleaned_data
    services.add_task(
        request.actor,  # type: ignore[attr-defined]
        project_id,
        data["title"],
        milestone_id=data["milestone"],
        assignee_id=data["assignee"],
        due=data["due"],
    )
    return redirect("projects:project", project_id=project_id)


@require_http_methods(["GET", "POST"])
@editor
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    """A task's form in the drawer or on its own page."""
    row = visible_project_tasks(request.actor).filter(pk=task_id).first()  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    initial = {"title": row.title, "assignee": row.assignee_id, "due": row.due, "version": row.version}
    form = TaskForm(request.POST or None, initial=initial)
    del form.fields["milestone"]
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            services.edit_task(
                request.actor,  # type: ignore[attr-defined]
                task_id,
                title=data["title"],
                assignee_id=data["assignee"],
                due=data["due"],
                version=data["version"] or row.version,
            )
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            return redirect("projects:project", project_id=row.project_id)
    return render(request, "projects/task.html", {"form": form, "task": row}, status=400 if form.errors else 200)


@require_POST
@requires(Audience.INTERNAL, permission=ProjectPermission.EDIT)
def task_move(request: HttpRequest, task_id: int) -> HttpResponse:
    """A card was moved to another column."""
    try:
        services.move_task(request.actor, task_id, request.POST.get("to", ""))  # type: ignore[attr-defined]
    except Refused as refusal:
        return JsonResponse({"message": refusal.message}, status=refusal.status)
    return JsonResponse({})


@require_POST
@editor
def task_delete(request: HttpRequest, task_id: int) -> HttpResponse:
    """Take a task off the board."""
    row = visible_project_tasks(request.actor).filter(pk=task_id).first()  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    title = services.delete_task(request.actor, task_id)  # type: ignore[attr-defined]
    messages.success(request, _("“%(title)s” is off the board.") % {"title": title})
    return redirect("projects:project", project_id=row.project_id)
