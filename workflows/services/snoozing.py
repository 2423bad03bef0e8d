"""Putting a task out of one's own sight for a while."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.errors import Refused
from portal.live import ping
from workflows.access import visible_tasks
from workflows.errors import NotFound
from workflows.models import HumanTask, TaskSnooze

MORNING = time(8)
LONGEST = timedelta(days=366)
WAYS = ("tomorrow", "monday", "week")


def when_to_wake(actor: Actor, way: str, now: datetime | None = None) -> datetime:
    """Eight in the morning of tomorrow, of next Monday or in a week, where the actor lives. Raises Refused for another word."""
    zone = zoneinfo.ZoneInfo(actor.time_zone) if actor.time_zone else timezone.get_default_timezone()
    today = (now or timezone.now()).astimezone(zone).date()
    days = {"tomorrow": 1, "monday": 7 - today.weekday(), "week": 7}
    if way not in days:
        raise Refused(_("Choose until when."), "until")
    return datetime.combine(today + timedelta(days=days[way]), MORNING, tzinfo=zone)


def snooze_task(actor: Actor, task_id: int, until: datetime | None) -> None:
    """Keep an open task out of the actor's inbox until then; None wakes it. Raises NotFound, Refused for times that can't be."""
    if actor.user_id is None:
        raise NotFound
    with transaction.atomic():
        if not visible_tasks(actor).filter(pk=task_id, status=HumanTask.Status.OPEN).exists():
            raise NotFound
        if until is None:
            TaskSnooze.objects.filter(task_id=task_id, user_id=actor.user_id).delete()
        elif not timezone.now() < until <= timezone.now() + LONGEST:
            raise Refused(_("Choose a time within a year."), "until")
        else:
            TaskSnooze.objects.update_or_create(task_id=task_id, user_id=actor.user_id, defaults={"until": until})
        ping(f"inbox:user:{actor.user_id}")
