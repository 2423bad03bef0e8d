"""When a running process will probably be over, learnt from those of its kind that ended before.

For every step of a process: how long it took from the moment that an instance came to it until the instance was completed. What was
learnt is kept for an hour, so that a page never reads the history of others.
"""

from __future__ import annotations

import functools
import statistics
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from portal.access import Actor
from portal.cache import Kept
from portal.rows import PreparedFor
from workflows.access import visible_instances
from workflows.models import HistoryEvent, ProcessInstance
from workflows.selectors.roads import OpenStep, open_steps

FEWEST = 5  # with fewer ended instances nobody can say anything
NEWEST = 200  # older ones tell of a company that worked differently
KEPT, HERE = 3600, 60.0  # seconds, in the cache and in one process
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


_RUNNING: PreparedFor[tuple] = PreparedFor(
    lambda actor, *keys: (
        visible_instances(actor).filter(pk__in=keys, status=ProcessInstance.Status.RUNNING).values_list("pk", "key", "active", "started")
    ),
    outsiders_only=True,
)
_LAST: PreparedFor[tuple] = PreparedFor(
    lambda _system, *keys: (
        HistoryEvent.objects.filter(instance_id__in=keys).values_list("instance_id").annotate(last=Max("ended")).order_by()
    )
)


def forecasts(actor: Actor, instance_ids: Collection[int], steps: list[OpenStep] | None = None) -> dict[int, Forecast]:
    """When running instances will probably be over; those without enough history behind them are left out.

    At most three queries for any number of instances, one fewer where their open `steps` are known, and two more for a kind of process
    whose history wasn't read within the hour.
    """
    running = _RUNNING.among(actor, set(instance_ids))
    if not running:
        return {}
    since = _standing_since([pk for pk, *_rest in running], open_steps(actor, instance_ids) if steps is None else steps)
    learnt = {key: remaining(key) for key in {key for _pk, key, *_rest in running}}
    found = {}
    for pk, key, active, started in running:
        tasks, last = since.get(pk, ({}, None))
        places = tasks or dict.fromkeys(active, last or started)
        ends = [(came + left.median, came + left.most, left.count) for step, came in places.items() if (left := learnt[key].get(step))]
        if ends:
            found[pk] = Forecast(max(e[0] for e in ends), max(e[1] for e in ends), min(e[2] for e in ends))
    return found


def _standing_since(instance_ids: list[int], steps: list[OpenStep]) -> dict[int, tuple[dict[str, datetime], datetime | None]]:
    """For each instance its open steps and since when each waits, and when something last happened."""
    tasks: dict[int, dict[str, datetime]] = defaultdict(dict)
    for pk, step, _digest, created in steps:
        tasks[pk][step] = min(created, tasks[pk].get(step, created))
    quiet = [pk for pk in instance_ids if pk not in tasks]
    last = _LAST.among(Actor.system(), quiet)
    return {**{pk: ({}, at) for pk, at in last}, **{pk: (steps, None) for pk, steps in tasks.items()}}


def remaining(key: str) -> dict[str, Remaining]:
    """What the completed instances of a process teach, by step; kept for an hour, and for a minute more in this process."""
    return _kept(key).get()


@functools.cache
def _kept(key: str) -> Kept[dict[str, Remaining]]:
    return Kept(f"remaining:{key}", functools.partial(_learn, key), HERE, KEPT)


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
