"""The engine's door: every call takes a stored state, moves the process as far as it goes, and returns an `Outcome`.

No database, no clock, no network: `now` is given, service tasks are done by `host`, and the caller stores the outcome in one
transaction. A call that raises has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.util.task import TaskState

from bpmn import adhoc, arrivals, handlers, pauses, stored, variables
from bpmn.execution import MAX_STEPS, Execution
from bpmn.model import (
    ActiveTask,
    DataRefused,
    Definition,
    Host,
    Incident,
    MessageWait,
    NotDue,
    NotWaiting,
    Outcome,
    ServiceWait,
    Standing,
    StartRefused,
    StepFailed,
    TimerWait,
)
from bpmn.serializer import decode, encode
from bpmn.specs import EventGateway, HumanTask, ServiceTask, compiled
from bpmn.spiff_mend import SubWorkflow, Token, Workflow
from bpmn.values import copy_value

# --- starting -------------------------------------------------------------------------------------------------------


def start(
    definition: Definition,
    data: Mapping[str, Any] | None,
    *,
    host: Host | None,
    now: datetime,
    at: str | None = None,
    max_steps: int = MAX_STEPS,
) -> Outcome:
    """Start an instance; `at` begins at another start event, or jumps to any element of the process itself."""
    workflow = Workflow(compiled(definition), definition.key)
    execution = Execution(definition, workflow, host, _utc(now))
    _check_start(definition, at)
    try:
        variables.write_frames([workflow.data], copy_value(dict(data or {})))
        execution.begin(workflow, at)
    except StepFailed as failure:
        raise StartRefused(failure.message) from None
    execution.advance(max_steps)
    return _outcome(execution)


def _check_start(definition: Definition, at: str | None) -> None:
    if at is None:
        if len(definition.start_events) > 1 and not any(event.event == "none" for event in definition.start_events):
            raise StartRefused("The process has several start events; say which one.")
        return
    element = definition.elements.get(at)
    if element is None or element.scope != definition.key:
        raise StartRefused(f"The process has no element “{at}” to start at.")
    if element.kind == "boundaryEvent" or element.triggered_by_event or element.undoes:
        raise StartRefused(f"The process can't start at “{at}”: it only happens beside other steps.")
    if element.kind == "intermediateCatchEvent" and any(
        definition.elements[definition.flows[f].source].kind == "eventBasedGateway" for f in element.incoming
    ):
        raise StartRefused(f"Start at the event-based gateway before “{at}” instead.")


# --- going on -------------------------------------------------------------------------------------------------------


def complete(
    definition: Definition,
    state: bytes,
    task_id: str,
    data: Mapping[str, Any] | None,
    *,
    host: Host | None,
    now: datetime,
    max_steps: int = MAX_STEPS,
) -> Outcome:
    """A person has done a task. A task that is done, cancelled or unknown raises `NotWaiting`."""
    execution = _load(definition, state, host, now)
    token = execution.find(task_id)
    values = copy_value(dict(data or {}))
    if token is None and (choice := adhoc.offered(execution, task_id)) is not None:
        return _choose(execution, choice, values, max_steps)
    if token is None or token._state != TaskState.STARTED or not isinstance(token.task_spec, HumanTask):
        raise NotWaiting("This task isn't open any more.")
    element = token.element
    try:
        if element.result:
            execution.write(token, {element.result: values})
        execution.write(token, values)
        if isinstance(values.get("action"), str):
            token.internal_data["action"] = values["action"]
            if "loop" not in token.internal_data or "plain" in token.internal_data:
                actions = execution.view(token).get("actions")
                execution.write(token, {"actions": {**(actions if isinstance(actions, dict) else {}), element.id: values["action"]}})
            execution.detail = {"action": values["action"]}
        return _finish(execution, token, max_steps)
    except StepFailed as failure:
        raise DataRefused(failure.message) from None


def _choose(execution: Execution, token: Token, values: dict[str, Any], max_steps: int) -> Outcome:
    """A person has chosen what comes next in an ad hoc subprocess."""
    action = values.pop("action", None)
    inside = execution.top.subprocesses[token.id]
    try:
        execution.write(token, {token.element.result: values} if token.element.result else values)
        adhoc.choose(execution, token, action)
    except StepFailed as failure:
        raise DataRefused(failure.message) from None
    execution.settle(inside)
    execution.advance(max_steps)
    return _outcome(execution)


def fire_timer(
    definition: Definition, state: bytes, timer_id: str, *, host: Host | None, now: datetime, max_steps: int = MAX_STEPS
) -> Outcome:
    """A timer's time has come. Fired twice it raises `NotWaiting`, too early `NotDue`."""
    execution = _load(definition, state, host, now)
    token, index, wait = _waiting(execution, timer_id, "This timer isn't waiting any more.")
    if "due" not in wait:
        raise NotWaiting("This isn't a timer.")
    if "still" in wait:
        raise NotWaiting("This timer stands still.")
    if wait["due"] > execution.now:
        raise NotDue(wait["due"])
    return _event(execution, token, index, wait, None, max_steps)


def deliver(
    definition: Definition,
    state: bytes,
    wait_id: str,
    payload: Mapping[str, Any] | None,
    *,
    host: Host | None,
    now: datetime,
    max_steps: int = MAX_STEPS,
) -> Outcome:
    """A message or signal arrives at one who waits for it. Delivered twice it raises `NotWaiting`."""
    execution = _load(definition, state, host, now)
    token, index, wait = _waiting(execution, wait_id, "Nobody waits for this message any more.")
    if "name" not in wait:
        raise NotWaiting("This is a timer, not a message.")
    return _event(execution, token, index, wait, copy_value(dict(payload or {})), max_steps)


def finish_service(
    definition: Definition, state: bytes, task_id: str, result: Any, *, host: Host | None, now: datetime, max_steps: int = MAX_STEPS
) -> Outcome:
    """The work of a service task that answered PENDING is done."""
    execution = _load(definition, state, host, now)
    token = _pending(execution, task_id)
    try:
        execution.take_result(token, result)
        return _finish(execution, token, max_steps)
    except StepFailed as failure:
        if "done" not in token.internal_data:  # it is asked again, and what stands beside it is set up anew
            for other in execution._attached(token):
                other.cancel()
        execution._fail(token, failure.code, failure.message)
        token.internal_data.pop("pending", None)
        return _outcome(execution)


def fail_service(
    definition: Definition,
    state: bytes,
    task_id: str,
    code: str,
    message: str,
    *,
    host: Host | None,
    now: datetime,
    max_steps: int = MAX_STEPS,
) -> Outcome:
    """The work of a PENDING service task has failed for good: a boundary error event takes over, else it is an incident to retry."""
    execution = _load(definition, state, host, now)
    token = _pending(execution, task_id)
    token.internal_data.pop("pending", None)
    if not handlers.raise_error(execution, token, code, message):
        for other in execution._attached(token):
            other.cancel()
        execution._fail(token, code, message)
        return _outcome(execution)
    return _run_on(execution, token, max_steps)


def resume(
    definition: Definition,
    state: bytes,
    *,
    host: Host | None,
    now: datetime,
    task_id: str | None = None,
    data: Mapping[str, Any] | None = None,
    max_steps: int = MAX_STEPS,
) -> Outcome:
    """Go on with a bounded run, and retry incidents (one by `task_id`, else all); `data` corrects variables first."""
    execution = _load(definition, state, host, now)
    if data:
        try:
            execution.delta.update(variables.write_frames([execution.top.data], copy_value(dict(data))))
        except StepFailed as failure:
            raise DataRefused(failure.message) from None
    for token in execution.top.tokens_everywhere():
        if token._state != TaskState.READY and (task_id is None or token.key == task_id):
            token.internal_data.pop("incident", None)  # a condition that failed is looked at again
    for token in stored.ready_tokens(execution.top):
        if "incident" in token.internal_data and (task_id is None or token.key == task_id):
            del token.internal_data["incident"]
        execution.ready.append(token)
    execution.advance(max_steps)
    return _outcome(execution)


def go_on(definition: Definition, state: bytes, *, host: Host | None, now: datetime, max_steps: int = MAX_STEPS) -> Outcome:
    """Go on with a bounded run, leaving incidents alone."""
    execution = _load(definition, state, host, now)
    execution.ready.extend(stored.ready_tokens(execution.top))
    execution.advance(max_steps)
    return _outcome(execution)


def hold_timers(definition: Definition, state: bytes, task_id: str, *, host: Host | None, now: datetime) -> Outcome | None:
    """Let the timers at the edge of a person's step stand still; None where it has none that could."""
    return _still(_load(definition, state, host, now), task_id, pauses.hold)


def release_timers(definition: Definition, state: bytes, task_id: str, *, host: Host | None, now: datetime) -> Outcome | None:
    """Let the timers of a person's step go on, due later by the time that they stood still; None where none did."""
    return _still(_load(definition, state, host, now), task_id, pauses.let_go)


def _still(execution: Execution, task_id: str, change: Callable[[Execution, str], bool]) -> Outcome | None:
    if not change(execution, task_id):
        return None
    execution.more = any("incident" not in token.internal_data for token in stored.ready_tokens(execution.top))
    return _outcome(execution)


def cancel(definition: Definition, state: bytes, *, now: datetime, host: Host | None = None) -> Outcome:
    """End an instance from outside; everything open is cancelled and written down."""
    execution = _load(definition, state, host, now)
    for token in execution.top.tokens():
        execution.cancel(token)
    execution.status = "cancelled"
    return _outcome(execution)


def look(definition: Definition, state: bytes, *, now: datetime) -> Outcome:
    """What a stored instance waits for; nothing moves."""
    content = decode(state)
    workflow = stored.restore(definition, content)
    execution = Execution(definition, workflow, None, _utc(now))
    execution.status = content["status"]
    return _outcome(execution)


# --- inside ---------------------------------------------------------------------------------------------------------


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    return now.astimezone(UTC)


def _load(definition: Definition, state: bytes, host: Host | None, now: datetime) -> Execution:
    content = decode(state)
    if content["status"] != "running":
        raise NotWaiting("The process has ended.")
    return Execution(definition, stored.restore(definition, content), host, _utc(now))


def _pending(execution: Execution, task_id: str) -> Token:
    token = execution.find(task_id)
    if token is None or not isinstance(token.task_spec, ServiceTask) or not token.internal_data.get("pending"):
        raise NotWaiting("This service task isn't waiting any more.")
    return token


def _waiting(execution: Execution, wait_id: str, words: str) -> tuple[Token, int | None, dict[str, Any]]:
    """The token behind a timer's or message's id; the id of one of several events ends in its number."""
    key, _, number = wait_id.partition(".")
    token = execution.find(key)
    if token is None:
        raise NotWaiting(words)
    if isinstance(token.task_spec, EventGateway):
        waits = token.internal_data.get("waits", [])
        if not number.isdigit() or int(number) >= len(waits):
            raise NotWaiting(words)
        return token, int(number), waits[int(number)][1]
    wait = token.internal_data.get("wait")
    if wait is None or number:
        raise NotWaiting(words)
    return token, None, wait


def _event(
    execution: Execution, token: Token, index: int | None, wait: dict[str, Any], payload: dict[str, Any] | None, max_steps: int
) -> Outcome:
    """Something that was waited for has come."""
    try:
        arrivals.happen(execution, token, index, wait, payload)
    except StepFailed as failure:
        raise DataRefused(failure.message) from None
    return _run_on(execution, token, max_steps)


def _finish(execution: Execution, token: Token, max_steps: int) -> Outcome:
    """Complete a waiting token and let the process move on."""
    token.internal_data.pop("wait", None)
    token.complete()
    return _run_on(execution, token, max_steps)


def _run_on(execution: Execution, token: Token, max_steps: int) -> Outcome:
    execution.settle(token.workflow)
    execution.advance(max_steps)
    return _outcome(execution)


# --- the outcome ----------------------------------------------------------------------------------------------------


def _outcome(execution: Execution) -> Outcome:
    definition, top = execution.definition, execution.top
    status = execution.status
    users: list[ActiveTask] = []
    services: list[ServiceWait] = []
    timers: list[TimerWait] = []
    messages: list[MessageWait] = []
    incidents: list[Incident] = []
    active: list[str] = []
    standing: list[Standing] = []
    data = copy_value(top.data)
    if status == "running":
        for flow in top.workflows():
            base: dict[str, Any] = dict(data) if flow is top else {}
            for token in flow.tokens():
                kept, element = token.internal_data, token.element
                if "incident" in kept:
                    incidents.append(Incident(element.id, token.key, *kept["incident"]))
                if not kept.get("armed") and "host" not in kept and not token.task_spec.name.endswith("#round"):
                    active.append(element.id)
                    standing.append(Standing(token.key, element.id, kept.get("at")))
                if "wait" in kept:
                    if "still" in kept["wait"]:
                        pauses.settle(execution, token)
                    _add_wait(token, token.key, element.id, kept["wait"], timers, messages)
                for number, (target, wait) in enumerate(kept.get("waits", ())):
                    _add_wait(token, f"{token.key}.{number}", target, wait, timers, messages)
                if token._state == TaskState.STARTED:
                    if isinstance(token.task_spec, HumanTask) or "offer" in kept:
                        users.append(_active(execution, token, base))
                    elif kept.get("pending"):
                        services.append(ServiceWait(token.key, element.id, kept.get("at")))
        if not execution.more and not incidents:
            incidents.extend(_deadlocks(top))
            if not incidents and not (users or services or timers or messages):
                incidents.extend(_lonely_conditions(top))
    state = encode(stored.dump(definition, top, status))
    return Outcome(
        state=state,
        status=status,
        data=data,
        user_tasks=tuple(users),
        service_waits=tuple(services),
        timers=tuple(timers),
        messages=tuple(messages),
        thrown=tuple(execution.thrown),
        history=tuple(execution.history),
        incident=incidents[0] if incidents else None,
        incidents=tuple(incidents),
        more=execution.more,
        active=tuple(active),
        standing=tuple(standing),
        error_code=execution.error_code,
    )


def _add_wait(
    token: Token, wait_id: str, element_id: str, wait: dict[str, Any], timers: list[TimerWait], messages: list[MessageWait]
) -> None:
    element = token.element
    if "still" in wait:
        return
    if "due" in wait:
        attached = element.attached_to if "host" in token.internal_data else ""
        timers.append(TimerWait(wait_id, element_id, wait["due"], attached, element.interrupting))
    elif "name" in wait:
        messages.append(MessageWait(wait_id, element_id, wait["name"], copy_value(wait.get("correlation")), wait["kind"]))


def _active(execution: Execution, token: Token, base: dict[str, Any]) -> ActiveTask:
    kept = token.internal_data
    path, workflow = [], token.workflow
    while isinstance(workflow, SubWorkflow):
        path.append(workflow.parent_task.element.id)
        workflow = workflow.parent_task.workflow
    if not base:  # copied once for all tasks of a workflow
        for frame in reversed(variables.workflow_frames(token.workflow)):
            base.update(copy_value(frame))
    data = {**base, **copy_value(token.data)} if token.data else dict(base)
    if "action" in kept:
        data["action"] = kept["action"]
    return ActiveTask(
        id=kept.get("offer", token.key),
        element_id=token.element.id,
        data=data,
        loop_item=copy_value(kept.get("item")),
        loop_index=kept.get("index"),
        assignee=kept.get("assignee"),
        candidates=copy_value(kept.get("candidates")),
        organisation=kept.get("organisation"),
        due=kept.get("due_by"),
        entered=kept.get("at"),
        path=tuple(reversed(path)),
    )


def _lonely_conditions(top: Workflow) -> list[Incident]:
    """Conditions that are waited for when nothing is left that could change a variable."""
    words = "This event waits for a condition, and nothing is left that could make it true."
    waits = [
        token for token in top.tokens_everywhere() if "condition" in token.internal_data.get("wait", ()) or "waits" in token.internal_data
    ]
    return [Incident(token.element.id, token.key, "deadlock", words) for token in waits if "armed" not in token.internal_data]


def _deadlocks(top: Workflow) -> list[Incident]:
    """Scopes in which only joins wait: nothing can ever complete them."""
    found = []
    for flow in top.workflows():
        tokens = [token for token in flow.tokens() if not token.internal_data.get("armed")]
        if tokens and all(token._state == TaskState.WAITING and "host" not in token.internal_data for token in tokens):
            words = "This gateway waits for a flow that nothing can come by any more."
            found.append(Incident(tokens[0].element.id, tokens[0].key, "deadlock", words))
    return found
