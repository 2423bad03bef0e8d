"""Free times of an employee: working hours of our calendar, without absences, what is agreed already, and what is too near."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

from bpmn.calendars import shifts
from crm.appointments.models import Appointment
from workflows.calendars import calendar_of
from workflows.selectors.absences import away_between

STEP = timedelta(minutes=30)
NOTICE = timedelta(hours=2)  # nobody is surprised by a meeting that begins now
MOST = 80


def busy(host_id: int, starts: datetime, ends: datetime, *, but: int | None = None) -> bool:
    """Whether the employee has agreed to be elsewhere in this time; `but` leaves the appointment out that is being moved."""
    rows = Appointment.objects.filter(host_id=host_id, state=Appointment.State.BOOKED, starts__lt=ends, ends__gt=starts)
    return rows.exclude(pk=but).exists()


def free_times(host_id: int, minutes: int, first: date, last: date, *, but: int | None = None, most: int = MOST) -> list[datetime]:
    """When the employee could begin a meeting of this length on these days, soonest first, in UTC; three queries."""
    calendar, length = calendar_of(None), timedelta(minutes=minutes)
    earliest = timezone.now() + NOTICE
    day, found = max(first, timezone.localdate()), []
    begin = timezone.make_aware(datetime.combine(day, datetime.min.time())) - timedelta(days=1)
    end = timezone.make_aware(datetime.combine(last, datetime.min.time())) + timedelta(days=2)
    rows = Appointment.objects.filter(host_id=host_id, state=Appointment.State.BOOKED, starts__lt=end, ends__gt=begin).exclude(pk=but)
    taken = [*rows.values_list("starts", "ends"), *away_between(host_id, begin, end)]
    while day <= last and len(found) < most:
        for opens, closes in shifts(calendar, day):
            start = opens
            while start + length <= closes and len(found) < most:
                if start >= earliest and not any(start < to and start + length > since for since, to in taken):
                    found.append(start)
                start += STEP
        day += timedelta(days=1)
    return found


def proposals(host_id: int, minutes: int, count: int = 3) -> list[datetime]:
    """Times to propose, one a working day, the first tomorrow."""
    first = timezone.localdate() + timedelta(days=1)
    chosen: dict[date, datetime] = {}
    for start in free_times(host_id, minutes, first, first + timedelta(days=21), most=400):
        chosen.setdefault(timezone.localdate(start), start)
        if len(chosen) == count:
            break
    return list(chosen.values())
