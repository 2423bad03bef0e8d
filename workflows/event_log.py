"""The event log of the processes, for mining tools: XES (IEEE 1849-2016) and OCEL 2.0 (JSON), streamed.

An event is one completed step of an instance's history. A case of XES is an instance. OCEL relates each event to its instance, its
task, the records the instance is about, and the customer (account) and partner it serves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from xml.sax.saxutils import quoteattr

from django.db.models import QuerySet

from portal.access import Actor
from portal.registry import SubjectRef, registry
from portal.selectors import organisations
from workflows.models import HistoryEvent, HumanTask, ProcessInstance
from workflows.selectors.monitor import InstanceFilter, matching

CHUNK = 500  # instances read at a time
ROUTING = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway")
FORMATS = {"xes": ("application/xml", "xes"), "ocel": ("application/json", "jsonocel")}


@dataclass(frozen=True, slots=True)
class LogFilter(InstanceFilter):
    """Which instances, and whether routing (gateways) counts as events. `since` and `until` bound the start of an instance."""

    since: datetime | None = None
    until: datetime | None = None
    routing: bool = False


def cases(actor: Actor, wanted: LogFilter) -> QuerySet[ProcessInstance]:
    """The instances of the log, by id: what the actor, an employee, sees of what the filter asks for."""
    rows = matching(actor, wanted) if actor.is_internal else ProcessInstance.objects.none()
    if wanted.since:
        rows = rows.filter(started__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(started__lt=wanted.until)
    return rows.defer("state", "data", "waits").order_by("pk")


def _chunks(rows: QuerySet[ProcessInstance]) -> Iterator[list[ProcessInstance]]:
    """The instances in pieces, each piece found by the last id: no long cursor, and nothing is read twice."""
    last = 0
    while piece := list(rows.filter(pk__gt=last).select_related("definition").defer("definition__xml", "state", "data", "waits")[:CHUNK]):
        yield piece
        last = piece[-1].pk


def _events(piece: list[ProcessInstance], wanted: LogFilter) -> Iterator[tuple[ProcessInstance, list[HistoryEvent]]]:
    """Each instance with its completed steps in the order in which they ended."""
    steps = HistoryEvent.objects.filter(instance__in=[case.pk for case in piece], state="completed")
    if not wanted.routing:
        steps = steps.exclude(kind__in=ROUTING)
    found = steps.defer("data_delta", "detail").order_by("instance_id", "ended", "pk")
    of_case = {key: list(lines) for key, lines in groupby(found, key=lambda line: line.instance_id)}
    for case in piece:
        yield case, of_case.get(case.pk, [])


def _name(step: HistoryEvent) -> str:
    return step.name or step.element_id


# ---------------------------------------------------------------- XES

_EXTENSIONS = [
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
]


def _attribute(key: str, value: Any) -> str:
    """One XES attribute, or nothing for nothing."""
    match value:
        case None | "":
            return ""
        case bool():
            kind, text = "boolean", str(value).lower()
        case int():
            kind, text = "int", str(value)
        case datetime():
            kind, text = "date", value.isoformat(timespec="milliseconds")
        case _:
            kind, text = "string", _xml_text(str(value))
    return f"<{kind} key={quoteattr(key)} value={quoteattr(text)}/>"


def _xml_text(text: str) -> str:
    """Without the control characters that XML can't hold."""
    return "".join(sign for sign in text if sign in "\t\n\r" or " " <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign > "\uffff")


def xes(actor: Actor, wanted: LogFilter) -> Iterator[str]:
    """The log as XES, in pieces of text."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">\n'
    for name, prefix, uri in _EXTENSIONS:
        yield f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
    yield '<global scope="trace"><string key="concept:name" value="case"/></global>\n'
    yield '<global scope="event"><string key="concept:name" value="step"/>'
    yield '<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>'
    yield '<string key="lifecycle:transition" value="complete"/></global>\n<classifier name="Step" keys="concept:name"/>\n'
    for piece in _chunks(cases(actor, wanted)):
        for case, steps in _events(piece, wanted):
            yield "".join(_trace(case, steps))
    yield "</log>\n"


def _trace(case: ProcessInstance, steps: list[HistoryEvent]) -> Iterator[str]:
    facts = {
        "concept:name": str(case.pk),
        "title": case.title,
        "process": case.key,
        "version": case.definition.version,
        "status": case.status,
        "started": case.started,
        "ended": case.ended,
        "end_reason": case.end_reason,
    }
    yield "<trace>" + "".join(_attribute(key, value) for key, value in facts.items())
    for step in steps:
        facts = {
            "concept:name": _name(step),
            "concept:instance": step.engine_id,
            "lifecycle:transition": "complete",
            "time:timestamp": step.ended,
            "start_timestamp": step.started,
            "org:resource": step.actor_name,
            "org:role": step.audience,
            "element": step.element_id,
            "kind": step.kind,
            "action": step.action,
            "reason": step.reason,
        }
        yield "<event>" + "".join(_attribute(key, value) for key, value in facts.items()) + "</event>"
    yield "</trace>\n"


# ---------------------------------------------------------------- OCEL 2.0

_OBJECTS = {"instance": ["title", "process", "version", "status"], "task": ["name", "status", "audience"]}
_EVENT_ATTRIBUTES = ["started", "element", "kind", "resource", "audience", "action", "reason"]


def ocel(actor: Actor, wanted: LogFilter) -> Iterator[str]:
    """The log as OCEL 2.0 JSON, in pieces of text: types, then objects, then events."""
    rows = cases(actor, wanted)
    kinds = sorted(registry.subjects)
    types = [*_OBJECTS.items(), *((kind, ["title"]) for kind in kinds), ("account", ["name"]), ("partner", ["name"])]
    objects_of_type = [{"name": name, "attributes": [_declared(a) for a in attributes]} for name, attributes in types]
    events_of_type = [{"name": name, "attributes": [_declared(a) for a in _EVENT_ATTRIBUTES]} for name in _step_names(rows, wanted)]
    yield '{"objectTypes": ' + json.dumps(objects_of_type) + ',\n"eventTypes": ' + json.dumps(events_of_type)
    yield ',\n"objects": ['
    yield from _joined(_objects(actor, rows))
    yield '],\n"events": ['
    yield from _joined(event for piece in _chunks(rows) for event in _ocel_events(piece, wanted))
    yield "]}\n"


def _declared(name: str) -> dict[str, str]:
    return {"name": name, "type": {"version": "integer", "started": "time"}.get(name, "string")}


def _joined(things: Iterator[dict[str, Any]]) -> Iterator[str]:
    lead = "\n"
    for thing in things:
        yield lead + json.dumps(thing)
        lead = ",\n"


def _step_names(rows: QuerySet[ProcessInstance], wanted: LogFilter) -> list[str]:
    steps = HistoryEvent.objects.filter(instance__in=rows.order_by().values("pk"), state="completed")
    if not wanted.routing:
        steps = steps.exclude(kind__in=ROUTING)
    named = steps.order_by().values_list("name", "element_id").distinct()
    return sorted({name or element_id for name, element_id in named})


def _objects(actor: Actor, rows: QuerySet[ProcessInstance]) -> Iterator[dict[str, Any]]:
    """Every object once: instances with their relations, their tasks, and the records and organisations they name."""
    told: set[str] = set()
    for piece in _chunks(rows):
        refs = {SubjectRef.parse(text) for case in piece for text in case.subjects}
        served = {i for case in piece for i in (case.customer_organisation_id, case.partner_organisation_id) if i}
        seen, companies = registry.resolve_many(actor, refs), organisations(served)
        for case in piece:
            for kind, key, name in _named(case, seen, companies):
                if key not in told:
                    told.add(key)
                    yield _object(key, kind, case.started, {"name" if kind in ("account", "partner") else "title": name})
            facts = {"title": case.title, "process": case.key, "version": case.definition.version, "status": case.status}
            yield _object(f"instance:{case.pk}", "instance", case.started, facts, _relations(case))
        for task in HumanTask.objects.filter(instance__in=[case.pk for case in piece]).defer("data", "loop_item").order_by("pk"):
            facts = {"name": task.name, "status": task.status, "audience": task.audience}
            belongs = [{"objectId": f"instance:{task.instance_id}", "qualifier": "of"}]
            yield _object(f"task:{task.pk}", "task", task.created, facts, belongs)


def _named(case: ProcessInstance, seen: dict, companies: dict) -> Iterator[tuple[str, str, str]]:
    """Type, id and title of what an instance is about; a record that the reader may not see keeps its id alone."""
    for text in case.subjects:
        ref = SubjectRef.parse(text)
        yield ref.kind, text, seen[ref].title if ref in seen else ""
    for kind, pk in (("account", case.customer_organisation_id), ("partner", case.partner_organisation_id)):
        if pk:
            yield kind, f"{kind}:{pk}", companies[pk].name if pk in companies else ""


def _relations(case: ProcessInstance) -> list[dict[str, str]]:
    related = [{"objectId": text, "qualifier": "about"} for text in case.subjects]
    for kind, pk in (("account", case.customer_organisation_id), ("partner", case.partner_organisation_id)):
        if pk:
            related.append({"objectId": f"{kind}:{pk}", "qualifier": "for"})
    return related


def _object(key: str, kind: str, at: datetime, facts: dict[str, Any], related: list[dict[str, str]] | None = None) -> dict[str, Any]:
    values = [{"name": name, "time": at.isoformat(), "value": value} for name, value in facts.items()]
    return {"id": key, "type": kind, "attributes": values, "relationships": related or []}


def _ocel_events(piece: list[ProcessInstance], wanted: LogFilter) -> Iterator[dict[str, Any]]:
    tasks = dict(HumanTask.objects.filter(instance__in=[case.pk for case in piece]).values_list("engine_id", "pk"))
    for case, steps in _events(piece, wanted):
        of_case = [{"objectId": f"instance:{case.pk}", "qualifier": "case"}, *_relations(case)]
        for step in steps:
            facts = {
                "started": step.started.isoformat(),
                "element": step.element_id,
                "kind": step.kind,
                "resource": step.actor_name,
                "audience": step.audience,
                "action": step.action,
                "reason": step.reason,
            }
            own = [{"objectId": f"task:{tasks[step.engine_id]}", "qualifier": "done"}] if step.engine_id in tasks else []
            yield {
                "id": f"step:{step.pk}",
                "type": _name(step),
                "time": step.ended.isoformat(),
                "attributes": [{"name": name, "value": value} for name, value in facts.items() if value],
                "relationships": of_case + own,
            }


def export(actor: Actor, wanted: LogFilter, form: str) -> Iterator[str]:
    """The log in `form`, xes or ocel. Raises ValueError for another."""
    if form not in FORMATS:
        raise ValueError(f"no such format: {form}")
    return xes(actor, wanted) if form == "xes" else ocel(actor, wanted)
