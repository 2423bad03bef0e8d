"""How long steps took, from the history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from workflows.models import HistoryEvent

TIMED = ("Task", "task", "subProcess", "adHocSubProcess", "transaction", "callActivity", "intermediateCatchEvent")


def by_element(lines: Iterable[tuple]) -> dict[str, list[float]]:
    """Seconds by element, a round each, from (element, kind, started, ended); gateways and the like take no time."""
    found: dict[str, list[float]] = defaultdict(list)
    for element_id, kind, started, ended in lines:
        if element_id and kind.endswith(TIMED):
            found[element_id].append((ended - started).total_seconds())
    return found


def step_times(instance_id: int) -> dict[str, list[float]]:
    """Seconds that each step of one instance took, a round each."""
    lines = HistoryEvent.objects.filter(instance_id=instance_id, state="completed").order_by("ended", "pk")
    return by_element(lines.values_list("element_id", "kind", "started", "ended"))
