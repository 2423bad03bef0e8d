"""The values that a process can hold: checked on the way in, copied, and packed so that they come back from storage as they went in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

MAX_VALUE_DEPTH = 20
MAX_VALUE_ITEMS = 20_000
MAX_TEXT = 1_000_000
_MARK = "$"


class Unstorable(ValueError):
    """A value that a process can't hold."""


_SMALL = 2**53


def _look_into(items: Iterable[Any], depth: int, stack: list[tuple[Any, int]]) -> int:
    """Put on the stack what must be looked at more closely; gives how many plain ones there were."""
    plain = 0
    for item in items:
        kind = type(item)
        if kind is str and len(item) <= 200 and item.isascii() or kind is int and -_SMALL < item < _SMALL or kind is bool or item is None:
            plain += 1
        else:
            stack.append((item, depth))
    if plain and depth > MAX_VALUE_DEPTH:
        raise Unstorable(f"is nested deeper than {MAX_VALUE_DEPTH} levels")
    return plain


def check_value(value: Any) -> None:
    """Raise `Unstorable` unless the value will come back from storage as it is."""
    budget = MAX_VALUE_ITEMS
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        budget -= 1
        if budget < 0:
            break
        if depth > MAX_VALUE_DEPTH:
            raise Unstorable(f"is nested deeper than {MAX_VALUE_DEPTH} levels")
        kind = type(item)
        if kind is dict:
            if not _TEXTS.issuperset(map(type, item)):
                stack.extend((key, depth + 1) for key in item if type(key) is not str)
            budget -= _look_into(item.values(), depth + 1, stack)
        elif kind in (list, tuple, set, frozenset):
            budget -= _look_into(item, depth + 1, stack)
        elif kind is str:
            if len(item) > MAX_TEXT:
                raise Unstorable(f"is longer than {MAX_TEXT:,} characters")
            if not item.isascii():
                try:
                    item.encode()
                except UnicodeEncodeError:
                    raise Unstorable("holds characters that can't be stored") from None
        elif kind is float:
            if not math.isfinite(item):
                raise Unstorable("isn't a finite number")
        elif kind is int:
            if item.bit_length() > 4096:
                raise Unstorable("is too large a number")
        elif kind is Decimal:
            if not item.is_finite():
                raise Unstorable("isn't a finite number")
        elif item is not None and kind not in (bool, datetime, date, timedelta, UUID, bytes):
            raise Unstorable(f"is a {kind.__name__}, which a process can't hold")
    if budget < 0:
        raise Unstorable(f"holds more than {MAX_VALUE_ITEMS:,} values; keep data in the database and its id in the process")


_AS_IT_IS = frozenset({str, bool, float, type(None)})  # looked at before a call is made for each: most values are such
_TEXTS = frozenset({str})


def pack(value: Any) -> Any:
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is int:
        return value if -(2**53) < value < 2**53 else {_MARK: "i", "v": str(value)}
    if kind is dict:
        if _MARK not in value and _TEXTS.issuperset(map(type, value)):
            return {key: inner if type(inner) in _AS_IT_IS else pack(inner) for key, inner in value.items()}
        return {_MARK: "m", "v": [[pack(key), pack(inner)] for key, inner in value.items()]}
    if kind is list:
        return [pack(inner) for inner in value]
    if kind in (tuple, set, frozenset):
        items = sorted(value, key=repr) if kind is not tuple else value
        return {_MARK: {"tuple": "t", "set": "s", "frozenset": "s"}[kind.__name__], "v": [pack(inner) for inner in items]}
    if kind is Decimal:
        return {_MARK: "D", "v": str(value)}
    if kind is datetime:
        return {_MARK: "d", "v": value.isoformat()}
    if kind is date:
        return {_MARK: "a", "v": value.isoformat()}
    if kind is timedelta:
        return {_MARK: "e", "v": [value.days, value.seconds, value.microseconds]}
    if kind is UUID:
        return {_MARK: "u", "v": value.hex}
    if kind is bytes:
        return {_MARK: "b", "v": value.hex()}
    raise Unstorable(f"is a {kind.__name__}, which a process can't hold")


_READERS: dict[str, Callable[[Any], Any]] = {
    "i": int,
    "m": lambda v: {_key(key): unpack(inner) for key, inner in v},
    "t": lambda v: tuple(unpack(inner) for inner in v),
    "s": lambda v: {_key(inner) for inner in v},
    "D": Decimal,
    "d": datetime.fromisoformat,
    "a": date.fromisoformat,
    "e": lambda v: timedelta(days=v[0], seconds=v[1], microseconds=v[2]),
    "u": lambda v: UUID(hex=v),
    "b": bytes.fromhex,
}


def _key(value: Any) -> Any:
    unpacked = unpack(value)
    return tuple(unpacked) if isinstance(unpacked, list) else unpacked


def unpack(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        if _MARK in value:
            return _READERS[value[_MARK]](value["v"])
        return {key: unpack(inner) if type(inner) in _NESTED else inner for key, inner in value.items()}
    if kind is list:
        return [unpack(inner) if type(inner) in _NESTED else inner for inner in value]
    return value


_NESTED = frozenset({dict, list, tuple, set})


def copy_value(value: Any) -> Any:
    """A copy that shares nothing changeable with the original; several times faster than `copy.deepcopy`."""
    kind = type(value)
    if kind is dict:
        return {key: copy_value(inner) if type(inner) in _NESTED else inner for key, inner in value.items()}
    if kind is list:
        return [copy_value(inner) if type(inner) in _NESTED else inner for inner in value]
    if kind is tuple:
        return tuple(copy_value(inner) for inner in value)
    if kind is set:
        return set(value)
    return value
