"""Writes of appointments: offer, choose, ask for others, move, cancel. Whoever comes second is told, and nothing else changes.

Every change locks the appointment and its employee, so that two customers never get the same hour of one person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.access import CrmPermission, visible_appointments
from crm.appointments.models import Appointment, AppointmentSlot
from crm.appointments.times import busy, free_times
from crm.events import AppointmentChanged
from crm.services.common import allow
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef, registry
from portal.selectors import employees
from workflows.selectors.absences import away_between

KINDS = ("crm.request", "crm.deal", "crm.case", "projects.project")
FEWEST, MOST = 2, 5
SHORTEST, LONGEST = 10, 480
FARTHEST = timedelta(days=180)
MOVE_WITHIN = timedelta(days=21)  # how far ahead a customer looks for another time
MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Offer:
    """What an employee fills in: times to choose from, or days within which the customer chooses; `key` makes twice once."""

    title: str
    minutes: int = 30
    place: str = ""
    note: str = ""
    slots: tuple[datetime, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    host_id: int | None = None
    key: str = ""


def ref_of(appointment_id: int) -> SubjectRef:
    """The appointment as a subject."""
    return SubjectRef("crm.appointment", appointment_id)


def when(moment: datetime) -> str:
    """A moment in the reader's zone and language."""
    return date_format(timezone.localtime(moment), "j F Y, H:i")


def customer_of(ref: SubjectRef) -> int | None:
    """The customer who takes part in a record; a deal's is the one of its request or account."""
    if ref.kind == "crm.deal":
        from crm.models import Deal

        return Deal.objects.filter(pk=ref.id).values_list("customer_organisation_id", flat=True).first()
    kind = registry.subjects.get(ref.kind)
    pairs = kind.organisations(ref.id) if kind and kind.organisations else ()
    return next((key for audience, key in pairs if audience == Audience.CUSTOMER), None)


def offer_appointment(actor: Actor, ref: SubjectRef, data: Offer) -> Appointment:
    """Offer times to the customer of a record. Raises Refused with the field for what doesn't fit, NotAllowed for outsiders."""
    if not actor.is_internal or actor.user_id is None:
        raise NotAllowed(_("Times are offered by an employee."))
    allow(actor, CrmPermission.VIEW)
    if data.key and (found := Appointment.objects.filter(idempotency_key=data.key).first()):
        return found
    if ref.kind not in KINDS or registry.resolve(actor, ref) is None:
        raise Refused(_("This record isn't there any more."))
    organisation_id = customer_of(ref)
    if organisation_id is None:
        raise Refused(_("This customer doesn't use the cabinet: there is nobody to choose a time."))
    title, host_id = data.title.strip()[:150], data.host_id or actor.user_id
    if not title:
        raise Refused(_("Say what it is about."), "title")
    if not SHORTEST <= data.minutes <= LONGEST:
        raise Refused(_("It takes between %(least)d and %(most)d minutes.") % {"least": SHORTEST, "most": LONGEST}, "minutes")
    host = next((person for person in employees() if person.id == host_id), None)
    if host is None:
        raise Refused(_("Choose a colleague."), "host")
    with transaction.atomic():
        row = Appointment(
            subject_kind=ref.kind,
            subject_id=ref.id,
            customer_organisation_id=organisation_id,
            host_id=host.id,
            host_name=host.name,
            title=title,
            minutes=data.minutes,
            place=data.place.strip()[:200],
            note=data.note.strip()[:MAX_TEXT],
            idempotency_key=data.key or None,
        )
        slots = _times_for(row, data)
        row.save()
        AppointmentSlot.objects.bulk_create(AppointmentSlot(appointment=row, starts=slot) for slot in slots)
        _told(actor, row, "offered", {"slots": [slot.isoformat() for slot in slots]})
    return row


def offer_again(actor: Actor, appointment_id: int, data: Offer, *, version: int | None = None) -> Appointment:
    """Offer other times, as the customer asked, or because the first no longer suit."""
    if not actor.is_internal:
        raise NotAllowed(_("Times are offered by an employee."))
    with transaction.atomic():
        row = _locked(actor, appointment_id, version, (Appointment.State.OFFERED, Appointment.State.ASKED))
        slots = _times_for(row, data)
        row.slots.all().delete()
        AppointmentSlot.objects.bulk_create(AppointmentSlot(appointment=row, starts=slot) for slot in slots)
        row.state = Appointment.State.OFFERED
        _save(row)
        _told(actor, row, "offered", {"slots": [slot.isoformat() for slot in slots]})
    return row


def _times_for(row: Appointment, data: Offer) -> list[datetime]:
    """Set the row's days, or give the slots that it gets; raises Refused for what nobody could keep."""
    now = timezone.now()
    if data.first_day or data.last_day:
        first, last = data.first_day, data.last_day
        if first is None or last is None or last < first:
            raise Refused(_("Give the first and the last day, in this order."), "last_day")
        if last < timezone.localdate() or first > timezone.localdate() + FARTHEST:
            raise Refused(_("Choose days that come, within half a year."), "first_day")
        if not free_times(row.host_id, row.minutes, first, last, most=1):
            raise Refused(_("Nothing is free on these days: outside working hours, away, or taken. Choose others."), "last_day")
        row.mode, row.first_day, row.last_day = Appointment.Mode.DAYS, first, last
        return []
    slots = sorted(set(data.slots))
    if not FEWEST <= len(slots) <= MOST:
        raise Refused(_("Propose between %(least)d and %(most)d different times.") % {"least": FEWEST, "most": MOST}, "slots")
    for slot in slots:
        if slot <= now or slot > now + FARTHEST:
            raise Refused(_("%(time)s isn't a time to come within half a year.") % {"time": when(slot)}, "slots")
        _check_host(row, slot, field="slots")
    row.mode, row.first_day, row.last_day = Appointment.Mode.SLOTS, None, None
    return slots


def _check_host(row: Appointment, starts: datetime, *, field: str, error: type[Refused] = Refused) -> None:
    """Raise where the employee can't be there."""
    ends = starts + timedelta(minutes=row.minutes)
    words = {"name": row.host_name, "time": when(starts)}
    if busy(row.host_id, starts, ends, but=row.pk):
        raise error(_("%(name)s has another appointment at %(time)s. Choose another time.") % words, field)
    if away_between(row.host_id, starts, ends):
        raise error(_("%(name)s is away at %(time)s. Choose another time.") % words, field)


def _locked(actor: Actor, appointment_id: int, version: int | None, states: Iterable[str]) -> Appointment:
    """Lock the appointment and whoever holds it. Raises Conflict where it is no longer as the person saw it."""
    rows = visible_appointments(actor).select_related("host")
    row = rows.select_for_update(of=("self", "host"), no_key=True).filter(pk=appointment_id).first()
    if row is None:
        raise Refused(_("This appointment isn't there any more."))
    if row.state not in states:
        if row.state == Appointment.State.BOOKED and row.starts:
            words = _("%(name)s has already agreed to %(time)s.")
            raise Conflict(words % {"name": row.booked_by_name or row.host_name, "time": when(row.starts)})
        raise Conflict(_("Meanwhile: %(state)s. Look at it again.") % {"state": row.get_state_display()})
    if version is not None and version != row.version:
        raise Conflict(_("Somebody changed this a moment ago. Look at it again, then decide."))
    return row


def choices_for(row: Appointment) -> list[datetime]:
    """The times that the customer may choose from now: the proposed ones that are still free, or all that are free on the days."""
    if row.mode == Appointment.Mode.DAYS and row.first_day and row.last_day:
        return free_times(row.host_id, row.minutes, row.first_day, row.last_day, but=row.pk)
    now, length = timezone.now(), timedelta(minutes=row.minutes)
    return [slot.starts for slot in row.slots.all() if slot.starts > now and not busy(row.host_id, slot.starts, slot.starts + length)]


def other_times(row: Appointment) -> list[datetime]:
    """The times to which a customer may move an agreed appointment."""
    first = timezone.localdate()
    return [time for time in free_times(row.host_id, row.minutes, first, first + MOVE_WITHIN, but=row.pk) if time != row.starts]


def book_appointment(actor: Actor, appointment_id: int, starts: datetime | None, *, version: int | None = None) -> Appointment:
    """The customer chooses a time. Raises Conflict where somebody was faster, Refused for a time that isn't offered."""
    if not actor.is_customer:
        raise NotAllowed(_("The customer chooses the time."))
    with transaction.atomic():
        row = _locked(actor, appointment_id, version, (Appointment.State.OFFERED, Appointment.State.ASKED))
        if starts is None:
            raise Refused(_("Choose a time."), "starts")
        if starts not in choices_for(row):
            proposed = row.mode == Appointment.Mode.SLOTS and row.slots.filter(starts=starts).exists()
            if proposed and starts > timezone.now():
                raise Conflict(_("%(time)s has just been taken. Choose another time.") % {"time": when(starts)}, "starts")
            raise Refused(_("This time isn't free any more. Choose another."), "starts")
        _check_host(row, starts, field="starts", error=Conflict)
        row.state, row.booked_by_id, row.booked_by_name, row.wish = Appointment.State.BOOKED, actor.user_id, actor.name, ""
        _set_time(row, starts)
        _save(row)
        _told(actor, row, "booked", {"starts": starts.isoformat()})
    return row


def ask_for_other_times(actor: Actor, appointment_id: int, words: str, *, version: int | None = None) -> Appointment:
    """None of the times suits the customer: they say what would. Raises Refused without words."""
    if not actor.is_customer:
        raise NotAllowed(_("The customer chooses the time."))
    words = words.strip()[:MAX_TEXT]
    if not words:
        raise Refused(_("Say when it would suit you."), "wish")
    with transaction.atomic():
        row = _locked(actor, appointment_id, version, (Appointment.State.OFFERED, Appointment.State.ASKED))
        row.state, row.wish = Appointment.State.ASKED, words
        _save(row)
        _told(actor, row, "asked", {}, reason=words)
    return row


def move_appointment(actor: Actor, appointment_id: int, starts: datetime | None, reason: str, *, version: int | None = None) -> Appointment:
    """Either side moves what is agreed, with a reason: an employee to any free time of theirs, a customer to one that is free."""
    reason = reason.strip()[:MAX_TEXT]
    if not reason:
        raise Refused(_("Say why: the other side reads it."), "reason")
    with transaction.atomic():
        row = _locked(actor, appointment_id, version, (Appointment.State.BOOKED,))
        now = timezone.now()
        if row.starts and row.starts <= now:
            raise Conflict(_("It has begun already. Offer a new appointment."))
        if starts is None or starts <= now or starts > now + FARTHEST:
            raise Refused(_("Choose a time to come, within half a year."), "starts")
        if starts == row.starts:
            raise Refused(_("It is at this time already."), "starts")
        if not actor.is_internal and starts not in other_times(row):
            raise Conflict(_("This time isn't free any more. Choose another."), "starts")
        _check_host(row, starts, field="starts", error=Conflict)
        before = row.starts.isoformat() if row.starts else ""
        _set_time(row, starts)
        row.sequence, row.reason, row.changed_by_name = row.sequence + 1, reason, actor.name
        _save(row)
        _told(actor, row, "moved", {"before": before, "starts": starts.isoformat()}, reason=reason)
    return row


def cancel_appointment(actor: Actor, appointment_id: int, reason: str, *, version: int | None = None) -> Appointment:
    """Either side calls it off, with a reason; whoever does so twice changes nothing."""
    reason = reason.strip()[:MAX_TEXT]
    if not reason:
        raise Refused(_("Say why: the other side reads it."), "reason")
    open_states = (Appointment.State.OFFERED, Appointment.State.ASKED, Appointment.State.BOOKED)
    with transaction.atomic():
        row = _locked(actor, appointment_id, version, open_states)
        was_booked = row.state == Appointment.State.BOOKED
        row.state, row.reason, row.changed_by_name = Appointment.State.CANCELLED, reason, actor.name
        row.sequence += was_booked
        _save(row)
        _told(actor, row, "cancelled", {"was_booked": was_booked}, reason=reason)
    return row


def _set_time(row: Appointment, starts: datetime) -> None:
    row.starts, row.ends, row.reminded_at = starts, starts + timedelta(minutes=row.minutes), None


def _save(row: Appointment) -> None:
    row.version += 1
    row.save()


def _told(actor: Actor, row: Appointment, what: str, after: dict, reason: str = "") -> None:
    """Audit, event, live pages."""
    subject = SubjectRef(row.subject_kind, row.subject_id)
    record(actor, f"appointment.{what}", ref_of(row.pk), after={"title": row.title, "about": str(subject), **after}, reason=reason)
    emit(AppointmentChanged(actor, row.pk, row.title, what, subject, row.customer_organisation_id, reason))
    topics = [str(ref_of(row.pk)), str(subject), f"cabinet:{row.customer_organisation_id}", f"crm.appointments:{row.host_id}"]
    ping(*topics)


def take_due_reminders(limit: int = 50) -> list[int]:
    """Mark the appointments that begin within a day and weren't reminded of, and give their ids; each is given once."""
    now = timezone.now()
    with transaction.atomic():
        rows = Appointment.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state=Appointment.State.BOOKED, reminded_at=None, starts__gt=now, starts__lte=now + timedelta(days=1)
        )
        ids = list(rows.order_by("starts").values_list("pk", flat=True)[:limit])
        Appointment.objects.filter(pk__in=ids).update(reminded_at=now)
        for row in Appointment.objects.filter(pk__in=ids):
            emit(
                AppointmentChanged(
                    Actor.system(_("Reminder")),
                    row.pk,
                    row.title,
                    "reminded",
                    SubjectRef(row.subject_kind, row.subject_id),
                    row.customer_organisation_id,
                    "",
                )
            )
    return ids
