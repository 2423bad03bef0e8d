"""Starting, linking, mending and ending instances."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine
from bpmn.model import Definition, EngineError
from bpmn.scripts import ScriptError, value_of
from portal import rows
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import bulk
from portal.live import ping
from portal.registry import SubjectRef
from workflows import definitions, events
from workflows.access import WorkflowPermission, visible_instances
from workflows.errors import NotFound
from workflows.models import HumanTask, InstanceSubject, OutboxCall, ProcessDefinition, ProcessInstance
from workflows.runtime import Run, Writes, lock_instance, one_step, running
from workflows.worth import NOTHING, Worth, take_worth, worths

BATCH = 50


@dataclass(frozen=True, slots=True)
class ProcessStart:
    """One start of a bulk."""

    subject: SubjectRef | None = None
    data: dict[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    title: str = ""
    customer_organisation_id: int | None = None
    partner_organisation_id: int | None = None


@dataclass(slots=True)
class BulkResult:
    """What a bulk start did: ids in the order of the starts (None where it failed), and why."""

    instance_ids: list[int | None] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)  # position, reason
    repeated: int = 0


def start_process(
    actor: Actor,
    key: str,
    *,
    subject: SubjectRef | None = None,
    data: dict[str, Any] | None = None,
    idempotency_key: str | None = None,
    title: str = "",
    customer_organisation_id: int | None = None,
    partner_organisation_id: int | None = None,
    at: str | None = None,
) -> int:
    """Start the current version of a process and run it to its first waits; gives the instance's id. The same idempotency key gives the
    same instance. Raises NotFound for an unpublished process, NotAllowed for those whom the diagram doesn't let start it."""
    row, definition = _startable(actor, key)
    start = ProcessStart(subject, data or {}, idempotency_key, title, customer_organisation_id, partner_organisation_id)
    with transaction.atomic():
        if idempotency_key:
            known = ProcessInstance.objects.filter(start_key=_key(key, idempotency_key)).values_list("pk", flat=True).first()
            if known is not None:
                return known
        instance = _new_instance(actor, row, definition, start, worths([subject]).get(subject, NOTHING) if subject else NOTHING)
        try:
            with transaction.atomic() if idempotency_key else nullcontext():
                rows.insert([instance])
        except IntegrityError:
            if not idempotency_key:
                raise
            known = ProcessInstance.objects.filter(start_key=_key(key, idempotency_key)).values_list("pk", flat=True).first()
            if known is None:
                raise
            return known
        if subject is not None:
            InstanceSubject.objects.create(instance=instance, kind=subject.kind, subject_id=subject.id)
        writes = Writes()
        _run_start(actor, instance, definition, start, writes, at)
        writes.flush()
    return instance.pk


def start_processes(actor: Actor, key: str, starts: Iterable[ProcessStart], *, progress: Callable[[int], None] | None = None) -> BulkResult:
    """Start many instances, fifty a transaction. One that can't start is told in `failed` and stops nobody else."""
    row, definition = _startable(actor, key)
    result = BulkResult()
    rest = iter(starts)
    while batch := list(islice(rest, BATCH)):
        offset = len(result.instance_ids)
        try:
            with transaction.atomic(), bulk():
                ids, repeated = _start_batch(actor, row, definition, batch)
            result.instance_ids.extend(ids)
            result.repeated += repeated
        except (Refused, EngineError, IntegrityError):
            for number, start in enumerate(batch):  # one of them is bad: find out which
                try:
                    with transaction.atomic(), bulk():
                        ids, repeated = _start_batch(actor, row, definition, [start])
                    result.instance_ids.extend(ids)
                    result.repeated += repeated
                except (Refused, EngineError, IntegrityError) as error:
                    result.instance_ids.append(None)
                    result.failed.append((offset + number, str(error)))
        if progress is not None:
            progress(len(result.instance_ids))
    return result


def _start_batch(actor: Actor, row: ProcessDefinition, definition: Definition, batch: list[ProcessStart]) -> tuple[list[int | None], int]:
    keys = {_key(row.key, s.idempotency_key) for s in batch if s.idempotency_key}
    known = dict(ProcessInstance.objects.filter(start_key__in=keys).values_list("start_key", "pk")) if keys else {}
    instances: list[ProcessInstance | int] = []
    fresh: list[tuple[ProcessInstance, ProcessStart]] = []
    by_key: dict[str, ProcessInstance] = {}
    worth = worths(start.subject for start in batch)
    for start in batch:
        start_key = _key(row.key, start.idempotency_key) if start.idempotency_key else None
        if start_key in known:
            instances.append(known[start_key])
        elif start_key in by_key:
            instances.append(by_key[start_key])
        else:
            instance = _new_instance(actor, row, definition, start, worth.get(start.subject, NOTHING) if start.subject else NOTHING)
            fresh.append((instance, start))
            instances.append(instance)
            if start_key:
                by_key[start_key] = instance
    ProcessInstance.objects.bulk_create([instance for instance, _start in fresh])
    InstanceSubject.objects.bulk_create(
        InstanceSubject(instance=instance, kind=start.subject.kind, subject_id=start.subject.id)
        for instance, start in fresh
        if start.subject
    )
    writes = Writes()
    for instance, start in fresh:
        _run_start(actor, instance, definition, start, writes, None)
    writes.flush()
    return [i if isinstance(i, int) else i.pk for i in instances], len(batch) - len(fresh)


def _startable(actor: Actor, key: str) -> tuple[ProcessDefinition, Definition]:
    row = definitions.current(key)
    if row is None:
        raise NotFound(_("There is no process “%(key)s”.") % {"key": key})
    if not actor.is_system:
        allowed = bool(actor.roles & set(row.startable_by)) if row.startable_by else actor.is_internal
        if not allowed:
            raise NotAllowed(_("You may not start “%(name)s”.") % {"name": row.name})
    return row, definitions.load(row.digest)


def _key(process_key: str, idempotency_key: str | None) -> str:
    return f"{process_key}:{idempotency_key}"[:200]


def _new_instance(actor: Actor, row: ProcessDefinition, definition: Definition, start: ProcessStart, worth: Worth) -> ProcessInstance:
    title = start.title
    if not title and definition.title:
        try:
            title = str(value_of(definition.title, start.data))
        except ScriptError:
            title = ""
    return ProcessInstance(
        definition_id=row.pk,
        digest=row.digest,
        key=row.key,
        title=(title or row.name)[:250],
        subject_kind=start.subject.kind if start.subject else "",
        subject_id=start.subject.id if start.subject else None,
        subjects=[str(start.subject)] if start.subject else [],
        customer_organisation_id=start.customer_organisation_id,
        partner_organisation_id=start.partner_organisation_id,
        started_by_id=actor.user_id,
        started_by_name=actor.name[:150],
        start_key=_key(row.key, start.idempotency_key) if start.idempotency_key else None,
        worth=worth[0],
        worth_currency=worth[1],
    )


def _run_start(
    actor: Actor, instance: ProcessInstance, definition: Definition, start: ProcessStart, writes: Writes, at: str | None
) -> None:
    run = Run(instance, actor, timezone.now(), definition=definition)
    data = {"started_by_id": actor.user_id, "instance_id": instance.pk, **start.data}
    outcome = engine.start(definition, data, host=run, now=run.now, at=at)
    writes.later.append(lambda: events.ProcessStarted(**run.told(), title=instance.title))
    run.take(outcome, writes)


def continue_instance(instance_id: int, max_steps: int = engine.MAX_STEPS) -> bool:
    """Go on with a run that reached its step limit, for so many steps; gives whether there was anything to do."""
    with transaction.atomic():
        instance = lock_instance(pk=instance_id)
        if not instance.more or instance.status != ProcessInstance.Status.RUNNING:
            return False
        with one_step(instance, Actor.system(_("Continuation"))) as (run, writes):
            run.take(engine.go_on(run.definition, bytes(instance.state), host=run, now=run.now, max_steps=max_steps), writes)
    return True


def link_subject(instance_id: int, ref: SubjectRef, *, role: str = "") -> None:
    """Say that an instance is about one more record. Linking twice changes nothing."""
    run = running(instance_id)
    with transaction.atomic():
        instance = run.instance if run else lock_instance(pk=instance_id)
        if str(ref) in instance.subjects:
            return
        InstanceSubject.objects.create(instance_id=instance_id, kind=ref.kind, subject_id=ref.id, role=role)
        instance.subjects = [*instance.subjects, str(ref)]
        ProcessInstance.objects.filter(pk=instance_id).update(subjects=instance.subjects)
        take_worth(instance, ref)
        ping(str(ref), f"process:{instance_id}")


def set_instance_organisations(instance_id: int, customer: int | None = None, partner: int | None = None) -> None:
    """Say whose instance it is. Open tasks of that audience that had nobody to go to go to this organisation."""
    run = running(instance_id)
    with transaction.atomic():
        instance = run.instance if run else lock_instance(pk=instance_id)
        changed = {}
        for audience, organisation_id in (("customer", customer), ("partner", partner)):
            if organisation_id is None or getattr(instance, f"{audience}_organisation_id") == organisation_id:
                continue
            changed[f"{audience}_organisation_id"] = organisation_id
            setattr(instance, f"{audience}_organisation_id", organisation_id)
            waiting = HumanTask.objects.filter(instance_id=instance_id, audience=audience, status=HumanTask.Status.OPEN)
            waiting.filter(organisation_id=None).update(organisation_id=organisation_id)
        if changed:
            ProcessInstance.objects.filter(pk=instance_id).update(**changed)


def hold_instance(instance_id: int) -> None:
    """Hold an instance until the caller's transaction ends, before the rows that its own steps write: the order in which steps lock.

    Raises NotFound."""
    if running(instance_id) is None:
        lock_instance(pk=instance_id)


def set_followed(instance_id: int, followed: bool) -> None:
    """Keep whether anybody follows an instance, so that a step which nobody waits for asks nothing."""
    ProcessInstance.objects.filter(pk=instance_id).update(is_followed=followed)


def clear_partner_organisation(instance_id: int) -> None:
    """The partner is out: their people see the instance no more."""
    run = running(instance_id)
    with transaction.atomic():
        instance = run.instance if run else lock_instance(pk=instance_id)
        instance.partner_organisation_id = None
        ProcessInstance.objects.filter(pk=instance_id).update(partner_organisation_id=None)


def _for_operator(actor: Actor, instance_id: int, reason: str) -> ProcessInstance:
    if not actor.is_system:
        if not visible_instances(actor).filter(pk=instance_id).exists():
            raise NotFound
        if not actor.can(WorkflowPermission.OPERATE):
            raise NotAllowed(_("Only managers and administrators mend running processes."))
        if not reason.strip():
            raise Refused(_("Say why: the reason is kept in the history."), "reason")
    return lock_instance(pk=instance_id)


def cancel_instance(actor: Actor, instance_id: int, reason: str) -> None:
    """End a running instance; what waited in it is no longer needed. Raises Conflict where it has ended already."""
    with transaction.atomic():
        instance = _for_operator(actor, instance_id, reason)
        if instance.status not in (ProcessInstance.Status.RUNNING, ProcessInstance.Status.SUSPENDED):
            raise Conflict(_("This process has ended already."))
        with one_step(instance, actor) as (run, writes):
            instance.end_reason = reason[:300]
            run.take(engine.cancel(run.definition, bytes(instance.state), host=run, now=run.now), writes)
            for topic in _inboxes_of(instance_id):
                writes.topics.add(topic)
        OutboxCall.objects.filter(instance_id=instance_id, status=OutboxCall.Status.WAITING).exclude(waiting_step="").update(
            status=OutboxCall.Status.FAILED, last_error=_("The process was cancelled.")
        )
        record(actor, "process.cancelled", SubjectRef("workflows.instance", instance_id), reason=reason)


def _inboxes_of(instance_id: int) -> set[str]:
    from workflows.assignment import topics_of

    rows = HumanTask.objects.filter(instance_id=instance_id, status=HumanTask.Status.OPEN)
    return {topic for task in rows for topic in topics_of(task)}
