"""The types of a model: the simple ones of FEEL and the item definitions built from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from bpmn.dmn.errors import Undefined
from bpmn.dmn.meter import spend
from bpmn.dmn.temporal import read_date, read_datetime, read_duration, read_time
from bpmn.dmn.values import Function, Range, as_datetime, kind

if TYPE_CHECKING:
    from bpmn.dmn.run import Run


@dataclass(slots=True)
class Type:
    """`shape` is any, simple, list, context, function or range; `item` is of what a list or range is, or what a function answers."""

    shape: str
    name: str = ""
    item: Type | None = None
    fields: dict[str, Type] = field(default_factory=dict)
    allowed: Any = None
    """Tests (a node with `matches`) that every value must pass; on a list, each item."""
    allowed_text: str = ""
    constraint: Any = None
    """Tests that the whole value must pass; on a list, the list itself."""

    def label(self) -> str:
        if self.name:
            return self.name
        if self.shape == "list" and self.item:
            return f"list<{self.item.label()}>"
        return self.shape


ANY = Type("any", "Any")
_SIMPLE = ("number", "string", "boolean", "date", "time", "date and time", "days and time duration", "years and months duration")
_OTHER_NAMES = {
    "datetime": "date and time",
    "daytimeduration": "days and time duration",
    "yearmonthduration": "years and months duration",
    "integer": "number",
    "int": "number",
    "long": "number",
    "double": "number",
    "decimal": "number",
    "float": "number",
    "short": "number",
    "text": "string",
    "bool": "boolean",
    "dateandtime": "date and time",
    "daysandtimeduration": "days and time duration",
    "yearsandmonthsduration": "years and months duration",
}
BUILT_IN: dict[str, Type] = {name: Type("simple", name) for name in _SIMPLE}
BUILT_IN |= {
    "Any": ANY,
    "any": ANY,
    "context": Type("context", "context"),
    "list": Type("list", "list", item=ANY),
    "function": Type("function", "function"),
    "range": Type("range", "range"),
    "Null": Type("simple", "null"),
}


class Types:
    """Item definitions by name, over the built-in types."""

    def __init__(self, defined: dict[str, Type] | None = None) -> None:
        self.defined = defined if defined is not None else {}

    def named(self, reference: str | None) -> Type | None:
        """The type that a typeRef means; None when nothing of that name is known."""
        if not reference:
            return ANY
        name = " ".join(reference.split())
        found = self.defined.get(name) or BUILT_IN.get(name)
        if found is None and ":" in name:
            name = name.rpartition(":")[2]
            found = self.defined.get(name) or BUILT_IN.get(name)
        if found is None:
            other = _OTHER_NAMES.get(name.replace(" ", "").lower())
            found = BUILT_IN[other] if other else BUILT_IN.get(name.lower())
        return found

    def written(self, spelled: Any) -> Type | None:
        """The type that an expression writes, such as `list<number>`; `spelled` comes from the parser."""
        if isinstance(spelled, str):
            return self.named(spelled)
        shape, *rest = spelled
        if shape == "list" or shape == "range":
            item = self.written(rest[0])
            return Type(shape, item=item) if item else None
        if shape == "context":
            fields = {name: self.written(part) for name, part in rest[0].items()}
            return Type("context", fields={name: part or ANY for name, part in fields.items()})
        return BUILT_IN["function"]


def conforms(value: Any, wanted: Type) -> bool:
    """Whether a value is of a type, as `instance of` asks; allowed values are not looked at."""
    if wanted.shape == "any":
        return value is not None
    if wanted.shape == "simple":
        return kind(value) == wanted.name
    if wanted.shape == "list":
        item = wanted.item or ANY
        spend(1)
        return isinstance(value, list) and (item.shape == "any" or all(element is None or conforms(element, item) for element in value))
    if wanted.shape == "context":
        if not isinstance(value, dict):
            return False
        return all(name in value and (value[name] is None or conforms(value[name], part)) for name, part in wanted.fields.items())
    if wanted.shape == "range":
        if not isinstance(value, Range):
            return False
        ends = [end for end in (value.start, value.end) if end is not None]
        return wanted.item is None or all(conforms(end, wanted.item) for end in ends)
    return isinstance(value, Function)


def coerce(value: Any, wanted: Type, run: Run | None = None) -> Any:
    """The value as the type wants it: one item ↔ a list of one, a date as date and time. Undefined when it does not fit."""
    if value is None or wanted.shape == "any":
        return value
    if wanted.shape == "list":
        items = value if isinstance(value, list) else [value]
        spend(1 + len(items) // 4)
        return _allowed([coerce(item, wanted.item or ANY, run) for item in items], wanted, run)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return None
    if wanted.shape == "context" and wanted.fields:
        if not isinstance(value, dict):
            raise Undefined(f"{kind(value)} where a {wanted.label()} is needed")
        for name in wanted.fields:
            if name not in value:
                raise Undefined(f"there is no “{name}” in the context")
        return _allowed({**value, **{name: coerce(value[name], part, run) for name, part in wanted.fields.items()}}, wanted, run)
    if wanted.name == "date and time" and kind(value) == "date":
        value = as_datetime(value)
    if not conforms(value, wanted):
        raise Undefined(f"{kind(value)} where a {wanted.label()} is needed")
    return _allowed(value, wanted, run)


def _allowed(value: Any, wanted: Type, run: Run | None) -> Any:
    if run is None or (wanted.allowed is None and wanted.constraint is None):
        return value
    from bpmn.dmn.run import Scope

    if wanted.constraint is not None and not wanted.constraint.matches(value, Scope(run, {})):
        raise Undefined(f"{value!s:.60} does not keep to {wanted.constraint.text}")
    if wanted.allowed is None:
        return value
    for item in value if wanted.shape == "list" else [value]:
        if item is not None and not wanted.allowed.matches(item, Scope(run, {})):
            raise Undefined(f"{item!s:.60} is not among the allowed values {wanted.allowed_text}")
    return value


_READERS = {
    "date": read_date,
    "time": read_time,
    "date and time": read_datetime,
    "days and time duration": read_duration,
    "years and months duration": read_duration,
}


def admit(value: Any, wanted: Type, run: Run | None = None) -> Any:
    """As `coerce`, for what comes from outside: there dates and durations often arrive as text, and components are left out."""
    if isinstance(value, str) and wanted.shape == "simple" and wanted.name in _READERS:
        value = _READERS[wanted.name](value)
    elif isinstance(value, datetime) and wanted.name == "date":
        value = date(value.year, value.month, value.day)
    elif isinstance(value, dict) and wanted.shape == "context" and wanted.fields:
        value = {**dict.fromkeys(wanted.fields), **{name: admit(item, wanted.fields.get(name, ANY)) for name, item in value.items()}}
    elif value is not None and wanted.shape == "list" and wanted.item:
        value = [admit(item, wanted.item) for item in (value if isinstance(value, list) else [value])]
    elif isinstance(value, list) and len(value) == 1 and wanted.shape in ("simple", "context"):
        return admit(value[0], wanted, run)
    return coerce(value, wanted, run)
