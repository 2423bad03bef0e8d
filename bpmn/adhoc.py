"""Ad hoc subprocesses: people choose which step comes next. The choice is offered as a human task with one action for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from bpmn.model import StepFailed, StepRecord
from bpmn.spiff_mend import SubWorkflow, Token

if TYPE_CHECKING:
    from bpmn.execution import AnyWorkflow, Execution

DONE = "done"


def open_choice(execution: Execution, token: Token) -> None:
    """Enter an ad hoc subprocess: nothing runs in it until somebody chooses."""
    execution.assign(token)
    execution._arm(execution.top.create_subprocess(token, token.element.inner))
    _offer(token)


def _offer(token: Token) -> None:
    token.internal_data["offer"] = uuid4().hex  # each choice is a task of its own, so that one sent twice starts one step


def is_open(workflow: AnyWorkflow) -> bool:
    """Whether people choose here; not where a step of an ad hoc subprocess that is over is being undone."""
    return workflow.scope.kind == "adhoc" and not workflow.is_undoing


def offered(execution: Execution, task_id: str) -> Token | None:
    """The ad hoc subprocess whose open choice has this id."""
    return next((t for t in execution.top.tokens_everywhere() if t.internal_data.get("offer") == task_id), None)


def choose(execution: Execution, token: Token, action: object) -> None:
    """Start the chosen step, or end the subprocess."""
    inner = execution.top.subprocesses[token.id]
    starts = {id_.rpartition(":")[2]: id_ for id_ in inner.scope.starts}  # in a called process, ids have its key before them
    if action == DONE and not token.element.completion:
        token.internal_data["over"] = True
    elif isinstance(action, str) and action in starts:
        execution.emit(inner, inner.spec.task_specs[starts[action]], None, None)
    else:
        names = ", ".join(a.id for a in token.element.actions)
        raise StepFailed("adhoc.choice", f"“{action}” can't be chosen here; choose one of {names}.")
    offer = token.internal_data.pop("offer")
    detail, since = {"action": str(action)}, token.internal_data["at"]
    execution.history.append(
        StepRecord(token.element.id, token.element.kind, "chosen", since, execution.now, offer, execution.delta or None, detail)
    )
    execution.delta = {}
    if not token.element.sequential and "over" not in token.internal_data:
        _offer(token)


def step_ends(execution: Execution, token: Token) -> None:
    """A step inside is about to end: see whether the whole is over with it."""
    workflow = token.workflow
    if isinstance(workflow, SubWorkflow) and token.element.is_activity:
        host = workflow.parent_task
        completion = host.element.completion
        if completion and execution.holds(token, completion, "The completion condition"):
            host.internal_data["over"] = True


def stays_open(execution: Execution, workflow: AnyWorkflow) -> bool:
    """Whether an ad hoc subprocess goes on; offers the next choice where one step at a time is done."""
    assert isinstance(workflow, SubWorkflow)
    host = workflow.parent_task
    if "over" in host.internal_data:
        host.internal_data.pop("offer", None)
        if host.element.cancels_rest:
            for token in workflow.tokens():
                execution.cancel(token)
        return workflow.is_busy()
    if "offer" not in host.internal_data and not workflow.is_busy():
        _offer(host)
    return True
