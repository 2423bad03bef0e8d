"""What failed: one by one, and grouped by process, step and cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from portal.access import Actor
from workflows import definitions
from workflows.access import WorkflowPermission, visible_instances
from workflows.models import Incident
from workflows.plain import Cause, in_words
from workflows.runtime import TRIES

SHOWN = 100
MOST_TRIES = len(TRIES) + 1


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Something that failed. `next_try` is when it is tried again by itself; `trace` is empty for those who may not see data."""

    id: int
    instance_id: int
    title: str
    element_id: str
    element_name: str
    code: str
    message: str
    raised: datetime
    resolved: datetime | None
    resolved_by: str
    resolution: str
    attempts: int
    most: int
    next_try: datetime | None
    trace: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class IncidentGroup:
    """Failures of one step of one process with one cause. `trying` of them are tried again by themselves."""

    key: str
    process: str
    element_id: str
    element_name: str
    message: str
    count: int
    instances: int
    trying: int
    oldest: datetime
    cause: Cause


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which failures: of a process, of a step, with a cause (its words)."""

    process: str = ""
    element: str = ""
    cause: str = ""


def _open(actor: Actor, wanted: IncidentFilter) -> QuerySet[Incident]:
    if not actor.is_internal:
        return Incident.objects.none()
    rows = Incident.objects.filter(resolved=None, instance__in=visible_instances(actor))
    if wanted.process:
        rows = rows.filter(instance__key=wanted.process)
    if wanted.element:
        rows = rows.filter(element_id=wanted.element)
    if wanted.cause:
        rows = rows.filter(message=wanted.cause)
    return rows


def incident_groups(actor: Actor, wanted: IncidentFilter) -> list[IncidentGroup]:
    """The open failures by process, step and cause, the largest group first; the hundred largest."""
    rows = _open(actor, wanted).values("instance__key", "element_id", "message", "code")
    counted = rows.annotate(
        count=Count("pk"),
        instances=Count("instance_id", distinct=True),
        trying=Count("pk", filter=Q(next_try__isnull=False)),
        oldest=Min("raised"),
        digest=Min("instance__digest"),
        name=Min("instance__definition__name"),
    ).order_by("-count", "oldest")[:SHOWN]
    return [
        IncidentGroup(
            key=row["instance__key"],
            process=row["name"],
            element_id=row["element_id"],
            element_name=definitions.load(row["digest"]).name_of(row["element_id"]),
            message=row["message"],
            count=row["count"],
            instances=row["instances"],
            trying=row["trying"],
            oldest=row["oldest"],
            cause=in_words(row["code"], row["message"], definitions.load(row["digest"]).name_of(row["element_id"])),
        )
        for row in counted
    ]


def open_incidents(actor: Actor, wanted: IncidentFilter | None = None) -> list[IncidentView]:
    """What failed and waits, newest first, in the instances that the actor sees; the hundred newest."""
    return incident_views(_open(actor, wanted or IncidentFilter()).order_by("-raised", "-pk"), actor.can(WorkflowPermission.VIEW_DATA))


def failing_ids(actor: Actor, wanted: IncidentFilter, most: int) -> list[int]:
    """The instances in which these failures are open now, up to so many."""
    return list(_open(actor, wanted).order_by("instance_id").values_list("instance_id", flat=True).distinct()[:most])


def incident_views(rows: QuerySet[Incident], may_see_data: bool) -> list[IncidentView]:
    """Failures in words; one query."""
    shown = rows.select_related("instance").defer("instance__state", "instance__data", "instance__waits")[:SHOWN]
    return [
        IncidentView(
            id=row.pk,
            instance_id=row.instance_id,
            title=row.instance.title,
            element_id=row.element_id,
            element_name=definitions.load(row.instance.digest).name_of(row.element_id),
            code=row.code,
            message=row.message,
            raised=row.raised,
            resolved=row.resolved,
            resolved_by=row.resolved_by_name,
            resolution=row.resolution,
            attempts=row.attempts,
            most=MOST_TRIES,
            next_try=row.next_try,
            trace=row.trace if may_see_data else "",
            cause=in_words(row.code, row.message, definitions.load(row.instance.digest).name_of(row.element_id)),
        )
        for row in shown
    ]


def instance_of_incident(actor: Actor, incident_id: int) -> int | None:
    """The visible instance in which something failed."""
    rows = Incident.objects.filter(pk=incident_id, instance__in=visible_instances(actor)) if actor.is_internal else Incident.objects.none()
    return rows.values_list("instance_id", flat=True).first()
