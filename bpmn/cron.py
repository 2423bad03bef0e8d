"""Cron expressions: `minute hour day month weekday`, or six fields with seconds first. The time is that of the process's zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = {name: number for number, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN"), 1)}
MONTHS |= {name: number for number, name in enumerate(("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 7)}
DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])}
ANY = ("*", "?")
FARTHEST = timedelta(days=366 * 9)  # from one 29 February over a century without one to the next


class BadCron(ValueError):
    """A text that isn't a cron expression the engine accepts."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The moments that a cron expression means."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    every_hour: bool

    def after(self, moment: datetime, zone: str = "UTC") -> datetime:
        """The first moment later than this one, in UTC. An hour that the clock skips counts in the next; one that it repeats counts
        once, unless every hour is meant."""
        place = ZoneInfo(zone)
        for hour in self._hours(moment.astimezone(place), place):
            for minute in self.minutes:
                for second in self.seconds:
                    found = hour.replace(minute=minute, second=second).astimezone(UTC)
                    if found > moment:
                        return found
        raise BadCron("it never comes")

    def _hours(self, start: datetime, place: ZoneInfo) -> Iterator[datetime]:
        """The hours that are meant, from the one that `start` lies in."""
        hour = start.replace(minute=0, second=0, microsecond=0)
        last = start + FARTHEST
        before = -1
        while hour < last:
            if not self._is_day(hour.date()):
                tomorrow = hour.date() + timedelta(days=1)
                hour, before = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=place), -1
                hour = hour.astimezone(UTC).astimezone(place)
                continue
            skipped = set(range(before + 1, hour.hour)) if 0 <= before < hour.hour - 1 else set()
            if (self.every_hour or hour.fold == 0) and (hour.hour in self.hours or (skipped & self.hours and not self.every_hour)):
                yield hour
            before = hour.hour
            hour = _next_hour(hour, place)
            if hour.hour < before:
                before = -1

    def _is_day(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and (day.weekday() + 1) % 7 in self.weekdays


def _next_hour(hour: datetime, place: ZoneInfo) -> datetime:
    """The next full hour of the place's clock, which may change by half an hour."""
    begun = hour.astimezone(UTC)
    for step in (60, 90):
        later = (begun + timedelta(minutes=step)).astimezone(place).replace(minute=0)
        if later.astimezone(UTC) > begun:
            return later
    return (begun + timedelta(hours=2)).astimezone(place)


def parse_cron(text: str) -> Cron:
    """Read a cron expression; whatever different systems read differently is refused."""
    fields = text.upper().split()
    if len(fields) == 7 and fields[6] in ANY:
        fields.pop()
    if len(fields) not in (5, 6):
        raise BadCron(f"“{text}” hasn't the five fields of a cron expression (minute hour day month weekday)")
    if len(fields) == 6 and fields[5] not in ANY and any(letter.isdigit() for letter in fields[5].partition("/")[0]):
        raise BadCron(f"“{text}” numbers the weekdays, which some systems begin with 0 and others with 1; write MON-FRI")
    second, minute, hour, day, month, weekday = fields if len(fields) == 6 else ["0", *fields]
    if day not in ANY and weekday not in ANY:
        raise BadCron(f"“{text}” limits the day and the weekday, which systems read differently; limit one of them")
    found = Cron(
        seconds=tuple(sorted(_field(second, 0, 59, {}))),
        minutes=tuple(sorted(_field(minute, 0, 59, {}))),
        hours=_field(hour, 0, 23, {}),
        days=_field(day, 1, 31, {}),
        months=_field(month, 1, 12, MONTHS),
        weekdays=frozenset(number % 7 for number in _field(weekday, 0, 7, DAYS)),
        every_hour=len(_field(hour, 0, 23, {})) == 24,
    )
    found.after(datetime(2024, 1, 1, tzinfo=UTC))
    return found


def _field(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    numbers: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isdigit() and 0 < int(step) <= high):
            raise BadCron(f"“{part}” isn't a step")
        first, dash, last = span.partition("-")
        if span in ANY:
            begin, end = low, high
        else:
            begin = _number(first, low, high, names)
            end = _number(last, low, high, names) if dash else high if slash else begin
        if begin > end:
            raise BadCron(f"“{part}” runs backwards")
        numbers.update(range(begin, end + 1, int(step) if slash else 1))
    return frozenset(numbers)


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and low <= int(text) <= high):
        raise BadCron(f"“{text}” isn't between {low} and {high}")
    return int(text)
