"""Calls to the world outside: put down in the step's transaction, sent after it under a lease."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine
from bpmn.model import NotWaiting
from portal.access import Actor
from workflows.models import OutboxCall, ProcessInstance
from workflows.runtime import lock_instance, one_step
from workflows.services.incidents import raise_incident

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 6
_senders: dict[str, Callable[[OutboxCall], dict[str, Any] | None]] = {}


class SendFailed(Exception):
    """A call that didn't go through. `for_good`: trying again is of no use."""

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


def sender(kind: str) -> Callable:
    """Register the function that sends calls of a kind; it gives the answer, or raises SendFailed."""

    def register(function: Callable[[OutboxCall], dict[str, Any] | None]) -> Callable:
        _senders[kind] = function
        return function

    return register


def enqueue_call(
    kind: str,
    payload: dict[str, Any],
    *,
    idempotency_key: str,
    instance_id: int | None = None,
    element_id: str = "",
    waiting_step: str = "",
) -> OutboxCall:
    """Put down a call of kind "mail" or "http" in the caller's transaction. The same key again is the same call."""
    row, _made = OutboxCall.objects.get_or_create(
        idempotency_key=idempotency_key[:200],
        defaults={
            "kind": kind,
            "payload": payload,
            "instance_id": instance_id,
            "element_id": element_id,
            "waiting_step": waiting_step,
        },
    )
    return row


def without_reader(call: OutboxCall, addresses: Iterable[str]) -> dict[str, Any]:
    """A letter's payload without somebody who asked to be forgotten, and without its words where it was for nobody else; one that waits is
    marked, and loses all that once it is sent."""
    payload = dict(call.payload)
    gone = {address.lower() for address in addresses}
    if call.status == OutboxCall.Status.WAITING:
        return payload | {"forget": sorted(gone)}
    payload["to"] = [one for one in payload["to"] if one.lower() not in gone]
    return payload if payload["to"] else payload | {"subject": "", "text": "", "html": "", "attachments": []}


def send_batch(limit: int = 50) -> int:
    """Lease what is due and send it; gives how many were tried. Any number of senders may run beside each other.

    An answer that can't be taken is tried again and stops no other call. Where the database fails the batch ends, and what it hasn't come
    to is given back, for only what was tried counts as a try.
    """
    lease = secrets.token_hex(12)
    calls = _lease(lease, limit)
    for number, call in enumerate(calls, 1):
        try:
            _send(call, lease)
        except (OperationalError, InterfaceError):
            _give_back(calls[number:], lease)
            raise
        except Exception as error:
            log.exception("the answer to outbox call %s can't be taken", call.pk)
            mine = OutboxCall.objects.filter(pk=call.pk, lease=lease, status=OutboxCall.Status.WAITING)
            mine.update(last_error=(str(error) or type(error).__name__)[:500])
    return OutboxCall.objects.filter(lease=lease).count()


def _lease(lease: str, limit: int) -> list[OutboxCall]:
    """Take due calls for a minute. A lease that ran out was a failure: its attempt is counted already."""
    now = timezone.now()
    with transaction.atomic():
        due = OutboxCall.objects.select_for_update(skip_locked=True).filter(status=OutboxCall.Status.WAITING, next_try__lte=now)
        rows = list(due.order_by("next_try", "pk")[:limit])
        for row in rows:
            row.attempts, row.lease, row.next_try = row.attempts + 1, lease, now + LEASE
        OutboxCall.objects.bulk_update(rows, ["attempts", "lease", "next_try"])
    ready = []
    for row in rows:
        if row.attempts > MAX_ATTEMPTS:
            _give_up(row, lease, row.last_error or _("It was tried too often without an answer."))
        else:
            ready.append(row)
    return ready


def _give_back(calls: list[OutboxCall], lease: str) -> None:
    """Let others send what this batch won't; should that fail too, it is sent when its lease has run out."""
    if calls:
        with suppress(DatabaseError, InterfaceError):
            mine = OutboxCall.objects.filter(pk__in=[call.pk for call in calls], lease=lease, status=OutboxCall.Status.WAITING)
            mine.update(attempts=F("attempts") - 1, lease="", next_try=timezone.now())


def _send(call: OutboxCall, lease: str) -> None:
    send = _senders.get(call.kind)
    try:
        if send is None:
            raise SendFailed(_("Nobody here sends calls of the kind “%(kind)s”.") % {"kind": call.kind}, for_good=True)
        answer = send(call)
    except Exception as error:
        if not isinstance(error, SendFailed):
            log.exception("outbox call %s failed", call.pk)
        words = str(error) or type(error).__name__
        if getattr(error, "for_good", False) or call.attempts >= MAX_ATTEMPTS:
            _give_up(call, lease, words)
        else:
            again = timezone.now() + timedelta(seconds=5 * 4 ** (call.attempts - 1))
            mine = OutboxCall.objects.filter(pk=call.pk, lease=lease, status=OutboxCall.Status.WAITING)
            mine.update(next_try=again, last_error=words[:500])
        return
    _take_answer(call, lease, answer)


def _keep_little(call: OutboxCall) -> None:
    """What isn't needed once a letter is gone: words that let somebody in, and who asked to be forgotten while it waited."""
    if call.kind != "mail":
        return
    row = OutboxCall.objects.get(pk=call.pk)  # as it is now: it may have been marked while it was being sent
    if row.payload.get("is_secret") and row.status == OutboxCall.Status.SENT:
        row.payload |= {"text": "", "html": ""}
    elif "forget" not in row.payload:
        return
    if gone := row.payload.pop("forget", None):
        row.payload, row.last_error = without_reader(row, gone), ""
    row.save(update_fields=["payload", "last_error"])


def _take_answer(call: OutboxCall, lease: str, answer: dict[str, Any] | None) -> None:
    """Mark the call sent and hand its answer to the step that waits, in one transaction."""
    now = timezone.now()
    with transaction.atomic():
        instance = lock_instance(pk=call.instance_id) if call.instance_id and call.waiting_step else None
        mine = OutboxCall.objects.filter(pk=call.pk, lease=lease, status=OutboxCall.Status.WAITING)
        if not mine.update(status=OutboxCall.Status.SENT, sent=now, answer=answer, last_error=""):
            return  # the lease ran out and another sender has it: its answer counts
        _keep_little(call)
        if instance is None or instance.status != ProcessInstance.Status.RUNNING:
            return
        with one_step(instance, Actor.system(_("Answer from outside"))) as (run, writes):
            try:
                outcome = engine.finish_service(run.definition, bytes(instance.state), call.waiting_step, answer, host=run, now=run.now)
            except NotWaiting:
                return
            run.take(outcome, writes)


def _give_up(call: OutboxCall, lease: str, words: str) -> None:
    with transaction.atomic():
        mine = OutboxCall.objects.filter(pk=call.pk, lease=lease, status=OutboxCall.Status.WAITING)
        if not mine.update(status=OutboxCall.Status.FAILED, last_error=words[:500]):
            return
        _keep_little(call)
        if call.instance_id:
            told = _("The call “%(kind)s” didn't go through: %(words)s") % {"kind": call.kind, "words": words}
            raise_incident(call.instance_id, call.element_id, "outbox.failed", told, call=call)
