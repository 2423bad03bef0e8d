"""Setting when an organisation works."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn.calendars import Hours
from portal.access import Actor, PortalPermission
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.registry import SubjectRef
from portal.selectors import organisation
from workflows.calendars import KEPT, Plain, countries, plain_of
from workflows.errors import NotFound
from workflows.models import BusinessCalendar, CalendarDay, ServiceClock

DAYS = 7
MOST_DAYS = 400
_SHIFT = re.compile(r"^\s*(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|—)\s*(\d{1,2})(?:[:.](\d{2}))?\s*$")


def read_hours(text: str, field: str | None = None) -> Hours:
    """Read “9:00–13:00, 14:00–18:00”; nothing is a day off. Raises Refused with the field for what can't be a day's hours."""
    found: list[tuple[int, int]] = []
    for part in re.split(r"[,;]", text) if text.strip() else ():
        shift = _SHIFT.match(part)
        if not shift:
            raise Refused(
                _("“%(text)s” isn't a time of work. Write 9:00–17:00, or 9:00–13:00, 14:00–18:00.") % {"text": part.strip()}, field
            )
        since, to = (int(shift[at]) * 60 + int(shift[at + 1] or 0) for at in (1, 3))
        if int(shift[2] or 0) > 59 or int(shift[4] or 0) > 59 or to > 24 * 60:
            raise Refused(_("“%(text)s” isn't a time of day; the last one is 24:00.") % {"text": part.strip()}, field)
        if since >= to:
            raise Refused(
                _("“%(text)s” ends before it begins. Write a night shift as two, until 24:00 and from 0:00.") % {"text": part.strip()},
                field,
            )
        found.append((since, to))
    found.sort()
    for (_since, before), (after, _to) in zip(found, found[1:], strict=False):
        if after < before:
            raise Refused(_("Two times of work overlap in “%(text)s”.") % {"text": text.strip()}, field)
    return tuple(found)


def hours_text(hours: Hours) -> str:
    """Hours as people type them."""
    return ", ".join(f"{since // 60}:{since % 60:02}–{to // 60}:{to % 60:02}" for since, to in hours)


def checked_calendar(time_zone: str, country: str, region: str, hours: Sequence[str]) -> Plain:
    """What was typed as a calendar's facts, without own days. Raises Refused with the field, and for a week without working hours."""
    if time_zone not in zoneinfo.available_timezones():
        raise Refused(_("There is no such time zone."), "time_zone")
    if country and country not in countries():
        raise Refused(_("Nobody keeps the holidays of this country; choose another, or none and add days yourself."), "country")
    if region and (not country or region not in countries()[country]):
        raise Refused(_("This region isn't in the chosen country."), "region")
    week = tuple(read_hours(text, f"hours_{number}") for number, text in enumerate(hours))
    if len(week) != DAYS:
        raise Refused(_("Say the hours of all seven days."))
    if not any(week):
        raise Refused(_("A calendar needs working hours on at least one weekday: without any, nothing would ever be due."), "hours_0")
    return time_zone, country, region, week, ()


def _for_administrator(actor: Actor, organisation_id: int) -> None:
    if not actor.can(PortalPermission.ADMINISTER):
        raise NotAllowed(_("Only administrators set calendars."))
    if organisation(organisation_id) is None:
        raise NotFound


def save_calendar(actor: Actor, organisation_id: int, *, time_zone: str, country: str, region: str, hours: Sequence[str]) -> None:
    """Say when an organisation works. Raises NotAllowed, NotFound, Refused with the field.

    Due dates that were given stay; what begins to wait from now on is counted by the new hours, and so are the clocks of service levels.
    """
    _for_administrator(actor, organisation_id)
    zone, country, region, week, _own = checked_calendar(time_zone, country, region, hours)
    with transaction.atomic():
        known = BusinessCalendar.objects.select_for_update().filter(organisation_id=organisation_id).first()
        values = {"time_zone": zone, "country": country, "region": region, "hours": week}
        BusinessCalendar.objects.update_or_create(organisation_id=organisation_id, defaults=values)
        _changed(actor, organisation_id, "calendar.saved", _told(known) if known else None, values)


def forget_calendar(actor: Actor, organisation_id: int) -> None:
    """Let an organisation go by our calendar again. Raises NotAllowed, NotFound where it has none, Refused for our own."""
    _for_administrator(actor, organisation_id)
    with transaction.atomic():
        row = (
            BusinessCalendar.objects.select_for_update(of=("self",))
            .select_related("organisation")
            .filter(organisation_id=organisation_id)
            .first()
        )
        if row is None:
            raise NotFound
        if row.organisation.is_own:
            raise Refused(_("Our own calendar can be changed, but something has to count."))
        before = _told(row)
        row.delete()
        _changed(actor, organisation_id, "calendar.removed", before, None)


def add_calendar_day(actor: Actor, organisation_id: int, day: date, name: str, hours: str = "") -> None:
    """Say that a day is not as its weekday: off, or worked at these hours. The same day again replaces what was said of it.

    Raises NotAllowed, NotFound without a calendar, Refused with the field.
    """
    _for_administrator(actor, organisation_id)
    worked = read_hours(hours, "day_hours")
    if not name.strip():
        raise Refused(_("Say what day it is, such as “Company outing”."), "day_name")
    with transaction.atomic():
        row = BusinessCalendar.objects.select_for_update().filter(organisation_id=organisation_id).first()
        if row is None:
            raise Refused(_("Save the hours of the week first."), "day")
        if CalendarDay.objects.filter(calendar=row).count() >= MOST_DAYS:
            raise Refused(_("A calendar takes %(n)d days of its own; remove past ones first.") % {"n": MOST_DAYS}, "day")
        values = {"name": name.strip()[:100], "hours": worked}
        CalendarDay.objects.update_or_create(calendar=row, day=day, defaults=values)
        _changed(actor, organisation_id, "calendar.day_added", None, {"day": day.isoformat(), **values})


def remove_calendar_day(actor: Actor, organisation_id: int, day_id: int) -> None:
    """Let a day be as its weekday again; removing it twice changes nothing. Raises NotAllowed, NotFound."""
    _for_administrator(actor, organisation_id)
    with transaction.atomic():
        row = CalendarDay.objects.filter(pk=day_id, calendar__organisation_id=organisation_id).first()
        if row is None:
            return
        before = {"day": row.day.isoformat(), "name": row.name, "hours": row.hours}
        row.delete()
        _changed(actor, organisation_id, "calendar.day_removed", before, None)


def _told(row: BusinessCalendar) -> dict:
    zone, country, region, week, _days = plain_of(row, [])
    return {"time_zone": zone, "country": country, "region": region, "hours": week}


def _changed(actor: Actor, organisation_id: int, verb: str, before: dict | None, after: dict | None) -> None:
    record(actor, verb, SubjectRef("portal.organisation", organisation_id), before=before, after=after)
    KEPT.forget()
    ServiceClock.objects.filter(ended=None, since__isnull=False).update(look=timezone.now())  # they are foreseen anew
