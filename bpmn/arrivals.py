"""Something that was waited for has come: a time, a message, a signal, or a condition that holds now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bpmn import scripts, variables
from bpmn.model import Definition, Element, NotWaiting, StepFailed
from bpmn.specs import EventSubProcess
from bpmn.spiff_mend import Token

if TYPE_CHECKING:
    from bpmn.execution import Execution

Wait = dict[str, Any]
Payload = dict[str, Any] | None


def happen(execution: Execution, token: Token, index: int | None, wait: Wait, payload: Payload = None) -> None:
    """Let a waiting token take what has come; `index` says which of an event-based gateway's events it is."""
    if index is not None:
        _event_gateway(execution, token, index, payload)
    elif isinstance(token.task_spec, EventSubProcess):
        _event_subprocess(execution, token, wait, payload)
    elif "host" in token.internal_data:
        _boundary(execution, token, wait, payload)
    else:
        _take_payload(execution, token, token.element, payload)
        token.internal_data.pop("wait", None)
        execution.end(token)


def _take_payload(execution: Execution, into: Token, event: Element, payload: Payload) -> None:
    if payload:
        execution.write(into, {event.result: payload} if event.result else payload)


def _event_gateway(execution: Execution, token: Token, index: int, payload: Payload) -> None:
    flow_id = token.element.outgoing[index]
    target = execution.targets(token.element)[index]
    _take_payload(execution, token, target, payload)
    token.internal_data["taken"] = flow_id
    execution.detail = {"flow": flow_id, "event": target.id}
    token.complete()
    came = execution.ready[-1]
    came.internal_data["fired"] = True


def _event_subprocess(execution: Execution, token: Token, wait: Wait, payload: Payload) -> None:
    workflow = token.workflow
    trigger = execution.trigger(token.element)
    if payload:
        values = {trigger.result: payload} if trigger.result else payload
        execution.delta.update(variables.write_frames(variables.workflow_frames(workflow), values))
    if trigger.interrupting:
        for other in workflow.tokens():
            if other is not token:
                execution.cancel(other)
    elif "due" not in wait or execution.next_cycle(wait, trigger):
        again = execution.next_cycle(wait, trigger) if "due" in wait else {**wait, "held": True} if "condition" in wait else None
        execution.arm(workflow, token.task_spec, again)
    del token.internal_data["armed"], token.internal_data["wait"]
    token.internal_data["at"] = execution.now
    token._ready()


def _boundary(execution: Execution, token: Token, wait: Wait, payload: Payload) -> None:
    activity = execution.find(token.internal_data["host"])
    if activity is None:
        raise NotWaiting("The step of this event is over.")
    _take_payload(execution, activity, token.element, payload)
    if token.element.interrupting:
        del token.internal_data["host"]
        execution.cancel(activity)
        execution.end(token)
        return
    again = execution.next_cycle(wait, token.element) if "due" in wait else wait
    if again is None:
        del token.internal_data["host"]
        execution.end(token)
    else:
        token.internal_data["wait"] = again
        execution.record(token, "fired")
        for flow_id in token.element.outgoing:
            execution.follow(token, flow_id)
        token.internal_data["at"] = execution.now


# --- conditions -----------------------------------------------------------------------------------------------------


def has_conditions(definition: Definition) -> bool:
    """Whether anything in this process waits for a condition."""
    found = definition.__dict__.get("_has_conditions")
    if found is None:
        found = definition.__dict__["_has_conditions"] = any(e.event == "conditional" for e in definition.elements.values())
    return found


def look_at_conditions(execution: Execution) -> None:
    """Let every event happen whose condition has come true. One that goes on waiting must first have become false again."""
    for workflow in list(execution.top.workflows()):
        for token in workflow.tokens():
            for index, source, wait in _conditions(execution, token):
                if token.id in token.workflow.tasks and _comes_true(execution, token, source, wait):
                    execution.delta, execution.detail = {}, {"condition": source}
                    try:
                        happen(execution, token, index, wait)
                    except StepFailed as failure:
                        execution._fail(token, failure.code, failure.message)
                    execution.settle(token.workflow)
                    break


def _conditions(execution: Execution, token: Token) -> Iterator[tuple[int | None, str, Wait]]:
    """The conditions that a token waits for."""
    wait = token.internal_data.get("wait")
    if wait is not None and "condition" in wait:
        yield None, wait["condition"], wait
    for index, (_, other) in enumerate(token.internal_data.get("waits", ())):
        if "condition" in other:
            yield index, other["condition"], other


def _comes_true(execution: Execution, token: Token, source: str, wait: Wait) -> bool:
    """Whether a condition holds now and didn't before. A variable that isn't there yet makes it false; other failures are incidents."""
    kept = token.internal_data
    try:
        holds = scripts.truth(source, execution.view(token))
    except scripts.UnknownName:
        holds = False
    except scripts.ScriptError as error:
        told = ["expression.failed", f"The condition: {error}"[:2000]]
        if kept.get("incident") != told:
            kept["incident"] = told
            execution.record(token, "failed", {"code": told[0], "message": told[1]})
        return False
    kept.pop("incident", None)
    before, wait["held"] = wait.get("held", False), holds
    return holds and not before
