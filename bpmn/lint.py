"""The deploy gate: what can't run exactly as drawn is refused here, by element id, with the reason and a remedy."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator

from bpmn.lint_common import text_or_expression
from bpmn.lint_graph import check_links, check_scopes
from bpmn.lint_steps import check_element, check_target
from bpmn.model import INNER_SCOPES, Definition, Problem

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
B = f"{{{BPMN}}}"
MAX_NODES = 1_000

RUNNABLE = frozenset(
    {
        *("userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask"),
        *("subProcess", "transaction", "adHocSubProcess", "callActivity"),
        *("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"),
        *("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"),
    }
)
SCOPES = frozenset({"process", *INNER_SCOPES})
DRAWN_ONLY = frozenset(
    {
        *("documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group", "auditing", "monitoring"),
        *("dataObject", "dataObjectReference", "dataStoreReference", "sequenceFlow", "property"),
    }
)
REFUSED_NODES = {
    "task": ("An undecided task can't run.", "Choose what kind of task it is: user, service, script, …"),
    "complexGateway": ("Complex gateways aren't supported.", "Use exclusive, parallel or inclusive gateways."),
    "callChoreography": ("Choreographies aren't supported.", "Draw a process."),
}
DEFINITIONS_ALLOWED = frozenset(
    {
        *("process", "collaboration", "message", "signal", "error", "escalation", "category", "itemDefinition", "dataStore", "resource"),
        *("extension", "relationship", "documentation", "extensionElements"),
    }
)
NODE_CHILDREN = frozenset(
    {
        *("documentation", "extensionElements", "incoming", "outgoing", "property", "dataInputAssociation", "dataOutputAssociation"),
        *(
            "script",
            "multiInstanceLoopCharacteristics",
            "standardLoopCharacteristics",
            "auditing",
            "monitoring",
            "categoryValueRef",
            "dataOutput",
            "dataInput",
        ),
        *("inputSet", "outputSet", "completionCondition"),
    }
)
# What would change how an element runs, and doesn't: the attribute, the values that say nothing, what to do instead.
UNHEARD = {
    "startQuantity": ({"1"}, "Put a parallel gateway before the step."),
    "completionQuantity": ({"1"}, "Draw a flow for each token."),
    "instantiate": ({"false", "0"}, "Draw a start event for what begins the process."),
    "eventGatewayType": ({"Exclusive"}, "Draw a parallel gateway with the events behind it."),
    "parallelMultiple": ({"false", "0"}, "Use one event definition per event."),
    "behavior": ({"All"}, "Throw the event within each round."),
    "method": ({"##Compensate", "compensate"}, "Draw what undoes each step."),
}
AUDIENCES = frozenset({"internal", "partner", "customer"})


_SCHEMA_LOCK = threading.Lock()


@functools.cache
def _validator() -> BpmnValidator:
    return BpmnValidator()


# --- the document ---------------------------------------------------------------------------------------------------


def processes(root: etree._Element) -> list[etree._Element]:
    """Every process of the document."""
    return list(root.iterchildren(f"{B}process"))


def executable_process(root: etree._Element) -> etree._Element | None:
    """The one process that is marked executable, if there is exactly one."""
    marked = [node for node in processes(root) if node.get("isExecutable") in ("true", "1")]
    return marked[0] if len(marked) == 1 else None


def is_bpmn(root: etree._Element) -> bool:
    """Whether this is a BPMN 2.0 document at all."""
    return root.tag == f"{B}definitions"


def is_valid(root: etree._Element) -> bool:
    """Whether the document obeys the BPMN 2.0 schema."""
    return not _schema(root)


def claims_to_run(root: etree._Element) -> bool:
    """Whether any process of the document is marked executable."""
    return any(node.get("isExecutable") in ("true", "1") for node in processes(root))


def check_document(root: etree._Element) -> list[Problem]:
    """Problems of the file as a whole: not BPMN, against the schema, no or several executable processes."""
    if root.tag != f"{B}definitions":
        return [Problem(None, "bpmn.not", "This file isn't a BPMN 2.0 diagram.", "Save the diagram as BPMN 2.0 XML.")]
    problems = _double_ids(root) or _schema(root)
    if problems:
        return problems
    found = processes(root)
    marked = [node for node in found if node.get("isExecutable") in ("true", "1")]
    if not found:
        return [Problem(None, "process.none", "The file holds no process.", "Draw a process.")]
    if not marked:
        id_ = found[0].get("id")
        return [
            Problem(id_, "process.drawing", "The process isn't marked as executable; it is a drawing.", "Set “Executable” on the process.")
        ]
    if len(marked) > 1:
        names = ", ".join(node.get("id", "?") for node in marked)
        return [
            Problem(
                None, "process.several", f"The file holds several executable processes: {names}.", "Keep one executable process per file."
            )
        ]
    if not marked[0].get("id"):
        return [Problem(None, "process.no_id", "The executable process has no id.", "Give the process an id.")]
    return [*_whitelist(root, marked[0])]


def _schema(root: etree._Element) -> list[Problem]:
    """Validate a copy against the BPMN schema that ships with SpiffWorkflow (its validator may change the tree)."""
    copy = etree.parse(io.BytesIO(etree.tostring(root))).getroot()
    validator = _validator()
    validator.preprocess(copy)
    schema = validator.validator
    with _SCHEMA_LOCK:  # a compiled schema keeps its errors in itself
        if schema.validate(copy):
            return []
        errors = list(schema.error_log)[:20]
    problems = []
    for error in errors:
        node = _node_at(copy, error.path)
        while node is not None and node.get("id") is None:
            node = node.getparent()
        text = error.message.replace(f"{{{BPMN}}}", "bpmn:")
        id_ = node.get("id") if node is not None else None
        problems.append(Problem(id_, "bpmn.schema", f"Not valid BPMN 2.0: {text}", "Mend it in a BPMN editor."))
    return problems


def _node_at(root: etree._Element, path: str | None) -> etree._Element | None:
    """The element that a schema error's path points at."""
    try:
        found = root.getroottree().xpath(path, namespaces={k: v for k, v in root.nsmap.items() if k}) if path else []
    except etree.XPathError:
        return None
    return found[0] if found and isinstance(found[0], etree._Element) else None


def _double_ids(root: etree._Element) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for node in root.iter(tag=etree.Element):
        id_ = node.get("id")
        if id_ is None or etree.QName(node).namespace != BPMN:
            continue
        if id_ in seen:
            problems.append(Problem(id_, "id.twice", f"Two elements have the id “{id_}”.", "Give every element an id of its own."))
        seen.add(id_)
    return problems


def _whitelist(root: etree._Element, process: etree._Element) -> Iterator[Problem]:
    for node in root.iterchildren(tag=etree.Element):
        name = etree.QName(node)
        if name.namespace == BPMN and name.localname not in DEFINITIONS_ALLOWED:
            yield Problem(node.get("id"), "element.unsupported", f"“{name.localname}” isn't supported.", "Remove it from the diagram.")
    for node in root.iterchildren(f"{B}collaboration"):
        for key in node.iter(f"{B}correlationKey"):
            yield Problem(key.get("id"), "correlation.key", "Correlation keys aren't supported.", "Set tandem:correlation on the message.")
    for node in process.iter(tag=etree.Element):
        name, parent = etree.QName(node), etree.QName(node.getparent())
        if name.namespace != BPMN:
            continue
        yield from _unheard(node, name.localname)
        if name.localname in REFUSED_NODES and parent.localname in SCOPES:
            message, remedy = REFUSED_NODES[name.localname]
            yield Problem(node.get("id"), f"element.{name.localname}", message, remedy)
        elif parent.localname in SCOPES and parent.namespace == BPMN:
            allowed = RUNNABLE | DRAWN_ONLY | (NODE_CHILDREN if parent.localname != "process" else frozenset())
            if name.localname not in allowed:
                remedy = "Remove it or draw it in another way."
                yield Problem(
                    node.get("id") or node.getparent().get("id"), "element.unsupported", f"“{name.localname}” isn't supported.", remedy
                )
        elif parent.localname in RUNNABLE and parent.namespace == BPMN and not _is_allowed_child(name.localname):
            id_ = node.getparent().get("id")
            yield Problem(id_, "element.unsupported", f"“{name.localname}” inside a step isn't supported.", "Remove it.")


def _unheard(node: etree._Element, kind: str) -> Iterator[Problem]:
    """Attributes and calculations that would be ignored."""
    owner = next((up.get("id") for up in (node, *node.iterancestors()) if up.get("id") and etree.QName(up).localname in RUNNABLE), None)
    for attribute, (silent, remedy) in UNHEARD.items():
        value = node.get(attribute)
        if value is not None and value not in silent:
            yield Problem(owner, "attribute.unsupported", f"“{attribute}” is “{value[:40]}” here, which isn't supported.", remedy)
    if kind in ("dataInputAssociation", "dataOutputAssociation"):
        for child in (*node.iterchildren(f"{B}assignment"), *node.iterchildren(f"{B}transformation")):
            text = f"The data association holds a calculation ({etree.QName(child).localname}), which would be ignored."
            yield Problem(owner, "data.calculation", text, "Let a script task do it, or a parameter of the step (tandem:param).")


def _is_allowed_child(name: str) -> bool:
    return name in NODE_CHILDREN or name.endswith("EventDefinition") or name == "eventDefinitionRef"


# --- the definition -------------------------------------------------------------------------------------------------


def check_definition(definition: Definition) -> list[Problem]:
    """Everything about a read process that can't run exactly as drawn."""
    problems: list[Problem] = []
    if len(definition.elements) > MAX_NODES:
        text = f"The process has {len(definition.elements):,} steps; {MAX_NODES:,} are allowed."
        problems.append(Problem(definition.key, "size.nodes", text, "Split it with call activities."))
        return problems
    try:
        ZoneInfo(definition.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        text = f"The time zone “{definition.time_zone}” is unknown."
        problems.append(Problem(definition.key, "process.time_zone", text, "Use a name such as Europe/Berlin."))
        return problems
    problems += _check_title(definition)
    problems += _check_target(definition)
    for lane in definition.lanes:
        if lane.audience not in AUDIENCES:
            problems.append(
                Problem(lane.id, "lane.audience", f"The audience “{lane.audience}” is unknown.", "Use internal, partner or customer.")
            )
    for element in definition.elements.values():
        problems += check_element(definition, element)
    problems += check_scopes(definition)
    problems += check_links(definition)
    return problems


def _check_title(definition: Definition) -> Iterator[Problem]:
    if definition.title:
        yield from text_or_expression(definition.key, "tandem:title", definition.title)


def _check_target(definition: Definition) -> Iterator[Problem]:
    if definition.target:
        yield from check_target(definition.key, definition.target)
    if definition.target_pauses not in ("", "customer"):
        text = f"tandem:targetPauses is “{definition.target_pauses[:40]}”."
        yield Problem(definition.key, "target.pauses", text, "Write “customer”, or leave it out.")


def warnings(definition: Definition) -> Iterator[Problem]:
    """Oddities that run, but may not be meant."""
    for element in definition.elements.values():
        if element.kind == "exclusiveGateway" and len(element.outgoing) > 1 and not element.default_flow:
            text = "If no condition holds, the process stops here with an incident."
            yield Problem(element.id, "gateway.no_default", text, "Make one flow the default.")
        if element.is_human and element.audience == "internal" and not element.role and not element.assignee and not element.candidates:
            yield Problem(element.id, "task.nobody", "No lane or attribute says who does this.", "Put it into a lane with a role.")
