"""Published processes for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, IntegerField, OuterRef, Subquery

from bpmn.model import DeployRefused
from portal.access import Actor
from portal.selectors import names_of
from workflows import definitions as loaded
from workflows.access import visible_definitions, visible_instances
from workflows.models import ProcessDefinition, ProcessInstance, StartCondition, StartTimer

CAP = 1000  # as many instances are counted; beyond it is said that there are more
STATUS = ProcessInstance.Status


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """One version of a process."""

    id: int
    key: str
    version: int
    name: str
    documentation: str
    note: str
    source: str
    published: datetime
    published_by: str
    is_current: bool
    running: int
    ended: int
    incidents: int
    startable_by: tuple[str, ...]
    subject_kind: str
    for_customer: bool
    for_partner: bool
    start_fails: bool = False  # what should have begun one by the clock or by a condition failed lately
    most: int = CAP  # what counts more than this is “more than”


class Counted(Subquery):
    """How many rows a subquery finds, up to its own limit, so that counting costs the same however many there are."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def _counted(rows):
    def some(**which):
        found = ProcessInstance.objects.filter(definition=OuterRef("pk"), **which).order_by()
        return Counted(found.values("pk")[: CAP + 1])

    return rows.defer("xml", "decisions").annotate(
        running=some(status=STATUS.RUNNING),
        ended=some(status__in=[STATUS.COMPLETED, STATUS.FAILED, STATUS.CANCELLED]),
        incidents=some(has_incident=True),
        start_fails=Exists(StartTimer.objects.filter(definition=OuterRef("pk")).exclude(last_error=""))
        | Exists(StartCondition.objects.filter(definition=OuterRef("pk")).exclude(last_error="")),
    )


def running_count(actor: Actor, key: str) -> int:
    """How many instances of a process run, of whatever version: whom publishing another one leaves as they are."""
    return visible_instances(actor).filter(key=key, status=STATUS.RUNNING).count()


def _views(rows) -> list[DefinitionView]:
    rows = list(rows)
    names = names_of(row.published_by_id for row in rows)
    return [
        DefinitionView(
            row.pk,
            row.key,
            row.version,
            row.name,
            row.documentation,
            row.note,
            row.source,
            row.published,
            names.get(row.published_by_id or 0, ""),
            row.is_current,
            row.running,
            row.ended,
            row.incidents,
            tuple(row.startable_by),
            row.subject_kind,
            row.for_customer,
            row.for_partner,
            row.start_fails,
        )
        for row in rows
    ]


def definitions(actor: Actor) -> list[DefinitionView]:
    """The current version of every process, by name; `running`, `ended` and `incidents` count that version's instances."""
    return _views(_counted(visible_definitions(actor).filter(is_current=True)).order_by("name"))


def versions(actor: Actor, key: str) -> list[DefinitionView]:
    """All versions of a process, newest first."""
    return _views(_counted(visible_definitions(actor).filter(key=key)).order_by("-version"))


def definition_detail(actor: Actor, key: str, version: int | None = None) -> DefinitionView | None:
    """One version of a process, the current one by default; None where there is none."""
    rows = visible_definitions(actor).filter(key=key)
    rows = rows.filter(version=version) if version else rows.filter(is_current=True)
    return next(iter(_views(_counted(rows))), None)


def definition_xml(actor: Actor, definition_id: int) -> bytes | None:
    """The drawing of a version."""
    row = visible_definitions(actor).filter(pk=definition_id).only("xml").first()
    return bytes(row.xml) if row else None


def definition_decisions(actor: Actor, key: str) -> dict[str, bytes]:
    """The decision tables of a process's current version, by file name."""
    row = visible_definitions(actor).filter(key=key, is_current=True).only("decisions").first() if key else None
    return {name: text.encode() for name, text in row.decisions.items()} if row else {}


def startable(actor: Actor, subject_kind: str = "") -> list[tuple[str, str]]:
    """Key and name of the processes that the actor may start by hand, for a kind of record or for none; not of those that only a message,
    the clock or a condition starts."""
    rows = ProcessDefinition.objects.filter(is_current=True).only("key", "name", "startable_by", "subject_kind", "digest")
    return [
        (row.key, row.name)
        for row in rows.order_by("name")
        if actor.roles & set(row.startable_by) and (not row.subject_kind or row.subject_kind == subject_kind)
        if _begins_by_hand(row.digest)
    ]


def _begins_by_hand(digest: str) -> bool:
    """Whether a version has a plain start; one that is refused by now has none."""
    try:
        return any(start.event == "none" for start in loaded.load(digest).start_events)
    except DeployRefused:
        return False


def element_words(actor: Actor, key: str, element_id: str) -> str:
    """What an element of a process's current version is called; its id where there is none."""
    row = visible_definitions(actor).filter(key=key, is_current=True).only("digest").first() if key else None
    element = loaded.element_of(row.digest, element_id) if row else None
    return (element.name if element else "") or element_id


class ProcessChoice(NamedTuple):
    """A current process to choose, with the kind of record that it is about."""

    key: str
    name: str
    subject_kind: str
    version: int


def process_choices(actor: Actor) -> list[ProcessChoice]:
    """The current processes by name, without their instances being counted."""
    rows = visible_definitions(actor).filter(is_current=True).order_by("name")
    return list(map(ProcessChoice._make, rows.values_list(*ProcessChoice._fields)))


def step_choices(key: str) -> list[tuple[str, str]]:
    """The human steps of a process's current version, in the order of the diagram."""
    row = loaded.current(key)
    if row is None:
        return []
    return [(element.id, element.name or element.id) for element in loaded.load(row.digest).elements.values() if element.is_human]
