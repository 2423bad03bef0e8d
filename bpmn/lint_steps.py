"""The gate's rules for steps: their flows, work, forms, people and repetitions."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn import scripts, timers
from bpmn.conditions import BadCondition, names_in, rule_of
from bpmn.lint_common import expression, text_or_expression, variable
from bpmn.lint_events import check_event, check_event_gateway
from bpmn.model import Definition, Element, Field, Loop, Problem

MAX_REPETITIONS = 10_000
CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway"})
FIELD_TYPES = frozenset(
    {
        *("text", "textarea", "number", "money", "date", "datetime", "boolean", "choice", "multichoice"),
        *("person", "partner", "product", "file", "display", "email"),
    }
)


def check_element(definition: Definition, element: Element) -> Iterator[Problem]:
    """One element with everything that it says."""
    yield from _check_flows(definition, element)
    yield from check_event(definition, element)
    yield from _check_work(definition, element)
    yield from _check_people(element)
    yield from _check_service_level(element)
    yield from _check_loop(element)
    yield from _check_handler(definition, element)
    yield from _check_adhoc(definition, element)
    for what in ("assignee", "candidates", "organisation"):
        yield from text_or_expression(element.id, f"tandem:{what}", getattr(element, what))
    for name, value in element.parameters.items():
        yield from variable(element.id, "tandem:param", name)
        yield from text_or_expression(element.id, f"The parameter {name}", value)
    if element.result:
        yield from variable(element.id, "tandem:result", element.result)


def _check_flows(definition: Definition, element: Element) -> Iterator[Problem]:
    flows = [definition.flows[id_] for id_ in element.outgoing]
    scope = element.scope
    for flow in flows:
        target = definition.elements.get(flow.target)
        if target is not None and target.scope != scope:
            yield Problem(flow.id, "flow.crosses", "A flow crosses the border of a subprocess.", "Connect to the subprocess itself.")
        if target is not None and target.kind in ("startEvent", "boundaryEvent"):
            yield Problem(flow.id, "flow.into_event", "A flow leads into a start or boundary event.", "End it at another step.")
        if flow.condition:
            yield from expression(flow.id, "The condition", flow.condition)
            if element.kind not in CHOOSING and not element.is_activity:
                text = "A condition stands on a flow that leaves neither a step nor an exclusive or inclusive gateway; it would be ignored."
                yield Problem(flow.id, "flow.condition", text, "Put a gateway before it.")
    if element.default_flow and element.default_flow not in element.outgoing:
        yield Problem(element.id, "flow.default", "The default flow doesn't leave this element.", "Choose the default flow again.")
    if element.default_flow and element.kind not in CHOOSING and not element.conditional_ways:
        yield Problem(element.id, "flow.default", "The default flow has no condition beside it.", "Put a gateway after the step.")
    if element.kind == "endEvent" and element.outgoing:
        yield Problem(element.id, "flow.after_end", "A flow leaves an end event.", "Use an intermediate event.")
    if element.kind in CHOOSING and len(flows) > 1:
        bare = [flow for flow in flows if not flow.condition and flow.id != element.default_flow]
        for flow in bare:
            text = "A flow leaves the gateway without a condition and isn't the default."
            yield Problem(flow.id, "gateway.condition", text, "Give it a condition or make it the default flow.")
    if element.default_flow:
        default = definition.flows.get(element.default_flow)
        if default is not None and default.condition:
            yield Problem(
                default.id,
                "gateway.default_condition",
                "The default flow has a condition, which would be ignored.",
                "Remove the condition.",
            )
    if element.kind in ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway") and not flows:
        yield Problem(element.id, "gateway.no_way_out", "No flow leaves the gateway.", "Connect it, or remove it.")
    if element.kind == "eventBasedGateway":
        yield from check_event_gateway(definition, element)


def _check_work(definition: Definition, element: Element) -> Iterator[Problem]:
    if element.kind == "serviceTask" and not element.connector:
        yield Problem(
            element.id, "service.connector", "The service task names no connector.", "Set tandem:connector, such as crm.open_deal."
        )
    if element.kind == "sendTask" and not element.connector and not element.message:
        yield Problem(element.id, "send.nothing", "The send task names neither a message nor a connector.", "Choose one.")
    if element.kind == "receiveTask" and not element.message:
        yield Problem(element.id, "message.missing", "The receive task names no message.", "Choose a message for it.")
    if element.kind == "scriptTask":
        yield from _check_script(element)
    if element.kind == "businessRuleTask":
        if not element.decision:
            yield Problem(element.id, "rule.decision", "The business rule task names no decision.", "Set tandem:decision.")
        if not element.result:
            yield Problem(element.id, "rule.result", "The business rule task doesn't say where its result goes.", "Set tandem:result.")
    if element.kind == "callActivity" and not element.called:
        yield Problem(element.id, "call.nothing", "The call activity names no process.", "Choose the called process.")


def _check_script(element: Element) -> Iterator[Problem]:
    if not element.script.strip():
        yield Problem(element.id, "script.empty", "The script task has no script.", "Write the script.")
        return
    try:
        scripts.check_script(element.script)
    except scripts.ScriptError as error:
        yield Problem(element.id, "script.bad", f"The engine doesn't accept the script: {error}.", "Correct the script.")


def _check_service_level(element: Element) -> Iterator[Problem]:
    if element.target:
        yield from check_target(element.id, element.target)
    yield from check_in_person(element)
    if element.questions_pause and not element.is_human:
        words = "tandem:questionsPause stands at a step that no person does."
        yield Problem(element.id, "target.where", words, "Set it at a user task.")
    if element.target and not (element.is_human or element.may_wait):
        words = "tandem:target stands where no token ever waits."
        yield Problem(element.id, "target.where", words, "Set it at a task, a subprocess, a called process or an event that waits.")


def check_in_person(element: Element) -> Iterator[Problem]:
    """What only outsiders themselves do stands at a step of theirs and names its buttons."""
    if not element.in_person:
        return
    if not element.is_human or element.audience == "internal":
        words = "tandem:inPerson stands at a step that no customer or partner does."
        yield Problem(element.id, "in_person.where", words, "Set it at a user task in their lane.")
    unknown = [name for name in element.in_person if name != "*" and name not in {action.id for action in element.actions}]
    if unknown:
        words = f"tandem:inPerson names {', '.join(unknown)}; the step has no such button."
        yield Problem(element.id, "in_person.action", words, "Write the ids of its buttons, or true for the whole step.")


def check_target(id_: str, text: str) -> Iterator[Problem]:
    """A service level that can't be read."""
    try:
        timers.parse_target(text)
    except timers.BadTime as error:
        yield Problem(id_, "target.bad", f"tandem:target: {error}.", "Write “8 working hours”, “2 working days” or PT48H.")


def _check_people(element: Element) -> Iterator[Problem]:
    if element.due:
        if element.due.lstrip().startswith("="):
            yield from expression(element.id, "tandem:due", element.due.lstrip()[1:])
        else:
            try:
                timers.parse_length(element.due)
            except timers.BadTime as error:
                yield Problem(element.id, "due.bad", f"tandem:due: {error}.", "Write PT48H, P3D, “2 working days” or “= expression”.")
    seen: set[str] = set()
    for field in element.form.fields if element.form else ():
        if field.type not in FIELD_TYPES:
            yield Problem(element.id, "form.type", f"The field “{field.id}” has the unknown type “{field.type}”.", "Choose a known type.")
        if field.type != "display" or field.id:
            yield from variable(element.id, "A form field", field.id)
        if field.id in seen:
            yield Problem(element.id, "form.twice", f"Two fields are called “{field.id}”.", "Give each field a name of its own.")
        if field.type in ("choice", "multichoice") and not field.options:
            yield Problem(element.id, "form.options", f"The field “{field.id}” has no options.", "Write options such as a:First;b:Second.")
        yield from _check_shown_when(element, field, seen)
        seen.add(field.id)
    ids = [action.id for action in element.actions]
    for action in element.actions:
        if not action.id or ids.count(action.id) > 1:
            yield Problem(element.id, "action.id", f"The action “{action.id}” has no id of its own.", "Give each action its own id.")
        if action.requires and action.requires not in seen and action.requires != "reason":
            text = f"The action “{action.id}” requires “{action.requires}”, which isn't in the form."
            yield Problem(element.id, "action.requires", text, "Add the field.")


def _check_shown_when(element: Element, field: Field, before: set[str]) -> Iterator[Problem]:
    if not field.shown_when:
        return
    try:
        names = names_in(rule_of(field.shown_when))
    except BadCondition as error:
        text = f"The field “{field.id}” is shown when “{field.shown_when[:120]}”: {error}."
        yield Problem(element.id, "form.shown_when", text, "Write it as roof == 'other' or area > 100 and not flat.")
        return
    later = sorted(names & {one.id for one in element.form.fields} - before) if element.form else []
    if later:
        text = f"The field “{field.id}” is shown when “{later[0]}” says so, which doesn't come before it."
        yield Problem(element.id, "form.shown_when", text, "Put the field after those that it depends on.")


def _check_loop(element: Element) -> Iterator[Problem]:
    loop = element.loop
    if loop is None:
        return
    if loop.repeats:
        yield from _check_repetition(element, loop)
        return
    if bool(loop.collection) == bool(loop.cardinality):
        yield Problem(element.id, "loop.over", "A multi-instance step needs either a collection or a count.", "Give it exactly one.")
        return
    yield from expression(element.id, "The collection or count", loop.collection or loop.cardinality)
    if loop.completion:
        yield from expression(element.id, "The completion condition", loop.completion)
    for what, name in (("The item", loop.item), ("The results", loop.output_collection), ("The result", loop.output_item)):
        if name:
            yield from variable(element.id, what, name)
    if loop.output_item and not loop.output_collection:
        yield Problem(element.id, "loop.output", "The result of each round goes nowhere.", "Name the collection of results.")


def _check_repetition(element: Element, loop: Loop) -> Iterator[Problem]:
    if not loop.condition and not loop.maximum:
        yield Problem(element.id, "loop.endless", "The repetition has no end.", "Give it a condition or a maximum of rounds.")
    if loop.condition:
        yield from expression(element.id, "The loop's condition", loop.condition)
    if loop.maximum and not (loop.maximum.isdigit() and 0 < int(loop.maximum) <= MAX_REPETITIONS):
        text = f"The maximum of rounds is “{loop.maximum[:40]}”."
        yield Problem(element.id, "loop.maximum", text, f"Write a number from 1 to {MAX_REPETITIONS:,}.")


def _check_handler(definition: Definition, element: Element) -> Iterator[Problem]:
    if element.undoes and (element.incoming or element.outgoing or element.boundary or element.loop or element.triggered_by_event):
        text = "A step that undoes another can have neither flows, boundary events nor repetitions."
        yield Problem(element.id, "compensation.decorated", text, "Put them into a subprocess that undoes the step.")
    within = definition.scopes[element.inner].event_subprocesses if element.inner else ()
    starts = [definition.elements[start] for id_ in within for start in definition.scopes[definition.elements[id_].inner].starts]
    inside = any(start.event == "compensate" for start in starts)
    if (element.compensation or inside) and element.undoes:
        yield Problem(element.id, "compensation.twice", "A step that undoes another can't be undone itself.", "Remove its event.")
    elif element.compensation and inside:
        text = "The subprocess is undone both by the event at its border and by an event subprocess inside."
        yield Problem(element.id, "compensation.twice", text, "Keep one of them.")


def _check_adhoc(definition: Definition, element: Element) -> Iterator[Problem]:
    if element.kind != "adHocSubProcess":
        return
    if element.completion:
        yield from expression(element.id, "The completion condition", element.completion)
    for id_ in definition.scopes[element.inner].starts:
        entry = definition.elements[id_]
        if not entry.is_activity:
            text = "Within an ad hoc subprocess people choose among steps; this isn't one."
            yield Problem(id_, "adhoc.entry", text, "Connect it behind a step, or remove it.")
        elif not entry.name:
            yield Problem(id_, "adhoc.name", "A step that people may choose needs a name.", "Name it.")
