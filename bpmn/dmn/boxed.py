"""Boxed expressions: the boxes of a decision that hold expressions, contexts, invocations, lists, relations and functions.

Every box has `ev(scope)` and `depth`, as the nodes of an expression have, so both can be bodies of functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpmn.dmn.control import declared, each, fitted, make_function
from bpmn.dmn.errors import DmnError, FeelSyntaxError
from bpmn.dmn.lexer import Names
from bpmn.dmn.parser import parse_expression, parse_tests
from bpmn.dmn.run import Run, Scope
from bpmn.dmn.types import Type
from bpmn.dmn.values import Function, kind


class Box:
    """A boxed expression at a named place."""

    depth = 1

    def __init__(self, place: str, boxes: Sequence[Any] = ()) -> None:
        self.place = place
        self.depth = 1 + max((box.depth for box in boxes), default=0)

    def ev(self, scope: Scope) -> Any:
        raise NotImplementedError


def quoted(place: str, text: str) -> str:
    """A place with the expression that stands there."""
    short = " ".join(text.split())
    return f"{place}, “{short if len(short) <= 120 else short[:117] + '…'}”"


class Expression(Box):
    """A literal expression."""

    def __init__(self, text: str, place: str, names: Names, *, check: bool = True) -> None:
        super().__init__(quoted(place, text))
        self.text, self.names = text, names
        self.node: Any = None
        if check:
            self.node = self.read(names)
            self.depth = self.node.depth + 1

    def read(self, names: Names) -> Any:
        try:
            return parse_expression(self.text, names)
        except FeelSyntaxError as problem:
            raise DmnError(self.place, str(problem)) from None

    def ev(self, scope: Scope) -> Any:
        run = scope.run
        node = self.node if self.node is not None and run.names is self.names else self.read(run.names)
        with run.at(self.place):
            return node.ev(scope)


class CellTests:
    """The tests of a cell, or allowed values."""

    def __init__(self, text: str, place: str, names: Names, *, check: bool = True) -> None:
        self.text, self.names = text.strip(), names
        self.place = quoted(place, text)
        self.node = self.read(names) if check else None

    def read(self, names: Names) -> Any:
        try:
            return parse_tests(self.text, names)
        except FeelSyntaxError as problem:
            raise DmnError(self.place, str(problem)) from None

    def matches(self, value: Any, scope: Scope) -> bool:
        run = scope.run
        node = self.node if self.node is not None and run.names is self.names else self.read(run.names)
        before, run.place = run.place, self.place
        try:
            return node.matches(value, scope)
        finally:
            run.place = before


class ContextBox(Box):
    """Entries in order, each in the scope of those above; an entry without a name is the result."""

    def __init__(self, entries: Sequence[tuple[str | None, str | None, Box]], place: str) -> None:
        super().__init__(place, [box for _, _, box in entries])
        self.entries = tuple(entries)

    def ev(self, scope: Scope) -> Any:
        scope.run.tick()
        made: dict[str, Any] = {}
        inside = scope.inner(made)
        for name, type_name, box in self.entries:
            value = held(box, type_name, inside, box.place)
            if name is None:
                return value
            made[name] = value
        return made


def typed(value: Any, type_name: str | None, run: Run, place: str) -> Any:
    """A value as its declared type; null, with a note, where it does not fit."""
    wanted = run.types.named(type_name)
    if wanted is None or value is None or wanted.shape == "any":
        return value
    with run.at(place):
        return fitted(value, wanted, run, "the result")


def held(box: Box, type_name: str | None, scope: Scope, place: str) -> Any:
    """What a variable of a declared type holds; where its logic is a function, the type may also be that of the function's result."""
    value = box.ev(scope)
    wanted = scope.run.types.named(type_name)
    if isinstance(box, FunctionBox) and wanted is not None and wanted.shape not in ("any", "function"):
        return declared(value, Type("function", item=wanted))
    return typed(value, type_name, scope.run, place)


class TypedBox(Box):
    """A box that declares the type of its value."""

    def __init__(self, box: Box, type_name: str) -> None:
        super().__init__(box.place, [box])
        self.box, self.type_name = box, type_name

    def ev(self, scope: Scope) -> Any:
        return typed(self.box.ev(scope), self.type_name, scope.run, self.place)


class InvocationBox(Box):
    """A call with its arguments in boxes."""

    def __init__(self, callee: Box, bindings: Sequence[tuple[str, Box]], place: str) -> None:
        super().__init__(place, [callee, *(box for _, box in bindings)])
        self.callee, self.bindings = callee, tuple(bindings)

    def ev(self, scope: Scope) -> Any:
        run = scope.run
        run.tick()
        function = self.callee.ev(scope)
        arguments = {name: box.ev(scope) for name, box in self.bindings}
        with run.at(self.place):
            if not isinstance(function, Function):
                run.note(f"{kind(function)} is not a function")
                return None
            return function.call(run, arguments)


class ListBox(Box):
    def __init__(self, boxes: Sequence[Box], place: str) -> None:
        super().__init__(place, boxes)
        self.boxes = tuple(boxes)

    def ev(self, scope: Scope) -> list[Any]:
        scope.run.tick(1 + len(self.boxes))
        return [box.ev(scope) for box in self.boxes]


class RelationBox(Box):
    """A table of values: a list of contexts, one a row."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Box]], place: str) -> None:
        super().__init__(place, [box for row in rows for box in row])
        self.columns, self.rows = tuple(columns), tuple(tuple(row) for row in rows)

    def ev(self, scope: Scope) -> list[Any]:
        scope.run.tick(1 + len(self.rows))
        return [{name: box.ev(scope) for name, box in zip(self.columns, row, strict=False)} for row in self.rows]


class FunctionBox(Box):
    def __init__(self, parameters: Sequence[tuple[str, str | None]], body: Box, place: str, type_name: str | None = None) -> None:
        super().__init__(place, [body])
        self.parameters, self.body, self.type_name = tuple(parameters), body, type_name

    def ev(self, scope: Scope) -> Function:
        made = make_function(self.place, self.parameters, self.body, scope)
        wanted = scope.run.types.named(self.type_name)
        return declared(made, wanted) if wanted is not None and wanted.shape == "function" else made


class ConditionalBox(Box):
    def __init__(self, condition: Box, then: Box, otherwise: Box, place: str) -> None:
        super().__init__(place, [condition, then, otherwise])
        self.condition, self.then, self.otherwise = condition, then, otherwise

    def ev(self, scope: Scope) -> Any:
        scope.run.tick()
        return (self.then if self.condition.ev(scope) is True else self.otherwise).ev(scope)


class LoopBox(Box):
    """for, some, every and filter in boxes; `how` says which."""

    def __init__(self, how: str, variable: str, source: Box, body: Box, place: str) -> None:
        super().__init__(place, [source, body])
        self.how, self.variable, self.source, self.body = how, variable, source, body

    def ev(self, scope: Scope) -> Any:
        run = scope.run
        values = each(self.source.ev(scope))
        if values is None:
            return None
        done: list[Any] = []
        unknown = False
        for value in values:
            run.tick(1 + len(done) // 16)
            names = {self.variable: value}
            if self.how == "filter" and isinstance(value, dict):
                names |= value
            result = self.body.ev(scope.inner({**names, "partial": list(done)}, lenient=self.how == "filter"))
            if self.how == "for":
                done.append(result)
            elif self.how == "filter":
                if result is True:
                    done.append(value)
            elif result is (self.how == "some"):
                return result
            else:
                unknown = unknown or not isinstance(result, bool)
        if self.how in ("for", "filter"):
            return done
        return None if unknown else self.how != "some"
