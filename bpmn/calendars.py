"""Working time: when somebody works, and how long that is. Plain arithmetic of a calendar's hours; whose calendar it is others say.

    add_working_time(asked, timedelta(hours=8), calendar)      → when eight working hours are over
    working_time_between(asked, answered, calendar)            → how much working time has passed
    parse_working("2 working days").of(calendar)               → timedelta(hours=16), where a working day has eight hours

Hours are those of the clock on the wall: on the night when the clock changes a shift is an hour shorter or longer, as it is for people.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Hours = tuple[tuple[int, int], ...]  # from and to, in minutes after midnight, in order
NOTHING = timedelta(0)
FARTHEST = 366 * 20  # days that are looked through for working time
OFFICE: Hours = ((9 * 60, 17 * 60),)
_WORKING = re.compile(r"^(?P<number>\d{1,5}(?:\.\d{1,2})?)\s+working\s+(?P<unit>day|hour|minute)s?$", re.IGNORECASE)


class NoWorkingTime(ValueError):
    """A calendar in which nobody ever works, or not within twenty years."""


@dataclass(frozen=True)
class Calendar:
    """The hours of each weekday (Monday first) in a time zone; days off have none, `exceptions` have hours of their own."""

    zone: str = "UTC"
    hours: tuple[Hours, ...] = (OFFICE,) * 5 + ((),) * 2
    days_off: Container[date] = field(default=frozenset(), compare=False)
    exceptions: Mapping[date, Hours] = field(default_factory=dict, compare=False)

    @property
    def day(self) -> timedelta:
        """How much a working day is: a working week of this calendar, divided by its days."""
        worked = [_length(hours) for hours in self.hours if hours]
        if not worked:
            raise NoWorkingTime("the calendar has no working hours")
        return timedelta(minutes=sum(worked) / len(worked))

    def hours_on(self, day: date) -> Hours:
        """The hours of a day."""
        if day in self.exceptions:
            return self.exceptions[day]
        hours = self.hours[day.weekday()]
        return () if not hours or day in self.days_off else hours


AROUND_THE_CLOCK = Calendar(hours=(((0, 24 * 60),),) * 7)


def _length(hours: Hours) -> int:
    return sum(to - since for since, to in hours)


def shifts(calendar: Calendar, day: date) -> list[tuple[datetime, datetime]]:
    """The working hours of a day as moments in UTC, one after another, also where the clock skips or repeats some."""
    found: list[tuple[datetime, datetime]] = []
    for since, to in calendar.hours_on(day):
        begins, ends = _moment(calendar.zone, day, since), _moment(calendar.zone, day, to)
        if found:
            begins = max(begins, found[-1][1])
        if begins < ends:
            found.append((begins, ends))
    return found


def _moment(zone: str, day: date, minutes: int) -> datetime:
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001  it gets its zone here
    return local.replace(tzinfo=_zone(zone)).astimezone(UTC)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _days_from(calendar: Calendar, start: datetime) -> Iterator[date]:
    """Days beginning with the one before the start: a shift may have begun yesterday."""
    day = start.astimezone(_zone(calendar.zone)).date() - timedelta(days=1)
    for _number in range(FARTHEST):
        yield day
        day += timedelta(days=1)


def add_working_time(start: datetime, duration: timedelta, calendar: Calendar) -> datetime:
    """The first moment at which so much working time has passed since the start, in UTC.

    Raises NoWorkingTime where that lies beyond twenty years, such as in a calendar in which nobody works.
    """
    start = start.astimezone(UTC)
    if duration < NOTHING:
        raise ValueError("working time can't be taken away")
    if not duration:
        return start
    left = duration
    try:
        for day in _days_from(calendar, start):
            for begins, ends in shifts(calendar, day):
                begins = max(begins, start)
                if begins >= ends:
                    continue
                if ends - begins >= left:
                    return begins + left
                left -= ends - begins
    except OverflowError:
        pass
    raise NoWorkingTime("so much working time doesn't pass within twenty years of this calendar")


def working_time_between(first: datetime, last: datetime, calendar: Calendar) -> timedelta:
    """How much working time lies between two moments; nothing where the second isn't later. What lies beyond twenty years isn't counted."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    passed, end = NOTHING, last.astimezone(_zone(calendar.zone)).date()
    for day in _days_from(calendar, first):
        if day > end:
            break
        for begins, ends in shifts(calendar, day):
            passed += max(NOTHING, min(ends, last) - max(begins, first))
    return passed


@dataclass(frozen=True, slots=True)
class Working:
    """An amount of working time as a diagram writes it."""

    number: float
    unit: str

    def of(self, calendar: Calendar) -> timedelta:
        """How much that is in a calendar: a working day is as long as its days are."""
        if self.unit == "day":
            return calendar.day * self.number
        return timedelta(hours=self.number) if self.unit == "hour" else timedelta(minutes=self.number)


def parse_working(text: str) -> Working | None:
    """Read “2 working days”, “8 working hours” or “30 working minutes”; None for anything else."""
    found = _WORKING.match(text.strip())
    return Working(float(found["number"]), found["unit"].lower()) if found else None


@lru_cache(maxsize=64)
def usual(zone: str) -> Calendar:
    """Monday to Friday, nine to five: what counts where nobody says otherwise."""
    return Calendar(zone=zone)
