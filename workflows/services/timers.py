"""Due timers and unfinished runs, found in the database in batches."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine
from bpmn.model import DataRefused, NotDue, NotWaiting
from portal import rows
from portal.access import Actor
from workflows.errors import NotFound
from workflows.models import MessageBuffer, ProcessInstance, StartTimer, Timer
from workflows.runtime import lock_instance, one_step
from workflows.services.incidents import raise_incident, retry_due
from workflows.services.instances import continue_instance
from workflows.services.messages import route
from workflows.services.start_conditions import look_again, look_at_changes
from workflows.services.start_timers import fire_start

log = logging.getLogger(__name__)
BATCH = 100
MAX_ATTEMPTS = 5
# Steps of a long run in one transaction; others get their turn in between. SQLite has one writer at a time, and it doesn't queue: whoever
# comes while it is busy sleeps before looking again. So there a long run holds it shortly, and is away from it fifty times as long while
# others write.
STEPS_A_TURN, STEPS_A_TURN_OF_SQLITE = 100, 30
AWAY, LONGEST_AWAY, LONGEST_ALONE = 50, 0.4, 0.05  # times; seconds
LONG_RUNS_A_ROUND_OF_SQLITE = 10
_TIMER = rows.Prepared(lambda pk: Timer.objects.filter(pk=pk), 987_654_321)
HELD = ProcessInstance.Status.SUSPENDED


def run_due(seconds: float = 10.0) -> int:
    """Fire what is due, continue what stopped at its bound, hand over what is on its way, look at watched records that have changed; gives
    how many steps were made.

    Works in rounds until nothing is left or its time is over. Any number of runners may work beside each other.
    """
    begun, made, last = timezone.now(), 0, 0
    while True:
        now = timezone.now()
        timers = Timer.objects.filter(due__lte=now, attempts__lt=MAX_ATTEMPTS).exclude(instance__status=HELD).order_by("due", "pk")[:BATCH]
        unfinished = ProcessInstance.objects.filter(more=True, status=ProcessInstance.Status.RUNNING)
        did = 0
        for pk, instance_id in list(timers.values_list("pk", "instance_id")):
            did += fire_timer(pk, instance_id)
        for pk in list(StartTimer.objects.filter(due__lte=now).order_by("due", "pk").values_list("pk", flat=True)[:BATCH]):
            did += fire_start(pk)
        for pk in list(unfinished.order_by("pk").values_list("pk", flat=True)[: LONG_RUNS_A_ROUND_OF_SQLITE if _one_writer() else BATCH]):
            did += _continue(pk)
        did += retry_due() + look_at_changes() + look_again()
        # Those whom nobody waits for stay, so each look takes the next of them: a hundred old ones must not hide a new one.
        waiting = MessageBuffer.objects.filter(taken=None, expires__gt=now, pk__gt=last).order_by("pk").values_list("pk", flat=True)
        messages = list(waiting[:BATCH])
        for pk in messages:
            did += _route(pk)
        last = messages[-1] if len(messages) == BATCH else 0
        made += did
        if not (did or last) or (timezone.now() - begun).total_seconds() > seconds:
            return made


def fire_timer(timer_id: int, instance_id: int) -> bool:
    """Fire one timer, unless another runner was faster. A failure beside the engine's own is tried again, then told as an incident."""
    try:
        with transaction.atomic():
            instance = lock_instance(pk=instance_id)
            row = _TIMER.first(timer_id)
            if row is None or row.due > timezone.now() or instance.status == HELD:
                return False
            with one_step(instance, Actor.system(_("Timer"))) as (run, writes):
                try:
                    outcome = engine.fire_timer(run.definition, bytes(instance.state), row.engine_id, host=run, now=run.now)
                except DataRefused:
                    raise  # it still waits
                except NotWaiting:
                    row.delete()
                    return False
                except NotDue as early:  # the row stood too soon: the engine's time counts
                    Timer.objects.filter(pk=row.pk).update(due=early.due)
                    return False
                run.take(outcome, writes)
    except NotFound:
        return False
    except Exception as error:
        log.exception("timer %s failed", timer_id)
        _postpone(timer_id, instance_id, str(error) or type(error).__name__)
        return False
    return True


def _postpone(timer_id: int, instance_id: int, words: str) -> None:
    row = Timer.objects.filter(pk=timer_id).first()
    if row is None:
        return
    row.attempts, row.last_error = row.attempts + 1, words[:500]
    row.due = timezone.now() + timedelta(seconds=5 * 4**row.attempts)
    row.save(update_fields=["attempts", "last_error", "due"])
    if row.attempts >= MAX_ATTEMPTS:
        told = _("A deadline couldn't be acted on: %(words)s") % {"words": words}
        raise_incident(instance_id, row.element_id, "timer.failed", told, timer=row)


def _one_writer() -> bool:
    return connection.vendor == "sqlite"


def _continue(instance_id: int) -> bool:
    begun = time.monotonic()
    try:
        did = continue_instance(instance_id, STEPS_A_TURN_OF_SQLITE if _one_writer() else STEPS_A_TURN)
    except Exception:
        log.exception("instance %s can't be continued", instance_id)
        return False
    if did and _one_writer():
        time.sleep(min(AWAY * (time.monotonic() - begun), LONGEST_AWAY if _others_write() else LONGEST_ALONE))
    return did


_last_version = 0


def _others_write() -> bool:
    """Whether another connection has written to SQLite since the last time this was asked (its `PRAGMA data_version`)."""
    global _last_version
    with connection.cursor() as cursor:
        before, (_last_version,) = _last_version, cursor.execute("PRAGMA data_version").fetchone()
    return _last_version != before


def _route(message_id: int) -> bool:
    try:
        return route(message_id)
    except Exception:
        log.exception("message %s can't be handed over", message_id)
        return False
