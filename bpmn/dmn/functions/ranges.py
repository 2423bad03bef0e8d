"""How points and intervals lie to one another (Allen's relations), and `range("[1..5]")`."""

from __future__ import annotations

from typing import Any

from bpmn.dmn.errors import FeelSyntaxError, Undefined
from bpmn.dmn.functions.library import builtin
from bpmn.dmn.run import Run, Scope
from bpmn.dmn.values import Range, compare, equal, kind


def _less(left: Any, right: Any, operator: str = "<") -> bool:
    result = compare(operator, left, right)
    if result is None:
        raise Undefined(f"{kind(left)} and {kind(right)} cannot be compared")
    return result


def _same(left: Any, right: Any) -> bool:
    return equal(left, right) is True


def _two(first: Any, second: Any) -> tuple[Range, Range]:
    if not isinstance(first, Range) or not isinstance(second, Range) or any(r.no_start or r.no_end for r in (first, second)):
        raise Undefined("two closed intervals are needed")
    return first, second


def _point(value: Any) -> Any:
    if value is None or isinstance(value, (Range, list)):
        raise Undefined("a point is needed")
    return value


@builtin("before", "point1", "point2")
def before(run: Run, first: Any, second: Any) -> bool:
    """Ends before the other starts; both may be points."""
    end, end_in = (first.end, first.end_included) if isinstance(first, Range) else (_point(first), True)
    start, start_in = (second.start, second.start_included) if isinstance(second, Range) else (_point(second), True)
    return _less(end, start) or (_same(end, start) and not (end_in and start_in))


@builtin("after", "point1", "point2")
def after(run: Run, first: Any, second: Any) -> bool:
    return before(run, second, first)


@builtin("meets", "range1", "range2")
def meets(run: Run, first: Any, second: Any) -> bool:
    a, b = _two(first, second)
    return a.end_included and b.start_included and _same(a.end, b.start)


@builtin("met by", "range1", "range2")
def met_by(run: Run, first: Any, second: Any) -> bool:
    return meets(run, second, first)


@builtin("overlaps", "range1", "range2")
def overlaps(run: Run, first: Any, second: Any) -> bool:
    a, b = _two(first, second)
    return not before(run, a, b) and not before(run, b, a)


def _starts_before(a: Range, b: Range) -> bool:
    return _less(a.start, b.start) or (_same(a.start, b.start) and a.start_included and not b.start_included)


def _ends_before(a: Range, b: Range) -> bool:
    return _less(a.end, b.end) or (_same(a.end, b.end) and b.end_included and not a.end_included)


@builtin("overlaps before", "range1", "range2")
def overlaps_before(run: Run, first: Any, second: Any) -> bool:
    a, b = _two(first, second)
    return _starts_before(a, b) and not before(run, a, b) and not _ends_before(b, a)


@builtin("overlaps after", "range1", "range2")
def overlaps_after(run: Run, first: Any, second: Any) -> bool:
    return overlaps_before(run, second, first)


@builtin("finishes", "point", "range")
def finishes(run: Run, first: Any, second: Any) -> bool:
    if not isinstance(second, Range):
        raise Undefined("an interval is needed")
    if not isinstance(first, Range):
        return second.end_included and not _less(_point(first), second.end) and _same(first, second.end)
    a, b = _two(first, second)
    return a.end_included == b.end_included and _same(a.end, b.end) and not _starts_before(a, b)


@builtin("finished by", "range", "point")
def finished_by(run: Run, first: Any, second: Any) -> bool:
    return finishes(run, second, first)


@builtin("includes", "range", "point")
def includes(run: Run, first: Any, second: Any) -> bool:
    if not isinstance(first, Range):
        raise Undefined("an interval is needed")
    if not isinstance(second, Range):
        inside = first.contains(_point(second))
        if inside is None:
            raise Undefined("they cannot be compared")
        return inside
    a, b = _two(first, second)
    return not _starts_before(b, a) and not _ends_before(a, b)


@builtin("during", "point", "range")
def during(run: Run, first: Any, second: Any) -> bool:
    return includes(run, second, first)


@builtin("starts", "point", "range")
def starts(run: Run, first: Any, second: Any) -> bool:
    if not isinstance(second, Range):
        raise Undefined("an interval is needed")
    if not isinstance(first, Range):
        return second.start_included and not _less(second.start, _point(first)) and _same(first, second.start)
    a, b = _two(first, second)
    return a.start_included == b.start_included and _same(a.start, b.start) and not _ends_before(b, a)


@builtin("started by", "range", "point")
def started_by(run: Run, first: Any, second: Any) -> bool:
    return starts(run, second, first)


@builtin("coincides", "point1", "point2")
def coincides(run: Run, first: Any, second: Any) -> bool:
    if isinstance(first, Range) != isinstance(second, Range):
        raise Undefined("two points or two intervals are needed")
    if isinstance(first, Range):
        return first == second
    _less(first, second)
    return _same(first, second)


@builtin("range", "from:string")
def range_(run: Run, text: str) -> Range:
    """An interval read from text; its ends are literals only, and one of them may be missing where it is excluded: `[5..)`."""
    text = text.strip()
    if len(text) > 200:
        raise Undefined("the text is not an interval")
    if text[:1] in ("(", "]") and text[1:].lstrip().startswith(".."):
        return Range(None, _end(run, text[1:-1].lstrip()[2:]), False, _closes(text), no_start=True)
    if text[-1:] in (")", "[") and text[:-1].rstrip().endswith(".."):
        return Range(_end(run, text[1:-1].rstrip()[:-2]), None, _opens(text), False, no_end=True)
    node = _node(text)
    value = node.ev(Scope(run, {}, lenient=True)) if _is_literal(node) or _has_literal_ends(node) else None
    if not isinstance(value, Range) or value.no_start or value.no_end:
        raise Undefined("the text is not an interval between literals")
    return value


def _opens(text: str) -> bool:
    if text[:1] not in ("(", "]", "["):
        raise Undefined("the text is not an interval")
    return text[0] == "["


def _closes(text: str) -> bool:
    if text[-1:] not in (")", "[", "]"):
        raise Undefined("the text is not an interval")
    return text[-1] == "]"


def _node(text: str) -> Any:
    from bpmn.dmn.parser import parse_expression

    try:
        return parse_expression(text)
    except FeelSyntaxError:
        raise Undefined("the text is not an interval") from None


def _end(run: Run, text: str) -> Any:
    """The one end of an interval that has only one."""
    node = _node(text)
    value = node.ev(Scope(run, {}, lenient=True)) if _is_literal(node) else None
    if value is None or compare("<=", value, value) is None:
        raise Undefined("the end of an interval is a literal that has an order")
    return value


def _is_literal(node: Any) -> bool:
    """A number, text or `@"…"`, or a date, time or duration of one text."""
    from bpmn.dmn.control import Call
    from bpmn.dmn.nodes import Literal, Name

    if isinstance(node, Call) and isinstance(node.callee, Name) and node.callee.name in ("date", "time", "date and time", "duration"):
        return all(isinstance(argument, Literal) for argument in node.arguments)
    return isinstance(node, Literal)


def _has_literal_ends(node: Any) -> bool:
    from bpmn.dmn.nodes import RangeNode

    return isinstance(node, RangeNode) and _is_literal(node.start) and _is_literal(node.end)
