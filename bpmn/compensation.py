"""Undoing what was done: which steps of a scope could be undone, and their handlers, the last step's first.

A workflow remembers in `undoable` each finished step that has a handler; a subprocess that ends hands what it remembers to the scope
around it. A throwing event takes what it is to undo, keeps it as its queue, and runs one handler after the other, each in a workflow of
the scope where the step was, inside the throwing event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpmn import variables
from bpmn.spiff_mend import SubWorkflow, Token
from bpmn.values import copy_value

if TYPE_CHECKING:
    from bpmn.execution import AnyWorkflow, Execution

Entry = dict[str, Any]


def remember(token: Token) -> None:
    """A step with a handler is done (of a repeated step, one round)."""
    if ("loop" in token.internal_data) == (token.element.loop is not None):
        entry = {"of": token.element.id, "scope": token.workflow.scope.id, "handler": token.element.compensation}
        local = variables.local(token)
        token.workflow.undoable.append({**entry, "data": copy_value(local)} if local else entry)


def hand_over(workflow: SubWorkflow) -> None:
    """A subprocess is over: what was done inside can be undone from around it, unless it is undone as a whole."""
    host = workflow.parent_task
    if workflow.undoable and host.element.kind != "callActivity" and not host.element.compensation and not workflow.is_undoing:
        host.workflow.undoable.append({"of": host.element.id, "inner": workflow.undoable})


def begin(execution: Execution, token: Token) -> bool | None:
    """Undo the steps of the thrower's scope, or the one that it names; True when there is nothing to undo."""
    queue: list[list[Any]] = []
    scope = token.workflow
    scopes: list[AnyWorkflow] = [scope]
    if scope.scope.kind == "event" and isinstance(scope, SubWorkflow):
        scopes.append(scope.parent_task.workflow)
    for workflow in scopes:
        taken = [e for e in workflow.undoable if not token.element.activity_ref or e["of"] == token.element.activity_ref]
        workflow.undoable = [e for e in workflow.undoable if e not in taken]
        queue += _in_order(taken)
    if not queue:
        return True
    token.internal_data["undo"] = queue
    execution.detail = {"undoes": [handler for _, handler, _ in queue]}
    _next(execution, token)
    return None


def go_on(execution: Execution, token: Token) -> None:
    """A handler is done: the next one, or on behind the event."""
    if token.internal_data["undo"]:
        _next(execution, token)
    else:
        del token.internal_data["undo"]
        token.complete()


def _in_order(entries: list[Entry]) -> list[list[Any]]:
    """Scope, handler and own variables of each entry, the last first."""
    found: list[list[Any]] = []
    for entry in reversed(entries):
        found += _in_order(entry["inner"]) if "inner" in entry else [[entry["scope"], entry["handler"], entry.get("data")]]
    return found


def _next(execution: Execution, token: Token) -> None:
    (scope, handler, data), *rest = token.internal_data["undo"]
    token.internal_data["undo"] = rest
    workflow = execution.top.create_subprocess(token, scope)
    undoing = workflow.add_token(workflow.spec.task_specs[handler])
    undoing.internal_data["at"] = execution.now
    if data:
        undoing.internal_data["local"] = True
        undoing.data = copy_value(data)
    undoing.task_spec._update(undoing)
