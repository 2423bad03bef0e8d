"""A process as a map: at each step how many stand there now, how long the step takes, what money and how many customers wait."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from bpmn.model import Definition
from portal.access import Actor
from workflows import definitions
from workflows.access import visible_definitions, visible_instances
from workflows.models import HistoryEvent, Incident
from workflows.selectors.monitor import LIVE
from workflows.selectors.times import by_element

LAYERS = ("count", "time", "money", "customers")
SAMPLE = 2000  # the newest instances whose times are read: enough for a median, and the cost stays the same among a million


@dataclass(frozen=True, slots=True)
class StepHeat:
    """One step of the map. `count`, `money` and `customers` are of now; `median` and `p85` of what went through it in the period."""

    element_id: str
    name: str
    audience: str
    count: int = 0
    money: tuple[tuple[Decimal, str], ...] = ()
    customers: int = 0
    incidents: int = 0
    median: timedelta | None = None
    p85: timedelta | None = None
    passed: int = 0

    def value(self, layer: str) -> float:
        """The figure that colours the step in a layer; money of several currencies is added as it stands."""
        match layer:
            case "time":
                return self.median.total_seconds() if self.median else 0
            case "money":
                return float(sum(amount for amount, _currency in self.money))
            case "customers":
                return self.customers
        return self.count


@dataclass(frozen=True, slots=True)
class ProcessHeat:
    """The map of a process. `sampled` says that the times are of the newest instances alone."""

    steps: list[StepHeat]
    live: int
    sampled: bool = False
    tops: dict[str, float] = field(default_factory=dict)

    def level(self, step: StepHeat, layer: str) -> int:
        """How hot a step is: 1 to 5, and 0 for nothing."""
        value, top = step.value(layer), self.tops.get(layer, 0)
        return min(5, max(1, math.ceil(5 * value / top))) if value and top else 0


def process_heat(actor: Actor, key: str, days: int = 90) -> ProcessHeat:
    """The map of a process over the instances that an employee sees; `days` bounds the start of those whose times count."""
    row = visible_definitions(actor).filter(key=key, is_current=True).only("digest").first()
    if row is None:
        return ProcessHeat([], 0)
    definition = definitions.load(row.digest)
    mine = visible_instances(actor).filter(key=key)
    stands = _standing(mine.filter(status__in=LIVE))
    times, sampled = _times(mine, days)
    failed = Incident.objects.filter(resolved=None, instance__in=mine.filter(has_incident=True)).order_by()
    incidents = dict(failed.values_list("element_id").annotate(Count("instance_id", distinct=True)))
    order = {element_id: place for place, element_id in enumerate(definition.elements)}
    shown = sorted({*stands, *times, *incidents}, key=lambda one: (order.get(one, len(order)), one))
    steps = [_step(definition, one, stands.get(one), times.get(one, []), incidents.get(one, 0)) for one in shown]
    tops = {layer: max((step.value(layer) for step in steps), default=0) for layer in LAYERS}
    return ProcessHeat(steps, mine.filter(status__in=LIVE).count(), sampled, tops)


def _step(definition: Definition, element_id: str, stands: dict[str, Any] | None, times: list[float], incidents: int) -> StepHeat:
    element = definition.elements.get(element_id)
    stands = stands or {"count": 0, "money": {}, "customers": 0}
    return StepHeat(
        element_id=element_id,
        name=(element.name if element else "") or element_id,
        audience=element.audience if element else "internal",
        count=stands["count"],
        money=tuple(sorted(((amount, currency) for currency, amount in stands["money"].items()), reverse=True)),
        customers=stands["customers"],
        incidents=incidents,
        median=_share(times, 0.5),
        p85=_share(times, 0.85),
        passed=len(times),
    )


def _share(seconds: list[float], share: float) -> timedelta | None:
    """The time within which this share of them was over."""
    return timedelta(seconds=sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]) if seconds else None


def _standing(rows) -> dict[str, dict[str, Any]]:
    """Tokens, money and customers by element, counted by the database: an instance counts once at each step where it stands."""
    wanted = rows.order_by().values("id", "active", "worth", "worth_currency", "customer_organisation_id")
    inner, params = wanted.query.sql_with_params()
    unnest = "jsonb_array_elements_text(i.active) AS e(value)" if connection.vendor == "postgresql" else "json_each(i.active) AS e"
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"count": 0, "money": {}, "customers": 0})
    # Only our own words are put together here: every value travels in `params`.
    columns = "i.id, e.value AS element, i.worth, i.worth_currency, i.customer_organisation_id"
    once = f"(SELECT DISTINCT {columns} FROM ({inner}) i, {unnest}) o"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT element, worth_currency, COUNT(*), SUM(worth) FROM {once} GROUP BY element, worth_currency", params)  # noqa: S608
        for element, currency, count, worth in cursor.fetchall():
            found[element]["count"] += count
            if worth and currency:
                found[element]["money"][currency] = Decimal(str(worth)).quantize(Decimal("0.01"))
        cursor.execute(f"SELECT element, COUNT(DISTINCT customer_organisation_id) FROM {once} GROUP BY element", params)  # noqa: S608
        for element, customers in cursor.fetchall():
            found[element]["customers"] = customers
    return dict(found)


def _times(mine, days: int) -> tuple[dict[str, list[float]], bool]:
    """Seconds that steps took, by element, in the newest instances of the period."""
    rows = mine.filter(started__gte=timezone.now() - timedelta(days=days)) if days else mine
    ids = list(rows.order_by("-started", "-pk").values_list("pk", flat=True)[: SAMPLE + 1])
    lines = HistoryEvent.objects.filter(instance_id__in=ids[:SAMPLE], state="completed").order_by()
    return by_element(lines.values_list("element_id", "kind", "started", "ended")), len(ids) > SAMPLE
