"""Whose hours count: an organisation's calendar, built from its row and the public holidays of its country.

calendar_of(None)          → ours
calendar_of(customer_id)   → the customer's, or ours where they have none
working_after(FOUR_HOURS)  → when so much of our working time has passed from now
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import holidays
from babel import Locale
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bpmn.calendars import Calendar, Hours, Working, add_working_time, usual
from portal.cache import Kept
from workflows.models import BusinessCalendar, CalendarDay

# time zone, country, region, the week's hours, own days; hashable, so that a calendar is built once a content
Plain = tuple[str, str, str, tuple[Hours, ...], tuple[tuple[date, str, Hours], ...]]


@dataclass(frozen=True, slots=True)
class DayOff:
    """A day that isn't worked, or, with hours, one that is worked in its own way."""

    day: date
    name: str
    hours: Hours = ()


def calendar_of(organisation_id: int | None = None) -> Calendar:
    """The calendar of an organisation; ours where it has none of its own, and nine to five where nobody set one."""
    known = KEPT.get()
    plain = known.get(organisation_id or 0) or known.get(0)
    return built(plain) if plain else usual(settings.TIME_ZONE)


def _read() -> dict[int, Plain]:
    """Every calendar by its organisation, ours under 0."""
    days: dict[int, list[tuple[date, str, Hours]]] = {}
    for row in CalendarDay.objects.order_by("day"):
        days.setdefault(row.calendar_id, []).append((row.day, row.name, hours_of(row.hours)))
    known = {}
    for row in BusinessCalendar.objects.select_related("organisation"):
        key = 0 if row.organisation.is_own else row.organisation_id
        known[key] = plain_of(row, days.get(row.pk, []))
    return known


KEPT = Kept("workflows.calendars", _read)


def plain_of(row: BusinessCalendar, days: list[tuple[date, str, Hours]]) -> Plain:
    """A row as plain, hashable facts."""
    return row.time_zone, row.country, row.region, tuple(hours_of(day) for day in row.hours), tuple(days)


def hours_of(kept: list[Any]) -> Hours:
    """Hours as a row keeps them."""
    return tuple((int(since), int(to)) for since, to in kept)


@lru_cache(maxsize=256)
def built(plain: Plain) -> Calendar:
    """The calendar that these facts make."""
    zone, country, region, hours, days = plain
    off = public_holidays(country, region) if country else frozenset()
    return Calendar(zone, hours, off, {day: own for day, _name, own in days})


def public_holidays(country: str, region: str = "", language: str | None = None) -> holidays.HolidayBase:
    """The public holidays of a country, found out year by year. Raises NotImplementedError for a country nobody keeps."""
    found = holidays.country_holidays(country, subdiv=region or None)
    spoken = next((own for own in (language, "en_US") if own and own in found.supported_languages), None)
    return holidays.country_holidays(country, subdiv=region or None, language=spoken) if spoken else found


@lru_cache(maxsize=1)
def countries() -> dict[str, tuple[str, ...]]:
    """Country code → the regions whose holidays differ."""
    return {code: tuple(regions) for code, regions in holidays.list_supported_countries(include_aliases=False).items()}


def country_name(code: str) -> str:
    """A country in the reader's language."""
    known = Locale.parse(translation.to_locale(translation.get_language() or "en")).territories
    return known.get(code, code)


def length_words(length: timedelta) -> str:
    """A length of working time in hours and minutes."""
    minutes = round(length.total_seconds() / 60)
    parts = []
    if minutes >= 60:
        parts.append(_("%(n)d h") % {"n": minutes // 60})
    if minutes % 60 or not parts:
        parts.append(_("%(n)d min") % {"n": minutes % 60})
    return " ".join(parts)


def working_after(amount: Working, start: datetime | None = None, organisation_id: int | None = None) -> datetime:
    """The moment at which so much of an organisation's working time has passed since the start, or since now.

    Raises NoWorkingTime where that never comes.
    """
    calendar = calendar_of(organisation_id)
    return add_working_time(start or timezone.now(), amount.of(calendar), calendar)


def working_words(amount: Working) -> str:
    """An amount of working time in the reader's words."""
    number = round(amount.number) if amount.number == round(amount.number) else amount.number
    words = {
        "day": ngettext("%(n)s working day", "%(n)s working days", round(amount.number)),
        "hour": ngettext("%(n)s working hour", "%(n)s working hours", round(amount.number)),
        "minute": ngettext("%(n)s working minute", "%(n)s working minutes", round(amount.number)),
    }
    return words[amount.unit] % {"n": number}


def days_ahead(plain: Plain, count: int = 6) -> list[DayOff]:
    """The next days that aren't as their weekday, within a year: public holidays and own days, soonest first."""
    _zone, country, region, hours, days = plain
    own = {day: DayOff(day, name, worked) for day, name, worked in days}
    named = public_holidays(country, region, translation.get_language()) if country else {}
    found = []
    for day in _year_from(timezone.localdate()):
        if day in own:
            found.append(own[day])
        elif hours[day.weekday()] and day in named:
            found.append(DayOff(day, named[day]))
        if len(found) == count:
            break
    return found


def _year_from(first: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(366))
