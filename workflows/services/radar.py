"""What an operator does with the radar's findings: each row in a transaction of its own, with a reason, audited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.events import emit
from portal.registry import SubjectRef
from workflows.access import WorkflowPermission
from workflows.events import TaskReminded
from workflows.models import HumanTask, MessageBuffer, OutboxCall, Timer
from workflows.runtime import lock_task, told_of
from workflows.selectors.radar import rows_of
from workflows.services.tasks import delegate_task, tell_holders
from workflows.services.timers import fire_timer

MOST = 200


@dataclass
class Mended:
    """How many findings were mended, and what was said of the others."""

    done: int = 0
    refused: list[str] = field(default_factory=list)


def mend(
    actor: Actor, kind: str, fix: str, ids: Iterable[int], reason: str, *, user_id: int | None = None, due: datetime | None = None
) -> Mended:
    """Apply a fix (hand, due, remind, fire, send, drop) to exactly the chosen findings that are still there.

    Raises NotAllowed for those who don't operate, Refused without a reason, a person to hand to or a date to come.
    """
    if not actor.can(WorkflowPermission.OPERATE):
        raise NotAllowed(_("Only operators mend what the radar finds."))
    if not reason.strip():
        raise Refused(_("Say why; it stays in the history."), "reason")
    if fix == "hand" and not user_id:
        raise Refused(_("Choose who takes them."), "user_id")
    if fix == "due" and (due is None or due <= timezone.now()):
        raise Refused(_("Choose a day to come."), "due")
    acts: dict[str, Callable[[int], None]] = {
        "hand": lambda pk: delegate_task(actor, pk, user_id or 0, reason),
        "due": lambda pk: _set_due(actor, pk, due, reason),
        "remind": lambda pk: _remind(actor, pk, reason),
        "fire": lambda pk: _fire(actor, pk, reason),
        "send": lambda pk: _send(actor, pk, reason),
        "drop": lambda pk: _drop(actor, pk, reason),
    }
    chosen = rows_of(actor, kind).filter(pk__in=list(ids)[:MOST]).order_by("pk").values_list("pk", flat=True)
    mended = Mended()
    for pk in list(chosen):
        try:
            acts[fix](pk)
            mended.done += 1
        except Refused as refused:
            mended.refused.append(refused.message)
    return mended


def _set_due(actor: Actor, task_id: int, due: datetime | None, reason: str) -> None:
    with transaction.atomic():
        _instance, task = lock_task(task_id)
        if task.status != HumanTask.Status.OPEN:
            raise Refused(_("A step was done meanwhile."))
        before = {"due": task.due.isoformat() if task.due else None}
        HumanTask.objects.filter(pk=task_id).update(due=due)
        after = {"due": due.isoformat() if due else None}
        record(actor, "task.due_changed", SubjectRef("workflows.task", task_id), before=before, after=after, reason=reason)
        tell_holders(task, task.assignee_id)


def _remind(actor: Actor, task_id: int, reason: str) -> None:
    with transaction.atomic():
        instance, task = lock_task(task_id)
        if task.status != HumanTask.Status.OPEN:
            raise Refused(_("A step was done meanwhile."))
        if task.organisation_id is None:
            raise Refused(_("Nobody is said to have the step: it has no customer or partner yet."))
        record(actor, "task.reminded", SubjectRef("workflows.task", task_id), reason=reason)
        emit(
            TaskReminded(
                **told_of(instance, actor),
                task_id=task_id,
                name=task.name,
                audience=task.audience,
                organisation_id=task.organisation_id,
                assignee_id=task.assignee_id,
                title=instance.title,
                role=task.role,
                excluded_ids=tuple(task.excluded),
            )
        )


def _fire(actor: Actor, timer_id: int, reason: str) -> None:
    with transaction.atomic():
        row = Timer.objects.filter(pk=timer_id).first()
        if row is None:
            raise Refused(_("A timer fired meanwhile."))
        Timer.objects.filter(pk=timer_id).update(attempts=0, due=min(row.due, timezone.now()))
        record(actor, "timer.fired", SubjectRef("workflows.instance", row.instance_id), after={"element": row.element_id}, reason=reason)
    if not fire_timer(timer_id, row.instance_id) and Timer.objects.filter(pk=timer_id).exists():
        raise Refused(_("A timer failed again; its incident says why."))


def _send(actor: Actor, call_id: int, reason: str) -> None:
    with transaction.atomic():
        waiting = OutboxCall.objects.select_for_update().filter(pk=call_id, status=OutboxCall.Status.WAITING).first()
        if waiting is None:
            raise Refused(_("A call went through meanwhile."))
        if waiting.lease and waiting.next_try > timezone.now():
            raise Refused(_("A call is being sent just now."))
        OutboxCall.objects.filter(pk=call_id).update(attempts=0, next_try=timezone.now(), lease="")
        subject = SubjectRef("workflows.instance", waiting.instance_id) if waiting.instance_id else SubjectRef("workflows.call", call_id)
        record(actor, "call.sent_again", subject, after={"call": waiting.idempotency_key}, reason=reason)


def _drop(actor: Actor, message_id: int, reason: str) -> None:
    with transaction.atomic():
        row = MessageBuffer.objects.select_for_update().filter(pk=message_id, taken=None).first()
        if row is None:
            raise Refused(_("A message was taken meanwhile."))
        before = {"name": row.name, "keys": row.keys, "received": row.received.isoformat()}
        record(actor, "message.dropped", SubjectRef("workflows.message", message_id), before=before, reason=reason)
        row.delete()
