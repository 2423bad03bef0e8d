"""Tokens → the tree of an expression, by lark over `feel.lark`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, Overflow
from functools import cache, lru_cache
from pathlib import Path as FilePath
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken

from bpmn.dmn import control
from bpmn.dmn import nodes as n
from bpmn.dmn.errors import FeelSyntaxError, Undefined
from bpmn.dmn.functions import library
from bpmn.dmn.lexer import FeelLexer, Names, normal_name, tokenize
from bpmn.dmn.temporal import read_temporal
from bpmn.dmn.values import NUMBERS, Range, compare

Parts = list[Any]
TYPE_NAMES = frozenset({"date and time", "days and time duration", "years and months duration"})


class Builder(Transformer[Token, Any]):
    """Builds nodes while the parser reduces, so no second walk and no recursion."""

    def start_expression(self, c: Parts) -> n.Node:
        return c[0]

    def anything(self, c: Parts) -> n.Anything:
        return n.Anything()

    def any_test(self, c: Parts) -> n.Tests:
        return n.Tests(_nodes(c))

    def not_tests(self, c: Parts) -> n.Tests:
        return n.Tests(_nodes(c), negated=True)

    def comparator(self, c: Parts) -> str:
        return str(c[0])

    def half_open(self, c: Parts) -> n.HalfOpen:
        return n.HalfOpen(c[0], c[1])

    def disjunction(self, c: Parts) -> n.Node:
        return n.join(c[0], c[2], True)

    def conjunction(self, c: Parts) -> n.Node:
        return n.join(c[0], c[2], False)

    def compare(self, c: Parts) -> n.Node:
        return n.Compare(c[1], c[0], c[2])

    def between(self, c: Parts) -> n.Node:
        return n.Between(c[0], c[2], c[4])

    def in_(self, c: Parts) -> n.Node:
        return n.In(c[0], c[2])

    def instance_of(self, c: Parts) -> n.Node:
        return n.InstanceOf(c[0], c[2])

    def binary(self, c: Parts) -> n.Node:
        return n.Binary(str(c[1]), c[0], c[2])

    def negate(self, c: Parts) -> n.Node:
        operand = c[1]
        if isinstance(operand, n.Literal) and isinstance(operand.value, Decimal):
            return n.Literal(NUMBERS.minus(operand.value))
        return n.Negate(operand)

    def path(self, c: Parts) -> n.Node:
        return control.Path(c[0], normal_name(c[2]))

    def filter(self, c: Parts) -> n.Node:
        return control.Filter(c[0], c[2])

    def call(self, c: Parts) -> n.Node:
        return control.Call(c[0], _nodes(c[1:]))

    def call_named(self, c: Parts) -> n.Node:
        named = [pair for pair in c if isinstance(pair, tuple)]
        return control.Call(c[0], [node for _, node in named], [name for name, _ in named])

    def named(self, c: Parts) -> tuple[str, n.Node]:
        return normal_name(c[0]), c[2]

    def number(self, c: Parts) -> n.Node:
        try:
            return n.Literal(NUMBERS.create_decimal(str(c[0])))
        except (InvalidOperation, Overflow):
            raise FeelSyntaxError(f"{c[0]!s:.40} is not a number") from None

    def string(self, c: Parts) -> n.Node:
        return n.Literal(str(c[0]))

    def at(self, c: Parts) -> n.Node:
        try:
            return n.Literal(read_temporal(str(c[0])))
        except Undefined:
            return n.Literal(None)

    def true(self, c: Parts) -> n.Node:
        return n.Literal(True)

    def false(self, c: Parts) -> n.Node:
        return n.Literal(False)

    def null(self, c: Parts) -> n.Node:
        return n.Literal(None)

    def name(self, c: Parts) -> n.Node:
        return n.Name(normal_name(c[0]))

    def paren(self, c: Parts) -> n.Node:
        inside = _nodes(c)
        return inside[0] if len(inside) == 1 else n.Tests(inside)

    def list(self, c: Parts) -> n.Node:
        return n.ListNode(_nodes(c))

    def context(self, c: Parts) -> n.Node:
        return n.ContextNode([pair for pair in c if isinstance(pair, tuple)])

    def entry(self, c: Parts) -> tuple[str, n.Node]:
        return c[0], c[2]

    def key(self, c: Parts) -> str:
        return str(c[0]) if c[0].type == "STRING" else normal_name(c[0])

    def closing(self, c: Parts) -> bool:
        return c[0].type == "RSQB"

    def range(self, c: Parts) -> n.Node:
        start, end, included = c[1], c[3], c[0].type == "LSQB"
        if isinstance(start, n.Literal) and isinstance(end, n.Literal) and compare("<=", start.value, end.value) is not None:
            return n.Literal(Range(start.value, end.value, included, c[4]))
        return n.RangeNode(start, end, included, c[4])

    def if_(self, c: Parts) -> n.Node:
        return control.If(c[1], c[3], c[5])

    def for_(self, c: Parts) -> n.Node:
        return _loop("for", c)

    def some(self, c: Parts) -> n.Node:
        return _loop("some", c)

    def every(self, c: Parts) -> n.Node:
        return _loop("every", c)

    def iterator(self, c: Parts) -> control.Iteration:
        return control.Iteration(normal_name(c[0]), c[2], c[4] if len(c) > 4 else None)

    def function(self, c: Parts) -> n.Node:
        return control.FunctionNode([pair for pair in c if isinstance(pair, tuple)], c[-1])

    def external(self, c: Parts) -> n.Node:
        raise FeelSyntaxError("external functions are not run here")

    def parameter(self, c: Parts) -> tuple[str, Any]:
        return normal_name(c[0]), c[2] if len(c) > 2 else None

    def type(self, c: Parts) -> Any:
        return normal_name(c[0])

    def type_of(self, c: Parts) -> Any:
        if c[0] not in ("list", "range") or len(c) != 4:
            raise FeelSyntaxError(f"there is no type {c[0]}<…>")
        return (str(c[0]), c[2])

    def type_context(self, c: Parts) -> Any:
        return ("context", dict(pair for pair in c if type(pair) is tuple))

    def type_function(self, c: Parts) -> Any:
        return ("function",)

    def typed(self, c: Parts) -> tuple[str, Any]:
        return normal_name(c[0]), c[2]


def _nodes(children: list[Any]) -> list[n.Node]:
    return [child for child in children if isinstance(child, n.Node)]


def _loop(how: str, children: list[Any]) -> control.Loop:
    return control.Loop(how, [child for child in children if isinstance(child, control.Iteration)], children[-1])


@cache
def _grammar() -> Lark:
    text = FilePath(__file__).with_name("feel.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer=FeelLexer, start=["start_expression", "start_tests"], transformer=Builder())


def _parse(text: str, names: Names, start: str) -> Any:
    try:
        tokens = tokenize(text, names | library.NAMES | TYPE_NAMES, tests=start == "start_tests")
        return _grammar().parse(tokens, start=start)  # type: ignore[arg-type]
    except UnexpectedToken as problem:
        token = problem.token
        if token.type == "$END":
            raise FeelSyntaxError("the expression ends too early") from None
        raise FeelSyntaxError(f"“{token!s:.40}” is not expected here (line {token.line}, column {token.column})") from None
    except UnexpectedInput:
        raise FeelSyntaxError("the expression cannot be read") from None


@lru_cache(maxsize=8192)
def parse_expression(text: str, names: Names = frozenset()) -> n.Node:
    """The tree of an expression, with the names of several words that are in its scope."""
    return _parse(text, names, "start_expression")


@lru_cache(maxsize=8192)
def parse_tests(text: str, names: Names = frozenset()) -> n.Tests | n.Anything:
    """The tree of a cell: `-`, `not(…)` or tests with commas between. An empty cell is `-`."""
    return _parse(text, names, "start_tests") if text.strip() else n.Anything()
