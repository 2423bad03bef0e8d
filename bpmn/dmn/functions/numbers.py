"""Functions of numbers and the conversions to and from them."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

from bpmn.dmn import temporal
from bpmn.dmn.errors import Undefined
from bpmn.dmn.functions.library import builtin
from bpmn.dmn.run import Run
from bpmn.dmn.values import NUMBERS, Function, Range, compare, is_integer, kind, number_text


def whole(value: Decimal, name: str) -> int:
    """A whole number as int, within what scales and places can be."""
    if not is_integer(value):
        raise Undefined(f"“{name}” needs a whole number")
    if abs(value) > 10**9:
        raise Undefined(f"“{name}” is too large")
    return int(value)


def rounded(value: Decimal, scale: Decimal | None, mode: str) -> Decimal:
    places = whole(scale, "scale") if scale is not None else 0
    if not -6111 <= places <= 6176:
        raise Undefined("“scale” must lie between -6111 and 6176")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -places:
        return value
    context = decimal.Context(prec=6200, rounding=mode, Emin=-7000, Emax=7000)
    return NUMBERS.plus(value.quantize(Decimal(1).scaleb(-places), context=context))


@builtin("decimal", "n:number", "scale:number")
def decimal_(run: Run, n: Decimal, scale: Decimal) -> Decimal:
    return rounded(n, scale, decimal.ROUND_HALF_EVEN)


@builtin("floor", "n:number", "scale:number?")
def floor(run: Run, n: Decimal, scale: Decimal | None) -> Decimal:
    return rounded(n, scale, decimal.ROUND_FLOOR)


@builtin("ceiling", "n:number", "scale:number?")
def ceiling(run: Run, n: Decimal, scale: Decimal | None) -> Decimal:
    return rounded(n, scale, decimal.ROUND_CEILING)


@builtin("round up", "n:number", "scale:number?")
def round_up(run: Run, n: Decimal, scale: Decimal | None) -> Decimal:
    return rounded(n, scale, decimal.ROUND_UP)


@builtin("round down", "n:number", "scale:number?")
def round_down(run: Run, n: Decimal, scale: Decimal | None) -> Decimal:
    return rounded(n, scale, decimal.ROUND_DOWN)


@builtin("round half up", "n:number", "scale:number?")
def round_half_up(run: Run, n: Decimal, scale: Decimal | None) -> Decimal:
    return rounded(n, scale, decimal.ROUND_HALF_UP)


@builtin("round half down", "n:number", "scale:number?")
def round_half_down(run: Run, n: Decimal, scale: Decimal | None) -> Decimal:
    return rounded(n, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs", "n:number")
@builtin("abs", "n:days and time duration")
@builtin("abs", "n:years and months duration")
def abs_(run: Run, n: Any) -> Any:
    return type(n)(abs(n.months)) if kind(n) == "years and months duration" else abs(n)


@builtin("modulo", "dividend:number", "divisor:number")
def modulo(run: Run, dividend: Decimal, divisor: Decimal) -> Decimal:
    if not divisor:
        raise Undefined("the divisor is zero")
    quotient = NUMBERS.divide(dividend, divisor).to_integral_value(decimal.ROUND_FLOOR)
    return NUMBERS.subtract(dividend, NUMBERS.multiply(divisor, quotient))


@builtin("sqrt", "number:number")
def sqrt(run: Run, number: Decimal) -> Decimal:
    if number < 0:
        raise Undefined("there is no root of a negative number")
    return NUMBERS.sqrt(number)


@builtin("log", "number:number")
def log(run: Run, number: Decimal) -> Decimal:
    if number <= 0:
        raise Undefined("only numbers above zero have a logarithm")
    return NUMBERS.ln(number)


@builtin("exp", "number:number")
def exp(run: Run, number: Decimal) -> Decimal:
    return NUMBERS.exp(number)


@builtin("odd", "number:number")
def odd(run: Run, number: Decimal) -> bool:
    if not is_integer(number):
        raise Undefined("only whole numbers are odd or even")
    return NUMBERS.remainder(number, Decimal(2)) != 0


@builtin("even", "number:number")
def even(run: Run, number: Decimal) -> bool:
    return not odd(run, number)


@builtin("number", "from:string", "grouping separator:string?", "decimal separator:string?")
def number_(run: Run, text: str, grouping: str | None, point: str | None) -> Decimal:
    if grouping is not None and grouping not in (" ", ",", "."):
        raise Undefined("the grouping separator is a space, a comma or a point")
    if point is not None and (point not in (",", ".") or point == grouping):
        raise Undefined("the decimal separator is a comma or a point, and another than the grouping separator")
    plain = text.replace(grouping, "") if grouping else text
    if point == ",":
        plain = plain.replace(".", "x").replace(",", ".")
    if not plain or len(plain) > 100 or any(char not in "0123456789+-.eE" for char in plain):
        raise Undefined(f"“{text:.40}” is not a number")
    try:
        value = NUMBERS.create_decimal(plain)
    except decimal.InvalidOperation:
        raise Undefined(f"“{text:.40}” is not a number") from None
    return value


@builtin("number", "from:number")
def number_of_number(run: Run, value: Decimal) -> Decimal:
    return value


@builtin("string", "from")
def string(run: Run, value: Any) -> str | None:
    return None if value is None else text_of(run, value)


def text_of(run: Run, value: Any, *, inside: bool = False) -> str:
    """A value as text; texts inside lists and contexts stand in quotation marks."""
    run.tick()
    if value is None:
        return "null"
    if isinstance(value, str):
        if not inside:
            return value
        run.tick(len(value) // 64)
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(text_of(run, item, inside=True) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {text_of(run, item, inside=True)}" for key, item in value.items()) + "}"
    if isinstance(value, Range):
        start = "" if value.no_start else text_of(run, value.start, inside=True)
        end = "" if value.no_end else text_of(run, value.end, inside=True)
        return f"{'[' if value.start_included else '('}{start}..{end}{']' if value.end_included else ')'}"
    if isinstance(value, Function):
        return f"function({', '.join(value.parameters)})"
    return temporal.write(value)


def _key(key: str) -> str:
    return '"' + key.replace('"', '\\"') + '"' if any(char in key for char in '{}:,"') else key


def largest(values: list[Any], operator: str) -> Any:
    """The item that stands in this relation to all others."""
    best = values[0]
    for value in values[1:]:
        ahead = compare(operator, value, best)
        if ahead is None:
            raise Undefined("the items cannot be compared")
        if ahead:
            best = value
    if kind(best) in ("null", "list", "context", "function", "range", "boolean"):
        raise Undefined("the items cannot be compared")
    return best
