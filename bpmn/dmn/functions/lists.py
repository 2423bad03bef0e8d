"""Functions of lists."""

from __future__ import annotations

import functools
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bpmn.dmn.errors import Undefined
from bpmn.dmn.functions.library import builtin
from bpmn.dmn.functions.numbers import largest, whole
from bpmn.dmn.run import Run
from bpmn.dmn.values import NUMBERS, Function, YearsMonths, compare, equal, kind


def numbers_in(items: list[Any]) -> list[Decimal]:
    if not items or not all(isinstance(item, Decimal) for item in items):
        raise Undefined("a list of numbers is needed")
    return items


@builtin("list contains", "list:list", "element")
def list_contains(run: Run, items: list[Any], element: Any) -> bool:
    run.tick(len(items))
    return any(equal(item, element) is True for item in items)


@builtin("count", "list:list")
def count(run: Run, items: list[Any]) -> Decimal:
    return Decimal(len(items))


@builtin("min", "list:*")
def min_(run: Run, items: list[Any]) -> Any:
    return largest(items, "<") if items else None


@builtin("max", "list:*")
def max_(run: Run, items: list[Any]) -> Any:
    return largest(items, ">") if items else None


@builtin("sum", "list:*")
def sum_(run: Run, items: list[Any]) -> Any:
    if not items:
        return None
    run.tick(len(items))
    if all(isinstance(item, timedelta) for item in items):
        return sum(items, timedelta())
    if all(isinstance(item, YearsMonths) for item in items):
        return YearsMonths(sum(item.months for item in items))
    return functools.reduce(NUMBERS.add, numbers_in(items))


@builtin("product", "list:*")
def product(run: Run, items: list[Any]) -> Decimal:
    run.tick(len(items))
    return functools.reduce(NUMBERS.multiply, numbers_in(items))


@builtin("mean", "list:*")
def mean(run: Run, items: list[Any]) -> Decimal:
    run.tick(len(items))
    return NUMBERS.divide(functools.reduce(NUMBERS.add, numbers_in(items)), Decimal(len(items)))


@builtin("median", "list:*")
def median(run: Run, items: list[Any]) -> Decimal | None:
    if not items:
        return None
    run.tick(len(items))
    ordered = sorted(numbers_in(items))
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else NUMBERS.divide(NUMBERS.add(ordered[middle - 1], ordered[middle]), Decimal(2))


@builtin("stddev", "list:*")
def stddev(run: Run, items: list[Any]) -> Decimal:
    values = numbers_in(items)
    if len(values) < 2:
        raise Undefined("two numbers at least are needed")
    run.tick(len(items))
    middle = NUMBERS.divide(functools.reduce(NUMBERS.add, values), Decimal(len(values)))
    squares = [NUMBERS.power(NUMBERS.subtract(value, middle), Decimal(2)) for value in values]
    return NUMBERS.sqrt(NUMBERS.divide(functools.reduce(NUMBERS.add, squares), Decimal(len(values) - 1)))


@builtin("mode", "list:*")
def mode(run: Run, items: list[Any]) -> list[Decimal]:
    if not items:
        return []
    run.tick(len(items))
    seen: dict[Decimal, int] = {}
    for value in numbers_in(items):
        seen[value] = seen.get(value, 0) + 1
    most = max(seen.values())
    return sorted(value for value, times in seen.items() if times == most)


@builtin("all", "list:*")
def all_(run: Run, items: list[Any]) -> bool | None:
    if any(item is False for item in items):
        return False
    return True if all(item is True for item in items) else None


@builtin("any", "list:*")
def any_(run: Run, items: list[Any]) -> bool | None:
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None


@builtin("not", "negand")
def not_(run: Run, value: Any) -> bool | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return not value if isinstance(value, bool) else None


@builtin("sublist", "list:list", "start position:number", "length:number?")
def sublist(run: Run, items: list[Any], start: Decimal, length: Decimal | None) -> list[Any]:
    first = place_in(items, start)
    run.tick(len(items))
    if length is None:
        return items[first:]
    size = whole(length, "length")
    if size < 1 or first + size > len(items):
        raise Undefined("the length goes beyond the list")
    return items[first : first + size]


def place_in(items: list[Any], position: Decimal, *, room: int = 0) -> int:
    """A position counted from 1, or from the end when negative, as an index."""
    place = whole(position, "position")
    if place == 0 or place > len(items) + room or -place > len(items):
        raise Undefined(f"a list of {len(items)} has no place {place}")
    return place - 1 if place > 0 else len(items) + place


@builtin("append", "list:list", "item:**")
def append(run: Run, items: list[Any], more: list[Any]) -> list[Any]:
    run.tick(len(items))
    return items + more


@builtin("concatenate", "list:**")
def concatenate(run: Run, lists: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for part in lists:
        if part is None:
            raise Undefined("one of the lists is null")
        joined += part if isinstance(part, list) else [part]
    run.tick(len(joined))
    return joined


@builtin("insert before", "list:list", "position:number", "newItem")
def insert_before(run: Run, items: list[Any], position: Decimal, item: Any) -> list[Any]:
    place = place_in(items, position)
    run.tick(len(items))
    return [*items[:place], item, *items[place:]]


@builtin("remove", "list:list", "position:number")
def remove(run: Run, items: list[Any], position: Decimal) -> list[Any]:
    place = place_in(items, position)
    run.tick(len(items))
    return items[:place] + items[place + 1 :]


@builtin("list replace", "list:list", "position:number", "newItem")
def list_replace(run: Run, items: list[Any], position: Decimal, item: Any) -> list[Any]:
    place = place_in(items, position)
    run.tick(len(items))
    return [*items[:place], item, *items[place + 1 :]]


@builtin("list replace", "list:list", "match:function", "newItem")
def list_replace_matching(run: Run, items: list[Any], match: Function, item: Any) -> list[Any]:
    result = []
    for old in items:
        verdict = match.call(run, [old, item])
        if not isinstance(verdict, bool):
            raise Undefined("the match function answers neither true nor false")
        result.append(item if verdict else old)
    return result


@builtin("reverse", "list:list")
def reverse(run: Run, items: list[Any]) -> list[Any]:
    run.tick(len(items))
    return items[::-1]


@builtin("index of", "list:list", "match")
def index_of(run: Run, items: list[Any], match: Any) -> list[Decimal]:
    run.tick(len(items))
    return [Decimal(place) for place, item in enumerate(items, 1) if equal(item, match) is True]


@builtin("union", "list:**")
def union(run: Run, lists: list[Any]) -> list[Any]:
    return distinct_values(run, concatenate(run, lists))


@builtin("distinct values", "list:list")
def distinct_values(run: Run, items: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        run.tick(1 + len(kept) // 4)
        if not any(equal(item, other) is True for other in kept):
            kept.append(item)
    return kept


@builtin("duplicate values", "list:list")
def duplicate_values(run: Run, items: list[Any]) -> list[Any]:
    twice: list[Any] = []
    for place, item in enumerate(items):
        run.tick(1 + place // 4)
        if not any(equal(item, other) is True for other in twice) and any(equal(item, other) is True for other in items[:place]):
            twice.append(item)
    return twice


@builtin("flatten", "list:list")
def flatten(run: Run, items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    waiting = items[::-1]
    while waiting:
        run.tick()
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item[::-1]
        else:
            flat.append(item)
    return flat


@builtin("sort", "list:list", "precedes:function?")
def sort(run: Run, items: list[Any], precedes: Function | None) -> list[Any]:
    def order(left: Any, right: Any) -> int:
        run.tick()
        if precedes is None:
            ahead = compare("<", left, right)
            if ahead is None:
                raise Undefined(f"{kind(left)} and {kind(right)} have no order")
            return -1 if ahead else int(compare(">", left, right) or 0)
        if precedes.call(run, [left, right]) is True:
            return -1
        return 1 if precedes.call(run, [right, left]) is True else 0

    return sorted(items, key=functools.cmp_to_key(order))
