"""Reads a BPMN 2.0 file with Tandem's extensions into a checked, immutable `Definition`."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from lxml import etree

from bpmn import decisions as decisions_room
from bpmn import lint, scripts
from bpmn.model import (
    ACTIVITIES,
    INNER_SCOPES,
    Action,
    Choice,
    Definition,
    DeployRefused,
    Element,
    Field,
    Flow,
    Form,
    Lane,
    Loop,
    Problem,
    Scope,
    StartEvent,
    Timer,
)
from bpmn.xml_safety import read_xml

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
TANDEM = "urn:tandem:bpmn:1"
B = f"{{{BPMN}}}"
T = f"{{{TANDEM}}}"

EVENT_KINDS = {
    "timerEventDefinition": "timer",
    "messageEventDefinition": "message",
    "signalEventDefinition": "signal",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "linkEventDefinition": "link",
    "terminateEventDefinition": "terminate",
    "compensateEventDefinition": "compensate",
    "cancelEventDefinition": "cancel",
    "conditionalEventDefinition": "conditional",
}
EVENTS = ("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent")
GATEWAYS = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway")
FLOW_NODES = frozenset((*ACTIVITIES, *EVENTS, *GATEWAYS))
MAX_PROCESSES = 50


def parse(
    xml: bytes, *, decisions: Mapping[str, bytes] = MappingProxyType({}), called: Mapping[str, bytes] = MappingProxyType({})
) -> Definition:
    """Read and check a process; raises `DeployRefused` with every problem found. The same input gives the same shared object."""
    return _parse(bytes(xml), tuple(sorted(decisions.items())), tuple(sorted(called.items())))


@functools.lru_cache(256)
def _parse(xml: bytes, decisions: tuple[tuple[str, bytes], ...], called: tuple[tuple[str, bytes], ...]) -> Definition:
    definition, problems = read(xml, dict(decisions), dict(called))
    if problems:
        raise DeployRefused(problems)
    return definition


def read(
    xml: bytes, decisions: Mapping[str, bytes], called: Mapping[str, bytes], _stack: tuple[str, ...] = ()
) -> tuple[Definition, list[Problem]]:
    """Read a process and collect its problems instead of raising them (unreadable XML still raises)."""
    root = read_xml(xml)
    problems = lint.check_document(root)
    if problems:
        raise DeployRefused(problems)
    reader = _Reader(root)
    definition = reader.definition(xml, decisions)
    problems = reader.problems + lint.check_definition(definition)
    if not problems:
        problems += decisions_room.check(definition)
    if not problems:
        problems += _attach_called(definition, decisions, called, (*_stack, definition.key))
    if not problems:
        problems += _check_undone_calls(definition)
    definition.digest = _digest(xml, decisions, definition.called)
    definition.warnings = tuple(lint.warnings(definition))
    return definition, problems


def _digest(xml: bytes, decisions: Mapping[str, bytes], called: Mapping[str, Definition]) -> str:
    digest = hashlib.sha256(b"tandem:1\0" + xml)
    for name, content in sorted(decisions.items()):
        digest.update(b"\0d" + name.encode() + b"\0" + hashlib.sha256(content).digest())
    for key, definition in sorted(called.items()):
        digest.update(b"\0c" + key.encode() + b"\0" + definition.digest.encode())
    return digest.hexdigest()


def _attach_called(
    definition: Definition, decisions: Mapping[str, bytes], called: Mapping[str, bytes], stack: tuple[str, ...]
) -> list[Problem]:
    """Read the processes that call activities name and add their elements as `process:element`."""
    problems: list[Problem] = []
    for element in list(definition.elements.values()):
        key = element.called
        if not key or ":" in element.id:
            continue
        if key in stack:
            problems.append(
                Problem(element.id, "call.recursive", f"The process “{key}” would call itself.", "Draw the repetition as a loop.")
            )
        elif key not in called:
            problems.append(
                Problem(element.id, "call.missing", f"The called process “{key}” isn't deployed.", "Deploy it first, or correct its key.")
            )
        elif len(stack) > MAX_PROCESSES:
            problems.append(Problem(element.id, "call.too_deep", "Processes call each other too deeply.", "Flatten the calls."))
        elif key not in definition.called:
            try:
                inner, inner_problems = read(called[key], decisions, called, stack)
            except DeployRefused as refused:
                inner, inner_problems = None, refused.problems
            problems += [replace(p, element_id=f"{key}:{p.element_id}" if p.element_id else element.id) for p in inner_problems]
            called_at = inner is not None and (not inner.start_events or any(event.event == "none" for event in inner.start_events))
            if inner is not None and not inner_problems and not called_at:
                problems.append(
                    Problem(element.id, "call.no_start", f"“{key}” has no plain start event to be called at.", "Add one to it.")
                )
            elif inner is not None and not inner_problems:
                _merge(definition, inner)
    return problems


def _check_undone_calls(definition: Definition) -> list[Problem]:
    """Calls that shall be undone, of processes in which nothing can be."""
    problems = []
    for element in definition.elements.values():
        call = definition.elements.get(element.activity_ref)
        if call is None or not call.called or call.compensation or ":" in element.id:
            continue
        called = definition.called[call.called]
        if not any(e.compensation or (e.kind == "startEvent" and e.event == "compensate") for e in called.elements.values()):
            text = f"“{call.id}” has nothing that undoes it, and neither has the process that it calls."
            problems.append(Problem(element.id, "compensation.ref", text, "Give it a compensation event with a handler."))
    return problems


def _merge(definition: Definition, inner: Definition) -> None:
    """Put a called process and everything it calls beside the caller's own elements."""

    def far(id_: str) -> str:
        return id_ if not id_ or ":" in id_ else f"{inner.key}:{id_}"

    definition.called[inner.key] = inner
    definition.called.update(inner.called)
    for element in inner.elements.values():
        moved = replace(
            element,
            id=far(element.id),
            scope=far(element.scope),
            incoming=tuple(map(far, element.incoming)),
            outgoing=tuple(map(far, element.outgoing)),
            default_flow=far(element.default_flow),
            attached_to=far(element.attached_to),
            boundary=tuple(map(far, element.boundary)),
            inner=far(element.inner),
            lane=far(element.lane),
            compensation=far(element.compensation),
            activity_ref=far(element.activity_ref),
        )
        definition.elements[moved.id] = moved
    for flow in inner.flows.values():
        moved_flow = replace(flow, id=far(flow.id), source=far(flow.source), target=far(flow.target))
        definition.flows[moved_flow.id] = moved_flow
    for scope in inner.scopes.values():
        definition.scopes[far(scope.id)] = replace(
            scope,
            id=far(scope.id),
            nodes=tuple(map(far, scope.nodes)),
            starts=tuple(map(far, scope.starts)),
            event_subprocesses=tuple(map(far, scope.event_subprocesses)),
        )


@dataclass
class _Names:
    """Messages, signals and codes of the document by id."""

    messages: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    signals: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)


class _Reader:
    """Turns one document's tree into elements; collects problems with references on the way."""

    def __init__(self, root: etree._Element):
        self.root = root
        self.problems: list[Problem] = []
        self.names = self._read_names()
        self.associations = [(a.get("sourceRef", ""), a.get("targetRef", "")) for a in root.iter(f"{B}association")]
        self.elements: dict[str, Element] = {}
        self.flows: dict[str, Flow] = {}
        self.scopes: dict[str, Scope] = {}
        self.lane_of: dict[str, Lane] = {}
        self.lanes: list[Lane] = []

    def definition(self, xml: bytes, decisions: Mapping[str, bytes]) -> Definition:
        """The document's one executable process."""
        process = lint.executable_process(self.root)
        assert process is not None  # the gate has seen it
        key = process.get("id")
        self._read_lanes(process)
        self._read_scope(process, key, "process", key)
        self._link_flows()
        self._find_entries()
        starts = tuple(self._start(self.elements[id_]) for id_ in self.scopes[key].starts if self.elements[id_].kind == "startEvent")
        return Definition(
            key=key,
            name=process.get("name") or key,
            digest="",
            xml=xml,
            documentation=_documentation(process),
            elements=self.elements,
            flows=self.flows,
            lanes=tuple(self.lanes),
            scopes=self.scopes,
            start_events=starts,
            decisions=dict(decisions),
            subject=process.get(f"{T}subject", ""),
            startable_by=tuple(process.get(f"{T}startableBy", "").split()),
            title=process.get(f"{T}title", ""),
            time_zone=process.get(f"{T}timeZone", "UTC"),
            target=process.get(f"{T}target", "").strip(),
            target_pauses=process.get(f"{T}targetPauses", "").strip(),
        )

    # --- names, lanes ---

    def _read_names(self) -> _Names:
        names = _Names()
        for node in self.root.iterchildren(f"{B}message"):
            names.messages[node.get("id")] = (node.get("name") or node.get("id"), tuple(node.get(f"{T}correlation", "").split()))
        for node in self.root.iterchildren(f"{B}signal"):
            names.signals[node.get("id")] = node.get("name") or node.get("id")
        for node in self.root.iterchildren(f"{B}error"):
            names.codes[node.get("id")] = node.get("errorCode") or node.get("name") or node.get("id")
        for node in self.root.iterchildren(f"{B}escalation"):
            names.codes[node.get("id")] = node.get("escalationCode") or node.get("name") or node.get("id")
        return names

    def _read_lanes(self, process: etree._Element) -> None:
        for node in process.iter(f"{B}lane"):
            refs = tuple((ref.text or "").strip() for ref in node.iterchildren(f"{B}flowNodeRef"))
            parent = next((up for up in node.iterancestors(f"{B}lane")), None)
            around = parent.attrib if parent is not None else {}
            lane = Lane(
                id=node.get("id", ""),
                name=node.get("name", ""),
                audience=node.get(f"{T}audience") or around.get(f"{T}audience") or "internal",
                role=node.get(f"{T}role") or around.get(f"{T}role", ""),
                elements=refs,
            )
            self.lanes.append(lane)
            for ref in refs:
                self.lane_of[ref] = lane

    # --- scopes and nodes ---

    def _read_scope(self, node: etree._Element, scope_id: str, kind: str, key: str, lane: Lane | None = None) -> None:
        nodes: list[str] = []
        starts: list[str] = []
        event_subs: list[str] = []
        attached: dict[str, list[str]] = {}
        for child in node.iterchildren(tag=etree.Element):
            name = etree.QName(child).localname
            if etree.QName(child).namespace != BPMN:
                continue
            if name == "sequenceFlow":
                self._read_flow(child)
            elif name in FLOW_NODES:
                element = self._read_node(child, name, scope_id, key, lane)
                if element.id in self.elements:
                    self.problems.append(
                        Problem(element.id, "id.twice", "Two elements have this id.", "Give every element an id of its own.")
                    )
                self.elements[element.id] = element
                nodes.append(element.id)
                if name == "startEvent":
                    starts.append(element.id)
                if element.triggered_by_event:
                    event_subs.append(element.id)
                if element.attached_to:
                    attached.setdefault(element.attached_to, []).append(element.id)
        for host, events in attached.items():
            if host in self.elements:
                self.elements[host] = replace(self.elements[host], boundary=tuple(events))
        self._link_handlers(nodes)
        self.scopes[scope_id] = Scope(scope_id, kind, key, tuple(nodes), tuple(starts), tuple(event_subs))

    def _link_handlers(self, nodes: list[str]) -> None:
        """Say for each step with a compensation event which handler its association leads to."""
        for id_ in nodes:
            event = self.elements[id_]
            if event.kind != "boundaryEvent" or event.event != "compensate":
                continue
            ends = [b if a == id_ else a for a, b in self.associations if id_ in (a, b)]
            handlers = [end for end in ends if end in nodes and self.elements[end].undoes]
            if len(handlers) != 1:
                text = f"The compensation event leads to {len(handlers)} handlers."
                remedy = "Draw one association to a step that is marked as compensation."
                self.problems.append(Problem(id_, "compensation.handler", text, remedy))
            elif event.attached_to in self.elements:
                host = self.elements[event.attached_to]
                if host.compensation:
                    remedy = "Keep one compensation event per step."
                    self.problems.append(Problem(id_, "compensation.twice", "The step has several compensation events.", remedy))
                self.elements[host.id] = replace(host, compensation=handlers[0])

    def _find_entries(self) -> None:
        """Where a scope has no start event, it begins at every node without a way in."""
        for scope in self.scopes.values():
            if not scope.starts and scope.kind != "event":
                entries = tuple(id_ for id_ in scope.nodes if _is_entry(self.elements[id_]))
                self.scopes[scope.id] = replace(scope, starts=entries)
            if scope.kind == "adhoc":
                self.elements[scope.id] = self._choices(self.elements[scope.id])

    def _choices(self, element: Element) -> Element:
        """An ad hoc subprocess with an action for each step that it offers, and one to end it where no condition does."""
        steps = [self.elements[id_] for id_ in self.scopes[element.inner].starts]
        done = next((a for a in element.actions if a.id == "done"), Action("done", ""))
        actions = [*(Action(step.id, step.name or step.id) for step in steps), *([] if element.completion else [done])]
        return replace(element, actions=tuple(actions))

    def _read_flow(self, node: etree._Element) -> None:
        source, target = node.get("sourceRef", ""), node.get("targetRef", "")
        id_ = node.get("id")
        if not id_:  # SpiffWorkflow's parser drops such flows; the step behind them would silently never happen
            number = 1
            while (id_ := f"flow_{source}_{target}_{number}") in self.flows:
                number += 1
        self.flows[id_] = Flow(id_, node.get("name", ""), source, target, _condition(node.find(f"{B}conditionExpression")))

    def _link_flows(self) -> None:
        incoming: dict[str, list[str]] = {}
        outgoing: dict[str, list[str]] = {}
        for flow in self.flows.values():
            outgoing.setdefault(flow.source, []).append(flow.id)
            incoming.setdefault(flow.target, []).append(flow.id)
            for end in (flow.source, flow.target):
                if end not in self.elements:
                    text = f"A flow is connected to “{end}”, which doesn't exist in this process."
                    self.problems.append(Problem(flow.id, "flow.dangling", text, "Draw the flow again."))
        for id_, element in self.elements.items():
            ways = tuple(outgoing.get(id_, ()))
            chooses = element.is_activity and any(self.flows[flow].condition for flow in ways)
            self.elements[id_] = replace(element, incoming=tuple(incoming.get(id_, ())), outgoing=ways, conditional_ways=chooses)

    def _read_node(self, node: etree._Element, kind: str, scope_id: str, key: str, lane: Lane | None) -> Element:
        id_ = node.get("id", "")
        if not id_:
            self.problems.append(Problem(None, "id.missing", f"A {kind} has no id.", "Give the element an id."))
        lane = self.lane_of.get(id_, lane)
        event, definition_node = self._event(node, id_)
        message, correlation, signal = self._reference(node, definition_node, id_)
        if event == "compensate" and definition_node is not None and definition_node.get("waitForCompletion", "true") in ("false", "0"):
            text = "The event undoes steps without waiting for it."
            self.problems.append(Problem(id_, "compensation.wait", text, "Let it wait (waitForCompletion); nothing is lost by that."))
        element = Element(
            id=id_,
            kind=kind,
            name=" ".join((node.get("name") or "").split()),
            process_key=key,
            scope=scope_id,
            lane=lane.id if lane else "",
            lane_name=lane.name if lane else "",
            audience=lane.audience if lane else "internal",
            role=lane.role if lane else "",
            public_label=node.get(f"{T}publicLabel", ""),
            partner_label=node.get(f"{T}partnerLabel", ""),
            stage=node.get(f"{T}stage", ""),
            milestone=node.get(f"{T}milestone", "") in ("true", "1"),
            unannounced=node.get(f"{T}unannounced", "") in ("true", "1"),
            documentation=_documentation(node),
            default_flow=node.get("default", ""),
            form=_form(node),
            actions=_actions(node),
            due=node.get(f"{T}due", ""),
            target=node.get(f"{T}target", "").strip(),
            questions_pause=node.get(f"{T}questionsPause", "") in ("true", "1"),
            in_person=_in_person(node.get(f"{T}inPerson", "")),
            assignee=node.get(f"{T}assignee", ""),
            candidates=node.get(f"{T}candidates", ""),
            organisation=node.get(f"{T}organisation", ""),
            connector=node.get(f"{T}connector", ""),
            parameters=MappingProxyType({param.get("name", ""): param.get("value", "") for param in _extensions(node, "param")}),
            result=node.get(f"{T}result", ""),
            decision=node.get(f"{T}decision", ""),
            script=(node.findtext(f"{B}script") or "").strip("\n"),
            event=event,
            timer=_timer(definition_node) if event == "timer" else None,
            message=message,
            correlation=correlation,
            signal=signal,
            code=self._code(definition_node) if event in ("error", "escalation") else "",
            link=definition_node.get("name", "") if definition_node is not None and event == "link" else "",
            condition=_condition(definition_node.find(f"{B}condition")) if event == "conditional" else "",  # type: ignore[union-attr]
            watches=node.get(f"{T}watches", "").strip(),
            activity_ref=definition_node.get("activityRef", "") if definition_node is not None and event == "compensate" else "",
            undoes=node.get("isForCompensation", "false") in ("true", "1"),
            sequential=kind == "adHocSubProcess" and node.get("ordering", "Parallel") == "Sequential",
            completion=_text(node, "completionCondition").removeprefix("=").strip() if kind == "adHocSubProcess" else "",
            cancels_rest=node.get("cancelRemainingInstances", "true") not in ("false", "0"),
            attached_to=node.get("attachedToRef", ""),
            interrupting=node.get("cancelActivity", node.get("isInterrupting", "true")) not in ("false", "0"),
            loop=_loop(node),
            called=node.get("calledElement", "") if kind == "callActivity" else "",
            inner=id_ if kind in INNER_SCOPES else "",
            triggered_by_event=node.get("triggeredByEvent", "false") in ("true", "1"),
        )
        if kind in INNER_SCOPES:
            self._read_scope(node, id_, "event" if element.triggered_by_event else INNER_SCOPES[kind], key, lane)
        return element

    def _event(self, node: etree._Element, id_: str) -> tuple[str, etree._Element | None]:
        found = [
            (EVENT_KINDS[name], child)
            for child in node.iterchildren(tag=etree.Element)
            if (name := etree.QName(child).localname) in EVENT_KINDS
        ]
        if node.find(f"{B}eventDefinitionRef") is not None or len(found) > 1:
            remedy = "Use one event definition per event."
            self.problems.append(Problem(id_, "event.multiple", "An event with several triggers isn't supported.", remedy))
        return found[0] if found else ("none" if etree.QName(node).localname in EVENTS else "", None)

    def _reference(self, node: etree._Element, definition: etree._Element | None, id_: str) -> tuple[str, tuple[str, ...], str]:
        """The message or signal that a node names, with the message's correlation variables."""
        holder = definition if definition is not None else node
        ref, signal_ref = holder.get("messageRef"), holder.get("signalRef")
        local = lambda text: text.split(":")[-1]  # noqa: E731 - references may carry a namespace prefix
        if ref is not None:
            if local(ref) not in self.names.messages:
                self.problems.append(
                    Problem(id_, "message.missing", f"The message “{ref}” doesn't exist.", "Choose a message for this element.")
                )
                return "", (), ""
            return (*self.names.messages[local(ref)], "")
        if signal_ref is not None:
            if local(signal_ref) not in self.names.signals:
                self.problems.append(
                    Problem(id_, "signal.missing", f"The signal “{signal_ref}” doesn't exist.", "Choose a signal for this element.")
                )
                return "", (), ""
            return "", (), self.names.signals[local(signal_ref)]
        return "", (), ""

    def _code(self, definition: etree._Element | None) -> str:
        ref = "" if definition is None else definition.get("errorRef") or definition.get("escalationRef") or ""
        return self.names.codes.get(ref.split(":")[-1], ref)

    def _start(self, element: Element) -> StartEvent:
        return StartEvent(
            element.id,
            element.name,
            element.event,
            element.message,
            element.correlation,
            element.signal,
            element.timer,
            element.condition,
            element.watches,
        )


# --- pieces of one node ---------------------------------------------------------------------------------------------


def _in_person(text: str) -> tuple[str, ...]:
    """The buttons that only an outsider presses; “*” for the whole step."""
    return tuple("*" if name == "true" else name for name in text.split() if name != "false")


def _documentation(node: etree._Element) -> str:
    return "\n\n".join("".join(child.itertext()).strip() for child in node.iterchildren(f"{B}documentation")).strip()


def _text(node: etree._Element | None, tag: str) -> str:
    return (node.findtext(f"{B}{tag}") or "").strip() if node is not None else ""


def _condition(node: etree._Element | None) -> str:
    """A condition as the engine reads it: Python, or FEEL where the node's language says so."""
    text = (node.text or "").strip().removeprefix("=").strip() if node is not None else ""
    if node is not None and text and "feel" in node.get("language", "").lower() and not text.startswith(scripts.FEEL):
        return f"{scripts.FEEL} {text}"
    return text


def _is_entry(element: Element) -> bool:
    """Whether a token can only come here because the scope begins."""
    if element.incoming or element.attached_to or element.triggered_by_event or element.undoes:
        return False
    return not (element.kind == "intermediateCatchEvent" and element.event == "link")


def _extensions(node: etree._Element, name: str) -> list[etree._Element]:
    holder = node.find(f"{B}extensionElements")
    return list(holder.iterchildren(f"{T}{name}")) if holder is not None else []


def _form(node: etree._Element) -> Form | None:
    forms = _extensions(node, "form")
    if not forms:
        return None
    fields = tuple(
        Field(
            id=item.get("id", ""),
            type=item.get("type", "text"),
            label=item.get("label", ""),
            required=item.get("required", "") in ("true", "1"),
            help=item.get("help", ""),
            default=item.get("default", ""),
            options=_options(item.get("options", "")),
            min=item.get("min", ""),
            max=item.get("max", ""),
            readonly=item.get("readonly", "") in ("true", "1"),
            shown_when=item.get("shownWhen", "").strip(),
        )
        for item in forms[0].iterchildren(f"{T}field")
    )
    return Form(fields, forms[0].get("submit", ""))


def _options(text: str) -> tuple[Choice, ...]:
    """Options written as `a:First;b:Second`; a bare word is both value and label."""
    pairs = (part.strip().partition(":") for part in text.split(";") if part.strip())
    return tuple(Choice(value.strip(), (label or value).strip()) for value, _, label in pairs)


def _actions(node: etree._Element) -> tuple[Action, ...]:
    found = _extensions(node, "action") + [action for form in _extensions(node, "form") for action in form.iterchildren(f"{T}action")]
    return tuple(
        Action(a.get("id", ""), a.get("label") or a.get("id", ""), a.get("style", "default"), a.get("requires", "")) for a in found
    )


def _timer(definition: etree._Element | None) -> Timer | None:
    if definition is None:
        return None
    for tag, kind in (("timeDuration", "duration"), ("timeDate", "date"), ("timeCycle", "cycle")):
        text = definition.findtext(f"{B}{tag}")
        if text is not None:
            text = text.strip()
            if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
                text = text[1:-1].strip()
            return Timer(kind, text)
    return Timer("", "")


def _loop(node: etree._Element) -> Loop | None:
    mark = node.find(f"{B}multiInstanceLoopCharacteristics")
    again = node.find(f"{B}standardLoopCharacteristics")
    if mark is None and again is not None:
        return Loop(
            sequential=True,
            repeats=True,
            test_before=again.get("testBefore", "false") in ("true", "1"),
            maximum=again.get("loopMaximum", ""),
            condition=_text(again, "loopCondition").removeprefix("=").strip(),
        )
    if mark is None:
        return None
    item, output = mark.find(f"{B}inputDataItem"), mark.find(f"{B}outputDataItem")
    text = lambda tag: (mark.findtext(f"{B}{tag}") or "").strip()  # noqa: E731
    name = lambda thing: (thing.get("name") or thing.get("id") or "") if thing is not None else ""  # noqa: E731
    return Loop(
        sequential=mark.get("isSequential", "false") in ("true", "1"),
        collection=(mark.get(f"{T}collection") or text("loopDataInputRef")).removeprefix("=").strip(),
        cardinality=text("loopCardinality").removeprefix("=").strip(),
        item=mark.get(f"{T}item") or name(item),
        output_collection=mark.get(f"{T}results") or text("loopDataOutputRef"),
        output_item=mark.get(f"{T}result") or name(output),
        completion=text("completionCondition").removeprefix("=").strip(),
    )
