"""Calendars for those who set them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from bpmn.calendars import Hours, NoWorkingTime, add_working_time, parse_working
from portal.access import Actor, Audience
from portal.selectors import OrganisationView, organisations, organisations_of
from workflows.access import visible_calendars
from workflows.calendars import DayOff, Plain, built, country_name, days_ahead, hours_of, length_words, plain_of
from workflows.services.calendars import hours_text

SAMPLES = ("8 working hours", "2 working days", "10 working days")


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A day of a calendar's own."""

    id: int
    day: date
    name: str
    hours: str


@dataclass(frozen=True, slots=True)
class CalendarView:
    """When an organisation works. `is_set`: somebody said so; else it is what counts until somebody does."""

    organisation: OrganisationView
    is_set: bool
    time_zone: str
    country: str
    country_name: str
    region: str
    hours: tuple[str, ...]
    days: list[OwnDay]
    plain: Plain


@dataclass(frozen=True, slots=True)
class CalendarPreview:
    """What a calendar means: when something given now is due, how long a day is, which days come that aren't worked."""

    day: timedelta
    now: datetime
    due: list[tuple[str, datetime | None]]
    ahead: list[DayOff]

    @property
    def day_words(self) -> str:
        """How long a working day is, in words."""
        return length_words(self.day)


def own_organisation() -> OrganisationView | None:
    """Our company."""
    return next(iter(organisations_of(Audience.INTERNAL)), None)


def calendar_list(actor: Actor) -> list[CalendarView]:
    """Our calendar and those of others who have their own; three queries."""
    rows = {row.organisation_id: row for row in visible_calendars(actor).prefetch_related("days")}
    places = organisations(rows)
    own = own_organisation()
    if own is not None:
        places[own.id] = own
    found = [_view(place, rows.get(key)) for key, place in places.items()]
    return sorted(found, key=lambda view: (not view.organisation.is_own, view.organisation.name.lower()))


def calendar_view(actor: Actor, organisation_id: int) -> CalendarView | None:
    """One organisation's calendar, or what ours would give it; None where there is no such organisation."""
    place = organisations([organisation_id]).get(organisation_id)
    if place is None:
        return None
    rows = visible_calendars(actor).prefetch_related("days")
    row = rows.filter(organisation_id=organisation_id).first()
    view = _view(place, row)
    if row is None and not place.is_own:
        ours = rows.filter(organisation__is_own=True).first()
        if ours is not None:
            known = _view(place, ours)
            view = CalendarView(
                place, False, known.time_zone, known.country, known.country_name, known.region, known.hours, [], known.plain
            )
    return view


def _view(place: OrganisationView, row) -> CalendarView:
    usual: Hours = ((9 * 60, 17 * 60),)
    week = tuple(hours_of(day) for day in row.hours) if row else (usual,) * 5 + ((),) * 2
    days = sorted(row.days.all(), key=lambda day: day.day) if row else []
    zone, country, region = (row.time_zone, row.country, row.region) if row else (settings.TIME_ZONE, "", "")
    own = [(day.day, day.name, hours_of(day.hours)) for day in days]
    plain = plain_of(row, own) if row else (zone, country, region, week, ())
    shown = [OwnDay(day.pk, day.day, day.name, hours_text(hours_of(day.hours))) for day in days]
    name = country_name(country)
    return CalendarView(place, row is not None, zone, country, name, region, tuple(map(hours_text, week)), shown, plain)


def preview(plain: Plain) -> CalendarPreview:
    """What a calendar would mean now; a due date is None where so much working time never comes."""
    calendar, now = built(plain), timezone.now()
    due: list[tuple[str, datetime | None]] = []
    for text in SAMPLES:
        amount = parse_working(text)
        try:
            due.append((text, add_working_time(now, amount.of(calendar) if amount else timedelta(), calendar)))
        except NoWorkingTime:
            due.append((text, None))
    return CalendarPreview(calendar.day, now, due, days_ahead(plain))
