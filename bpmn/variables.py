"""Where variables live: one set per process, one per round of a multi-instance step, seen from a token as nested frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bpmn.model import StepFailed
from bpmn.spiff_mend import SubWorkflow, Token, Workflow
from bpmn.values import Unstorable, check_value, copy_value

MAX_VARIABLES = 500


def frames(token: Token) -> list[dict[str, Any]]:
    """The sets of variables that this token sees, innermost first."""
    found: list[dict[str, Any]] = []
    while True:
        if has_own(token):
            found.append(token.data)
        workflow = token.workflow
        if owns_variables(workflow):
            found.append(workflow.data)
            return found
        token = workflow.parent_task


def workflow_frames(workflow: Workflow | SubWorkflow) -> list[dict[str, Any]]:
    """The sets of variables seen inside a workflow."""
    return [workflow.data] if owns_variables(workflow) else frames(workflow.parent_task)


def owns_variables(workflow: Workflow | SubWorkflow) -> bool:
    """Processes have variables of their own, subprocesses share those around them. What undoes a step shares those of the event that asks
    for it, unless the step was in a called process, or a whole scope is restored."""
    if isinstance(workflow, SubWorkflow) and (step := workflow.parent_task.internal_data.get("undoing")) is not None:
        return "inner" in step or step["called"] is not None
    return workflow.scope.kind == "process"


def has_own(token: Token) -> bool:
    """Whether a token has variables of its own: one round of a multi-instance step, or a handler that undoes such a round."""
    kept = token.internal_data
    return ("loop" in kept and "plain" not in kept) or "local" in kept


def local(token: Token) -> dict[str, Any]:
    """The variables of the rounds that a token stands in."""
    seen: dict[str, Any] = {}
    for frame in reversed(frames(token)[:-1]):
        seen.update(frame)
    return seen


def rounds_done(token: Token) -> int | None:
    """How many rounds of the standard loop around a token came before."""
    while True:
        if "plain" in token.internal_data:
            return token.internal_data["index"]
        workflow = token.workflow
        if owns_variables(workflow) or not isinstance(workflow, SubWorkflow):
            return None
        token = workflow.parent_task


def view(token: Token, now: datetime) -> dict[str, Any]:
    """All variables by name, as expressions see them. `action` is the one taken on this token's own path."""
    seen: dict[str, Any] = {}
    for frame in reversed(frames(token)):
        seen.update(frame)
    if "action" in token.internal_data:
        seen["action"] = token.internal_data["action"]
    if token.element.loop is not None or isinstance(token.workflow, SubWorkflow):
        number = rounds_done(token)
        if number is not None:
            seen["loop_index"] = number
    seen["now"] = now
    return seen


def write(token: Token, values: Mapping[str, Any], deleted: Iterable[str] = ()) -> dict[str, Any]:
    """Set variables in the innermost frame of the token; returns what really changed."""
    return write_frames(frames(token), values, deleted)


def write_frames(all_frames: list[dict[str, Any]], values: Mapping[str, Any], deleted: Iterable[str] = ()) -> dict[str, Any]:
    """Set and delete variables; nothing is changed when one of them can't be stored."""
    target = all_frames[0]
    for name, value in values.items():
        check(name, value)
    if len(target) + len(values) > MAX_VARIABLES:
        raise StepFailed("data.many", f"more than {MAX_VARIABLES} variables")
    changed = changes(target, values)
    target.update(values)
    for name in deleted:
        for frame in all_frames:
            if name in frame:
                del frame[name]
                changed[name] = None
                break
    return changed


def check(name: object, value: object) -> None:
    """Raise what is wrong with a variable."""
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_") or name == "now":
        raise StepFailed("data.name", f"“{name}” can't be the name of a variable")
    try:
        check_value(value)
    except Unstorable as error:
        raise StepFailed("data.type", f"the variable “{name}” {error}") from None


class Copies(Mapping[str, Any]):
    """Variables for a connector to read: each value is a copy, made when it is asked for."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any]):
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return copy_value(self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, Copies) else other)

    __hash__ = None  # type: ignore[assignment]


def put(token: Token, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set variables that are known to be storable, because they come from another scope of the same instance."""
    target = frames(token)[0]
    changed = changes(target, values)
    target.update(values)
    return changed


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is new or other than it was."""
    return {name: value for name, value in after.items() if name not in before or not _same(before[name], value)}


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and old == new
