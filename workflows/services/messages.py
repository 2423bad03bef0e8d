"""Messages and signals: each message to exactly one who waits for it, each signal to all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine
from bpmn.model import DataRefused, NotWaiting
from portal.access import Actor
from portal.errors import Conflict
from workflows import correlation
from workflows.assignment import topics_of
from workflows.models import HumanTask, MessageBuffer, MessageWait, ProcessDefinition, ProcessInstance
from workflows.runtime import MESSAGE_TTL, is_inside_a_run, lock_instance, one_step
from workflows.services.incidents import raise_incident
from workflows.services.instances import start_process

KEPT = timedelta(days=1)  # how long a message for a held instance outlives the last look at it


def correlate_message(
    name: str,
    keys: dict[str, Any],
    payload: dict[str, Any] | None = None,
    *,
    idempotency_key: str | None = None,
    ttl: timedelta = MESSAGE_TTL,
) -> bool:
    """Send a message to the one instance that waits for it, or that it starts. Where nobody waits yet it is kept for `ttl`.

    Gives whether it has been taken. The same idempotency key twice is one message. Inside a process step it is only put on its way.
    """
    return _send("message", name, keys, payload, idempotency_key, ttl)


def tell_waiting(actor: Actor, name: str, keys: dict[str, Any], payload: dict[str, Any] | None = None, *, must: bool = True) -> bool:
    """Hand a message to the instance that waits for it now, as the act of a person; gives whether one did. Raises Conflict where a process
    that waits for it is held, and, if it `must`, where nothing waits for it (any more); nothing is kept for later."""
    with transaction.atomic():
        wait = correlation.waiting_for(name, keys) or correlation.waiting_for(name, keys, held=True)
        if wait is None and not must:
            return False
        instance = lock_instance(pk=wait.instance_id) if wait else None
        if instance is None or not MessageWait.objects.filter(pk=wait.pk).exists():  # type: ignore[union-attr]
            raise Conflict(_("This has gone on in the meantime. Look at it again."))
        if instance.status == ProcessInstance.Status.SUSPENDED:
            raise Conflict(_("This process is held for now; your step waits until it goes on. Nothing of yours was saved."))
        topics = {topic for task in HumanTask.objects.filter(instance=instance, status=HumanTask.Status.OPEN) for topic in topics_of(task)}
        with one_step(instance, actor) as (run, writes):
            writes.topics |= topics
            state = bytes(instance.state)
            run.take(engine.deliver(run.definition, state, wait.engine_id, payload or {}, host=run, now=run.now), writes)  # type: ignore[union-attr]
    return True


def broadcast_signal(name: str, payload: dict[str, Any] | None = None, *, idempotency_key: str | None = None) -> bool:
    """Tell everybody who waits for a signal now, and start what it starts."""
    return _send("signal", name, {}, payload, idempotency_key, MESSAGE_TTL)


def _send(kind: str, name: str, keys: dict[str, Any], payload: dict[str, Any] | None, idempotency_key: str | None, ttl: timedelta) -> bool:
    now = timezone.now()
    try:
        with transaction.atomic():
            row = MessageBuffer.objects.create(
                kind=kind,
                name=name,
                keys=keys,
                payload=payload or {},
                received=now,
                expires=now + ttl,
                idempotency_key=idempotency_key,
            )
    except IntegrityError:
        known = MessageBuffer.objects.filter(idempotency_key=idempotency_key).first()
        if known is None:
            raise
        return known.taken is not None
    if is_inside_a_run():
        return False  # routed in a transaction of its own: a step never holds two instances
    return route(row.pk)


def route(message_id: int) -> bool:
    """Try to hand over a message or signal that is on its way."""
    message = MessageBuffer.objects.filter(pk=message_id, taken=None).first()
    if message is None:
        return False
    return _route_signal(message) if message.kind == "signal" else _route_message(message)


def _route_message(message: MessageBuffer) -> bool:
    if message.expires <= timezone.now():
        return False
    wait = correlation.waiting_for(message.name, message.keys)
    if wait is not None:
        return _hand_over(message, wait)
    if _start_by(message):
        return True
    if correlation.waiting_for(message.name, message.keys, held=True) is not None:
        _keep(message)
    return False


def _hand_over(message: MessageBuffer, wait: MessageWait) -> bool:
    try:
        with transaction.atomic():
            instance = lock_instance(pk=wait.instance_id)
            if instance.status == ProcessInstance.Status.SUSPENDED or not MessageWait.objects.filter(pk=wait.pk).exists():
                return False
            now = timezone.now()
            if not MessageBuffer.objects.filter(pk=message.pk, taken=None).update(taken=now, taken_by=instance.pk):
                return False
            _deliver(instance, wait.engine_id, message.payload)
    except DataRefused as refused:
        with transaction.atomic():
            if MessageBuffer.objects.filter(pk=message.pk, taken=None).update(expires=timezone.now()):  # it won't get better by trying
                _tell_refused(message, wait, refused)
        return False
    return True


def _tell_refused(message: MessageBuffer, wait: MessageWait, refused: DataRefused) -> None:
    words = _("“%(name)s” came and couldn't be taken: %(words)s. The step goes on waiting; have it sent again.")
    raise_incident(wait.instance_id, wait.element_id, "host.message", words % {"name": message.name, "words": refused})


def _keep(message: MessageBuffer) -> None:
    """Keep what a held instance waits for: every look while it is held gives it another day."""
    now = timezone.now()
    if message.expires < now + KEPT / 2:
        MessageBuffer.objects.filter(pk=message.pk).update(expires=now + KEPT)


def _deliver(instance: ProcessInstance, wait_id: str, payload: dict[str, Any]) -> None:
    with one_step(instance, Actor.system(_("Message"))) as (run, writes):
        outcome = engine.deliver(run.definition, bytes(instance.state), wait_id, payload, host=run, now=run.now)
        run.take(outcome, writes)


def _start_by(message: MessageBuffer) -> bool:
    """Start the processes that begin with this message or signal; a message starts one, a signal all."""
    started = False
    for row in ProcessDefinition.objects.filter(is_current=True).exclude(starts=[]).only("key", "starts"):
        for kind, name, element_id, _names in row.starts:
            if kind != message.kind or name != message.name:
                continue
            with transaction.atomic():
                if kind == "message" and not MessageBuffer.objects.filter(pk=message.pk, taken=None).update(taken=timezone.now()):
                    return started
                start_process(
                    Actor.system(_("Message")),
                    row.key,
                    data={**message.keys, **message.payload},
                    idempotency_key=f"{kind}:{message.pk}:{element_id}",
                    at=element_id,
                )
            started = True
            if kind == "message":
                return True
    return started


def _route_signal(message: MessageBuffer) -> bool:
    """Hand a signal to all who waited when it was sent, each in a transaction of its own, then mark it; a crash between repeats
    nothing, for a wait that was served is gone."""
    told = held = False
    waits = MessageWait.objects.filter(kind="signal", name=message.name, created__lte=message.received)
    for wait in list(waits.order_by("pk")):
        refused = None
        with transaction.atomic():
            instance = lock_instance(pk=wait.instance_id)
            if not MessageWait.objects.filter(pk=wait.pk).exists():
                continue
            if instance.status == ProcessInstance.Status.SUSPENDED:
                held = True  # it hears the signal when it goes on
                continue
            try:
                _deliver(instance, wait.engine_id, message.payload)
            except DataRefused as error:
                refused = error
            except NotWaiting:
                continue
        if refused is not None:
            _tell_refused(message, wait, refused)
            continue
        told = True
    started = _start_by(message)
    if held:
        _keep(message)
    else:
        MessageBuffer.objects.filter(pk=message.pk).update(taken=timezone.now())
    return told or started
