"""The nodes that choose, repeat, reach into values and call: if, for, some, every, paths, filters and functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from bpmn.dmn.errors import Undefined
from bpmn.dmn.nodes import Literal, Negate, Node
from bpmn.dmn.run import Run, Scope
from bpmn.dmn.temporal import TEMPORAL, part
from bpmn.dmn.types import Type, coerce
from bpmn.dmn.values import Function, Range, is_integer, kind


class If(Node):
    __slots__ = ("condition", "otherwise", "then")

    def __init__(self, condition: Node, then: Node, otherwise: Node) -> None:
        super().__init__(condition, then, otherwise)
        self.condition, self.then, self.otherwise = condition, then, otherwise

    def ev(self, scope: Scope) -> Any:
        scope.run.tick()
        return (self.then if self.condition.ev(scope) is True else self.otherwise).ev(scope)


class Iteration(Node):
    """`x in list` or `i in 1..5`, inside for, some and every."""

    __slots__ = ("end", "name", "start")

    def __init__(self, name: str, start: Node, end: Node | None) -> None:
        super().__init__(*((start, end) if end else (start,)))
        self.name, self.start, self.end = name, start, end

    def values(self, scope: Scope) -> Iterable[Any] | None:
        first = self.start.ev(scope)
        return each(first) if self.end is None else count(first, self.end.ev(scope))


def each(value: Any) -> Iterable[Any] | None:
    """What for, some, every and filters go through: the items of a list, what lies in an interval, or one value; None for null."""
    if isinstance(value, Range):
        if value.no_start or value.no_end:
            return None
        values = count(value.start, value.end)
        skip = [end for end, included in ((value.start, value.start_included), (value.end, value.end_included)) if not included]
        return None if values is None else (item for item in values if item not in skip)
    if value is None:
        return None
    return value if isinstance(value, list) else [value]


def count(start: Any, end: Any) -> Iterator[Any] | None:
    """Every whole number, or every day, from one end to the other, up or down."""
    if is_integer(start) and is_integer(end):
        step = 1 if start <= end else -1
        return (Decimal(number) for number in range(int(start), int(end) + step, step))
    if kind(start) == kind(end) == "date":
        step = 1 if start <= end else -1
        return (date.fromordinal(day) for day in range(start.toordinal(), end.toordinal() + step, step))
    return None


class Loop(Node):
    """for, some and every; `how` says which."""

    __slots__ = ("body", "how", "iterations")

    def __init__(self, how: str, iterations: Sequence[Iteration], body: Node) -> None:
        super().__init__(*iterations, body)
        self.how, self.iterations, self.body = how, tuple(iterations), body
        self.uses_partial = how == "for" and body.uses_partial

    def ev(self, scope: Scope) -> Any:
        rounds = self.rounds(scope)
        if rounds is None:
            scope.run.note(f"“{self.how}” has nothing to go through")
            return None
        if self.how == "for":
            done: list[Any] = []
            for inside in rounds:
                if self.uses_partial:
                    scope.run.tick(1 + len(done) // 16)
                    inside.names["partial"] = list(done)
                done.append(self.body.ev(inside))
            return done
        unknown = False
        for inside in rounds:
            result = self.body.ev(inside)
            if result is (self.how == "some"):
                return result
            unknown = unknown or not isinstance(result, bool)
        return None if unknown else self.how != "some"

    def rounds(self, scope: Scope) -> Iterator[Any] | None:
        first = self.iterations[0].values(scope)
        if first is None:
            return None
        return self._go(scope, 0, {}, first)

    def _go(self, scope: Scope, level: int, bound: dict[str, Any], values: Iterable[Any]) -> Iterator[Any]:
        name = self.iterations[level].name
        for value in values:
            scope.run.tick()
            names = {**bound, name: value}
            inside = scope.inner(names)
            if level + 1 == len(self.iterations):
                yield inside
                continue
            deeper = self.iterations[level + 1].values(inside)
            if deeper is not None:
                yield from self._go(scope, level + 1, names, deeper)


class Path(Node):
    __slots__ = ("name", "operand")

    def __init__(self, operand: Node, name: str) -> None:
        super().__init__(operand)
        self.operand, self.name = operand, name

    def ev(self, scope: Scope) -> Any:
        scope.run.tick()
        return member(self.operand.ev(scope), self.name, scope.run)


_RANGE_PARTS = {"start": "start", "end": "end", "start included": "start_included", "end included": "end_included"}


def member(value: Any, name: str, run: Run) -> Any:
    """`value.name`."""
    if isinstance(value, dict):
        if name not in value:
            run.note(f"there is no “{name}” in the context")
        return value.get(name)
    if isinstance(value, list):
        run.tick(len(value))
        return [member(item, name, run) for item in value]
    if isinstance(value, Range) and name in _RANGE_PARTS:
        return getattr(value, _RANGE_PARTS[name])
    if kind(value) in TEMPORAL:
        try:
            return part(value, name)
        except Undefined as problem:
            run.note(str(problem))
            return None
    run.note(f"{kind(value)} has no “{name}”")
    return None


class Filter(Node):
    __slots__ = ("condition", "operand")

    def __init__(self, operand: Node, condition: Node) -> None:
        super().__init__(operand, condition)
        self.operand, self.condition = operand, condition

    def ev(self, scope: Scope) -> Any:
        scope.run.tick()
        value = self.operand.ev(scope)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        if isinstance(self.condition, (Literal, Negate)):
            return self.pick(items, self.condition.ev(scope), scope)
        kept: list[Any] = []
        for place, item in enumerate(items):
            scope.run.tick()
            inside = scope.inner({"item": item, **item} if isinstance(item, dict) else {"item": item}, lenient=True)
            result = self.condition.ev(inside)
            if place == 0 and isinstance(result, Decimal):
                return self.pick(items, result, scope)
            if result is True:
                kept.append(item)
        return kept

    def pick(self, items: list[Any], place: Any, scope: Scope) -> Any:
        if isinstance(place, bool):
            return items if place else []
        if not is_integer(place):
            return [] if place is None else None
        index = int(place)
        if index and -len(items) <= index <= len(items):
            return items[index - 1 if index > 0 else index]
        scope.run.note(f"a list of {len(items)} has no item {index}")
        return None


class Call(Node):
    """A function with positional or named arguments."""

    __slots__ = ("arguments", "callee", "names")

    def __init__(self, callee: Node, arguments: Sequence[Node], names: Sequence[str] | None = None) -> None:
        super().__init__(callee, *arguments)
        self.callee, self.arguments, self.names = callee, tuple(arguments), tuple(names) if names is not None else None

    def ev(self, scope: Scope) -> Any:
        run = scope.run
        run.tick()
        function = self.callee.ev(scope)
        values = [argument.ev(scope) for argument in self.arguments]
        if not isinstance(function, Function):
            run.note(f"{kind(function)} is not a function")
            return None
        if self.names is None:
            return function.call(run, values)
        if len(set(self.names)) < len(self.names):
            run.note("an argument is named twice")
            return None
        return function.call(run, dict(zip(self.names, values, strict=True)))


class FunctionNode(Node):
    """`function(a: number, b) a + b`"""

    __slots__ = ("body", "parameters")

    def __init__(self, parameters: Sequence[tuple[str, Any]], body: Node) -> None:
        super().__init__(body)
        self.parameters, self.body = tuple(parameters), body

    def ev(self, scope: Scope) -> Function:
        return make_function("function", self.parameters, self.body, scope)


def fitted(value: Any, wanted: Type | None, run: Run, what: str) -> Any:
    """A value as its type wants it; null, with a note, where it does not fit."""
    if wanted is None or value is None:
        return value
    try:
        value = coerce(value, wanted, run)
    except Undefined as problem:
        run.note(f"{what}: {problem}")
        return None
    return declared(value, wanted) if isinstance(value, Function) else value


def declared(function: Function, wanted: Type) -> Function:
    """A function whose arguments and result are of the types that a function type names."""
    if wanted.item is None:
        return function
    types = tuple(wanted.fields.values())

    def call(run: Run, arguments: list[Any] | dict[str, Any]) -> Any:
        def fit(value: Any, part: Type | None, name: str) -> Any:
            return fitted(value, part, run, f"{function.name}, “{name}”")

        if isinstance(arguments, dict):
            arguments = {name: fit(value, wanted.fields.get(name), name) for name, value in arguments.items()}
        else:
            arguments = [
                fit(value, part, str(place)) for place, (value, part) in enumerate(zip_longest(arguments, types[: len(arguments)]), 1)
            ]
        return fitted(function.call(run, arguments), wanted.item, run, function.name)

    return Function(function.name, function.parameters, call)


def make_function(name: str, parameters: Sequence[tuple[str, Any]], body: Any, scope: Scope, result: Type | None = None) -> Function:
    """A function of FEEL over anything with `ev` and `depth`; `parameters` are names with written types (or None)."""
    names = tuple(key for key, _ in parameters)
    types = [scope.run.types.written(spelled) if spelled else None for _, spelled in parameters]

    def call(run: Run, arguments: list[Any] | dict[str, Any]) -> Any:
        if isinstance(arguments, dict):
            given: list[Any] = [arguments.get(key) for key in names]
            fits = set(arguments) == set(names)
        else:
            given, fits = arguments, len(arguments) == len(names)
        if not fits:
            run.note(f"{name}({', '.join(names)}) is called with other arguments")
            return None
        bound = [fitted(value, wanted, run, f"{name}, “{key}”") for key, value, wanted in zip(names, given, types, strict=True)]
        with run.deeper(body.depth + 3):
            value = body.ev(scope.inner(dict(zip(names, bound, strict=True))))
        return fitted(value, result, run, name)

    return Function(name, names, call)
