"""Reads of projects, as small frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from portal.access import Actor, Audience
from portal.registry import SubjectRef
from portal.rows import PreparedFor
from portal.selectors import names_of
from projects.access import visible_acceptances, visible_milestones, visible_project_tasks, visible_projects
from projects.models import Milestone, Project, ProjectTask, ProjectTemplate


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project in a list; counts are of what the reader may see."""

    id: int
    name: str
    state: str
    state_label: str
    customer: str
    partner: str
    manager: str
    starts: date
    due: date | None
    milestones: int
    reached: int
    next_milestone: str
    instance_id: int | None

    @property
    def percent(self) -> int:
        """Reached milestones in percent."""
        return round(100 * self.reached / self.milestones) if self.milestones else 0

    @property
    def is_late(self) -> bool:
        """Past its date and not done."""
        return self.state == Project.State.ACTIVE and self.due is not None and self.due < timezone.localdate()


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """A milestone in the reader's words."""

    id: int
    name: str
    audience: str
    due: date | None
    reached: datetime | None
    reached_by: str
    is_next: bool
    is_mine: bool
    tasks_done: int
    tasks: int


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task on the board."""

    id: int
    title: str
    audience: str
    assignee_id: int | None
    assignee: str
    due: date | None
    state: str
    milestone_id: int | None
    milestone: str
    version: int
    is_late: bool
    answer: str = ""
    answered_by: str = ""
    is_closed: bool = False  # its milestone is reached


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project's page for an outsider: no internal field is here at all."""

    id: int
    name: str
    state: str
    state_label: str
    customer: str
    partner: str
    manager: str
    starts: date
    due: date | None
    ended: datetime | None
    instance_id: int | None
    milestones: tuple[MilestoneView, ...]
    tasks: tuple[TaskView, ...]

    @property
    def ref(self) -> SubjectRef:
        """Its reference."""
        return SubjectRef("projects.project", self.id)

    @property
    def percent(self) -> int:
        """Reached milestones in percent."""
        return round(100 * sum(1 for m in self.milestones if m.reached) / len(self.milestones)) if self.milestones else 0


@dataclass(frozen=True, slots=True)
class InternalProjectView(ProjectView):
    """A project's page for an employee."""

    internal_note: str = ""
    source: SubjectRef | None = None


def _public(milestone: Milestone, actor: Actor) -> str:
    return milestone.name if actor.is_internal else (milestone.public_name or milestone.name)


def _projects(actor: Actor, state: str) -> QuerySet[Project]:
    rows = visible_projects(actor).select_related("customer_organisation", "partner_organisation", "manager").order_by("state", "due", "pk")
    return rows.filter(state=state) if state else rows


_PROJECTS = PreparedFor(lambda actor, state, limit: _projects(actor, state)[:limit])


def projects_for(
    actor: Actor, *, state: str = "", text: str = "", source: SubjectRef | None = None, limit: int = 50, offset: int = 0
) -> list[ProjectRow]:
    """Projects by date, in three queries however many there are."""
    if source or text or offset:
        rows = _projects(actor, state)
        if source:
            rows = rows.filter(source_kind=source.kind, source_id=source.id)
        if text:
            rows = rows.filter(Q(name__icontains=text) | Q(customer_organisation__name__icontains=text))
        page = list(rows[offset : offset + limit])
    else:
        page = _PROJECTS.rows(actor, state, limit)
    return _counted(actor, page)


_OF_INSTANCE = PreparedFor(lambda actor, instance: _projects(actor, "").filter(instance_id=instance))


def projects_served_by(actor: Actor, instance_id: int) -> list[ProjectRow]:
    """The projects that a process serves, as far as the actor sees them."""
    return _counted(actor, _OF_INSTANCE.rows(actor, values=[instance_id]))


_MILESTONES = PreparedFor(lambda actor, *keys: visible_milestones(actor).filter(project_id__in=keys).order_by("position", "pk"))


def _counted(actor: Actor, page: list[Project]) -> list[ProjectRow]:
    counted: dict[int, list[Milestone]] = {project.pk: [] for project in page}
    if not page:
        return []
    for milestone in _MILESTONES.among(actor, counted):
        counted[milestone.project_id].append(milestone)
    return [_row(project, counted[project.pk], actor) for project in page]


def _row(project: Project, milestones: list[Milestone], actor: Actor) -> ProjectRow:
    coming = next((m for m in milestones if m.reached is None), None)
    return ProjectRow(
        project.pk,
        project.name,
        project.state,
        project.get_state_display(),
        project.customer_organisation.name if project.customer_organisation else "",
        project.partner_organisation.name if project.partner_organisation and not actor.is_customer else "",
        project.manager.name if project.manager else "",
        project.starts,
        project.due,
        len(milestones),
        sum(1 for m in milestones if m.reached),
        _public(coming, actor) if coming else "",
        project.instance_id,
    )


@dataclass(frozen=True, slots=True)
class ComingMilestone:
    """A milestone that isn't reached yet, with its project, for lists of dates."""

    project_id: int
    project: str
    name: str
    due: date
    is_mine: bool


_COMING = PreparedFor(
    lambda actor, limit: (
        visible_milestones(actor)
        .filter(project__state=Project.State.ACTIVE, reached=None, due__isnull=False)
        .select_related("project")
        .order_by("due", "pk")[:limit]
    )
)


def coming_milestones(actor: Actor, limit: int = 10) -> list[ComingMilestone]:
    """The next milestones with a date in all running projects of the actor, soonest first; one query."""
    return [
        ComingMilestone(m.project_id, m.project.name, _public(m, actor), m.due, m.audience == actor.audience)
        for m in _COMING.rows(actor, limit)
    ]


def counts(actor: Actor) -> dict[str, int]:
    """How many projects stand in each state."""
    found = dict(visible_projects(actor).values_list("state").annotate(n=Count("pk")).order_by())
    return {state: found.get(state, 0) for state in Project.State.values}


def project_view(actor: Actor, project_id: int) -> ProjectView | None:
    """A project's page; None where the actor may not see it. Employees get `InternalProjectView`."""
    project = (
        visible_projects(actor).select_related("customer_organisation", "partner_organisation", "manager").filter(pk=project_id).first()
    )
    if project is None:
        return None
    milestones = list(visible_milestones(actor).filter(project=project).order_by("position", "pk"))
    tasks = list(visible_project_tasks(actor).filter(project=project).order_by("position", "pk")[:500])
    names = names_of([m.reached_by_id for m in milestones] + [t.assignee_id for t in tasks])
    common: dict[str, Any] = {
        "id": project.pk,
        "name": project.name,
        "state": project.state,
        "state_label": project.get_state_display(),
        "customer": project.customer_organisation.name if project.customer_organisation else "",
        "partner": project.partner_organisation.name if project.partner_organisation and not actor.is_customer else "",
        "manager": project.manager.name if project.manager else "",
        "starts": project.starts,
        "due": project.due,
        "ended": project.ended,
        "instance_id": project.instance_id,
        "milestones": tuple(_milestone_views(actor, milestones, tasks, names)),
        "tasks": tuple(_task_views(actor, milestones, tasks, names)),
    }
    if not actor.is_internal:
        return ProjectView(**common)
    source = SubjectRef(project.source_kind, project.source_id) if project.source_kind and project.source_id else None
    return InternalProjectView(**common, internal_note=project.internal_note, source=source)


def _milestone_views(actor: Actor, milestones: list[Milestone], tasks: list[ProjectTask], names: dict[int, str]) -> list[MilestoneView]:
    coming = next((m.pk for m in milestones if m.reached is None), None)
    return [
        MilestoneView(
            m.pk,
            _public(m, actor),
            m.audience,
            m.due,
            m.reached,
            names.get(m.reached_by_id or 0, "") if actor.is_internal or m.audience == actor.audience else "",
            m.pk == coming,
            m.audience == actor.audience,
            sum(1 for t in tasks if t.milestone_id == m.pk and t.state == ProjectTask.State.DONE),
            sum(1 for t in tasks if t.milestone_id == m.pk),
        )
        for m in milestones
    ]


def _task_views(actor: Actor, milestones: list[Milestone], tasks: list[ProjectTask], names: dict[int, str]) -> list[TaskView]:
    today = timezone.localdate()
    titles = {m.pk: _public(m, actor) for m in milestones}
    reached = {m.pk for m in milestones if m.reached}
    return [
        TaskView(
            t.pk,
            t.title,
            t.audience,
            t.assignee_id,
            names.get(t.assignee_id or 0, ""),
            t.due,
            t.state,
            t.milestone_id,
            titles.get(t.milestone_id or 0, ""),
            t.version,
            t.state != ProjectTask.State.DONE and t.due is not None and t.due < today,
            t.answer,
            t.answered_by_name,
            t.milestone_id in reached,
        )
        for t in tasks
    ]


def projects_of_instance(actor: Actor, instance_id: int) -> list[int]:
    """The projects that a process made, as far as the actor sees them."""
    return list(visible_projects(actor).filter(instance_id=instance_id).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class AcceptanceView:
    """What the customer said to a delivery once."""

    accepted: bool
    reason: str
    rating: int | None
    rating_words: str
    said_by: str
    in_their_name: bool
    at: datetime


def acceptances_of(actor: Actor, project_id: int) -> list[AcceptanceView]:
    """What the customer said to the delivery, the newest first; nothing for partners."""
    rows = visible_acceptances(actor).filter(project_id=project_id).order_by("-at", "-pk")[:50]
    return [AcceptanceView(r.accepted, r.reason, r.rating, r.rating_words, r.said_by_name, r.in_their_name, r.at) for r in rows]


def templates() -> list[tuple[str, str]]:
    """Keys and names of the templates."""
    return list(ProjectTemplate.objects.values_list("key", "name"))


def organisations_of_project(project_id: int) -> list[tuple[Audience, int]]:
    """The outside organisations that take part in a project: whom a message on it may be for."""
    row = Project.objects.filter(pk=project_id).values_list("customer_organisation_id", "partner_organisation_id").first()
    return [(side, key) for side, key in zip((Audience.CUSTOMER, Audience.PARTNER), row or (), strict=False) if key]
