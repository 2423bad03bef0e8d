"""Undoing what was done: which steps of a scope could be undone, and their handlers, the last step's first.

A workflow remembers in `undoable` each finished step that has a handler; a subprocess or called process that ends hands what it remembers
to the scope around it, with its variables where they would be lost. A throwing event takes what it is to undo, keeps it as its queue, and
runs one handler after the other, each in a workflow of the scope where the step was, inside the throwing event.

An entry says what it is `of`. A step with a handler: `scope`, `handler` and, of a round, its own variables as `data`. A scope that is over:
`inner`, its own entries. With `called` it was a called process, whose variables are `data`. With `handler` it has an event subprocess that
undoes it, which sees the variables as they were then, `data`, and undoes of the `inner` what it throws for.
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


def hand_over(execution: Execution, workflow: SubWorkflow) -> None:
    """A subprocess or called process is over: what was done inside can be undone from around it, unless it is undone as a whole."""
    host = workflow.parent_task
    handler = _handler_of(execution, workflow)
    if host.element.compensation or not (handler or workflow.undoable):
        return
    entry: Entry = {"of": host.element.id, "inner": workflow.undoable}
    if host.element.kind == "callActivity":
        entry |= {"called": True, "data": copy_value(workflow.data)}
    elif handler:
        seen = variables.view(host, execution.now)
        del seen["now"]
        entry["data"] = copy_value(seen)
    if handler:
        entry |= {"scope": workflow.scope.id, "handler": handler}
    host.workflow.undoable.append(entry)


def _handler_of(execution: Execution, workflow: SubWorkflow) -> str:
    """The event subprocess that undoes a whole scope."""
    elements = execution.definition.elements
    return next((id_ for id_ in workflow.scope.event_subprocesses if execution.trigger(elements[id_]).event == "compensate"), "")


def begin(execution: Execution, token: Token) -> bool | None:
    """Undo the steps of the thrower's scope, or the one that it names; True when there is nothing to undo."""
    queue: list[Entry] = []
    called: list[dict[str, Any]] = []
    scope = token.workflow
    scopes: list[AnyWorkflow] = [scope]
    if scope.scope.kind == "event" and isinstance(scope, SubWorkflow):
        scopes.append(scope.parent_task.workflow)
    for workflow in scopes:
        taken = [e for e in workflow.undoable if not token.element.activity_ref or e["of"] == token.element.activity_ref]
        workflow.undoable = [e for e in workflow.undoable if e not in taken]
        queue += _in_order(taken, called, None)
    if not queue:
        return True
    token.internal_data["undo"] = queue
    token.internal_data["undo_called"] = called
    execution.detail = {"undoes": [step["handler"] for step in queue]}
    _next(execution, token)
    return None


def _in_order(entries: list[Entry], called: list[dict[str, Any]], within: int | None) -> list[Entry]:
    """The handlers to run, the last first. `called` gathers the variables of the called processes, `within` says in which of them."""
    found: list[Entry] = []
    for entry in reversed(entries):
        place = within
        if "called" in entry:
            called.append(entry["data"])
            place = len(called) - 1
        if "handler" not in entry:
            found += _in_order(entry["inner"], called, place)
            continue
        step: Entry = {"scope": entry["scope"], "handler": entry["handler"], "called": place}
        if "inner" in entry:
            step["inner"] = entry["inner"]
        if "data" in entry and "called" not in entry:
            step["data"] = entry["data"]
        found.append(step)
    return found


def _next(execution: Execution, token: Token) -> None:
    kept = token.internal_data
    step, *kept["undo"] = kept["undo"]
    kept["undoing"] = step
    workflow = execution.top.create_subprocess(token, step["scope"])
    undoing = workflow.add_token(workflow.spec.task_specs[step["handler"]])
    undoing.internal_data["at"] = execution.now
    if variables.owns_variables(workflow):
        workflow.data = copy_value(step["data"] if "inner" in step and "data" in step else kept["undo_called"][step["called"]])
    if "inner" in step:
        workflow.undoable = step["inner"]
    elif "data" in step:
        undoing.internal_data["local"] = True
        undoing.data = copy_value(step["data"])
    undoing.task_spec._update(undoing)


def go_on(execution: Execution, token: Token, workflow: SubWorkflow) -> None:
    """A handler is done: keep what it has written, then the next one, or on behind the event."""
    kept = token.internal_data
    _take_over(token, kept.pop("undoing"), workflow)
    if kept["undo"]:
        _next(execution, token)
    else:
        del kept["undo"], kept["undo_called"]
        execution.end(token)


def _take_over(token: Token, step: Entry, workflow: SubWorkflow) -> None:
    """A called process keeps its variables until all of it is undone; of a restored scope, what the handler has changed goes on."""
    own = token.internal_data["undo_called"]
    if "inner" in step and "data" in step:
        changed = variables.changes(step["data"], workflow.data)
        if step["called"] is None:
            variables.put(token, changed)
        else:
            own[step["called"]].update(changed)
    elif step["called"] is not None:
        own[step["called"]] = workflow.data
