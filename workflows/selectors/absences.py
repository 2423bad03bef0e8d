"""Who is away, and who stands in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from portal.access import Actor
from portal.selectors import names_of
from workflows.access import WorkflowPermission
from workflows.models import Absence, ProcessDefinition
from workflows.substitution import absences_at, covered_by, substitutes_of


@dataclass(frozen=True, slots=True)
class AbsenceView:
    """One absence. `last` is its last day's end less a moment, so that it shows as that day."""

    id: int
    user_id: int
    name: str
    substitute: str
    starts: datetime
    last: datetime
    process: str
    note: str
    is_now: bool
    is_own: bool


def absences(actor: Actor) -> list[AbsenceView]:
    """Running and planned absences, soonest first: all of them for those who may reassign, else one's own and those one stands in for."""
    if not actor.is_internal:
        return []
    rows = Absence.objects.filter(ends__gt=timezone.now())
    if not actor.can(WorkflowPermission.REASSIGN):
        rows = rows.filter(Q(user_id=actor.user_id) | Q(substitute_id=actor.user_id))
    found = list(rows.order_by("starts", "pk")[:200])
    names = names_of([*(row.user_id for row in found), *(row.substitute_id for row in found)])
    processes = dict(ProcessDefinition.objects.filter(key__in={r.process_key for r in found}, is_current=True).values_list("key", "name"))
    now = timezone.now()
    return [
        AbsenceView(
            id=row.pk,
            user_id=row.user_id,
            name=names.get(row.user_id, ""),
            substitute=names.get(row.substitute_id or 0, ""),
            starts=row.starts,
            last=row.ends - timedelta(seconds=1),
            process=processes.get(row.process_key, row.process_key),
            note=row.note,
            is_now=row.starts <= now,
            is_own=row.user_id == actor.user_id,
        )
        for row in found
    ]


def away_between(user_id: int, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """When somebody is away altogether within a time; an absence from one process alone is none. One query."""
    rows = Absence.objects.filter(user_id=user_id, process_key="", starts__lt=last, ends__gt=first)
    return list(rows.order_by("starts").values_list("starts", "ends"))


def own_absence(actor: Actor) -> AbsenceView | None:
    """The absence that the actor is in now."""
    return next((view for view in absences(actor) if view.is_own and view.is_now), None)


def stand_ins(user_ids: Iterable[int], process_key: str) -> set[int]:
    """The people who do these people's tasks of a process now, because they are away. One query."""
    wanted = set(user_ids)
    away = absences_at() if wanted else []
    return {substitute for user in wanted for substitute in substitutes_of(user, process_key, away)}


def stood_in_for(actor: Actor) -> list[int]:
    """The people for whom the actor stands in now."""
    return sorted({absent for absent, _key in covered_by(actor.user_id, absences_at())}) if actor.is_internal else []
