"""FEEL values in Python: Decimal, str, bool, None, date, time, datetime, timedelta, YearsMonths, list, dict, Range, Function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from bpmn.dmn.errors import TooMuch, Undefined
from bpmn.dmn.meter import spend

NUMBERS = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Arithmetic of decimal128, as the standard asks."""
MAX_VALUE_DEPTH = 60


@dataclass(frozen=True, slots=True, order=True)
class YearsMonths:
    """A duration of years and months; `months` may be negative."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        body = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return ("-" if self.months < 0 else "") + "P" + (body or "0M")


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; a missing end (None with `*_open_ended`) comes from `(< 5)` and its like."""

    start: Any
    end: Any
    start_included: bool = True
    end_included: bool = True
    no_start: bool = False
    no_end: bool = False

    def contains(self, value: Any) -> bool | None:
        """Whether the value lies inside; None when the two cannot be compared."""
        above = True if self.no_start else compare(">=" if self.start_included else ">", value, self.start)
        if above is False:
            return False
        below = True if self.no_end else compare("<=" if self.end_included else "<", value, self.end)
        if below is False:
            return False
        return None if above is None or below is None else True


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A callable of FEEL: a built-in, a function definition, a business knowledge model or a decision service."""

    name: str
    parameters: tuple[str, ...]
    call: Callable[[Any, list[Any] | dict[str, Any]], Any]
    """call(run, arguments): a list of positional or a dict of named arguments."""


@dataclass(frozen=True, slots=True)
class Negated:
    """What `not(...)` in a list of tests turns its tests into; kept apart from values on purpose."""

    tests: tuple[Any, ...]


def kind(value: Any) -> str:
    """The FEEL name of a value's type."""
    if value is None:
        return "null"
    return _KINDS.get(type(value)) or _slow_kind(value)


_KINDS: dict[type, str] = {
    bool: "boolean",
    Decimal: "number",
    str: "string",
    date: "date",
    datetime: "date and time",
    time: "time",
    timedelta: "days and time duration",
    YearsMonths: "years and months duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
}


def _slow_kind(value: Any) -> str:
    for known, name in ((datetime, "date and time"), (date, "date"), (time, "time"), (str, "string")):
        if isinstance(value, known):
            return name
    return type(value).__name__


def from_python(value: Any, name: str = "value", depth: int = 0) -> Any:
    """Turn a plain Python value into its FEEL value; refuse what FEEL has no word for."""
    if value is None or type(value) in (bool, str, date, datetime, time, timedelta, YearsMonths, Range, Function):
        return value
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise Undefined(f"{name} is not a finite number")
        return NUMBERS.plus(value)
    if isinstance(value, int):
        if abs(value) > 10**6000:
            raise Undefined(f"{name} is too large a number")
        return NUMBERS.create_decimal(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Undefined(f"{name} is not a finite number")
        return NUMBERS.create_decimal(repr(value))
    if isinstance(value, str):
        return str(value)
    if depth > MAX_VALUE_DEPTH:
        raise Undefined(f"{name} is nested too deeply")
    if isinstance(value, dict):
        return {str(key): from_python(item, f"{name}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [from_python(item, f"{name}[{place}]", depth + 1) for place, item in enumerate(value, 1)]
    raise Undefined(f"{name} is a {type(value).__name__}; a decision takes numbers, texts, dates, lists and contexts of them")


def to_python(value: Any, depth: int = 0) -> Any:
    """The value handed to the caller: numbers keep their Decimal, written without an exponent where they are whole."""
    if isinstance(value, Decimal):
        return tidy(value)
    if isinstance(value, (list, dict)):
        if depth > MAX_VALUE_DEPTH:
            raise TooMuch("the result is nested too deeply")
        spend(1 + len(value))
        if isinstance(value, list):
            return [to_python(item, depth + 1) for item in value]
        return {key: to_python(item, depth + 1) for key, item in value.items()}
    return value


def tidy(number: Decimal) -> Decimal:
    """Without trailing zeros and, within reason, without an exponent."""
    if not number:
        return Decimal(0)
    plain = number.normalize(NUMBERS)
    exponent = plain.as_tuple().exponent
    if isinstance(exponent, int) and 0 < exponent <= 34:
        return Decimal(int(plain))
    return plain


def number_text(number: Decimal) -> str:
    """How FEEL writes a number as text."""
    plain = tidy(number)
    exponent = plain.as_tuple().exponent
    return format(plain, "f") if isinstance(exponent, int) and abs(exponent) <= 60 else str(plain)


def is_integer(value: Any) -> bool:
    return isinstance(value, Decimal) and value == value.to_integral_value()


_SEASONS = (datetime(2024, 1, 1), datetime(2024, 7, 1))


def offset_of(value: time | datetime) -> timedelta | None:
    """How far a time, or a date and time, is ahead of UTC; a time of a zone has no day, so it is that outside summer time."""
    offset = value.utcoffset()
    if offset is None and value.tzinfo is not None:
        offset = min(value.tzinfo.utcoffset(season) or timedelta(0) for season in _SEASONS)
    return offset


def clock_of(value: time | datetime) -> timedelta:
    """What the clock and the calendar show, as a distance; offsets are not looked at."""
    plain = value.replace(tzinfo=None, fold=0)
    return (plain if isinstance(plain, datetime) else datetime.combine(date.min, plain)) - datetime.min


def instants(left: time | datetime, right: time | datetime) -> tuple[timedelta, timedelta] | None:
    """Two times, or two dates and times, as distances from one moment; None when only one of them has an offset.

    Python itself takes the clocks of one zone as they are, even over a change to summer time.
    """
    a, b = offset_of(left), offset_of(right)
    if a is None or b is None:
        return (clock_of(left), clock_of(right)) if a is b else None
    return clock_of(left) - a, clock_of(right) - b


def equal(left: Any, right: Any) -> bool | None:
    """FEEL equality: None when the types differ and neither is null."""
    if left is None or right is None:
        return left is None and right is None
    if type(left) is type(right) and type(left) in (Decimal, str, bool):
        return bool(left == right)
    a, b = kind(left), kind(right)
    if a != b:
        return None
    if a == "list":
        if len(left) != len(right):
            return False
        spend(1 + len(left) // 4)
        return _all_equal(zip(left, right, strict=True))
    if a == "context":
        if left.keys() != right.keys():
            return False
        spend(1 + len(left) // 4)
        return _all_equal((left[key], right[key]) for key in left)
    if a == "function":
        return None if left is not right else True
    if a in ("time", "date and time"):
        pair = instants(left, right)
        return pair is not None and pair[0] == pair[1]
    return bool(left == right)


def _all_equal(pairs: Any) -> bool | None:
    result: bool | None = True
    for left, right in pairs:
        same = equal(left, right)
        if same is False:
            return False
        if same is None:
            result = None
    return result


ORDERED = {"number", "string", "date", "time", "date and time", "days and time duration", "years and months duration"}


def compare(operator: str, left: Any, right: Any) -> bool | None:
    """`<`, `<=`, `>`, `>=` of two values of one ordered type; None otherwise."""
    if left is None or right is None:
        return None
    if type(left) is Decimal and type(right) is Decimal:
        return _related(operator, left, right)
    a, b = kind(left), kind(right)
    if a != b and {a, b} == {"date", "date and time"}:
        left, right = as_datetime(left), as_datetime(right)
        a = b = "date and time"
    if a != b or a not in ORDERED:
        return None
    if a in ("time", "date and time"):
        pair = instants(left, right)
        return None if pair is None else _related(operator, *pair)
    return _related(operator, left, right)


def _related(operator: str, left: Any, right: Any) -> bool:
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    if operator == ">":
        return bool(left > right)
    return bool(left >= right)


def as_datetime(value: date | datetime) -> datetime:
    """A date is the start of its day, in UTC, where a date and time is needed."""
    from datetime import UTC

    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
