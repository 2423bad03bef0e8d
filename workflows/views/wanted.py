"""The inbox's filter as an address says it: read, written, and carried along to the task that is opened from the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from portal.numbers import whole_number
from workflows.selectors.desk import BOXES, DUES, SORTS, InboxFilter

WORKED_THROUGH = ("todo", "mine", "group", "received", "snoozed")  # boxes whose next task opens when one is done


def _one_of(value: str, known: tuple[str, ...], default: str) -> str:
    return value if value in known else default


def read_filter(query: Mapping[str, Any], offset: int = 0) -> InboxFilter:
    """What an address asks for; anything that isn't known is left out."""

    def text(name: str, most: int = 100) -> str:
        return str(query.get(name, "")).replace("\x00", "").strip()[:most]

    person = text("person", 12)
    return InboxFilter(
        box=_one_of(text("box"), BOXES, "todo"),
        text=text("q"),
        sort=_one_of(text("sort"), SORTS, "due"),
        process=text("process"),
        step=text("step", 150) if text("process") else "",
        about=text("about", 40),
        due="late" if text("late") == "yes" else _one_of(text("due"), DUES, ""),
        person=whole_number(person) or 0,
        group=text("group", 40),
        offset=offset,
    )


def write_filter(wanted: InboxFilter, **changes: Any) -> str:
    """The address's query for a filter, without what is usual anyway."""
    values = {
        "box": wanted.box if wanted.box != "todo" else "",
        "q": wanted.text,
        "sort": wanted.sort if wanted.sort != "due" else "",
        "process": wanted.process,
        "step": wanted.step,
        "about": wanted.about,
        "due": wanted.due,
        "person": wanted.person or "",
        "group": wanted.group,
    }
    return urlencode({name: value for name, value in (values | changes).items() if value not in ("", None)})


def to_work_through(wanted: InboxFilter) -> InboxFilter:
    """The list whose next task opens when one is done: the one that is looked at, where its tasks are the reader's to do."""
    if wanted.box in WORKED_THROUGH:
        return wanted
    return InboxFilter(sort=wanted.sort) if wanted.box != "all" else InboxFilter(**{**_fields(wanted), "box": "todo"})


def _fields(wanted: InboxFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in InboxFilter.__dataclass_fields__}
