"""Published processes as the engine reads them: parsed once a process, shared, found by digest."""

from __future__ import annotations

import functools

from bpmn.model import Definition, Element
from bpmn.parser import parse
from portal import rows
from workflows.models import ProcessDefinition


@functools.lru_cache(maxsize=512)
def load(digest: str) -> Definition:
    """The checked definition behind a digest. A digest names one content for ever, so it may be kept."""
    return parsed(ProcessDefinition.objects.get(digest=digest))


def parsed(row: ProcessDefinition) -> Definition:
    """Read a stored version, with the versions of the processes it calls that it was published with."""
    called = {}
    if row.called:
        called = {d.key: bytes(d.xml) for d in ProcessDefinition.objects.filter(pk__in=row.called.values())}
    decisions = {name: text.encode() for name, text in row.decisions.items()}
    return parse(bytes(row.xml), decisions=decisions, called=called)


def element_of(digest: str, element_id: str) -> Element | None:
    """An element of a published process, or None where a later reading doesn't know it."""
    return load(digest).elements.get(element_id)


_CURRENT = rows.Prepared(
    lambda key: ProcessDefinition.objects.filter(key=key, is_current=True).defer("xml", "decisions", "called", "documentation"), "?key?"
)


def current(key: str) -> ProcessDefinition | None:
    """The version that new instances start with."""
    return _CURRENT.first(key)
