"""Who catches what: errors and escalations find their handler from the step outwards, cancels at their transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bpmn import variables
from bpmn.model import Element
from bpmn.spiff_mend import Node, Token
from bpmn.values import copy_value

if TYPE_CHECKING:
    from bpmn.execution import AnyWorkflow, Execution


def error_end(execution: Execution, token: Token) -> None:
    """An error end event: caught around its scope, or the whole instance fails."""
    code = token.element.code
    token.forget()
    if not raise_error(execution, token, code, token.element.name, ended=True):
        for other in execution.top.tokens():
            execution.cancel(other)
        execution.status, execution.error_code = "failed", code


def raise_error(execution: Execution, token: Token, code: str, message: str, ended: bool = False) -> bool:
    """Look for who catches an error, from the step outwards; True when somebody did."""
    node = token
    while True:
        node = _whole_step(execution, node)
        handler = None if node is token and ended else _boundary(execution, node.element, "error", code)
        if handler is not None:
            execution.write(node, {"error_code": code, "error_message": message})
            interrupt(execution, node, handler)
            return True
        workflow = node.workflow
        caught = _event_subprocess(execution, workflow, "error", code, node)
        if caught is not None:
            for other in workflow.tokens():
                execution.cancel(other)
            variables.write_frames(variables.workflow_frames(workflow), {"error_code": code, "error_message": message})
            execution.emit(workflow, caught, None, None)
            return True
        if workflow is execution.top:
            return False
        node = workflow.parent_task


def escalate(execution: Execution, token: Token, payload: Mapping[str, Any]) -> bool:
    """Tell whoever catches an escalation first, from its scope outwards; True when that has ended the path that threw it.

    An escalation that nobody catches changes nothing; the history has it."""
    code = token.element.code
    node = token
    told = {"escalation_code": code, **copy_value(dict(payload))}
    while True:
        node = _whole_step(execution, node)
        handler = _boundary(execution, node.element, "escalation", code)
        if handler is not None:
            execution.write(node, told)
            if handler.interrupting:
                interrupt(execution, node, handler)
            else:
                execution.end(_event_token(execution, node, handler))
            return handler.interrupting
        workflow = node.workflow
        caught = _event_subprocess(execution, workflow, "escalation", code, node)
        if caught is not None:
            execution.delta.update(variables.write_frames(variables.workflow_frames(workflow), told))
            stops = execution.trigger(caught.element).interrupting
            if stops:
                for other in workflow.tokens():
                    execution.cancel(other)
            execution.emit(workflow, caught, None, None)
            return stops
        if workflow is execution.top:
            return False
        node = workflow.parent_task


def cancelled(execution: Execution, token: Token) -> None:
    """A cancel end event has undone its transaction: the transaction's cancel event takes over."""
    host = _whole_step(execution, token.workflow.parent_task)
    token.forget()
    boundary = next(e for id_ in host.element.boundary if (e := execution.definition.elements[id_]).event == "cancel")
    interrupt(execution, host, boundary)


def interrupt(execution: Execution, host: Token, boundary: Element) -> None:
    """An interrupting boundary event takes over from its activity."""
    event = _event_token(execution, host, boundary)
    execution.cancel(host)
    execution.end(event)


def _event_token(execution: Execution, host: Token, boundary: Element) -> Token:
    event = host.workflow.add_token(host.workflow.spec.task_specs[boundary.id])
    event.internal_data["at"] = execution.now
    return event


def _whole_step(execution: Execution, token: Token) -> Token:
    """The step that a round belongs to, else the token itself."""
    return (execution.find(token.internal_data["loop"]) or token) if "loop" in token.internal_data else token


def _boundary(execution: Execution, element: Element, event: str, code: str) -> Element | None:
    events = [e for id_ in element.boundary if (e := execution.definition.elements[id_]).event == event]
    return next((e for e in events if e.code == code), None) or next((e for e in events if not e.code), None)


def _event_subprocess(execution: Execution, workflow: AnyWorkflow, event: str, code: str, inside: Token) -> Node | None:
    if workflow.is_undoing:
        return None  # the handlers of a scope that is over; its event subprocesses went with it
    specs = [workflow.spec.task_specs[id_] for id_ in workflow.scope.event_subprocesses]
    found = [(spec, execution.trigger(spec.element)) for spec in specs if spec is not inside.task_spec]
    found = [(spec, start) for spec, start in found if start.event == event]
    exact = next((spec for spec, start in found if start.code == code), None)
    return exact or next((spec for spec, start in found if not start.code), None)
