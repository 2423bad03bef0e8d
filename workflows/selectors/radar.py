"""The radar: what would make a promise late. Every live instance has an owner, a next step and a due date, and nothing due lies about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import Actor
from portal.selectors import names_of, organisations, roles_with_people
from workflows import definitions
from workflows.access import WorkflowPermission, visible_instances
from workflows.models import Absence, HumanTask, Incident, MessageBuffer, OutboxCall, ProcessInstance, Question, Timer
from workflows.selectors.instances import holder

GRACE = timedelta(seconds=60)  # what is due longer than this ago is late
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that isn't as it should be. `id` is the row's, of the group's kind."""

    id: int
    title: str
    words: str
    since: datetime
    instance_id: int | None = None
    task_id: int | None = None


@dataclass(frozen=True, slots=True)
class RadarGroup:
    """Findings of one kind, the oldest first. `fixes` are what can be done with chosen ones: hand, due, remind, fire, send,
    drop."""

    kind: str
    label: str
    words: str
    icon: str
    fixes: tuple[str, ...]
    total: int
    findings: list[Finding]


KINDS = {  # kind → label, what it means, icon, fixes
    "overdue": (gettext_lazy("Overdue steps"), gettext_lazy("Their due date has passed."), "alarm", ("hand", "due")),
    "outside": (
        gettext_lazy("Overdue steps of customers and partners"),
        gettext_lazy("Only they can do them: remind them, or give them more time."),
        "alarm",
        ("remind", "due"),
    ),
    "nobody": (
        gettext_lazy("Steps that nobody can do"),
        gettext_lazy("Their role has no people, or their owner has left or is away without a substitute."),
        "user-off",
        ("hand",),
    ),
    "undated": (gettext_lazy("Steps without a due date"), gettext_lazy("Nobody would notice if they were forgotten."), "clock", ("due",)),
    "still": (gettext_lazy("Processes without a next step"), gettext_lazy("They run, and nothing in them waits."), "player-pause", ()),
    "timer": (gettext_lazy("Late timers"), gettext_lazy("They should have fired."), "hourglass", ("fire",)),
    "call": (
        gettext_lazy("Calls that don't get through"),
        gettext_lazy("Not sent in time, or tried three times and more."),
        "send",
        ("send",),
    ),
    "message": (
        gettext_lazy("Messages that nobody takes"),
        gettext_lazy("No process waits for them. They are dropped when their time is over."),
        "mail",
        ("drop",),
    ),
}


def rows_of(actor: Actor, kind: str) -> QuerySet:
    """The rows of one kind of finding that an operator sees; none for others. Raises KeyError for an unknown kind."""
    now = timezone.now()
    model, found = {
        "overdue": (HumanTask, lambda: _open(actor).filter(due__lt=now, audience="internal").order_by("due", "pk")),
        "outside": (HumanTask, lambda: _open(actor).filter(due__lt=now).exclude(audience="internal").order_by("due", "pk")),
        "nobody": (HumanTask, lambda: _open(actor).filter(_without_people(now)).order_by("created", "pk")),
        "undated": (HumanTask, lambda: _open(actor).filter(~_asked(), due=None, audience="internal").order_by("created", "pk")),
        "still": (ProcessInstance, lambda: _live(actor).filter(active=[], more=False, started__lt=now - GRACE).order_by("pk")),
        "timer": (Timer, lambda: Timer.objects.filter(due__lt=now - GRACE, instance__in=_live(actor)).order_by("due", "pk")),
        "call": (OutboxCall, lambda: _stuck_calls(now).order_by("created", "pk")),
        "message": (MessageBuffer, lambda: MessageBuffer.objects.filter(taken=None, received__lt=now - GRACE).order_by("received", "pk")),
    }[kind]
    may = actor.is_internal and (actor.is_system or actor.can(WorkflowPermission.OPERATE))
    return found() if may else model._default_manager.none()


def _live(actor: Actor) -> QuerySet[ProcessInstance]:
    return visible_instances(actor).filter(status=ProcessInstance.Status.RUNNING)


def _open(actor: Actor) -> QuerySet[HumanTask]:
    rows = HumanTask.objects.filter(status=HumanTask.Status.OPEN)
    return rows if actor.is_system or actor.can(WorkflowPermission.VIEW_ALL) else rows.filter(instance__in=_live(actor))


def _asked() -> Exists:
    """Whether an open question has stopped a step's clock: then its due date is put aside."""
    return Exists(Question.objects.filter(task=OuterRef("pk"), status="open").exclude(stopped=None))


def _without_people(now: datetime) -> Q:
    """Employees' steps that nobody will do."""
    away = Absence.objects.filter(starts__lte=now, ends__gt=now, substitute=None, process_key="").values("user_id")
    left = Q(assignee__is_active=False) | Q(assignee_id__in=away)
    empty = Q(assignee=None, is_shared=True) & ~Q(role="") & ~Q(role__in=roles_with_people())
    return Q(audience="internal") & (left | empty)


def _stuck_calls(now: datetime) -> QuerySet[OutboxCall]:
    waiting = OutboxCall.objects.filter(status=OutboxCall.Status.WAITING)
    return waiting.filter(Q(next_try__lt=now - GRACE) | Q(attempts__gte=3))


def radar(actor: Actor) -> list[RadarGroup]:
    """Every kind with something in it, each with its first findings."""
    groups = []
    for kind in KINDS:
        rows = rows_of(actor, kind)
        found = findings(kind, rows[: SHOWN + 1])
        if found:
            total = len(found) if len(found) <= SHOWN else rows.count()
            label, words, icon, fixes = KINDS[kind]
            groups.append(RadarGroup(kind, str(label), str(words), icon, fixes, total, found[:SHOWN]))
    return groups


def open_incident_count(actor: Actor) -> int:
    """How many failures wait for somebody, among what an employee sees."""
    if not actor.is_internal:
        return 0
    return Incident.objects.filter(resolved=None, instance__in=visible_instances(actor)).count()


def findings(kind: str, rows: QuerySet) -> list[Finding]:
    """Rows of a kind in words."""
    match kind:
        case "overdue" | "outside" | "nobody" | "undated":
            return _tasks(kind, rows)
        case "still":
            return [Finding(row.pk, row.title, row.stage, row.started, row.pk) for row in rows.only("pk", "title", "stage", "started")]
        case "timer":
            return [_timer(row) for row in rows.select_related("instance").defer("instance__state", "instance__data", "instance__waits")]
        case "call":
            return [
                Finding(row.pk, row.kind, row.last_error or _("tried %(n)d times") % {"n": row.attempts}, row.created, row.instance_id)
                for row in rows.defer("payload", "answer")
            ]
        case _:
            return [Finding(row.pk, row.name, ", ".join(f"{k} = {v}" for k, v in row.keys.items()), row.received) for row in rows]


def _timer(row: Timer) -> Finding:
    element = definitions.element_of(row.instance.digest, row.element_id)
    words = row.last_error or ((element.name if element else "") or row.element_id)
    return Finding(row.pk, row.instance.title, words, row.due, row.instance_id)


def _tasks(kind: str, rows: Iterable[Any]) -> list[Finding]:
    shown = list(rows.select_related("instance").defer("data", "instance__state", "instance__data", "instance__waits"))  # type: ignore[attr-defined]
    names = names_of(task.assignee_id for task in shown)
    companies = organisations(task.organisation_id for task in shown if task.organisation_id)
    return [
        Finding(
            task.pk,
            task.name,
            f"{task.instance.title} · {holder(task, names, companies)}",
            task.due if kind in ("overdue", "outside") and task.due else task.created,
            task.instance_id,
            task.pk,
        )
        for task in shown
    ]
