"""Setting what is promised, and looking at the clocks: who is told when a promise is at risk or broken, exactly once."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine
from bpmn.model import EngineError
from bpmn.timers import BadTime, parse_target
from portal.access import Actor, Audience, PortalPermission
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef, registry
from portal.selectors import manager_of, people_with_role
from workflows import clocks, definitions, events
from workflows.errors import NotFound
from workflows.models import (
    HistoryEvent,
    HumanTask,
    MessageBuffer,
    ProcessDefinition,
    ProcessInstance,
    ServiceClock,
    ServiceLevel,
    TaskCandidate,
)
from workflows.runtime import MESSAGE_TTL, lock_instance, subject_of, told_of
from workflows.service_levels import KEPT, Level, level_of, levels_of
from workflows.services.incidents import raise_incident
from workflows.services.instances import start_process
from workflows.standing import standing_at

log = logging.getLogger(__name__)
BATCH = 100
AGAIN = timedelta(minutes=1)  # after a look that failed
State = ServiceClock.State


# --- setting --------------------------------------------------------------------------------------------------------


def save_level(actor: Actor, process_key: str, element_id: str, level: Level) -> None:
    """Promise how long a process (an empty element) or a step may take, instead of what its diagram says; no target promises nothing.

    Running clocks count against it from now on, what runs without one gets one. Raises NotAllowed, NotFound, Refused with the field.
    """
    _for_administrator(actor)
    _check(process_key, element_id, level)
    values = {name: getattr(level, name) for name in Level.__slots__}
    with transaction.atomic():
        before = ServiceLevel.objects.select_for_update().filter(process_key=process_key, element_id=element_id).first()
        ServiceLevel.objects.update_or_create(process_key=process_key, element_id=element_id, defaults={**values, "caught_up": False})
        _recount(process_key, element_id, level)
        _tell_of_change(actor, "service_level.saved", process_key, element_id, before, values)


def drop_level(actor: Actor, process_key: str, element_id: str) -> None:
    """Let the diagram's own promise count again; without one nothing is promised. Raises NotAllowed, NotFound."""
    _for_administrator(actor)
    row = definitions.current(process_key)
    if row is None:
        raise NotFound
    with transaction.atomic():
        before = ServiceLevel.objects.select_for_update().filter(process_key=process_key, element_id=element_id).first()
        if before is None:
            return
        ServiceLevel.objects.filter(pk=before.pk).delete()
        KEPT.forget()
        drawn = levels_of(process_key, definitions.load(row.digest)).get(element_id, Level(""))
        _recount(process_key, element_id, drawn)
        _tell_of_change(actor, "service_level.dropped", process_key, element_id, before, None)


def _for_administrator(actor: Actor) -> None:
    if not actor.can(PortalPermission.ADMINISTER):
        raise NotAllowed(_("Only administrators set service levels."))


def _check(process_key: str, element_id: str, level: Level) -> None:
    row = definitions.current(process_key)
    if row is None:
        raise NotFound
    element = definitions.load(row.digest).elements.get(element_id)
    if element_id and (element is None or not (element.is_human or element.may_wait)):
        raise Refused(_("This process has no such step, or none where anything could wait."), "element_id")
    if level.target:
        try:
            parse_target(level.target)
        except BadTime:
            raise Refused(
                _("“%(text)s” is no target. Write “8 working hours”, “2 working days” or PT48H.") % {"text": level.target}, "target"
            ) from None
    if not 1 <= level.risk_percent <= 99:
        raise Refused(_("At risk begins between 1 and 99 percent of the target."), "risk_percent")
    if level.tell_role and (level.tell_role not in registry.roles or registry.roles[level.tell_role].audience != Audience.INTERNAL):
        raise Refused(_("There is no such role among employees."), "tell_role")
    if level.starts == process_key:
        raise Refused(_("A process that starts itself when it is late would never end. Choose another."), "starts")
    if level.starts and not ProcessDefinition.objects.filter(key=level.starts, is_current=True).exists():
        raise Refused(_("There is no such process."), "starts")


def _recount(process_key: str, element_id: str, level: Level) -> None:
    """Open clocks count against another promise, which is told anew."""
    open_ = ServiceClock.objects.filter(process_key=process_key, element_id=element_id, ended=None)
    if not level.target:
        open_.delete()
        return
    open_.update(
        target=level.target,
        risk_percent=level.risk_percent,
        pauses_for_customer=level.pauses_for_customer,
        told_risk=None,
        told_breach=None,
        look=timezone.now(),
    )


def _tell_of_change(actor: Actor, verb: str, process_key: str, element_id: str, before: ServiceLevel | None, after: dict | None) -> None:
    KEPT.forget()
    row = definitions.current(process_key)
    told = {name: getattr(level_of(before), name) for name in Level.__slots__} if before else None
    step = {"process": process_key, "step": element_id}
    record(actor, verb, SubjectRef("workflows.definition", row.pk if row else 0), before=told, after={**step, **(after or {})})
    ping("processes:all")


# --- looking --------------------------------------------------------------------------------------------------------


def look_at_clocks() -> int:
    """Look at every clock whose time has come, and give clocks to what ran before its promise; gives how many were looked at.

    Any number of runners may do it beside each other: each clock is looked at under its instance's lock.
    """
    caught = catch_up()
    due = ServiceClock.objects.filter(ended=None, look__lte=timezone.now()).order_by("look", "pk")
    looked = 0
    for pk, instance_id in list(due.values_list("pk", "instance_id")[:BATCH]):
        try:
            looked += look_at_clock(pk, instance_id)
        except NotFound:
            continue
        except Exception:
            log.exception("clock %s can't be looked at", pk)
            ServiceClock.objects.filter(pk=pk).update(look=timezone.now() + AGAIN)
    return caught + looked


def look_at_clock(clock_id: int, instance_id: int) -> bool:
    """See how one clock stands, and tell who has to know; gives whether there was anything to see."""
    with transaction.atomic():
        instance = lock_instance(pk=instance_id)
        clock = ServiceClock.objects.select_for_update(of=("self",)).filter(pk=clock_id, ended=None).first()
        if clock is None:
            return False
        now = timezone.now()
        if clock.look is None or clock.look > now:
            return False  # another runner was faster
        if not _is_over(clock, instance):
            _see(clock, instance, now)
        clock.save()
    return True


def _is_over(clock: ServiceClock, instance: ProcessInstance) -> bool:
    """Settle a clock whose step or process has ended without it, as it may when the clock was made late."""
    if clock.engine_id:  # the step that moved its token on has settled it, unless the instance ended in another way
        if instance.status in clocks.RUNNING and clock.element_id in instance.active:
            return False
        clocks.settle(clock, instance.ended or timezone.now(), done=instance.status == ProcessInstance.Status.COMPLETED)
        return True
    if clock.task_id is None:
        if instance.status in clocks.RUNNING:
            return False
        clocks.settle(clock, instance.ended or timezone.now(), done=instance.status == ProcessInstance.Status.COMPLETED)
        return True
    task = HumanTask.objects.filter(pk=clock.task_id).only("status", "ended").get()
    if task.status == HumanTask.Status.OPEN:
        return False
    clocks.settle(clock, task.ended or timezone.now(), done=task.status == HumanTask.Status.DONE)
    return True


def _see(clock: ServiceClock, instance: ProcessInstance, now) -> None:
    definition = definitions.load(instance.digest)
    if clock.is_of_process:
        waits = clock.pauses_for_customer and clocks.waits_for_customer(definition.elements.get(one) for one in instance.active)
        (clocks.stop if waits else clocks.go_on)(clock, clocks.CUSTOMER, now)
    clocks.foresee(clock)
    clock.state = clocks.state_at(clock, now)
    level = levels_of(clock.process_key, definition).get(clock.element_id, Level(clock.target))
    if clock.state == State.BREACHED and clock.told_breach is None:
        clock.told_breach, clock.told_risk = now, clock.told_risk or now
        _escalate(clock, instance, level)
    elif clock.state == State.AT_RISK and clock.told_risk is None:
        clock.told_risk = now
        _escalate(clock, instance, level)
    clocks.foresee(clock)


def _escalate(clock: ServiceClock, instance: ProcessInstance, level: Level) -> None:
    """Tell people, the history, and processes; all of it with the mark that it was told."""
    now, breached = timezone.now(), clock.state == State.BREACHED
    task = HumanTask.objects.filter(pk=clock.task_id).defer("data").first() if clock.task_id else None
    people = _people(task, instance, level)
    told = {"target": clock.target, "breach_at": clock.breach_at.isoformat() if clock.breach_at else None}
    HistoryEvent.objects.create(
        instance=instance, element_id=clock.element_id, kind="service_level", state=clock.state, name=clock.name, started=clock.started,
        ended=now, actor_name=_("Service level"), action=str(State(clock.state).label), detail=told,
    )  # fmt: skip
    emit(
        events.ServiceLevelReached(
            **told_of(instance, Actor.system(_("Service level"))),
            clock_id=clock.pk,
            task_id=clock.task_id,
            element_id=clock.element_id,
            name=clock.name,
            state=clock.state,
            target=clock.target,
            breach_at=clock.breach_at,
            people=tuple(sorted(people)),
        )
    )
    if level.message:
        MessageBuffer.objects.get_or_create(
            idempotency_key=f"service-level:{clock.pk}:{clock.state}:{clock.target}"[:200],
            defaults={
                "name": level.message,
                "keys": {"instance_id": instance.pk},
                "payload": {"late_step": clock.element_id, "late_state": clock.state},
                "received": now,
                "expires": now + MESSAGE_TTL,
            },
        )
    if level.starts and breached:
        _start(clock, instance, level)
    ping(f"process:{instance.pk}", "processes:all", *([f"task:{clock.task_id}"] if clock.task_id else []))


def _people(task: HumanTask | None, instance: ProcessInstance, level: Level) -> set[int]:
    """Whoever has it (the group where nobody has taken it), their substitutes and manager, and the role that answers for it."""
    from workflows.selectors.absences import stand_ins

    told: set[int] = set()
    if level.tell_holder:
        if task is None:
            told = {instance.started_by_id} if instance.started_by_id else set()
        elif task.audience == Audience.INTERNAL:
            asked = TaskCandidate.objects.filter(task=task).values_list("user_id", flat=True)
            told = {task.assignee_id} if task.assignee_id else set(asked)
            if not told and task.role:
                told = {person.id for person in people_with_role(task.role, Audience.INTERNAL)}
        holder = next(iter(told)) if len(told) == 1 else None
        told |= stand_ins(told, instance.key)
        if holder is not None and (manager := manager_of(holder)) is not None:
            told.add(manager)
    if level.tell_role:
        told |= {person.id for person in people_with_role(level.tell_role, Audience.INTERNAL)}
    return told


def _start(clock: ServiceClock, instance: ProcessInstance, level: Level) -> None:
    """Start the process that a breach calls for; where it can't, an incident says why."""
    data = {"late_instance_id": instance.pk, "late_task_id": clock.task_id, "late_step": clock.element_id, "late_name": clock.name}
    try:
        with transaction.atomic():
            start_process(
                Actor.system(_("Service level")),
                level.starts,
                subject=subject_of(instance),
                data=data,
                idempotency_key=f"service-level:{clock.pk}:{clock.target}",
            )
    except (Refused, EngineError) as error:
        words = _("“%(key)s” should have been started because a promise was broken: %(words)s") % {"key": level.starts, "words": error}
        raise_incident(instance.pk, clock.element_id, "service_level.start", words)


# --- what ran before ------------------------------------------------------------------------------------------------


def catch_up() -> int:
    """Give a clock to what ran before its promise was made, a batch at a time; gives how many were made."""
    made = 0
    for row in ServiceLevel.objects.filter(caught_up=False).order_by("pk"):
        level = level_of(row)
        fresh = _late_clocks(row, level) if level.target else []
        with transaction.atomic():
            ServiceClock.objects.bulk_create(fresh, ignore_conflicts=True)
            if len(fresh) < BATCH:
                ServiceLevel.objects.filter(pk=row.pk, target=row.target, caught_up=False).update(caught_up=True)
        made += len(fresh)
    return made


def _late_clocks(row: ServiceLevel, level: Level) -> list[ServiceClock]:
    """Clocks for a batch of what has none, counting from when it began; the next look sees how they stand."""
    now = timezone.now()
    unread = ("state", "data", "waits")
    current = definitions.current(row.process_key)
    element = definitions.load(current.digest).elements.get(row.element_id) if current else None
    if row.element_id and element is not None and not element.is_human:
        fresh = _late_tokens(row, level)
    elif row.element_id:
        tasks = HumanTask.objects.filter(status=HumanTask.Status.OPEN, element_id=row.element_id, instance__key=row.process_key, clock=None)
        shown = tasks.select_related("instance").defer("data", *(f"instance__{name}" for name in unread)).order_by("pk")[:BATCH]
        fresh = [clocks.new_clock(task.instance, task, level, task.name, task.audience, task.created) for task in shown]
    else:
        has = ServiceClock.objects.filter(instance=OuterRef("pk"), task=None, element_id="")
        running = ProcessInstance.objects.filter(~Exists(has), key=row.process_key, status__in=clocks.RUNNING)
        instances = running.select_related("definition").defer("definition__xml", *unread).order_by("pk")[:BATCH]
        fresh = [clocks.new_clock(one, None, level, one.definition.name, "", one.started) for one in instances]
    for clock in fresh:
        if clock.instance.status == ProcessInstance.Status.SUSPENDED:
            clocks.stop(clock, clocks.HELD, now)
        clock.look = now
    return fresh


def _late_tokens(row: ServiceLevel, level: Level) -> list[ServiceClock]:
    """Clocks for the tokens of a batch of instances that stand at a step which no person does."""
    has = ServiceClock.objects.filter(instance=OuterRef("pk"), element_id=row.element_id, ended=None).exclude(engine_id="")
    running = ProcessInstance.objects.filter(~Exists(has), key=row.process_key, status__in=clocks.RUNNING)
    fresh = []
    for instance in standing_at(running, row.element_id).defer("data").order_by("pk")[:BATCH]:
        definition = definitions.load(instance.digest)
        seen = engine.look(definition, bytes(instance.state), now=timezone.now())
        for one in seen.standing:
            if one.element_id == row.element_id:
                element = definition.elements[one.element_id]
                started = one.since or timezone.now()
                fresh.append(clocks.new_clock(instance, None, level, element.name or element.id, element.audience, started, one))
    return fresh
