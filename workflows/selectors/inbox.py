"""The inbox: whose tasks, in what order, and everything that one task's page shows."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.registry import SubjectRef, SubjectView, registry
from portal.rows import PreparedFor
from portal.selectors import names_of, organisations
from workflows.access import WorkflowPermission, doable_tasks, may_do, visible_tasks
from workflows.models import HumanTask, TaskCandidate, TaskSnooze
from workflows.selectors.desk import PAGE, Branches, Desk, InboxFilter, counted, ids_in_order, order_of
from workflows.selectors.service_levels import ClockView, clocks_of_tasks
from workflows.substitution import Cover, absences_at, covered_by


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
    ended: datetime | None
    is_late: bool
    is_mine: bool
    stands_in_for: str  # the holder who is away, where the reader does it for them
    subject: SubjectView | None
    subject_ref: SubjectRef | None
    stage: str
    stake: Decimal | None  # the money at stake in its process, for employees; None where there is none
    stake_currency: str  # empty: the company's
    clock: ClockView | None = None  # how what was promised of it stands; for employees
    is_theirs: bool = False  # others' step in the reader's process: the task's own page isn't for the reader, its process's is


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of tasks. `total` counts what the filter finds, up to CAP."""

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


def tasks_for(actor: Actor, filter: InboxFilter | None = None, desk: Desk | None = None) -> TaskPage:  # noqa: A002  the word of the field
    """A page of the actor's tasks; `desk` where the caller has read it."""
    wanted, desk = filter or InboxFilter(), desk or Desk(actor)
    branches = desk.find(wanted)
    return TaskPage(_found(actor, branches, wanted), counted({"all": branches})["all"], wanted.offset, wanted.limit)


def first_tasks(actor: Actor, limit: int = PAGE) -> list[TaskRow]:
    """The actor's most urgent tasks, uncounted."""
    if not actor.is_internal:
        return _rows(actor, _FIRST.rows(actor, limit))
    wanted = InboxFilter(limit=limit)
    return _found(actor, Desk(actor).find(wanted), wanted)


def _whole(tasks: QuerySet[HumanTask]) -> QuerySet[HumanTask]:
    """With what a row shows of its process."""
    return tasks.select_related("instance").defer("instance__state", "instance__data", "instance__waits", "data")


_TASKS = PreparedFor(lambda _system, *keys: _whole(HumanTask.objects.filter(pk__in=keys)))
_FIRST = PreparedFor(lambda actor, limit: _whole(doable_tasks(actor).order_by(*order_of(InboxFilter()))[:limit]), personal=True)


def _found(actor: Actor, branches: Branches, wanted: InboxFilter) -> list[TaskRow]:
    ids = ids_in_order(branches, wanted, wanted.offset + wanted.limit)[wanted.offset :]
    rows = {row.pk: row for row in _TASKS.among(Actor.system(), ids)}
    page = [rows[pk] for pk in ids if pk in rows]
    theirs: set[int] = set()
    if wanted.box == "waiting" and ids:
        theirs = set(ids) - set(visible_tasks(actor).filter(pk__in=ids).values_list("pk", flat=True))
    return _rows(actor, page, theirs)


def _covers(covers: set[Cover], task: HumanTask) -> bool:
    """Whether one of these covers is of the task's holder and process."""
    return bool(covers) and not covers.isdisjoint({(task.assignee_id, ""), (task.assignee_id, task.instance.key)})


def _stake(task: HumanTask) -> tuple[Decimal | None, str]:
    """The money at stake and its currency, empty for the company's own."""
    if task.stake_text:
        currency, _space, amount = task.stake_text.partition(" ")
        return Decimal(amount), currency
    return task.stake or None, ""


def _last_seen(actor: Actor, refs: dict[int, list[SubjectRef]]) -> dict[int, SubjectView]:
    """Of each task's records the last that the actor sees. The last ones are asked for first: mostly they are seen, and nobody asks on."""
    found: dict[int, SubjectView] = {}
    left = {pk: list(own) for pk, own in refs.items() if own}
    while left:
        seen = registry.resolve_many(actor, {own[-1] for own in left.values()})
        found |= {pk: seen[own[-1]] for pk, own in left.items() if own[-1] in seen}
        left = {pk: own[:-1] for pk, own in left.items() if pk not in found and own[:-1]}
    return found


def _rows(actor: Actor, tasks: list[HumanTask], theirs: Container[int] = ()) -> list[TaskRow]:
    names = names_of(t.assignee_id for t in tasks)
    own = {actor.organisation_id: actor.organisation_name} if actor.organisation_id else {}
    others = {t.organisation_id for t in tasks if t.organisation_id} - own.keys()
    companies = own | {key: found.name for key, found in (organisations(others) if others else {}).items()}
    subjects = _last_seen(actor, {t.pk: [SubjectRef.parse(s) for s in t.instance.subjects] for t in tasks})
    now = timezone.now()
    covers = covered_by(actor.user_id, absences_at()) if actor.is_internal and any(t.assignee_id for t in tasks) else set()
    promised = clocks_of_tasks(t.pk for t in tasks if t.status == HumanTask.Status.OPEN) if actor.is_internal else {}
    rows = []
    for task in tasks:
        subject = subjects.get(task.pk)
        stake, currency = _stake(task)
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
                organisation_name=companies.get(task.organisation_id or 0, ""),
                delegated_by=task.delegated_by_name,
                note=task.note,
                created=task.created,
                due=task.due,
                ended=task.ended,
                is_late=bool(task.due and task.due < now and task.status == HumanTask.Status.OPEN),
                is_mine=task.assignee_id is not None and task.assignee_id == actor.user_id,
                stands_in_for=names.get(task.assignee_id or 0, "") if _covers(covers, task) else "",
                subject=subject,
                subject_ref=subject.ref if subject else None,
                stage=task.stage,
                clock=promised.get(task.pk),
                stake=stake if actor.is_internal else None,
                stake_currency=currency if actor.is_internal else "",
                is_theirs=task.pk in theirs,
            )
        )
    return rows


def open_tasks_for(actor: Actor, ref: SubjectRef) -> list[TaskRow]:
    """The open tasks of a record's processes that the actor sees, most urgent first."""
    return _rows(actor, _OPEN_ON.rows(actor, ref.kind, values=[ref.id]))


_OPEN_ON = PreparedFor(
    lambda actor, key, kind: _whole(
        visible_tasks(actor)
        .filter(status=HumanTask.Status.OPEN, instance__subject_rows__kind=kind, instance__subject_rows__subject_id=key)
        .order_by(*order_of(InboxFilter()))[:100]
    ),
    outsiders_only=True,
)


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
    home: str  # the record, else the process, whose discussion and files are shown
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
    home = next((ref for ref in reversed(refs) if ref in seen), SubjectRef("workflows.instance", task.instance_id))
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
        home=str(home),
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
