"""“Shown when”: a small condition of a form's field, read once and judged the same in the browser (`frontend/src/shown-when.js`) and here.

It is written as every other condition: `roof == "other"`, `area > 100 and not flat`, `kind in ["a", "b"]`. Names are fields that come
before in the form, or variables of the process. As a tree it is plain JSON: `["==", ["name", "roof"], ["value", "other"]]`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Rule = list[Any]
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_ORDER: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


class BadCondition(ValueError):
    """A condition that can't be judged in a browser; the message is for whoever drew the diagram."""


def rule_of(source: str) -> Rule:
    """Read a condition; raises BadCondition."""
    text = source.strip().removeprefix("=").strip()
    if text.startswith("feel:"):
        raise BadCondition("FEEL isn't known in the browser; write it as plainly as roof == 'other'")
    try:
        return _read(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError) as error:
        if isinstance(error, BadCondition):
            raise
        raise BadCondition("it can't be read") from None


def _read(node: ast.expr) -> Rule:
    match node:
        case ast.BoolOp():
            return ["and" if isinstance(node.op, ast.And) else "or", *map(_read, node.values)]
        case ast.UnaryOp(op=ast.Not()):
            return ["not", _read(node.operand)]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if not isinstance(number, bool):
            return ["value", -number]
        case ast.Compare():
            left, parts = node.left, []
            for op, right in zip(node.ops, node.comparators, strict=True):
                if type(op) not in _COMPARE:
                    raise BadCondition("it compares in a way that isn't known")
                parts.append([_COMPARE[type(op)], _read(left), _read(right)])
                left = right
            return parts[0] if len(parts) == 1 else ["and", *parts]
        case ast.Name():
            return ["name", node.id]
        case ast.Constant(value=None | bool() | int() | float() | str()):
            return ["value", node.value]
        case ast.List() | ast.Tuple() | ast.Set():
            if all(isinstance(one, ast.Constant) and isinstance(one.value, str | int | float) for one in node.elts):
                return ["value", [one.value for one in node.elts]]  # type: ignore[attr-defined]
    raise BadCondition("it may only compare fields and values, with and, or, not, in")


def names_in(rule: Rule) -> set[str]:
    """The names that a rule asks for."""
    if rule[0] == "name":
        return {rule[1]}
    return set() if rule[0] == "value" else {name for part in rule[1:] for name in names_in(part)}


def bind(rule: Rule, fields: Iterable[str], data: Mapping[str, Any]) -> Rule:
    """The rule with everything known put in: what isn't a field of the form is a variable's value, or nothing."""
    if rule[0] == "name":
        return rule if rule[1] in set(fields) else ["value", plain(data.get(rule[1]))]
    if rule[0] == "value":
        return rule
    bound = [rule[0], *(bind(part, fields, data) for part in rule[1:])]
    return _folded(bound)


def _folded(rule: Rule) -> Rule:
    """What is decided here isn't told to the browser."""
    if not names_in(rule):
        return ["value", holds(rule, {})]
    if rule[0] not in ("and", "or"):
        return rule
    decides = rule[0] == "or"
    if any(part[0] == "value" and _truth(part[1]) == decides for part in rule[1:]):
        return ["value", decides]
    open_parts = [part for part in rule[1:] if part[0] != "value"]
    return open_parts[0] if len(open_parts) == 1 else [rule[0], *open_parts]


def holds(rule: Rule, values: Mapping[str, Any]) -> bool:
    """Whether a rule holds for what stands in the fields before."""
    return _truth(_judge(rule, values))


def plain(value: Any) -> Any:
    """A value as both sides compare it: text without blanks around, number, yes or no, a list of these; nothing is an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return value.strip() if isinstance(value, str) else value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    return str(value)


def _judge(rule: Rule, values: Mapping[str, Any]) -> Any:
    match rule[0]:
        case "value":
            return rule[1]
        case "name":
            return plain(values.get(rule[1]))
        case "and":
            return all(_truth(_judge(part, values)) for part in rule[1:])
        case "or":
            return any(_truth(_judge(part, values)) for part in rule[1:])
        case "not":
            return not _truth(_judge(rule[1], values))
    left, right = plain(_judge(rule[1], values)), plain(_judge(rule[2], values))
    match rule[0]:
        case "==":
            return _same(left, right)
        case "!=":
            return not _same(left, right)
        case "in" | "not in":
            among = any(_same(left, one) for one in right) if isinstance(right, list) else str(left) in str(right) if left != "" else False
            return among if rule[0] == "in" else not among
    one, other = _number(left), _number(right)
    return one is not None and other is not None and _ORDER[rule[0]](one, other)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return _truth(left) == _truth(right)
    if isinstance(left, int | float) or isinstance(right, int | float):
        one, other = _number(left), _number(right)
        return one is not None and one == other
    return left == right


def _truth(value: Any) -> bool:
    return value not in ("", None, False, 0) and value != []


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool | list) or value in ("", None):
        return None
    try:
        number = Decimal(str(value).replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
