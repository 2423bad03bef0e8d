"""When things are due: ISO 8601 durations, dates and cycles, working time, and cron, worked out from a given now and kept in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from bpmn.calendars import AROUND_THE_CLOCK, Calendar, NoWorkingTime, Working, add_working_time, parse_working, usual, working_time_between
from bpmn.cron import BadCron, Cron, parse_cron

_DURATION = re.compile(
    r"^P(?=.)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,7}(?:\.\d+)?)H)?(?:(?P<minutes>\d{1,9}(?:\.\d+)?)M)?(?:(?P<seconds>\d{1,10}(?:\.\d+)?)S)?)?$"
)
_CYCLE = re.compile(r"^R(?P<count>\d{0,6})/(?:(?P<start>[^/P]+)/)?(?P<every>P[^/]+|\d[^/]* working [a-z]+)$", re.IGNORECASE)
MIN_CYCLE = timedelta(seconds=1)


class BadTime(ValueError):
    """A text that isn't a time the engine accepts; the message says what is."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration whose years, months and days follow the calendar and whose hours, minutes and seconds the clock."""

    calendar: relativedelta
    clock: timedelta

    def after(self, start: datetime, zone: str = "UTC") -> datetime:
        """The moment this long after `start`; days are days of the given time zone."""
        local = start.astimezone(ZoneInfo(zone))
        try:
            moved = (local.replace(tzinfo=None) + self.calendar).replace(tzinfo=ZoneInfo(zone)) if self.calendar else local
            return moved.astimezone(UTC) + self.clock
        except (OverflowError, ValueError):
            raise BadTime("the time lies too far in the future") from None


@dataclass(frozen=True, slots=True)
class WorkingDuration:
    """An amount of working time, counted in a calendar; without one from nine to five, Monday to Friday."""

    amount: Working
    calendar: Calendar | None = None

    def after(self, start: datetime, zone: str = "UTC") -> datetime:
        """The moment at which so much working time has passed since `start`."""
        calendar = self.calendar or usual(zone)
        try:
            return add_working_time(start, self.amount.of(calendar), calendar)
        except NoWorkingTime as error:
            raise BadTime(str(error)) from None


def parse_length(text: str, calendar: Calendar | None = None) -> Duration | WorkingDuration:
    """Read a duration: ISO 8601 such as PT48H, or working time such as “2 working days”."""
    working = parse_working(text)
    if working is not None:
        return WorkingDuration(working, calendar)
    try:
        return parse_duration(text)
    except BadTime as error:
        raise BadTime(f"{error}, nor working time such as “2 working days”") from None


def parse_target(text: str) -> tuple[Working | timedelta, bool]:
    """Read how long something may take, and whether that is working time. Months and years have no fixed length and are refused."""
    working = parse_working(text)
    if working is not None:
        if not working.number:
            raise BadTime("a target has to be longer than nothing")
        return working, True
    duration = parse_length(text)
    if not isinstance(duration, Duration) or duration.calendar.years or duration.calendar.months:
        raise BadTime(f"“{text}” has no fixed length; write days or hours")
    length = duration.clock + timedelta(days=duration.calendar.days)
    if not length:
        raise BadTime("a target has to be longer than nothing")
    return length, False


def target_in(text: str, calendar: Calendar) -> tuple[timedelta, Calendar]:
    """How long something may take, and the calendar that counts it: working time is counted in the given one, the rest by the clock."""
    amount, _working = parse_target(text)
    return (amount.of(calendar), calendar) if isinstance(amount, Working) else (amount, AROUND_THE_CLOCK)


def parse_duration(text: str) -> Duration:
    """Read an ISO 8601 duration such as PT48H or P1DT12H. Negative and empty durations are refused."""
    text = text.strip()
    if text.startswith("-"):
        raise BadTime(f"“{text}” is negative; a timer can't be due before it starts")
    found = _DURATION.match(text)
    if not found or not any(found.groupdict().values()):
        raise BadTime(f"“{text}” isn't an ISO 8601 duration such as PT48H or P3D")
    part = {name: value or "0" for name, value in found.groupdict().items()}
    return Duration(
        relativedelta(years=int(part["years"]), months=int(part["months"]), weeks=int(part["weeks"]), days=int(part["days"])),
        timedelta(hours=float(part["hours"]), minutes=float(part["minutes"]), seconds=float(part["seconds"])),
    )


def parse_date(text: str, zone: str = "") -> datetime:
    """Read an ISO 8601 date and time into UTC. Without an offset it needs the process's time zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadTime(f"“{text}” isn't an ISO 8601 date and time such as 2026-03-01T09:00:00Z") from None
    return to_utc(moment, zone)


def to_utc(moment: datetime, zone: str = "") -> datetime:
    """The same moment in UTC; a moment without an offset belongs to the process's time zone and is refused without one."""
    if moment.tzinfo is None:
        if not zone:
            raise BadTime(f"“{moment.isoformat()}” has no offset; add Z or +02:00, or give the process a tandem:timeZone")
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)


def parse_cycle(
    text: str, zone: str = "", calendar: Calendar | None = None
) -> tuple[int, datetime | None, Duration | WorkingDuration | Cron]:
    """Read R3/PT10M, R/P1D, R3/2026-01-01T00:00:00Z/P1D or cron into (how often, first time or None, every). -1 means without end."""
    found = _CYCLE.match(text.strip())
    if not found and 5 <= len(text.split()) <= 7:
        try:
            return -1, None, parse_cron(text)
        except BadCron as error:
            raise BadTime(str(error)) from None
    if not found:
        raise BadTime(f"“{text}” is neither an ISO 8601 repetition such as R3/PT10M nor cron such as 0 9 * * MON-FRI")
    every = parse_length(found["every"], calendar)
    if isinstance(every, WorkingDuration):
        if not every.amount.number:
            raise BadTime(f"“{text}” repeats without a pause")
    elif not every.calendar and every.clock < MIN_CYCLE:
        raise BadTime(f"“{text}” repeats more often than once a second")
    count = int(found["count"]) if found["count"] else -1
    if count == 0:
        raise BadTime(f"“{text}” never fires")
    return count, parse_date(found["start"], zone) if found["start"] else None, every


def opened(kind: str, value: object, now: datetime, zone: str = "UTC", calendar: Calendar | None = None) -> dict[str, Any]:
    """What a timer waits for: when it is `due`, whether that was counted in `working` time, and of one that repeats how often it is
    `left` to fire, by which `cycle`."""
    place = zone if zone != "UTC" else ""
    if kind != "cycle":
        counted = {"working": True} if isinstance(value, str) and parse_working(value) is not None else {}
        return {"due": due_from(value, now, place, calendar), **counted}
    count, start, every = parse_cycle(str(value), place, calendar)
    counted = {"working": True} if isinstance(every, WorkingDuration) else {}
    return {"due": start or every.after(now, zone), "left": count, "cycle": str(value), **counted}


def following(wait: Mapping[str, Any], now: datetime, zone: str = "UTC", calendar: Calendar | None = None) -> dict[str, Any] | None:
    """What a repeating timer waits for after it has fired; None after the last time. Missed times aren't made up for."""
    if not wait.get("cycle") or wait["left"] == 1:
        return None
    _, _, every = parse_cycle(wait["cycle"], zone if zone != "UTC" else "", calendar)
    due = every.after(wait["due"], zone)
    if due <= now:
        due = every.after(now, zone)
    counted = {"working": True} if isinstance(every, WorkingDuration) else {}
    return {"due": due, "left": wait["left"] - 1 if wait["left"] > 0 else -1, "cycle": wait["cycle"], **counted}


def after_standing_still(
    wait: Mapping[str, Any], since: datetime, now: datetime, zone: str = "UTC", calendar: Calendar | None = None
) -> datetime:
    """When a timer is due that stood still from `since` until now: later by the working time that passed, where it counts
    working time, else by all the time that passed. One that fires by the clock on the wall (cron) keeps its times, without those
    that it missed."""
    due: datetime = wait["due"]
    if wait.get("cycle"):
        _count, _start, every = parse_cycle(wait["cycle"], zone if zone != "UTC" else "", calendar)
        if isinstance(every, Cron):
            return due if due > now else every.after(now, zone)
    if not wait.get("working"):
        return due + max(timedelta(0), now - since)
    hours = calendar or usual(zone)
    try:
        return add_working_time(due, working_time_between(since, now, hours), hours)
    except NoWorkingTime:
        return due


def due_from(value: object, now: datetime, zone: str = "", calendar: Calendar | None = None) -> datetime:
    """A due time from what an expression gave: an ISO duration or date, working time, a date, a datetime or a timedelta."""
    if isinstance(value, timedelta):
        if value < timedelta(0):
            raise BadTime("the duration is negative")
        return now.astimezone(UTC) + value
    if isinstance(value, datetime):
        return to_utc(value, zone)
    if isinstance(value, date):
        return to_utc(datetime(value.year, value.month, value.day), zone or "UTC")  # noqa: DTZ001
    if isinstance(value, str):
        working = parse_working(value)
        if working is not None:
            return WorkingDuration(working, calendar).after(now, zone or "UTC")
        if value.strip().startswith(("P", "-P")):
            return parse_duration(value).after(now, zone or "UTC")
        return parse_date(value, zone)
    raise BadTime(f"{value!r} is no time")
