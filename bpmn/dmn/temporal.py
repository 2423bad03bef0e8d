"""Dates, times and durations: reading their texts, their parts, their arithmetic and how FEEL writes them."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bpmn.dmn.errors import Undefined
from bpmn.dmn.values import NUMBERS, YearsMonths, as_datetime, instants, kind, offset_of

_ZONE = r"(?P<zone>[Zz]|[+-]\d{2}:\d{2}(?::\d{2})?|@[A-Za-z0-9_+\-/]{1,64})?"
_OFFSET = re.compile(r"[+-]\d{2}:\d{2}(?::\d{2})?", re.ASCII)
_DATE = re.compile(r"(?P<y>-?(?:\d{4}|[1-9]\d{4,8}))-(?P<m>\d{2})-(?P<d>\d{2})", re.ASCII)
_TIME = re.compile(r"T?(?P<h>\d{2}):(?P<min>\d{2}):(?P<s>\d{2})(?:\.(?P<frac>\d{1,18}))?" + _ZONE, re.ASCII)
_CLOCK = r"(?P<t>T(?:(?P<h>\d{1,12})H)?(?:(?P<m>\d{1,12})M)?(?:(?P<s>\d{1,12})(?:\.(?P<f>\d{1,18}))?S)?)?"
_DAYS = re.compile(r"(?P<sign>-?)P(?:(?P<d>\d{1,12})D)?" + _CLOCK, re.ASCII)
_MONTHS = re.compile(r"(?P<sign>-?)P(?:(?P<y>\d{1,9})Y)?(?:(?P<m>\d{1,9})M)?", re.ASCII)


def read_zone(text: str | None) -> tzinfo | None:
    """The zone written behind a time: nothing, `Z`, an offset or `@Europe/Paris`."""
    if not text:
        return None
    if text in ("Z", "z"):
        return UTC
    if text.startswith("@"):
        if ".." in text or text[1:2] in ("", "/", "."):
            raise Undefined(f"no time zone {text[1:]}")
        try:
            return ZoneInfo(text[1:])
        except (KeyError, ValueError, OSError):
            raise Undefined(f"no time zone {text[1:]}") from None
    if not _OFFSET.fullmatch(text):
        raise Undefined(f"“{text[:40]}” is not an offset like +02:00")
    hours, minutes, *seconds = (int(part) for part in text[1:].split(":"))
    if hours > 14 or minutes > 59:
        raise Undefined(f"no offset {text}")
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)
    return timezone(-size if text[0] == "-" else size)


def read_date(text: str) -> date:
    match = _DATE.fullmatch(text)
    if not match:
        raise Undefined(f"“{text[:40]}” is not a date like 2026-03-31")
    try:
        return date(int(match["y"]), int(match["m"]), int(match["d"]))
    except (ValueError, OverflowError):
        raise Undefined(f"“{text[:40]}” is not a day of the calendar") from None


def read_time(text: str) -> time:
    match = _TIME.fullmatch(text)
    if not match:
        raise Undefined(f"“{text[:40]}” is not a time like 14:30:00")
    micro = int((match["frac"] or "0").ljust(6, "0")[:6])
    try:
        return time(int(match["h"]), int(match["min"]), int(match["s"]), micro, read_zone(match["zone"]))
    except ValueError:
        raise Undefined(f"“{text[:40]}” is not a time of the day") from None


def read_datetime(text: str) -> datetime:
    day, mark, clock = text.partition("T")
    if not mark:
        return datetime.combine(read_date(day), time(0))
    if clock.startswith("24:00:00") and clock.strip("0:.") in ("24", "24Z"):
        return datetime.combine(read_date(day), read_time("00" + clock[2:])) + timedelta(days=1)
    if clock.startswith("T"):
        raise Undefined(f"“{text[:40]}” is not a date and time")
    return datetime.combine(read_date(day), read_time(clock))


def read_duration(text: str) -> timedelta | YearsMonths:
    match = _MONTHS.fullmatch(text)
    if match and (match["y"] or match["m"]):
        months = int(match["y"] or 0) * 12 + int(match["m"] or 0)
        return YearsMonths(-months if match["sign"] else months)
    match = _DAYS.fullmatch(text)
    if match and match["t"] != "T" and any(match[part] for part in "dhms"):
        try:
            size = timedelta(
                days=int(match["d"] or 0),
                hours=int(match["h"] or 0),
                minutes=int(match["m"] or 0),
                seconds=int(match["s"] or 0),
                microseconds=int((match["f"] or "0").ljust(6, "0")[:6]),
            )
        except OverflowError:
            raise Undefined("the duration is too long") from None
        return -size if match["sign"] else size
    raise Undefined(f"“{text[:40]}” is not a duration like P1DT2H or P1Y6M")


def read_temporal(text: str) -> Any:
    """What `@"…"` means: the first of date, date and time, time and duration that the text is."""
    for read in (read_date, read_datetime, read_time, read_duration):
        try:
            return read(text)
        except Undefined:
            continue
    raise Undefined(f"“{text[:40]}” is neither a date nor a time nor a duration")


# --- writing ---------------------------------------------------------------------------------------------------------


def _zone_text(zone: tzinfo | None, offset: timedelta | None) -> str:
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return "@" + zone.key
    if not offset:
        return "Z"
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    tail = f":{seconds % 60:02d}" if seconds % 60 else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}{tail}"


def write(value: Any) -> str:
    """The text of a date, time or duration."""
    if isinstance(value, timedelta):
        return _write_duration(value)
    if isinstance(value, YearsMonths) or (isinstance(value, date) and not isinstance(value, datetime)):
        return str(value)
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    clock = f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}{fraction}{_zone_text(value.tzinfo, value.utcoffset())}"
    return f"{value.date()}T{clock}" if isinstance(value, datetime) else clock


def _write_duration(value: timedelta) -> str:
    sign, size = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(size.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{size.microseconds:06d}".rstrip("0") if size.microseconds else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{seconds}{fraction}S" if seconds or fraction else "")
    body = (f"{size.days}D" if size.days else "") + (f"T{clock}" if clock else "")
    return f"{sign}P{body}" if body else "PT0S"


# --- parts -----------------------------------------------------------------------------------------------------------


def part(value: Any, name: str) -> Any:
    """A property such as `.year` or `.time offset`; Undefined when the type has none of that name."""
    if isinstance(value, YearsMonths):
        years, months = divmod(abs(value.months), 12)
        sign = -1 if value.months < 0 else 1
        return _pick(name, {"years": sign * years, "months": sign * months})
    if isinstance(value, timedelta):
        sign, size = (-1, -value) if value < timedelta(0) else (1, value)
        parts = {"days": size.days, "hours": size.seconds // 3600, "minutes": size.seconds // 60 % 60, "seconds": size.seconds % 60}
        return _pick(name, {key: sign * number for key, number in parts.items()})
    parts = {}
    if isinstance(value, date):
        parts |= {"year": value.year, "month": value.month, "day": value.day, "weekday": value.isoweekday()}
    if isinstance(value, (datetime, time)):
        parts |= {"hour": value.hour, "minute": value.minute, "second": value.second}
        if name == "time offset":
            return offset_of(value)
        if name == "timezone":
            return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
    elif name in ("hour", "minute", "second"):
        return Decimal(0)
    elif name == "time offset":
        return timedelta(0)
    return _pick(name, parts)


def _pick(name: str, parts: dict[str, int]) -> Decimal:
    if name not in parts:
        raise Undefined(f"there is no “{name}” here")
    return Decimal(parts[name])


# --- arithmetic ------------------------------------------------------------------------------------------------------


def add_months(value: date | datetime, months: int) -> date | datetime:
    """The same day so many months on; a day that the month lacks becomes its last."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise Undefined("the date leaves the calendar")
    return value.replace(year=year, month=month + 1, day=min(value.day, calendar.monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> YearsMonths:
    """Whole months from one date to another."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return YearsMonths(months)


def seconds_of(value: timedelta) -> Decimal:
    return NUMBERS.divide(Decimal((value.days * 86400 + value.seconds) * 1_000_000 + value.microseconds), Decimal(1_000_000))


def duration_of(seconds: Decimal) -> timedelta:
    try:
        return timedelta(microseconds=int(NUMBERS.multiply(seconds, Decimal(1_000_000))))
    except (OverflowError, ValueError):
        raise Undefined("the duration is too long") from None


TEMPORAL = {"date", "time", "date and time", "days and time duration", "years and months duration"}


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """+ - * / where at least one side is a date, a time or a duration."""
    try:
        result = _ARITHMETIC[operator](left, right, kind(left), kind(right))
    except (OverflowError, ValueError):
        raise Undefined("the date leaves the calendar") from None
    if result is None:
        raise Undefined(f"{kind(left)} {operator} {kind(right)} has no meaning")
    return result


def _add(left: Any, right: Any, a: str, b: str) -> Any:
    if a.endswith("duration") and not b.endswith("duration"):
        return _add(right, left, b, a)
    if a == b and a.endswith("duration"):
        return YearsMonths(left.months + right.months) if a.startswith("years") else left + right
    return _shift(left, right, a, b, 1)


def _shift(left: Any, right: Any, a: str, b: str, sign: int) -> Any:
    if b == "years and months duration" and a in ("date", "date and time"):
        return add_months(left, sign * right.months)
    if b != "days and time duration":
        return None
    if a == "date and time":
        if isinstance(left.tzinfo, ZoneInfo):  # elapsed time, also over a change to summer time
            return (left.astimezone(UTC) + sign * right).astimezone(left.tzinfo)
        return left + sign * right
    if a == "date":
        return (datetime(left.year, left.month, left.day) + sign * right).date()
    if a == "time":
        return (datetime.combine(date(2000, 1, 3), left) + (sign * right) % timedelta(days=1)).timetz()
    return None


def _subtract(left: Any, right: Any, a: str, b: str) -> Any:
    if {a, b} <= {"date", "date and time"}:
        if a == b == "date":
            return left - right
        pair = instants(as_datetime(left), as_datetime(right))
        return None if pair is None else pair[0] - pair[1]
    if a == b == "time":
        pair = instants(left, right)
        return None if pair is None else pair[0] - pair[1]
    if a == b and a.endswith("duration"):
        return YearsMonths(left.months - right.months) if a.startswith("years") else left - right
    return _shift(left, right, a, b, -1)


def _multiply(left: Any, right: Any, a: str, b: str) -> Any:
    if a == "number":
        left, right, a, b = right, left, b, a
    if b != "number":
        return None
    if a == "days and time duration":
        return duration_of(NUMBERS.multiply(seconds_of(left), right))
    if a == "years and months duration":
        return YearsMonths(int(NUMBERS.multiply(Decimal(left.months), right)))
    return None


def _divide(left: Any, right: Any, a: str, b: str) -> Any:
    if a == b == "days and time duration":
        return NUMBERS.divide(seconds_of(left), seconds_of(right)) if right else None
    if a == b == "years and months duration":
        return NUMBERS.divide(Decimal(left.months), Decimal(right.months)) if right.months else None
    if b != "number" or not right:
        return None
    if a == "days and time duration":
        return duration_of(NUMBERS.divide(seconds_of(left), right))
    if a == "years and months duration":
        return YearsMonths(int(NUMBERS.divide(Decimal(left.months), right)))
    return None


_ARITHMETIC = {"+": _add, "-": _subtract, "*": _multiply, "/": _divide}
