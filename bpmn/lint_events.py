"""The gate's rules for events: which trigger may stand where, boundaries, timers, conditions, compensation, event-based gateways."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bpmn import scripts, timers
from bpmn.lint_common import expression, variable
from bpmn.model import Definition, Element, Problem

ALLOWED_EVENTS = {
    "startEvent": {"none", "message", "signal", "timer", "conditional"},
    "endEvent": {"none", "message", "signal", "error", "escalation", "compensate", "terminate"},
    "intermediateCatchEvent": {"message", "signal", "timer", "conditional", "link"},
    "intermediateThrowEvent": {"none", "message", "signal", "escalation", "compensate", "link"},
    "boundaryEvent": {"message", "signal", "timer", "conditional", "error", "escalation", "compensate", "cancel"},
}
EVENT_SUBPROCESS_STARTS = {"message", "signal", "timer", "conditional", "error", "escalation", "compensate"}
_REPEATS = re.compile(r"R(?!1/)", re.IGNORECASE)
ALWAYS_INTERRUPT = {"error", "cancel"}
ESCALATING = {"subProcess", "transaction", "adHocSubProcess", "callActivity"}


def check_event(definition: Definition, element: Element) -> Iterator[Problem]:
    """One event."""
    if element.kind not in ALLOWED_EVENTS:
        return
    allowed, where = _place(definition, element)
    if element.event not in allowed:
        yield Problem(element.id, "event.unsupported", f"A “{element.event}” event isn't supported as {where}.", "Use another event.")
        return
    if element.event == "message" and not element.message:
        yield Problem(element.id, "message.missing", "The event names no message.", "Choose a message for it.")
    if element.event == "signal" and not element.signal:
        yield Problem(element.id, "signal.missing", "The event names no signal.", "Choose a signal for it.")
    if element.kind == "endEvent" and element.event == "error" and not element.code:
        yield Problem(element.id, "error.code", "The error end event has no error code.", "Choose an error with a code.")
    if element.kind in ("endEvent", "intermediateThrowEvent") and element.event == "escalation" and not element.code:
        yield Problem(element.id, "escalation.code", "The escalation has no code.", "Choose an escalation with a code.")
    if element.event == "conditional":
        yield from _check_condition(element)
    if element.event == "conditional" and where == "a startEvent" and not element.watches:
        text = "Nothing says of which records the condition has to come true."
        yield Problem(element.id, "condition.watches", text, "Name their kind in tandem:watches, such as crm.deal.")
    if element.watches and (element.event != "conditional" or where != "a startEvent"):
        text = "tandem:watches belongs to a condition that starts the process; here it would be ignored."
        yield Problem(element.id, "condition.watches", text, "Remove it.")
    if element.event == "compensate" and element.kind in ("endEvent", "intermediateThrowEvent"):
        yield from _check_compensation(definition, element)
    if element.kind == "boundaryEvent":
        yield from _check_boundary(definition, element)
    for name in element.correlation:
        yield from variable(element.id, "tandem:correlation", name)
    if element.timer is not None:
        yield from _check_timer(definition, element)


def _place(definition: Definition, element: Element) -> tuple[set[str], str]:
    """The triggers that an event may have where it stands, and words for the place."""
    scope = definition.scopes.get(element.scope)
    if element.kind == "startEvent" and scope is not None and scope.kind == "event":
        return EVENT_SUBPROCESS_STARTS, "the start of an event subprocess"
    if element.kind == "startEvent" and scope is not None and scope.kind != "process":
        return {"none"}, "the start of a subprocess"
    allowed = ALLOWED_EVENTS[element.kind]
    if element.kind == "endEvent" and scope is not None and scope.kind == "transaction":
        allowed = allowed | {"cancel"}
    return allowed, f"a {element.kind}"


def _check_boundary(definition: Definition, element: Element) -> Iterator[Problem]:
    host = definition.elements.get(element.attached_to)
    if host is None or not host.is_activity:
        yield Problem(element.id, "boundary.host", "The boundary event isn't attached to a step.", "Attach it to a step.")
        return
    if element.incoming:
        yield Problem(element.id, "boundary.incoming", "A flow leads into a boundary event.", "Remove the flow.")
    if element.event == "compensate":
        if element.outgoing:
            text = "A flow leaves a compensation event."
            yield Problem(element.id, "compensation.flow", text, "Lead to the handler by an association.")
        return
    if not element.outgoing:
        yield Problem(element.id, "boundary.outgoing", "No flow leaves the boundary event.", "Draw what happens then.")
    if element.event in ALWAYS_INTERRUPT and not element.interrupting:
        yield Problem(element.id, "boundary.error", f"This event ({element.event}) always interrupts.", "Make it interrupting.")
    if element.event == "error" and (host.is_human or host.kind == "receiveTask"):
        text = "An error can't be caught here: this kind of step throws none."
        yield Problem(element.id, "boundary.error_host", text, "Attach it to a subprocess, a call activity or a service task.")
    if element.event == "escalation" and host.kind not in ESCALATING:
        text = "An escalation can't be caught here: this kind of step throws none."
        yield Problem(element.id, "boundary.escalation_host", text, "Attach it to a subprocess or a call activity.")
    if element.event == "cancel" and host.kind != "transaction":
        yield Problem(element.id, "boundary.cancel_host", "Only a transaction can be cancelled.", "Attach it to a transaction.")
    twins = [definition.elements[id_] for id_ in host.boundary if id_ != element.id]
    if any(t.event == element.event and t.code == element.code for t in twins if t.event in ("error", "escalation", "cancel")):
        text = f"Two boundary events catch the same {element.event}."
        yield Problem(element.id, "boundary.error_twice", text, "Give each a code of its own.")


def _check_condition(element: Element) -> Iterator[Problem]:
    if not element.condition:
        yield Problem(element.id, "condition.empty", "The conditional event has no condition.", "Write the condition.")
        return
    found = list(expression(element.id, "The condition", element.condition))
    yield from found
    if not found and scripts.asks_for_time(element.condition):
        text = "The condition asks for the time, but conditions are looked at when variables change."
        yield Problem(element.id, "condition.time", text, "Use a timer event.")


def _check_compensation(definition: Definition, element: Element) -> Iterator[Problem]:
    if not element.activity_ref:
        return
    target = definition.elements.get(element.activity_ref)
    scope = definition.scopes[element.scope]
    around = definition.elements[scope.id].scope if scope.kind == "event" else scope.id
    if target is None or target.scope not in (scope.id, around):
        text = f"The step to undo, “{element.activity_ref}”, isn't in the scope of this event."
        yield Problem(element.id, "compensation.ref", text, "Choose a step of the same scope, or none to undo all of them.")
    elif not target.compensation and not target.inner and target.kind != "callActivity":
        text = f"“{target.id}” has nothing that undoes it."
        yield Problem(element.id, "compensation.ref", text, "Give it a compensation event with a handler.")


def _check_timer(definition: Definition, element: Element) -> Iterator[Problem]:
    timer = element.timer
    if timer is None or not timer.kind or not timer.expression:
        yield Problem(element.id, "timer.empty", "The timer has no time.", "Give it a duration such as PT48H, a date, or “= expression”.")
        return
    is_start = element.kind == "startEvent" and definition.scopes[element.scope].kind == "process"
    once = not is_start and (element.interrupting or element.kind not in ("boundaryEvent", "startEvent"))
    if timer.kind == "cycle" and once and _REPEATS.match(timer.expression):
        remedy = "Use cron for its next time, a duration, or a non-interrupting event."
        yield Problem(element.id, "timer.cycle", "A repeating timer here would fire once only.", remedy)
    if timer.expression.startswith("="):
        if is_start:
            yield Problem(element.id, "timer.start", "A timer start can't use variables: there are none yet.", "Write the time itself.")
        yield from expression(element.id, "The timer", timer.expression[1:])
        return
    zone = definition.time_zone if definition.time_zone != "UTC" else ""
    try:
        if timer.kind == "duration":
            timers.parse_length(timer.expression)
        elif timer.kind == "date":
            timers.parse_date(timer.expression, zone)
        else:
            timers.parse_cycle(timer.expression, zone)
    except timers.BadTime as error:
        yield Problem(
            element.id,
            "timer.bad",
            f"The timer: {error}.",
            "Write an ISO 8601 time, “2 working days”, cron for a repetition, or “= expression”.",
        )


def check_event_gateway(definition: Definition, element: Element) -> Iterator[Problem]:
    """What stands behind an event-based gateway."""
    for id_ in element.outgoing:
        target = definition.elements.get(definition.flows[id_].target)
        if target is None:
            continue
        catches = target.kind == "intermediateCatchEvent" and target.event in ("message", "signal", "timer", "conditional")
        if not catches and not (target.kind == "receiveTask" and not target.boundary and not target.loop):
            yield Problem(
                target.id, "event_gateway.target", "Behind an event-based gateway only events can wait.", "Place a catch event there."
            )
        elif len(target.incoming) > 1:
            text = "An event behind an event-based gateway has another way in."
            yield Problem(target.id, "event_gateway.incoming", text, "Give it only the flow from the gateway.")
