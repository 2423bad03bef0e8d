"""Publishing processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from lxml import etree

from bpmn.model import Definition, DeployRefused, Problem, StartEvent
from bpmn.parser import parse
from bpmn.sandbox import draft_run
from bpmn.scripts import names_in
from bpmn.vendors import translated
from bpmn.xml_safety import read_xml
from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed
from portal.live import ping
from portal.registry import SubjectRef, registry
from workflows import definitions
from workflows.access import WorkflowPermission
from workflows.connector_registry import find_connector
from workflows.models import ProcessDefinition
from workflows.services.start_conditions import watch
from workflows.services.start_timers import schedule

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


@dataclass(frozen=True, slots=True)
class DeployResult:
    """What publishing made. `unchanged`: this very content is the current version already."""

    definition_id: int
    key: str
    version: int
    unchanged: bool


def check(xml: bytes, *, decisions: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = ()) -> Definition:
    """Read a diagram through the whole deploy gate: the engine's, and what this installation offers; drawings of other engines are
    translated first. Raises DeployRefused."""
    xml, _notes = translated(xml)
    definition = parse(xml, decisions=_used(xml, dict(decisions)), called=_sources(_called_rows(xml)))
    problems = list(unknown_names(definition))
    if problems:
        raise DeployRefused(problems)
    return definition


def try_out(
    xml: bytes,
    *,
    decisions: Mapping[str, bytes] | None = None,
    data: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
) -> tuple[Definition, dict[str, Any]]:
    """Run a drawing in memory, in a process of its own, with the given answers by element id and default ones elsewhere; nothing is
    called, sent or stored. Gives the definition and the report of `bpmn.draft`. Raises DeployRefused and EngineError."""
    definition = check(xml, decisions=decisions or {})
    xml, _notes = translated(xml)
    used = _used(xml, dict(decisions or {}))
    return definition, draft_run(xml, decisions=used, called=_sources(_called_rows(xml)), data=data, answers=answers)


def deploy(
    actor: Actor, xml: bytes, *, decisions: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = (), note: str = "", source: str = ""
) -> DeployResult:
    """Publish a diagram as the next version of its process. The same content twice changes nothing; an older content becomes current
    again. Raises DeployRefused with every problem, NotAllowed for those who may not publish."""
    if not actor.can(WorkflowPermission.PUBLISH):
        raise NotAllowed(_("Only process designers publish processes."))
    xml, _notes = translated(xml)
    definition = check(xml, decisions=decisions)
    with transaction.atomic():
        # Not FOR UPDATE: an instance that a timer or condition starts just now refers to its version and holds what comes next here.
        versions = ProcessDefinition.objects.select_for_update(no_key=True).filter(key=definition.key)
        list(versions.values_list("pk", flat=True))
        known = ProcessDefinition.objects.filter(digest=definition.digest).first()
        if known is not None and known.is_current:
            return DeployResult(known.pk, known.key, known.version, True)
        versions.filter(is_current=True).update(is_current=False)
        if known is not None:
            ProcessDefinition.objects.filter(pk=known.pk).update(is_current=True)
            row = known
        else:
            row = _new_row(actor, definition, xml, note, source)
        schedule(row, definition)
        watch(row, definition)
        record(
            actor,
            "process.published",
            SubjectRef("workflows.definition", row.pk),
            after={"key": row.key, "version": row.version, "digest": row.digest},
            reason=note,
        )
        ping("processes:all")
    return DeployResult(row.pk, row.key, row.version, False)


def _new_row(actor: Actor, definition: Definition, xml: bytes, note: str, source: str) -> ProcessDefinition:
    elements = definition.elements.values()
    latest = ProcessDefinition.objects.filter(key=definition.key).aggregate(Max("version"))["version__max"] or 0
    return ProcessDefinition.objects.create(
        key=definition.key,
        version=latest + 1,
        name=definition.name[:200],
        digest=definition.digest,
        xml=xml,
        decisions={name: content.decode() for name, content in definition.decisions.items()},
        called={row.key: row.pk for row in _called_rows(xml)},
        documentation=definition.documentation,
        subject_kind=definition.subject,
        startable_by=list(definition.startable_by),
        starts=[
            [start.event, start.message or start.signal, start.element_id, list(start.correlation)]
            for start in definition.start_events
            if start.event in ("message", "signal")
        ],
        for_customer=any(e.public_label or (e.is_human and e.audience == "customer") for e in elements),
        for_partner=any(e.partner_label or (e.is_human and e.audience == "partner") for e in elements),
        note=note[:300],
        source=source,
        published_by_id=actor.user_id,
    )


def _used(xml: bytes, decisions: dict[str, bytes]) -> dict[str, bytes]:
    """Only the decision files whose decisions the diagram asks for, so that another table's change makes no new version."""
    root = read_xml(xml)
    asked = {node.get("{urn:tandem:bpmn:1}decision") for node in root.iter(f"{BPMN}businessRuleTask")} - {None, ""}
    used = {}
    for name, content in decisions.items():
        ids = {name.removesuffix(".dmn")}
        for node in read_xml(content).iter(etree.Element):
            if etree.QName(node).localname == "decision":
                ids |= {node.get("id", ""), node.get("name", "")}
        if ids & asked:
            used[name] = content
    return used


def _called_rows(xml: bytes) -> list[ProcessDefinition]:
    """The current versions of the processes that a diagram calls, and of those that they call."""
    found: dict[str, ProcessDefinition] = {}
    waiting = _called_keys(xml)
    while waiting:
        rows = ProcessDefinition.objects.filter(key__in=waiting, is_current=True)
        fresh = {row.key: row for row in rows if row.key not in found}
        found |= fresh
        waiting = {key for row in fresh.values() for key in _called_keys(bytes(row.xml))} - found.keys()
    return list(found.values())


def _called_keys(xml: bytes) -> set[str]:
    return {node.get("calledElement") for node in read_xml(xml).iter(f"{BPMN}callActivity")} - {None, ""}


def _sources(rows: list[ProcessDefinition]) -> dict[str, bytes]:
    return {row.key: bytes(row.xml) for row in rows}


def unknown_names(definition: Definition) -> Iterable[Problem]:
    """Names that the engine can't know: connectors and roles of this installation, kinds of record and their fields."""
    for start in definition.start_events:
        if start.event == "conditional":
            yield from _unknown_facts(start)
    for element in definition.elements.values():
        if element.connector:
            known = find_connector(element.connector)
            if known is None:
                yield Problem(
                    element.id,
                    "connector.unknown",
                    _("There is no connector “%(name)s”.") % {"name": element.connector},
                    _("Choose one of the list on the processes page."),
                )
                continue
            missing = [name for name in known.required if name not in element.parameters]
            surplus = [] if known.takes_any else [name for name in element.parameters if name not in known.parameters]
            if missing or surplus:
                yield Problem(
                    element.id,
                    "connector.parameters",
                    _("“%(name)s” doesn't fit its parameters: missing %(missing)s, unknown %(surplus)s.")
                    % {"name": element.connector, "missing": ", ".join(missing) or "—", "surplus": ", ".join(surplus) or "—"},
                    _("It takes: %(all)s.") % {"all": ", ".join(known.parameters) or "—"},
                )
        if element.is_human and element.role:
            role = registry.roles.get(element.role)
            if role is None or role.audience != element.audience:
                yield Problem(
                    element.id,
                    "lane.role",
                    _("There is no role “%(role)s” among the people of this lane.") % {"role": element.role},
                    _("Correct tandem:role of the lane."),
                )


def _unknown_facts(start: StartEvent) -> Iterable[Problem]:
    """What a process can't watch."""
    kind = registry.subjects.get(start.watches)
    if kind is None or not kind.facts:
        known = ", ".join(sorted(one.key for one in registry.subjects.values() if one.facts))
        words = _("There are no records of the kind “%(kind)s” that a process can watch.") % {"kind": start.watches}
        yield Problem(start.element_id, "condition.kind", words, _("Choose one of these for tandem:watches: %(kinds)s.") % {"kinds": known})
    elif strange := sorted(names_in(start.condition) - set(kind.fact_names)):
        words = _("The condition reads %(names)s, which isn't a field of “%(kind)s” that a process can read.")
        yield Problem(
            start.element_id,
            "condition.field",
            words % {"names": ", ".join(f"“{name}”" for name in strange), "kind": kind.label},
            _("It may read: %(names)s.") % {"names": ", ".join(sorted(kind.fact_names))},
        )


def restore_version(actor: Actor, definition_id: int) -> None:
    """Make an older version the current one again; running instances stay with theirs."""
    if not actor.can(WorkflowPermission.PUBLISH):
        raise NotAllowed(_("Only process designers publish processes."))
    with transaction.atomic():
        row = ProcessDefinition.objects.select_for_update(no_key=True).get(pk=definition_id)
        if row.is_current:
            return
        ProcessDefinition.objects.filter(key=row.key, is_current=True).update(is_current=False)
        ProcessDefinition.objects.filter(pk=row.pk).update(is_current=True)
        definition = definitions.load(row.digest)
        schedule(row, definition)
        watch(row, definition)
        after = {"key": row.key, "version": row.version}
        record(actor, "process.restored", SubjectRef("workflows.definition", row.pk), after=after)
        ping("processes:all")
