"""The engine's door to decision tables: finds a decision among a definition's DMN files and evaluates it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bpmn.dmn import DecisionModel, DmnError, evaluate, parse_decisions
from bpmn.model import Definition, Problem, StepFailed

_PLAIN = (str, int, float, bool, Decimal, date, datetime, timedelta, list, dict, type(None))


@functools.lru_cache(256)
def model_of(xml: bytes) -> DecisionModel:
    """A DMN file, read once."""
    return parse_decisions(xml)


def find(definition: Definition, decision: str) -> DecisionModel | None:
    """The model among the definition's DMN files that has this decision, by id or name."""
    for xml in definition.decisions.values():
        try:
            model = model_of(xml)
            model.find(decision)
        except DmnError:
            continue
        return model
    return None


def check(definition: Definition) -> list[Problem]:
    """Problems of the business rule tasks of a definition: DMN files that can't be read, decisions that nothing defines."""
    asked = [element for element in definition.elements.values() if element.kind == "businessRuleTask"]
    problems = []
    for name, xml in definition.decisions.items() if asked else ():
        try:
            model_of(xml)
        except DmnError as error:
            problems.append(Problem(None, "rule.file", f"The decision file “{name}” can't be used: {error}", "Correct the decision table."))
    if problems:
        return problems
    for element in asked:
        if find(definition, element.decision) is None:
            text = f"No decision “{element.decision}” is among the process's decision tables."
            problems.append(
                Problem(element.id, "rule.missing", text, "Deploy its DMN file together with the process, or correct the name.")
            )
    return problems


def decide(definition: Definition, decision: str, inputs: Mapping[str, Any], now: datetime) -> tuple[Any, dict[str, Any]]:
    """The decision's result, and for the history which rules matched."""
    model = find(definition, decision)
    if model is None:
        raise StepFailed("rule.missing", f"No decision “{decision}” is deployed with the process.")
    given = {name: value for name, value in inputs.items() if isinstance(value, _PLAIN)}
    try:
        result = evaluate(model, decision, given, now=now, strict=False)
    except DmnError as error:
        raise StepFailed("rule.failed", f"The decision “{decision}” failed: {error}") from None
    matched = [
        {
            "table": rule.table,
            "rule": rule.index,
            "inputs": _plain(rule.inputs),
            "outputs": _plain(rule.outputs),
            "annotation": rule.annotation,
        }
        for step in (result.steps or ())
        for rule in step.matched
    ] or [{"rule": rule.index, "outputs": _plain(rule.outputs), "annotation": rule.annotation} for rule in result.matched]
    return _plain(result.value), {"matched": matched, "result": _plain(result.value), "notes": list(result.notes)}


def _plain(value: Any) -> Any:
    """Decision values as processes hold them: whole numbers as int, years and months as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < Decimal("1e15") else value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, _PLAIN) else str(value)
