"""The inbox: whose tasks, in what order, and everything that one task's page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.registry import SubjectRef, SubjectView, registry
from portal.selectors import names_of, organisations
from workflows.access import WorkflowPermission, doable_tasks, may_do, visible_tasks
from workflows.models import HumanTask, TaskCandidate, TaskSnooze
from workflows.selectors.service_levels import ClockView, clocks_of_tasks
from workflows.substitution import Cover, absences_at, covered_by

PAGE = 50


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What the list shows. `box`: mine, group, delegated, snoozed, done, all, or todo (mine and my groups'); `sort`: due or created."""

    box: str = "todo"
    text: str = ""
    sort: str = "due"
    process: str = ""
    late: bool = False
    offset: int = 0
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in a list."""

    id: int
    name: str
    title: str
    process_key: str
    instance_id: int
    element_id: str
    audience: Audience
    role: str
    status: str
    assignee_id: int | None
    assignee_name: str
    organisation_id: int | None
    organisation_name: str
    delegated_by: str
    note: str
    created: datetime
    due: datetime | None
    is_late: bool
    is_mine: bool
    stands_in_for: str  # the holder who is away, where the reader does it for them
    subject: SubjectView | None
    subject_ref: SubjectRef | None
    stage: str
    clock: ClockView | None = None  # how what was promised of it stands; for employees


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of tasks. `total` counts what the filter finds."""

    rows: list[TaskRow]
    total: int
    offset: int
    limit: int

    @property
    def next_offset(self) -> int | None:
        """Where the next page begins."""
        following = self.offset + self.limit
        return following if following < self.total else None

    @property
    def previous_offset(self) -> int | None:
        """Where the page before begins."""
        return max(0, self.offset - self.limit) if self.offset else None


def _snoozed(actor: Actor) -> Exists:
    """Whether the reader has put a task out of their own sight for now."""
    return Exists(TaskSnooze.objects.filter(task=OuterRef("pk"), user_id=actor.user_id, until__gt=timezone.now()))


def _awake(actor: Actor) -> QuerySet[HumanTask]:
    return doable_tasks(actor).filter(~_snoozed(actor))


def _box(actor: Actor, box: str) -> QuerySet[HumanTask]:
    is_open = Q(status=HumanTask.Status.OPEN)
    match box:
        case "mine":
            return visible_tasks(actor).filter(~_snoozed(actor), is_open, assignee_id=actor.user_id)
        case "group":
            return _awake(actor).filter(assignee_id=None)
        case "snoozed":
            return visible_tasks(actor).filter(_snoozed(actor), is_open)
        case "delegated":
            return HumanTask.objects.filter(is_open, delegated_by_id=actor.user_id).exclude(assignee_id=actor.user_id)
        case "all":
            return visible_tasks(actor).filter(is_open)
        case "done":
            return visible_tasks(actor).filter(status=HumanTask.Status.DONE, done_by_id=actor.user_id)
        case _:
            return _awake(actor)


def _ordered(rows: QuerySet[HumanTask], sort: str) -> QuerySet[HumanTask]:
    match sort:
        case "created":
            return rows.order_by("-created", "-pk")
        case "ended":
            return rows.order_by("-ended", "-pk")
        case _:
            return rows.order_by(F("due").asc(nulls_last=True), "created", "pk")


def tasks_for(actor: Actor, filter: InboxFilter | None = None) -> TaskPage:  # noqa: A002  the word of the field
    """A page of the actor's tasks."""
    wanted = filter or InboxFilter()
    rows = _box(actor, wanted.box)
    if wanted.text:
        found = Q(name__icontains=wanted.text) | Q(instance__title__icontains=wanted.text)
        rows = rows.filter(found)
    if wanted.process:
        rows = rows.filter(instance__key=wanted.process)
    if wanted.late:
        rows = rows.filter(due__lt=timezone.now())
    total = rows.count()
    ordered = _ordered(rows, "ended" if wanted.box == "done" else wanted.sort)
    shown = ordered.select_related("instance").defer("instance__state", "instance__data", "instance__waits", "data")
    page = list(shown[wanted.offset : wanted.offset + wanted.limit])
    return TaskPage(_rows(actor, page), total, wanted.offset, wanted.limit)


def _covers(covers: set[Cover], task: HumanTask) -> bool:
    """Whether one of these covers is of the task's holder and process."""
    return bool(covers) and not covers.isdisjoint({(task.assignee_id, ""), (task.assignee_id, task.instance.key)})


def next_task(actor: Actor, after: int | None = None) -> int | None:
    """The task to open after one is done: the most urgent of one's own and one's groups'."""
    rows = (
        _awake(actor)
        .exclude(pk=after or 0)
        .annotate(own=Case(When(assignee_id=actor.user_id, then=Value(0)), default=Value(1), output_field=IntegerField()))
    )
    return rows.order_by(F("due").asc(nulls_last=True), "own", "created", "pk").values_list("pk", flat=True).first()


def _rows(actor: Actor, tasks: list[HumanTask]) -> list[TaskRow]:
    names = names_of(t.assignee_id for t in tasks)
    companies = organisations(t.organisation_id for t in tasks if t.organisation_id)
    refs: dict[int, list[SubjectRef]] = {t.pk: [SubjectRef.parse(s) for s in t.instance.subjects] for t in tasks}
    seen = registry.resolve_many(actor, {ref for found in refs.values() for ref in found})
    now = timezone.now()
    covers = covered_by(actor.user_id, absences_at()) if actor.is_internal and any(t.assignee_id for t in tasks) else set()
    promised = clocks_of_tasks(t.pk for t in tasks if t.status == HumanTask.Status.OPEN) if actor.is_internal else {}
    rows = []
    for task in tasks:
        ref = next((r for r in reversed(refs[task.pk]) if r in seen), None)
        company = companies.get(task.organisation_id or 0)
        rows.append(
            TaskRow(
                id=task.pk,
                name=task.name,
                title=task.instance.title if actor.is_internal else "",
                process_key=task.instance.key,
                instance_id=task.instance_id,
                element_id=task.element_id,
                audience=Audience(task.audience),
                role=task.role if actor.is_internal or task.audience == actor.audience else "",
                status=task.status,
                assignee_id=task.assignee_id,
                assignee_name=names.get(task.assignee_id or 0, ""),
                organisation_id=task.organisation_id,
                organisation_name=company.name if company else "",
                delegated_by=task.delegated_by_name,
                note=task.note,
                created=task.created,
                due=task.due,
                is_late=bool(task.due and task.due < now and task.status == HumanTask.Status.OPEN),
                is_mine=task.assignee_id is not None and task.assignee_id == actor.user_id,
                stands_in_for=names.get(task.assignee_id or 0, "") if _covers(covers, task) else "",
                subject=seen.get(ref) if ref else None,
                subject_ref=ref,
                stage=task.stage,
                clock=promised.get(task.pk),
            )
        )
    return rows


def inbox_counts(actor: Actor) -> dict[str, int]:
    """How many wait: todo (mine and my groups'), mine, group, late; one query."""
    soon = timezone.now() + timedelta(hours=24)
    rows = _awake(actor)
    counted: dict[str, Any] = rows.aggregate(
        todo=Count("pk"),
        mine=Count("pk", filter=Q(assignee_id=actor.user_id)),
        late=Count("pk", filter=Q(due__lt=timezone.now())),
        soon=Count("pk", filter=Q(due__gte=timezone.now(), due__lt=soon)),
    )
    return {**counted, "group": counted["todo"] - counted["mine"]}


def box_counts(actor: Actor) -> dict[str, int]:
    """What each box of the inbox holds; for its tabs."""
    counts = inbox_counts(actor)
    counts["delegated"] = _box(actor, "delegated").count()
    counts["snoozed"] = _box(actor, "snoozed").count()
    if actor.can(WorkflowPermission.VIEW_ALL):
        counts["all"] = _box(actor, "all").count()
    return counts


def open_tasks_for(actor: Actor, ref: SubjectRef) -> list[TaskRow]:
    """The open tasks of a record's processes that the actor sees, most urgent first."""
    rows = visible_tasks(actor).filter(
        status=HumanTask.Status.OPEN, instance__subject_rows__kind=ref.kind, instance__subject_rows__subject_id=ref.id
    )
    shown = _ordered(rows, "due").select_related("instance").defer("instance__state", "instance__data", "instance__waits", "data")
    return _rows(actor, list(shown[:100]))


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """One task's page."""

    row: TaskRow
    form: Any  # workflows.forms.TaskForm
    subjects: list[SubjectView]
    road: Any  # workflows.selectors.roads.Road
    others: list[str]  # who else is asked
    ended_by: str  # who did it, and for whom where that was another
    can_do: bool
    can_claim: bool
    can_release: bool
    can_delegate: bool
    snoozed_until: datetime | None
    loop_item: Any = None


def task_detail(actor: Actor, task_id: int, form: Any = None) -> TaskDetail | None:
    """Everything that a task's page shows, or None where the actor doesn't see it."""
    from workflows.forms import form_of
    from workflows.selectors.roads import road_of

    task = visible_tasks(actor).select_related("instance").defer("instance__state").filter(pk=task_id).first()
    if task is None:
        return None
    [row] = _rows(actor, [task])
    refs = [SubjectRef.parse(text) for text in task.instance.subjects]
    seen = registry.resolve_many(actor, refs)
    shown = form or form_of(actor, task)
    is_open = task.status == HumanTask.Status.OPEN
    candidates = list(TaskCandidate.objects.filter(task=task).exclude(user_id=actor.user_id).values_list("user_id", flat=True))
    others = names_of(candidates)
    doable = is_open and may_do(actor, task)
    may_reassign = is_open and actor.is_internal and actor.can(WorkflowPermission.REASSIGN)
    grouped = task.is_shared or bool(candidates)
    return TaskDetail(
        row=row,
        form=shown,
        subjects=[seen[ref] for ref in refs if ref in seen],
        road=road_of(actor, task.instance),
        others=[others[i] for i in candidates if i in others],
        ended_by=acted(task.done_by_name, task.done_for_name),
        can_do=doable,
        can_claim=doable and task.assignee_id is None,
        can_release=is_open and grouped and task.assignee_id is not None and (row.is_mine or may_reassign),
        can_delegate=doable or may_reassign,
        snoozed_until=_snoozed_until(actor, task) if is_open else None,
        loop_item=task.loop_item,
    )


def _snoozed_until(actor: Actor, task: HumanTask) -> datetime | None:
    rows = TaskSnooze.objects.filter(task=task, user_id=actor.user_id, until__gt=timezone.now())
    return rows.values_list("until", flat=True).first()


def acted(who: str, away: str) -> str:
    """Who did something, in words: a substitute did it for the person who was away."""
    return _("%(who)s for %(away)s") % {"who": who, "away": away} if away else who


def people_to_delegate(actor: Actor, task_id: int) -> list[Any]:
    """Whom a visible open task may be handed to."""
    from workflows.services.tasks import delegation_targets

    task = visible_tasks(actor).filter(pk=task_id, status=HumanTask.Status.OPEN).first()
    return delegation_targets(actor, task) if task else []
