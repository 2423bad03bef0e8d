"""Why a process stands where it stands: who decided what, which way a gateway took and on which condition, which row of a table held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from workflows.selectors.instances import HistoryView

HUMAN = ("userTask", "manualTask")


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: what decided it, what was decided in words, because of what (a condition, a row's inputs), and by whom."""

    at: datetime
    kind: str
    name: str
    words: str
    because: str
    who: str
    reason: str


def reasons(lines: Iterable[HistoryView]) -> list[Reason]:
    """The reasons among lines of a history, in their order. Lines whose data the reader may not see tell of people alone."""
    found = []
    for line in lines:
        if line.kind == "operation":
            found.append(Reason(line.at, line.kind, str(line.name), "", "", line.who, line.reason))
        elif line.state == "completed" and (told := _told(line)) is not None:
            found.append(Reason(line.at, line.kind, line.name, *told, line.who, line.reason))
    return found


def _told(line: HistoryView) -> tuple[str, str] | None:
    detail: dict[str, Any] = line.detail or {}
    if line.kind in HUMAN:
        return line.action, ""
    if detail.get("matched"):
        rule = detail["matched"][0]
        return _("row %(row)s: %(values)s") % {"row": rule.get("rule"), "values": _values(rule.get("outputs"))}, _values(rule.get("inputs"))
    if "flow" in detail or "flows" in detail:
        taken = detail.get("flows") or [detail]
        words = ", ".join(str(flow.get("name") or _("on")) for flow in taken)
        return words, ", ".join(str(flow["condition"]) for flow in taken if flow.get("condition"))
    return None


def _values(values: Any) -> str:
    if isinstance(values, dict):
        return ", ".join(f"{name} = {value}" for name, value in values.items())
    if isinstance(values, list | tuple):
        return ", ".join(map(str, values))
    return "" if values is None else str(values)
