"""The tree of an expression. Every node evaluates itself in a scope; `depth` is how many levels its tree has."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from bpmn.dmn.errors import FeelSyntaxError, Undefined, UnknownVariable
from bpmn.dmn.functions import library
from bpmn.dmn.run import MISSING, Run, Scope
from bpmn.dmn.temporal import TEMPORAL, arithmetic
from bpmn.dmn.types import conforms
from bpmn.dmn.values import NUMBERS, Range, compare, equal, kind

MAX_TREE = 140
NUMBER_ERRORS = (decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow)


class Node:
    """An expression."""

    __slots__ = ("depth", "uses_input", "uses_partial")
    depth: int
    uses_input: bool
    uses_partial: bool

    def __init__(self, *children: Node) -> None:
        self.depth = 1 + max((child.depth for child in children), default=0)
        self.uses_input = any(child.uses_input for child in children)
        self.uses_partial = any(child.uses_partial for child in children)
        if self.depth > MAX_TREE:
            raise FeelSyntaxError(f"the expression is nested more than {MAX_TREE} levels deep")

    def ev(self, scope: Scope) -> Any:
        raise NotImplementedError

    def test(self, value: Any, scope: Scope) -> bool | None:
        """Whether a value passes this expression as a test; `?` is the value."""
        result = self.ev(scope)
        if isinstance(result, bool) and not isinstance(self, (Literal, Name)) and (self.uses_input or not isinstance(value, bool)):
            return result
        return holds(value, result)


def holds(value: Any, wanted: Any) -> bool | None:
    """Whether a value equals what is wanted, is one of it, or lies in it."""
    if isinstance(wanted, Range):
        return equal(value, wanted) if isinstance(value, Range) else wanted.contains(value)
    if isinstance(wanted, list):
        if isinstance(value, list) and equal(value, wanted):
            return True
        return settle(holds(value, item) if isinstance(item, Range) else equal(value, item) for item in wanted) if wanted else False
    return equal(value, wanted)


def settle(results: Iterable[bool | None]) -> bool | None:
    """True if any is; None if none could be told; else False."""
    seen_false = False
    for result in results:
        if result is True:
            return True
        seen_false = seen_false or result is False
    return False if seen_false else None


class Literal(Node):
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def ev(self, scope: Scope) -> Any:
        return self.value


class Name(Node):
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.uses_input = name == "?"
        self.uses_partial = name == "partial"

    def ev(self, scope: Scope) -> Any:
        value = scope.find(self.name)
        if value is not MISSING:
            return value
        built_in = library.get(self.name)
        if built_in is not None:
            return built_in
        run = scope.run
        if run.strict and not scope.is_lenient():
            raise UnknownVariable(run.place, f"nothing is called “{self.name}” here")
        run.note(f"nothing is called “{self.name}” here")
        return None


class Binary(Node):
    """+ - * / **"""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Node, right: Node) -> None:
        super().__init__(left, right)
        self.operator, self.left, self.right = operator, left, right

    def ev(self, scope: Scope) -> Any:
        run = scope.run
        run.tick()
        left, right = self.left.ev(scope), self.right.ev(scope)
        try:
            return calculate(self.operator, left, right, run)
        except Undefined as problem:
            run.note(str(problem))
        except NUMBER_ERRORS:
            run.note(f"{left} {self.operator} {right} has no result")
        return None


def calculate(operator: str, left: Any, right: Any, run: Run) -> Any:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        if operator == "+":
            return NUMBERS.add(left, right)
        if operator == "-":
            return NUMBERS.subtract(left, right)
        if operator == "*":
            return NUMBERS.multiply(left, right)
        if operator == "/":
            return NUMBERS.divide(left, right)
        return NUMBERS.power(left, right)
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        run.tick((len(left) + len(right)) // 64)
        return left + right
    a, b = kind(left), kind(right)
    if operator in "+-*/" and (a in TEMPORAL or b in TEMPORAL):
        return arithmetic(operator, left, right)
    raise Undefined(f"{a} {operator} {b} has no meaning")


class Negate(Node):
    __slots__ = ("operand",)

    def __init__(self, operand: Node) -> None:
        super().__init__(operand)
        self.operand = operand

    def ev(self, scope: Scope) -> Any:
        value = self.operand.ev(scope)
        if isinstance(value, Decimal):
            return NUMBERS.minus(value)
        if isinstance(value, timedelta):
            return -value
        if kind(value) == "years and months duration":
            return type(value)(-value.months)
        scope.run.note(f"- {kind(value)} has no meaning")
        return None


class Logic(Node):
    """`and`, `or`: three-valued, over any number of operands."""

    __slots__ = ("decisive", "operands")

    def __init__(self, decisive: bool, operands: Sequence[Node]) -> None:
        super().__init__(*operands)
        self.decisive, self.operands = decisive, tuple(operands)

    def ev(self, scope: Scope) -> bool | None:
        scope.run.tick()
        unknown = False
        for operand in self.operands:
            value = operand.ev(scope)
            if value is self.decisive:
                return self.decisive
            unknown = unknown or not isinstance(value, bool)
        return None if unknown else not self.decisive


def relate(operator: str, left: Any, right: Any) -> bool | None:
    if operator == "=":
        return equal(left, right)
    if operator == "!=":
        same = equal(left, right)
        return None if same is None else not same
    return compare(operator, left, right)


class Compare(Node):
    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Node, right: Node) -> None:
        super().__init__(left, right)
        self.operator, self.left, self.right = operator, left, right

    def ev(self, scope: Scope) -> bool | None:
        scope.run.tick()
        return relate(self.operator, self.left.ev(scope), self.right.ev(scope))


class HalfOpen(Node):
    """`< 5`: a test, or an interval without the other end."""

    __slots__ = ("end", "operator")

    def __init__(self, operator: str, end: Node) -> None:
        super().__init__(end)
        self.operator, self.end = operator, end

    def ev(self, scope: Scope) -> Any:
        end = self.end.ev(scope)
        if end is None:
            return None
        if self.operator in ("<", "<="):
            return Range(None, end, False, self.operator == "<=", no_start=True)
        if self.operator in (">", ">="):
            return Range(end, None, self.operator == ">=", False, no_end=True)
        if self.operator == "=":
            return Range(end, end)
        scope.run.note("!= makes no interval")
        return None

    def test(self, value: Any, scope: Scope) -> bool | None:
        scope.run.tick()
        return relate(self.operator, value, self.end.ev(scope))


class Between(Node):
    __slots__ = ("high", "low", "operand")

    def __init__(self, operand: Node, low: Node, high: Node) -> None:
        super().__init__(operand, low, high)
        self.operand, self.low, self.high = operand, low, high

    def ev(self, scope: Scope) -> bool | None:
        scope.run.tick()
        value = self.operand.ev(scope)
        above, below = compare(">=", value, self.low.ev(scope)), compare("<=", value, self.high.ev(scope))
        if above is None or below is None:
            return None
        return above and below


class In(Node):
    __slots__ = ("operand", "test_node")

    def __init__(self, operand: Node, test_node: Node) -> None:
        super().__init__(operand, test_node)
        self.operand, self.test_node = operand, test_node

    def ev(self, scope: Scope) -> bool | None:
        scope.run.tick()
        value = self.operand.ev(scope)
        if isinstance(self.test_node, (HalfOpen, Tests)):
            return self.test_node.test(value, scope.inner({"?": value}))
        wanted = self.test_node.ev(scope)
        return None if wanted is None and value is not None else holds(value, wanted)


class Tests(Node):
    """`(1, 2, > 3)` behind `in`, and the tests of a cell: one of them is enough; `negated` turns it round."""

    __slots__ = ("negated", "tests")

    def __init__(self, tests: Sequence[Node], *, negated: bool = False) -> None:
        super().__init__(*tests)
        self.tests, self.negated = tuple(tests), negated

    def ev(self, scope: Scope) -> Any:
        scope.run.note("a list of tests is not a value")
        return None

    def test(self, value: Any, scope: Scope) -> bool | None:
        scope.run.tick()
        return settle(test.test(value, scope) for test in self.tests)

    def matches(self, value: Any, scope: Scope) -> bool:
        """Whether a cell holds for its input."""
        result = self.test(value, scope.inner({"?": value}))
        return (result is not True) if self.negated else result is True


class Anything(Node):
    """The cell `-`."""

    __slots__ = ()

    def matches(self, value: Any, scope: Scope) -> bool:
        return True


class InstanceOf(Node):
    __slots__ = ("operand", "wanted")

    def __init__(self, operand: Node, wanted: Any) -> None:
        super().__init__(operand)
        self.operand, self.wanted = operand, wanted

    def ev(self, scope: Scope) -> bool | None:
        wanted = scope.run.types.written(self.wanted)
        value = self.operand.ev(scope)
        if wanted is None:
            scope.run.note(f"there is no type {self.wanted}")
            return None
        if wanted.name == "null":
            return value is None
        return conforms(value, wanted)


class RangeNode(Node):
    __slots__ = ("end", "end_included", "start", "start_included")

    def __init__(self, start: Node, end: Node, start_included: bool, end_included: bool) -> None:
        super().__init__(start, end)
        self.start, self.end, self.start_included, self.end_included = start, end, start_included, end_included

    def ev(self, scope: Scope) -> Any:
        scope.run.tick()
        start, end = self.start.ev(scope), self.end.ev(scope)
        if start is None or end is None or compare("<=", start, end) is None:
            if not (start is None) ^ (end is None):
                scope.run.note("the two ends of an interval cannot be compared")
                return None
            return Range(start, end, self.start_included, self.end_included, start is None, end is None)
        return Range(start, end, self.start_included, self.end_included)


class ListNode(Node):
    __slots__ = ("items",)

    def __init__(self, items: Sequence[Node]) -> None:
        super().__init__(*items)
        self.items = tuple(items)

    def ev(self, scope: Scope) -> list[Any]:
        scope.run.tick(1 + len(self.items))
        return [item.ev(scope) for item in self.items]


class ContextNode(Node):
    __slots__ = ("entries",)

    def __init__(self, entries: Sequence[tuple[str, Node]]) -> None:
        super().__init__(*(node for _, node in entries))
        self.entries = tuple(entries)

    def ev(self, scope: Scope) -> dict[str, Any] | None:
        scope.run.tick()
        made: dict[str, Any] = {}
        inside = scope.inner(made)
        for key, node in self.entries:
            if key in made:
                scope.run.note(f"the context has two entries “{key}”")
                return None
            made[key] = node.ev(inside)
        return made


def flat(node: Node, decisive: bool) -> Sequence[Node]:
    """The operands of a chain of `and`s (or `or`s), so that a long chain stays one level deep."""
    return node.operands if isinstance(node, Logic) and node.decisive is decisive else (node,)


def join(left: Node, right: Node, decisive: bool) -> Logic:
    return Logic(decisive, tuple(chain(flat(left, decisive), [right])))
