"""Functions of dates, times and durations. The clock is what the caller hands in: `now()` never looks at one itself."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from bpmn.dmn import temporal
from bpmn.dmn.errors import Undefined
from bpmn.dmn.functions.library import builtin
from bpmn.dmn.functions.numbers import whole
from bpmn.dmn.run import Run
from bpmn.dmn.values import YearsMonths, clock_of, kind, offset_of


@builtin("date", "from:string")
def date_of_text(run: Run, text: str) -> date:
    return temporal.read_date(text)


@builtin("date", "from")
def date_of_value(run: Run, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if kind(value) != "date":
        raise Undefined(f"a {kind(value)} is no date")
    return value


@builtin("date", "year:number", "month:number", "day:number")
def date_of_parts(run: Run, year: Decimal, month: Decimal, day: Decimal) -> date:
    try:
        return date(whole(year, "year"), whole(month, "month"), whole(day, "day"))
    except ValueError:
        raise Undefined("there is no such day") from None


@builtin("date and time", "from:string")
def datetime_of_text(run: Run, text: str) -> datetime:
    return temporal.read_datetime(text)


@builtin("date and time", "from")
def datetime_of_value(run: Run, value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if kind(value) != "date":
        raise Undefined(f"a {kind(value)} is no date and time")
    return datetime.combine(value, time(0))


@builtin("date and time", "date", "time:time")
def datetime_of_parts(run: Run, day: Any, clock: time) -> datetime:
    if not isinstance(day, date):
        raise Undefined(f"a {kind(day)} is no date")
    return datetime.combine(date(day.year, day.month, day.day), clock)


@builtin("date and time", "date:date and time", "timezone:string")
def datetime_in_zone(run: Run, moment: datetime, zone: str) -> datetime:
    wanted = temporal.read_zone(zone if zone[:1] in ("Z", "+", "-") else "@" + zone)
    return moment.replace(tzinfo=wanted) if moment.utcoffset() is None else moment.astimezone(wanted)


@builtin("time", "from:string")
def time_of_text(run: Run, text: str) -> time:
    return temporal.read_time(text)


@builtin("time", "from")
def time_of_value(run: Run, value: Any) -> time:
    if isinstance(value, datetime):
        return value.timetz()
    if isinstance(value, time):
        return value
    if kind(value) == "date":
        return temporal.read_time("00:00:00Z")
    raise Undefined(f"a {kind(value)} is no time")


@builtin("time", "hour:number", "minute:number", "second:number", "offset:days and time duration?")
def time_of_parts(run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: timedelta | None) -> time:
    micro = int(second % 1 * 1_000_000)
    try:
        zone = None if offset is None else timezone(offset)
        return time(whole(hour, "hour"), whole(minute, "minute"), int(second), micro, zone)
    except ValueError:
        raise Undefined("there is no such time") from None


@builtin("duration", "from:string")
def duration(run: Run, text: str) -> Any:
    return temporal.read_duration(text)


@builtin("duration", "from")
def duration_of_value(run: Run, value: Any) -> Any:
    if not isinstance(value, (timedelta, YearsMonths)):
        raise Undefined(f"a {kind(value)} is no duration")
    return value


@builtin("years and months duration", "from", "to")
def years_and_months_duration(run: Run, start: Any, end: Any) -> YearsMonths:
    if not isinstance(start, date) or not isinstance(end, date):
        raise Undefined("two dates are needed")
    return temporal.months_between(start, end)


@builtin("now")
def now(run: Run) -> datetime:
    if run.now is None:
        raise Undefined("this evaluation was given no moment, so now() has no answer")
    return run.now


@builtin("today")
def today(run: Run) -> date:
    return now(run).date()


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise Undefined(f"a {kind(value)} is no date")
    return value


@builtin("day of week", "date")
def day_of_week(run: Run, value: Any) -> str:
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[_day(value).weekday()]


@builtin("day of year", "date")
def day_of_year(run: Run, value: Any) -> Decimal:
    return Decimal(_day(value).timetuple().tm_yday)


@builtin("week of year", "date")
def week_of_year(run: Run, value: Any) -> Decimal:
    return Decimal(_day(value).isocalendar().week)


@builtin("month of year", "date")
def month_of_year(run: Run, value: Any) -> str:
    names = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
    return names[_day(value).month - 1]


@builtin("last day of month", "date")
def last_day_of_month(run: Run, value: Any) -> Decimal:
    day = _day(value)
    return Decimal(calendar.monthrange(day.year, day.month)[1])


@builtin("is", "value1", "value2")
def is_(run: Run, left: Any, right: Any) -> bool:
    """The same value of the same type, a time with the same clock and the same offset."""
    if kind(left) != kind(right):
        return False
    if isinstance(left, (time, datetime)):
        return clock_of(left) == clock_of(right) and offset_of(left) == offset_of(right)
    return bool(left == right)
