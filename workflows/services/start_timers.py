"""Processes that timers start: the next time of each is a row, polled like every other timer."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import timers
from bpmn.model import Definition
from portal.access import Actor
from workflows import definitions
from workflows.calendars import calendar_of
from workflows.models import ProcessDefinition, StartTimer
from workflows.services.instances import start_process

log = logging.getLogger(__name__)
MAX_ATTEMPTS = 5


def schedule(row: ProcessDefinition, definition: Definition, now: datetime | None = None) -> None:
    """Let the timers of a version that has become the current one start it, and those of the other versions no more.

    A date that has passed starts nothing."""
    now = now or timezone.now()
    StartTimer.objects.filter(definition__key=row.key).delete()
    new = []
    for start in definition.start_events:
        if start.timer is None:
            continue
        wait = timers.opened(start.timer.kind, start.timer.expression, now, definition.time_zone, calendar_of())
        if wait["due"] <= now and wait.get("left", 1) == 1:
            continue
        if wait["due"] <= now:
            wait = timers.following(wait, now, definition.time_zone, calendar_of()) or wait
        left, cycle = wait.get("left", 1), wait.get("cycle", "")
        new.append(StartTimer(definition=row, element_id=start.element_id, due=wait["due"], left=left, cycle=cycle))
    StartTimer.objects.bulk_create(new)


def fire_start(timer_id: int) -> bool:
    """Start the instance that is due, and put the timer on; False where another runner was faster. What fails is tried again; after the
    last try this time is given up and the next one waited for."""
    try:
        with transaction.atomic():
            row = _due(timer_id)
            if row is None:
                return False
            start_process(
                Actor.system(_("Timer")),
                row.definition.key,
                idempotency_key=f"timer:{row.definition_id}:{row.element_id}:{row.due.isoformat()}",
                at=row.element_id,
            )
            _put_on(row)
    except Exception as error:
        log.exception("the process of start timer %s didn't start", timer_id)
        _postpone(timer_id, str(error) or type(error).__name__)
        return False
    return True


def _due(timer_id: int) -> StartTimer | None:
    rows = StartTimer.objects.select_related("definition").filter(pk=timer_id, due__lte=timezone.now())
    return rows.select_for_update(of=("self",), skip_locked=connection.features.has_select_for_update_skip_locked).first()


def _put_on(row: StartTimer) -> None:
    zone = definitions.load(row.definition.digest).time_zone
    wait = {"due": row.due, "left": row.left, "cycle": row.cycle}
    again = timers.following(wait, timezone.now(), zone, calendar_of())
    if again is None:
        row.delete()
        return
    row.due, row.left, row.attempts, row.last_error = again["due"], again["left"], 0, ""
    row.save(update_fields=["due", "left", "attempts", "last_error"])


def _postpone(timer_id: int, words: str) -> None:
    with transaction.atomic():
        row = StartTimer.objects.select_for_update().filter(pk=timer_id).first()
        if row is None:
            return
        row.attempts, row.last_error = row.attempts + 1, words[:500]
        if row.attempts < MAX_ATTEMPTS:
            StartTimer.objects.filter(pk=timer_id).update(
                attempts=row.attempts, last_error=row.last_error, due=timezone.now() + timedelta(seconds=5 * 4**row.attempts)
            )
        else:
            _put_on(row)
