"""Mending what an instance knows, and beginning another like it: previewed, checked, audited, and undone by the same way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from bpmn import engine, operations
from bpmn.model import DataRefused, StartRefused
from bpmn.values import pack
from portal.access import Actor
from portal.errors import Conflict, NotAllowed, Refused
from workflows import definitions
from workflows.access import WorkflowPermission, visible_instances
from workflows.errors import NotFound
from workflows.models import HumanTask, InstanceSubject, ProcessInstance
from workflows.runtime import Writes, subject_of
from workflows.services.instances import ProcessStart, _for_operator, _new_instance, _run_start
from workflows.services.operations import RUNNING, SUSPENDED, Preview, tell
from workflows.worth import NOTHING


@dataclass(frozen=True, slots=True)
class Correction:
    """One variable: its name, what it is and what it would become."""

    name: str
    before: Any
    after: Any
    is_new: bool = False
    is_removed: bool = False


def read_value(text: str, before: Any) -> Any:
    """What was typed, as the kind of value that stands there now (a new one: as JSON, else as text). Raises Refused with the remedy."""
    text = text.strip()
    try:
        match before:
            case bool():
                return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
            case int():
                return int(text)
            case Decimal():
                return Decimal(text)
            case float():
                return float(text)
            case datetime():
                found = parse_datetime(text)
                if found is None:
                    raise ValueError
                return found if timezone.is_aware(found) else timezone.make_aware(found)
            case date():
                day = parse_date(text)
                if day is None:
                    raise ValueError
                return day
            case dict() | list():
                value = json.loads(text)
                if type(value) is not type(before):
                    raise ValueError
                return value
            case str():
                return text
    except (KeyError, ValueError, InvalidOperation):
        raise Refused(
            _("“%(text)s” isn't %(kind)s, as the value there is now.") % {"text": text[:80], "kind": kind_words(before)}
        ) from None
    try:
        return json.loads(text)
    except ValueError:
        return text


def kind_words(value: Any) -> str:
    """What kind of value it is, in words."""
    match value:
        case bool():
            return _("yes or no (true, false)")
        case int():
            return _("a whole number")
        case Decimal() | float():
            return _("a number")
        case datetime():
            return _("a moment (2026-12-24T10:00)")
        case date():
            return _("a day (2026-12-24)")
        case dict():
            return _("a set of values in braces (JSON)")
        case list():
            return _("a list in brackets (JSON)")
    return _("a text")


def typed(value: Any) -> str:
    """A value as somebody would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case datetime() | date():
            return value.isoformat()
    return str(value)


def variables_of(actor: Actor, instance_id: int) -> dict[str, Any]:
    """The variables of an instance with their kinds, as the engine keeps them. Raises NotFound, NotAllowed."""
    return _known(_seen(actor, instance_id))


def _seen(actor: Actor, instance_id: int) -> ProcessInstance:
    row = visible_instances(actor).filter(pk=instance_id).first()
    if row is None:
        raise NotFound
    if not (actor.can(WorkflowPermission.OPERATE) and actor.can(WorkflowPermission.VIEW_DATA)):
        raise NotAllowed(_("Only managers and administrators mend running processes."))
    return row


def _known(row: ProcessInstance) -> dict[str, Any]:
    return dict(engine.look(definitions.load(row.digest), bytes(row.state), now=timezone.now()).data)


def preview_correction(actor: Actor, instance_id: int, wanted: Mapping[str, str], removed: set[str]) -> list[Correction]:
    """What would change, before and after; nothing is written. Raises Refused (with the variable's name as field) for a value of another
    kind or a name that can't be one."""
    return _corrections(_seen(actor, instance_id), wanted, removed)


def _corrections(row: ProcessInstance, wanted: Mapping[str, str], removed: set[str]) -> list[Correction]:
    if row.status not in (RUNNING, SUSPENDED):
        raise Conflict(_("This process has ended already."))
    known = _known(row)
    found = [Correction(name, known[name], None, is_removed=True) for name in sorted(removed) if name in known]
    for name, text in wanted.items():
        if name in removed or (name in known and text.strip() == typed(known[name]).strip()):
            continue
        try:
            found.append(Correction(name, known.get(name), read_value(text, known.get(name)), is_new=name not in known))
        except Refused as refused:
            raise Refused(f"{name}: {refused.message}", name) from None
    try:
        values = {one.name: one.after for one in found if not one.is_removed}
        operations.correct(definitions.load(row.digest), bytes(row.state), values, removed, now=timezone.now())
    except DataRefused as refused:
        raise Refused(str(refused)) from None
    return found


def correct_data(actor: Actor, instance_id: int, wanted: Mapping[str, str], removed: set[str], reason: str, *, version: int) -> int:
    """Set and remove variables; gives how many changed. `version` is the instance's when the page was made: raises Conflict where it has
    moved on since, so that nobody writes over what they haven't seen."""
    with transaction.atomic():
        _seen(actor, instance_id)
        instance = _for_operator(actor, instance_id, reason)
        if instance.version != version:
            raise Conflict(_("The process has moved on since you looked: look at its values again."))
        found = _corrections(instance, wanted, removed)
        if not found:
            return 0
        values = {one.name: one.after for one in found if not one.is_removed}
        outcome = operations.correct(definitions.load(instance.digest), bytes(instance.state), values, removed, now=timezone.now())
        ProcessInstance.objects.filter(pk=instance.pk).update(state=outcome.state, data=outcome.data, version=instance.version + 1)
        shown = {active.id: active.data for active in outcome.user_tasks}
        for task in HumanTask.objects.filter(instance=instance, status=HumanTask.Status.OPEN).defer("data"):
            if task.engine_id in shown:
                HumanTask.objects.filter(pk=task.pk).update(data=shown[task.engine_id])
        before = {one.name: pack(one.before) for one in found if not one.is_new}
        after = {one.name: pack(one.after) for one in found if not one.is_removed}
        tell(actor, instance, "process.corrected", reason, {"data": after}, {"data": before})
    return len(found)


def start_here(actor: Actor, instance_id: int, element_id: str, reason: str) -> int:
    """Begin a new instance of the same version at a step, for the same records and with the values that this one has now; gives its id.
    Raises Refused where it can't begin there."""
    with transaction.atomic():
        row = _seen(actor, instance_id)
        if not reason.strip():
            raise Refused(_("Say why: the reason is kept in the history."), "reason")
        definition = definitions.load(row.digest)
        data = {name: value for name, value in _known(row).items() if name not in ("instance_id", "started_by_id")}
        start = ProcessStart(
            subject=subject_of(row),
            data=data,
            title=row.title,
            customer_organisation_id=row.customer_organisation_id,
            partner_organisation_id=row.partner_organisation_id,
        )
        instance = _new_instance(actor, row.definition, definition, start, (row.worth, row.worth_currency) if row.worth else NOTHING)
        instance.subjects = list(row.subjects)
        instance.save()
        rows = InstanceSubject.objects.filter(instance=row).order_by("pk")
        InstanceSubject.objects.bulk_create(
            InstanceSubject(instance=instance, kind=one.kind, subject_id=one.subject_id, role=one.role) for one in rows
        )
        writes = Writes()
        try:
            _run_start(actor, instance, definition, start, writes, element_id)
        except StartRefused as refused:
            raise Refused(str(refused)) from None
        writes.flush()
        tell(actor, instance, "process.begun_here", reason, {"at": element_id, "like": row.pk})
    return instance.pk


def preview_start_here(actor: Actor, instance_id: int, element_id: str) -> Preview:
    """What beginning another one at a step would do."""
    row = _seen(actor, instance_id)
    definition = definitions.load(row.digest)
    element = definition.elements.get(element_id)
    try:
        engine.start(definition, {}, host=None, now=timezone.now(), at=element_id, max_steps=0)
    except StartRefused as refused:
        return Preview(row.pk, row.title, "blocked", (str(refused),))
    words = (
        _("A new process “%(title)s” begins at: %(step)s") % {"title": row.title, "step": (element.name if element else "") or element_id},
        _("It is about the same records, serves the same customer and partner, and knows what this one knows now."),
        _("This one stays as it is."),
    )
    return Preview(row.pk, row.title, "safe", words)
