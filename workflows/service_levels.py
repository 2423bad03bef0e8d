"""What is promised of a process and its steps: the administrators' rows, else what the diagram carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.db import transaction

from bpmn.model import Definition
from workflows.models import ServiceLevel

KEPT = "workflows.service_levels"
RISK = 75  # percent of the target
MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Level:
    """A promise: its target in words, when it counts as at risk, what stops its clock, and who is told."""

    target: str
    risk_percent: int = RISK
    pauses_for_customer: bool = False
    tell_holder: bool = True
    tell_role: str = MANAGER
    message: str = ""
    starts: str = ""


def levels_of(process_key: str, definition: Definition) -> Mapping[str, Level]:
    """What is promised of a process (under the empty text) and of its steps. Costs no statement while the rows are known."""
    set_here = _kept().get(process_key)
    drawn = drawn_levels(definition)
    if not set_here:
        return drawn
    return {element_id: level for element_id, level in {**drawn, **set_here}.items() if level.target}


def drawn_levels(definition: Definition) -> Mapping[str, Level]:
    """What the diagram itself promises; read once a version."""
    known = definition.__dict__.get("_levels")
    if known is None:
        known = {e.id: Level(e.target) for e in definition.elements.values() if e.target and e.is_human}
        if definition.target:
            known[""] = Level(definition.target, pauses_for_customer=definition.target_pauses == "customer")
        definition.__dict__["_levels"] = known
    return known


def _kept() -> dict[str, dict[str, Level]]:
    """The administrators' rows by process and step; kept for a minute, and read anew when one changes."""
    known = cache.get(KEPT)
    if known is None:
        known = {}
        for row in ServiceLevel.objects.order_by("pk"):
            known.setdefault(row.process_key, {})[row.element_id] = level_of(row)
        cache.set(KEPT, known, 60)
    return known


def level_of(row: ServiceLevel) -> Level:
    """A row as a promise."""
    return Level(row.target, row.risk_percent, row.pauses_for_customer, row.tell_holder, row.tell_role, row.message, row.starts)


def forget_kept() -> None:
    """A row changes in this transaction: read them anew, now and after it."""
    cache.delete(KEPT)
    transaction.on_commit(lambda: cache.delete(KEPT))
