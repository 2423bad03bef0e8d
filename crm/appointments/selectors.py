"""Reads of appointments, for both faces: nothing in the values is for one side alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from crm.access import visible_appointments
from crm.appointments.models import Appointment
from crm.appointments.services import choices_for, other_times, ref_of
from portal.access import Actor
from portal.registry import SubjectRef, SubjectView, registry
from portal.rows import PreparedFor

State = Appointment.State
OPEN = (State.OFFERED, State.ASKED)


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """An appointment as both sides read it; `about` is the record where the reader may see it."""

    id: int
    title: str
    state: str
    state_label: str
    starts: datetime | None
    ends: datetime | None
    minutes: int
    place: str
    note: str
    host_id: int
    host_name: str
    customer: str
    booked_by_name: str
    wish: str
    reason: str
    changed_by_name: str
    version: int
    mode: str
    about: SubjectView | None
    created_at: datetime

    @property
    def ref(self) -> SubjectRef:
        """Its reference."""
        return ref_of(self.id)

    @property
    def is_over(self) -> bool:
        """It took place, or nobody waits for it any more."""
        return self.state == State.CANCELLED or (self.ends is not None and self.ends <= timezone.now())


def _views(actor: Actor, rows: Iterable[Appointment]) -> list[AppointmentView]:
    found = list(rows)
    shown = registry.resolve_many(actor, [SubjectRef(row.subject_kind, row.subject_id) for row in found])
    return [_view(row, shown.get(SubjectRef(row.subject_kind, row.subject_id))) for row in found]


def _view(row: Appointment, about: SubjectView | None) -> AppointmentView:
    return AppointmentView(
        row.pk,
        row.title,
        row.state,
        str(row.get_state_display()),
        row.starts,
        row.ends,
        row.minutes,
        row.place,
        row.note,
        row.host_id,
        row.host_name,
        row.customer_organisation.name,
        row.booked_by_name,
        row.wish,
        row.reason,
        row.changed_by_name,
        row.version,
        row.mode,
        about,
        row.created_at,
    )


def _rows(actor: Actor) -> QuerySet[Appointment]:
    return visible_appointments(actor).select_related("customer_organisation")


def appointment_view(actor: Actor, appointment_id: int) -> AppointmentView | None:
    """One appointment, or None where the actor may not see it."""
    return next(iter(_views(actor, _rows(actor).filter(pk=appointment_id))), None)


def coming_appointments(actor: Actor, *, host_id: int | None = None, limit: int = 50) -> list[AppointmentView]:
    """What is agreed and not over, soonest first."""
    rows = _rows(actor).filter(state=State.BOOKED, ends__gt=timezone.now())
    if host_id is not None:
        rows = rows.filter(host_id=host_id)
    return _views(actor, rows.order_by("starts", "pk")[:limit])


def open_offers(actor: Actor, *, host_id: int | None = None, limit: int = 50) -> list[AppointmentView]:
    """What waits for a time: offered, or other times wanted; the oldest first."""
    rows = _rows(actor).filter(state__in=OPEN)
    if host_id is not None:
        rows = rows.filter(host_id=host_id)
    return _views(actor, rows.order_by("created_at", "pk")[:limit])


def ahead(actor: Actor, limit: int = 60) -> list[AppointmentView]:
    """What waits for a time, the oldest first, then what is agreed and not over, soonest first; read at once."""
    return _views(actor, _AHEAD.rows(actor, limit, values=[timezone.now()]))


def _ahead(actor: Actor, now: datetime, limit: int) -> QuerySet[Appointment]:
    rows = _rows(actor).filter(Q(state__in=OPEN) | Q(state=State.BOOKED, ends__gt=now))
    is_open = Case(When(state__in=OPEN, then=0), default=1)
    return rows.order_by(is_open, F("starts").asc(nulls_first=True), "created_at", "pk")[:limit]


_AHEAD = PreparedFor(_ahead)


def past_appointments(actor: Actor, *, host_id: int | None = None, limit: int = 50) -> list[AppointmentView]:
    """What took place or was called off, the newest first."""
    rows = _rows(actor).filter(Q(state=State.CANCELLED) | Q(state=State.BOOKED, ends__lte=timezone.now()))
    if host_id is not None:
        rows = rows.filter(host_id=host_id)
    return _views(actor, rows.order_by("-updated_at", "-pk")[:limit])


def appointments_on(actor: Actor, refs: Iterable[SubjectRef], limit: int = 30) -> list[AppointmentView]:
    """The appointments about some records, what isn't over first, soonest first."""
    wanted = Q(pk__in=[])
    for ref in refs:
        wanted |= Q(subject_kind=ref.kind, subject_id=ref.id)
    found = _views(actor, _rows(actor).filter(wanted).order_by("-pk")[:limit])
    return sorted(found, key=lambda one: (one.is_over, (one.starts or one.created_at).timestamp()))


def times_to_choose(actor: Actor, appointment_id: int) -> list[datetime]:
    """When the reader could have it: for a first choice, or for moving it; none where nothing is to be chosen."""
    row = visible_appointments(actor).prefetch_related("slots").filter(pk=appointment_id).first()
    if row is None or row.state == State.CANCELLED:
        return []
    return other_times(row) if row.state == State.BOOKED else choices_for(row)
