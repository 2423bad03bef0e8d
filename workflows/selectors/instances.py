"""Running and ended instances: lists, one instance with its history, and what the drawing shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from portal.access import Actor
from portal.registry import SubjectRef, SubjectView, registry
from portal.selectors import names_of, organisations
from workflows import definitions
from workflows.access import WorkflowPermission, visible_instances
from workflows.models import HistoryEvent, HumanTask, Incident, InstanceSubject, OutboxCall, ProcessInstance, Timer
from workflows.plain import in_words
from workflows.selectors.inbox import acted
from workflows.selectors.incidents import IncidentView, incident_views
from workflows.selectors.times import step_times
from workflows.selectors.undo import undo_url
from workflows.templatetags.durations import duration


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance in a list."""

    id: int
    key: str
    title: str
    status: str
    stage: str
    started: datetime
    started_by: str
    ended: datetime | None
    end_reason: str
    has_incident: bool
    subject: SubjectView | None
    subjects: tuple[SubjectRef, ...]
    waits_on: str
    worth: Decimal | None = None  # the money at stake
    worth_currency: str = ""
    customer_organisation_id: int | None = None
    partner_organisation_id: int | None = None


def for_subject(actor: Actor, ref: SubjectRef) -> QuerySet[ProcessInstance]:
    """The instances about a record that the actor may follow. An employee who sees the record sees its processes; an outsider only
    those that serve their own organisation."""
    about = Q(subject_rows__kind=ref.kind, subject_rows__subject_id=ref.id)
    if actor.is_internal and (actor.is_system or registry.resolve(actor, ref) is not None):
        return ProcessInstance.objects.filter(about)
    return visible_instances(actor).filter(about)


def linked_subjects(ref: SubjectRef, limit: int = 20) -> list[SubjectRef]:
    """The other records of the processes about a record, such as the deal and the quote of a request. Not narrowed to any reader: whoever
    shows them resolves each for theirs."""
    about = InstanceSubject.objects.filter(kind=ref.kind, subject_id=ref.id).values("instance_id")
    rows = InstanceSubject.objects.filter(instance_id__in=about).order_by("pk").values_list("kind", "subject_id")
    others = dict.fromkeys(SubjectRef(kind, key) for kind, key in rows[: 4 * limit])
    return [other for other in others if other != ref][:limit]


def instances_for_subject(actor: Actor, ref: SubjectRef) -> list[InstanceRow]:
    """The processes about a record, running ones first, then newest first."""
    rows = for_subject(actor, ref).defer("state", "data", "waits").order_by("-started", "-pk")[:50]
    return sorted(rows_of(actor, list(rows)), key=lambda row: row.status != "running")


def rows_of(actor: Actor, found: list[ProcessInstance]) -> list[InstanceRow]:
    """Instances as rows of a list; a fixed number of queries for any number of them."""
    refs = {row.pk: tuple(SubjectRef.parse(text) for text in row.subjects) for row in found}
    seen = registry.resolve_many(actor, {ref for some in refs.values() for ref in some})
    waiting = waits_on(actor, [row.pk for row in found if row.status == ProcessInstance.Status.RUNNING]) if actor.is_internal else {}
    internal = actor.is_internal
    return [
        InstanceRow(
            id=row.pk,
            key=row.key,
            title=row.title if internal else "",
            status=row.status,
            stage=row.stage if internal else "",
            started=row.started,
            started_by=row.started_by_name if internal else "",
            ended=row.ended,
            end_reason=row.end_reason if internal else "",
            has_incident=row.has_incident and internal,
            subject=next((seen[ref] for ref in reversed(refs[row.pk]) if ref in seen), None),
            subjects=tuple(ref for ref in refs[row.pk] if ref in seen),
            waits_on=waiting.get(row.pk, "") or (_stands_at(row) if internal else ""),
            worth=row.worth if internal and row.worth else None,
            worth_currency=row.worth_currency if internal else "",
            customer_organisation_id=row.customer_organisation_id if internal else None,
            partner_organisation_id=row.partner_organisation_id if internal else None,
        )
        for row in found
    ]


def _stands_at(row: ProcessInstance) -> str:
    """The steps where a live instance stands, where no person has it."""
    if row.status not in (ProcessInstance.Status.RUNNING, ProcessInstance.Status.SUSPENDED):
        return ""
    elements = definitions.load(row.digest).elements
    return ", ".join(dict.fromkeys((elements[e].name if e in elements else "") or e for e in row.active[:3]))


def waits_on(actor: Actor, instance_ids: list[int]) -> dict[int, str]:
    """Whom each instance waits for, in words, for employees; three queries for any number."""
    tasks = list(
        HumanTask.objects.filter(instance_id__in=instance_ids, status=HumanTask.Status.OPEN)
        .only("instance_id", "name", "role", "audience", "assignee_id", "organisation_id")
        .order_by("instance_id", "pk")
    )
    names = names_of(t.assignee_id for t in tasks)
    companies = organisations(t.organisation_id for t in tasks if t.organisation_id)
    told: dict[int, list[str]] = {}
    for task in tasks:
        told.setdefault(task.instance_id, []).append(f"{task.name} · {holder(task, names, companies)}")
    return {pk: "; ".join(words[:3]) + ("…" if len(words) > 3 else "") for pk, words in told.items()}


def holder(task: HumanTask, names: dict[int, str], companies: dict[int, Any]) -> str:
    """Who has a task, for employees: a person, an organisation, or a role."""
    if task.assignee_id and task.assignee_id in names:
        return names[task.assignee_id]
    if task.organisation_id and task.organisation_id in companies:
        return companies[task.organisation_id].name
    role = registry.roles.get(task.role)
    if role is not None:
        return str(role.label)
    from django.utils.translation import gettext as _

    return {"customer": _("Customer"), "partner": _("Partner")}.get(task.audience, _("Employees"))


OPERATIONS = {  # what an operator did, by the state of its line
    "suspended": gettext_lazy("Held"),
    "resumed": gettext_lazy("Let go on"),
    "changed": gettext_lazy("Moved by hand"),
    "migrated": gettext_lazy("Taken to another version"),
    "corrected": gettext_lazy("Values corrected"),
    "begun_here": gettext_lazy("Begun at a step, like another"),
}


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One line of an instance's history."""

    element_id: str
    name: str
    kind: str
    state: str
    at: datetime
    started: datetime
    who: str
    audience: str
    action: str
    reason: str
    detail: dict[str, Any] | None
    delta: dict[str, Any] | None
    took: timedelta | None = None  # how long the step took, where it took any time
    changed: tuple[tuple[str, Any, Any], ...] = ()  # name, before, after: what an operator or the step changed
    undo: str = ""
    told: str = ""  # how an outsider said it, where an employee did it for them


@dataclass(frozen=True, slots=True)
class InstanceDetail:
    """One instance's page, for employees."""

    row: InstanceRow
    definition_id: int
    definition_name: str
    version: int
    subjects: list[SubjectView]
    history: list[HistoryView]
    data: dict[str, Any] | None  # None for those who may not see it
    incidents: list[IncidentView]
    timers: list[tuple[str, datetime]]
    calls: list[OutboxCall]
    customer_name: str
    partner_name: str
    can_operate: bool


def instance_detail(actor: Actor, instance_id: int) -> InstanceDetail | None:
    """Everything about an instance, or None where the actor, an employee, doesn't see it. Outsiders have roads instead."""
    if not actor.is_internal:
        return None
    found = visible_instances(actor).select_related("definition").defer("state", "definition__xml").filter(pk=instance_id).first()
    if found is None:
        return None
    may_see_data, may_operate = actor.can(WorkflowPermission.VIEW_DATA), actor.can(WorkflowPermission.OPERATE)
    [row] = rows_of(actor, [found])
    definition = definitions.load(found.digest)
    seen = registry.resolve_many(actor, [SubjectRef.parse(text) for text in found.subjects])
    companies = organisations(i for i in (found.customer_organisation_id, found.partner_organisation_id) if i)
    customer, partner = companies.get(found.customer_organisation_id or 0), companies.get(found.partner_organisation_id or 0)
    timers = Timer.objects.filter(instance=found).order_by("due")
    name_of = lambda element_id: definition.elements[element_id].name if element_id in definition.elements else element_id  # noqa: E731
    lines = HistoryEvent.objects.filter(instance=found).order_by("-ended", "-pk")
    return InstanceDetail(
        row=row,
        definition_id=found.definition_id,
        definition_name=found.definition.name,
        version=found.definition.version,
        subjects=list(seen.values()),
        history=[
            _history(line, may_see_data, before, may_operate)
            for line, before in _with_before(list(lines[:300]))
            if _says_something(line, may_see_data)
        ],
        data=found.data if may_see_data else None,
        incidents=incident_views(Incident.objects.filter(instance=found).order_by("-raised"), may_see_data),
        timers=[(name_of(t.element_id) or t.element_id, t.due) for t in timers],
        calls=list(OutboxCall.objects.filter(instance=found).order_by("-pk")[:50]) if may_see_data else [],
        customer_name=customer.name if customer else "",
        partner_name=partner.name if partner else "",
        can_operate=may_operate,
    )


def _says_something(line: HistoryEvent, may_see_data: bool) -> bool:
    """Whether a line tells a reader anything: a gateway does by its reason alone."""
    if not line.kind.endswith("Gateway") or line.state != "completed":
        return True
    if not may_see_data:
        return False
    told = line.detail or {}
    ways = told.get("flows") or [told]
    return any(way.get("condition") or way.get("default") or way.get("name") for way in ways)


def _history(line: HistoryEvent, may_see_data: bool, before: dict[str, Any] | None = None, may_operate: bool = False) -> HistoryView:
    is_operation = line.kind == "operation"
    detail = line.detail or {}
    if is_operation and line.state == "corrected":
        old, new = (detail.get("before") or {}).get("data") or {}, detail.get("data") or {}
    else:
        old, new = before or {}, line.data_delta or {}
    names = dict.fromkeys((*new, *(old if is_operation else ())))
    return HistoryView(
        element_id=line.element_id,
        name=str(OPERATIONS.get(line.state, line.state)) if is_operation else line.name or line.element_id,
        kind=line.kind,
        state=line.state,
        at=line.ended,
        started=line.started,
        who=acted(line.actor_name, line.on_behalf_of),
        audience=line.audience,
        action=line.action,
        reason=line.reason,
        detail=line.detail if may_see_data else None,
        delta=line.data_delta if may_see_data else None,
        took=line.ended - line.started if line.ended - line.started >= timedelta(seconds=1) else None,
        changed=tuple((name, old.get(name), new.get(name)) for name in names) if may_see_data else (),
        told=detail.get("told", ""),
        undo=undo_url(line) if is_operation and may_operate else "",
    )


def _with_before(lines: list[HistoryEvent]) -> list[tuple[HistoryEvent, dict[str, Any]]]:
    """Lines, newest first, each with the values that it found: what the lines before it had left."""
    known: dict[str, Any] = {}
    told = []
    for line in reversed(lines):
        told.append((line, {name: known[name] for name in line.data_delta or {} if name in known}))
        known |= line.data_delta or {}
        if line.kind == "operation" and line.state == "corrected":
            known |= (line.detail or {}).get("data") or {}
    return told[::-1]


def diagram_state(actor: Actor, instance_id: int) -> dict[str, Any] | None:
    """What the drawing of an instance shows: where tokens stand and who has them, what is done, what failed. None out of sight."""
    if not actor.is_internal:
        return None
    found = visible_instances(actor).only("active", "status", "digest").filter(pk=instance_id).first()
    if found is None:
        return None
    done = set(HistoryEvent.objects.filter(instance=found, state="completed").values_list("element_id", flat=True))
    tasks = list(HumanTask.objects.filter(instance=found, status=HumanTask.Status.OPEN).defer("data"))
    names = names_of(t.assignee_id for t in tasks)
    companies = organisations(t.organisation_id for t in tasks if t.organisation_id)
    holders: dict[str, list[str]] = {}
    for task in tasks:
        holders.setdefault(task.element_id, []).append(holder(task, names, companies))
    counts: dict[str, int] = {}
    for element_id in found.active:
        counts[element_id] = counts.get(element_id, 0) + 1
    return {
        "status": found.status,
        "here": [
            {"element": element_id, "count": count, "note": ", ".join(dict.fromkeys(holders.get(element_id, [])))}
            for element_id, count in counts.items()
        ],
        "past": sorted(done - set(counts)),
        "times": {
            element: duration(timedelta(seconds=sum(rounds))) for element, rounds in step_times(instance_id).items() if sum(rounds) >= 1
        },
        "incidents": [
            {"element": element_id, "message": in_words(code, message, definitions.load(found.digest).name_of(element_id)).words}
            for element_id, code, message in Incident.objects.filter(instance=found, resolved=None).values_list(
                "element_id", "code", "message"
            )
        ],
    }


def steps_for_subject(actor: Actor, ref: SubjectRef, limit: int = 120) -> list[HistoryView]:
    """What has happened in a record's processes, newest first, with the reasons that gateways and tables gave; for employees."""
    if not actor.is_internal:
        return []
    lines = HistoryEvent.objects.filter(
        instance__subject_rows__kind=ref.kind, instance__subject_rows__subject_id=ref.id, instance__in=visible_instances(actor)
    )
    return [_history(line, True) for line in lines.order_by("-ended", "-pk")[:limit]]
