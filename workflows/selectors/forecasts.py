"""When a running process will probably be over, learnt from those of its kind that ended before.

For every step of a process: how long it took from the moment that an instance came to it until the instance was completed. What was
learnt is kept for an hour, so that a page never reads the history of others.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Max
from django.utils import timezone

from portal.access import Actor
from workflows.access import visible_instances
from workflows.models import HistoryEvent, HumanTask, ProcessInstance

FEWEST = 5  # with fewer ended instances nobody can say anything
NEWEST = 200  # older ones tell of a company that worked differently
KEPT = 3600
MOST = 17  # of twenty: the 85th percentile


@dataclass(frozen=True, slots=True)
class Remaining:
    """From a step to the end: how long half of the instances needed, how long 85 % did, and how many there were."""

    median: timedelta
    most: timedelta
    count: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Between which days a running instance will probably be over."""

    soonest: datetime
    latest: datetime
    count: int

    @property
    def is_overdue(self) -> bool:
        """It takes longer than most before it."""
        return self.latest < timezone.now()

    @property
    def is_late(self) -> bool:
        """It takes longer than half of those before it."""
        return self.soonest < timezone.now()

    @property
    def is_one_day(self) -> bool:
        """Both ends are the same day for the reader."""
        return timezone.localdate(self.soonest) == timezone.localdate(self.latest)


def forecasts(actor: Actor, instance_ids: Iterable[int]) -> dict[int, Forecast]:
    """When running instances will probably be over; those without enough history behind them are left out.

    At most three queries for any number of instances, and two more for a kind of process whose history wasn't read within the hour.
    """
    rows = visible_instances(actor).filter(pk__in=set(instance_ids), status=ProcessInstance.Status.RUNNING)
    running = list(rows.values_list("pk", "key", "active", "started"))
    if not running:
        return {}
    since = _standing_since([pk for pk, *_rest in running])
    learnt = {key: remaining(key) for key in {key for _pk, key, *_rest in running}}
    found = {}
    for pk, key, active, started in running:
        tasks, last = since.get(pk, ({}, None))
        places = tasks or dict.fromkeys(active, last or started)
        ends = [(came + left.median, came + left.most, left.count) for step, came in places.items() if (left := learnt[key].get(step))]
        if ends:
            found[pk] = Forecast(max(e[0] for e in ends), max(e[1] for e in ends), min(e[2] for e in ends))
    return found


def _standing_since(instance_ids: list[int]) -> dict[int, tuple[dict[str, datetime], datetime | None]]:
    """For each instance its open steps and since when each waits, and when something last happened."""
    tasks: dict[int, dict[str, datetime]] = defaultdict(dict)
    open_tasks = HumanTask.objects.filter(instance_id__in=instance_ids, status=HumanTask.Status.OPEN)
    for pk, step, created in open_tasks.values_list("instance_id", "element_id", "created"):
        tasks[pk][step] = min(created, tasks[pk].get(step, created))
    quiet = [pk for pk in instance_ids if pk not in tasks]
    last = HistoryEvent.objects.filter(instance_id__in=quiet).values_list("instance_id").annotate(last=Max("ended")).order_by()
    return {**{pk: ({}, at) for pk, at in last}, **{pk: (steps, None) for pk, steps in tasks.items()}}


def remaining(key: str) -> dict[str, Remaining]:
    """What the completed instances of a process teach, by step; kept for an hour."""
    return cache.get_or_set(f"remaining:{key}", lambda: _learn(key), KEPT) or {}


def _learn(key: str) -> dict[str, Remaining]:
    """Read the newest completed instances of a process. A step that was come to again counts each time."""
    over = ProcessInstance.objects.filter(key=key, status=ProcessInstance.Status.COMPLETED, ended__isnull=False)
    ended = dict(over.order_by("-started").values_list("pk", "ended")[:NEWEST])
    if len(ended) < FEWEST:
        return {}
    took: dict[str, list[float]] = defaultdict(list)
    passed: dict[str, set[int]] = defaultdict(set)
    lines = HistoryEvent.objects.filter(instance_id__in=list(ended)).exclude(element_id="")
    for pk, step, started in lines.values_list("instance_id", "element_id", "started").distinct():
        took[step].append(max(0.0, (ended[pk] - started).total_seconds()))
        passed[step].add(pk)
    return {step: _remaining(took[step], len(pks)) for step, pks in passed.items() if len(pks) >= FEWEST}


def _remaining(seconds: list[float], count: int) -> Remaining:
    most = statistics.quantiles(seconds, n=20, method="inclusive")[MOST - 1]
    return Remaining(timedelta(seconds=statistics.median(seconds)), timedelta(seconds=most), count)
