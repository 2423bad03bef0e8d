"""What is promised of a process and its steps: the administrators' rows, else what the diagram carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bpmn.model import Definition
from portal.cache import Kept
from workflows.models import ServiceLevel

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
    set_here = KEPT.get().get(process_key)
    drawn = drawn_levels(definition)
    if not set_here:
        return drawn
    return {element_id: level for element_id, level in {**drawn, **set_here}.items() if level.target}


def drawn_levels(definition: Definition) -> Mapping[str, Level]:
    """What the diagram itself promises; read once a version."""
    known = definition.__dict__.get("_levels")
    if known is None:
        known = {e.id: Level(e.target) for e in definition.elements.values() if e.target and (e.is_human or e.may_wait)}
        if definition.target:
            known[""] = Level(definition.target, pauses_for_customer=definition.target_pauses == "customer")
        definition.__dict__["_levels"] = known
    return known


def _read() -> dict[str, dict[str, Level]]:
    """The administrators' rows by process and step."""
    known: dict[str, dict[str, Level]] = {}
    for row in ServiceLevel.objects.order_by("pk"):
        known.setdefault(row.process_key, {})[row.element_id] = level_of(row)
    return known


KEPT = Kept("workflows.service_levels", _read)


def level_of(row: ServiceLevel) -> Level:
    """A row as a promise."""
    return Level(row.target, row.risk_percent, row.pauses_for_customer, row.tell_holder, row.tell_role, row.message, row.starts)
