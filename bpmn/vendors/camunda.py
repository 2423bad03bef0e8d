"""Camunda 7, and Flowable and Activiti, whose extensions have the same names."""

from __future__ import annotations

import re

from lxml import etree

from bpmn.vendors.common import TANDEM, B, Notes, T, extended, extensions, steps
from bpmn.vendors.expressions import is_juel, juel

FIELDS = {"string": "text", "long": "number", "integer": "number", "int": "number", "double": "number", "boolean": "boolean"}
FIELDS |= {"date": "date", "enum": "choice", "text": "text"}
TASKS_OF_PEOPLE = ("userTask", "manualTask")
CALLERS = ("serviceTask", "sendTask", "businessRuleTask")
# What only says how the other engine stores, repeats, shows or counts.
SILENT = frozenset(
    {
        *("historyTimeToLive", "asyncBefore", "asyncAfter", "async", "exclusive", "jobPriority", "taskPriority", "priority", "versionTag"),
        *("isStartableInTasklist", "properties", "property", "historyLevel", "followUpDate", "diagramRelationId", "modelerTemplate"),
        *("failedJobRetryTimeCycle", "eventType", "work-form-field-validation", "task-candidates-type", "formFieldValidation"),
        *("modelerTemplateVersion", "modelerTemplateIcon", "skipExpression", "isExclusive", "scope", "category", "exporterVersion"),
    }
)
WORDS = frozenset(
    {
        *("assignee", "candidateUsers", "candidateGroups", "dueDate", "formKey", "formRef", "formRefBinding", "formRefVersion", "formData"),
        *("class", "delegateExpression", "expression", "type", "topic", "resultVariable", "resultVariableName", "decisionRef", "connector"),
        *("mapDecisionResult", "decisionRefBinding", "collection", "elementVariable", "elementIndexVariable", "in", "out", "field"),
        *("inputOutput", "initiator", "executionListener", "taskListener", "candidateStarterGroups", "candidateStarterUsers", "resource"),
        *("errorCodeVariable", "errorMessageVariable", "escalationCodeVariable", "variableName", "variableEvents", "calledElementBinding"),
        *(
            "calledElementVersion",
            "calledElementTenantId",
            "decisionRefTenantId",
            "decisionRefVersion",
            "formProperty",
            "variableMappingClass",
        ),
        *("variableMappingDelegateExpression", "calledElementType", "caseRef"),
    }
)
NAME = re.compile(r"^[A-Za-z]\w*$")
BEAN = re.compile(r"^[$#]\{\s*([A-Za-z_][\w.]*)\s*(?:\(\s*\))?\s*\}$")
VALUES = ("singleEntry", "singleResult", "collectEntries")


def translate(root: etree._Element, space: str, notes: Notes) -> None:
    """Write what Camunda's, Flowable's or Activiti's extensions say as Tandem's."""
    initiators = {node.get(f"{{{space}}}initiator") for node in root.iter(f"{B}startEvent")} - {None}
    for node in steps(root):
        kind = etree.QName(node).localname
        _listeners(node, space, notes)
        if kind in TASKS_OF_PEOPLE:
            _people(node, space, notes, initiators)
        if kind in TASKS_OF_PEOPLE or kind == "startEvent":
            _form(node, space, notes)
        if kind in CALLERS:
            _work(node, space, notes, kind)
        if kind == "callActivity":
            _call(node, space, notes)
        if kind == "messageEventDefinition" and _service(node, space) and etree.QName(node.getparent()).localname != "startEvent":
            text = f"The event sends its message by “{_service(node, space)}” of the other engine."
            notes.problem(node, "vendor.service", text, "Name a message, or put a service task before the event.")
        _rounds(node, space, notes, kind)
        _variables(node, space, notes, kind)
        _unknown(node, space, notes)


def _get(node: etree._Element, space: str, name: str) -> str:
    return (node.get(f"{{{space}}}{name}") or "").strip()


def _people(node: etree._Element, space: str, notes: Notes, initiators: set[str | None]) -> None:
    for name, target in (("assignee", "assignee"), ("candidateUsers", "candidates")):
        value = _get(node, space, name)
        if not value:
            continue
        inner = value[2:-1].strip() if value[:2] in ("${", "#{") else ""
        if value == "$INITIATOR" or (inner and inner in initiators):
            notes.put(node, target, "= started_by_id")
        elif is_juel(value):
            notes.put(node, target, notes.text(node, value, f"{name} of the step"))
        else:
            text = f"“{value}” names people of the other engine."
            notes.note(node, "vendor.people", text, "Put the step into a lane with a role, or set tandem:assignee.")
    if groups := _get(node, space, "candidateGroups"):
        notes.note(node, "vendor.groups", f"The step is for “{groups}” there.", "Put it into a lane with that role.")
    if due := _get(node, space, "dueDate"):
        if is_juel(due) or due.startswith("P"):
            notes.put(node, "due", notes.text(node, due, "The due date"))
        else:
            notes.put(node, "due", f"= {due!r}")


def _form(node: etree._Element, space: str, notes: Notes) -> None:
    if key := _get(node, space, "formKey") or _get(node, space, "formRef"):
        notes.note(node, "vendor.form", f"The form “{key}” isn't in the file.", "Give the step the fields that later steps ask for.")
    items = [field for data in extended(node, space, "formData") for field in data.iterchildren(f"{{{space}}}formField")]
    items += extended(node, space, "formProperty")
    if not items or etree.QName(node).localname == "startEvent":
        if items:
            text = "The form of the start event isn't shown here."
            notes.note(node, "vendor.form", text, "Ask for these values in the first step, or give them at the start.")
        return
    if extended(node, TANDEM, "form"):
        return
    form = etree.SubElement(extensions(node), f"{T}form")
    notes.changed = True
    for item in items:
        rules = {rule.get("name"): rule.get("config") or "" for rule in item.iter(f"{{{space}}}constraint")}
        values = list(item.iterchildren(f"{{{space}}}value"))
        kind = item.get("type", "string")
        if kind not in FIELDS:
            notes.problem(node, "vendor.field", f"The field “{item.get('id')}” has the type “{kind}”.", "Choose one of Tandem's types.")
            continue
        field = etree.SubElement(form, f"{T}field", id=item.get("id", ""), type=FIELDS[kind])
        field.set("label", item.get("label") or item.get("name") or item.get("id", ""))
        default = item.get("defaultValue") or item.get("default") or ""
        if default and not is_juel(default):
            field.set("default", default)
        if values:
            field.set("options", ";".join(f"{v.get('id')}:{v.get('name') or v.get('id')}" for v in values))
        if "required" in rules or item.get("required") == "true":
            field.set("required", "true")
        if "readonly" in rules or item.get("writable") == "false":
            field.set("readonly", "true")
        for limit in ("min", "max"):
            if rules.get(limit):
                field.set(limit, rules[limit])
        if unknown := set(rules) - {"required", "readonly", "min", "max", "minlength", "maxlength"}:
            text = f"The field “{item.get('id')}” has the rule “{', '.join(map(str, unknown))}”."
            notes.note(node, "vendor.rule", text, "Check it in a step behind this one.")


def _service(node: etree._Element, space: str) -> str:
    """What the other engine would call."""
    for name in ("class", "delegateExpression", "topic", "expression", "type"):
        if (value := _get(node, space, name)) and not (name == "type" and value == "external"):
            return value
    connector = next(iter(extended(node, space, "connector")), None)
    return (connector.findtext(f"{{{space}}}connectorId") or "").strip() if connector is not None else ""


def _work(node: etree._Element, space: str, notes: Notes, kind: str) -> None:
    result = _get(node, space, "resultVariable") or _get(node, space, "resultVariableName")
    if decision := _get(node, space, "decisionRef"):
        notes.put(node, "decision", notes.text(node, decision, "The decision"))
        mapping = _get(node, space, "mapDecisionResult")
        if mapping not in VALUES:
            text = f"The decision's result is mapped as “{mapping or 'resultList'}”: a list of rows there, the decision's value here."
            notes.problem(node, "vendor.mapping", text, "Map it as singleEntry, singleResult or collectEntries.")
        notes.put(node, "result", result)
        return
    called = _service(node, space)
    if not called:
        return
    if kind == "businessRuleTask":
        notes.problem(node, "vendor.service", f"The rule is worked out by “{called}”.", "Name a decision, or make it a service task.")
        return
    if is_juel(called):
        bean = BEAN.match(called)
        if not bean or bean[1] in ("true", "false", "null"):
            text = f"The step evaluates “{called[:100]}”, which only the other engine can."
            notes.problem(node, "vendor.service", text, "Name a connector and its parameters.")
            return
        called = bean[1]
    notes.put(node, "connector", called)
    notes.put(node, "result", result)
    for item in extended(node, space, "field"):
        value = item.get("stringValue") or item.get("expression") or "".join(item.itertext()).strip()
        _parameter(node, notes, item.get("name", ""), value)


def _parameter(node: etree._Element, notes: Notes, name: str, value: str) -> None:
    if not NAME.match(name):
        notes.problem(node, "vendor.input", f"The parameter “{name}” can't keep its name.", "Use letters, digits and _.")
    elif text := notes.text(node, value, f"The parameter {name}"):
        notes.parameter(node, name, text)


def _variables(node: etree._Element, space: str, notes: Notes, kind: str) -> None:
    """Mappings into and out of a step."""
    holders = [*extended(node, space, "inputOutput")]
    for connector in extended(node, space, "connector"):
        holders += connector.iterchildren(f"{{{space}}}inputOutput")
    for holder in holders:
        for item in holder.iterchildren(f"{{{space}}}inputParameter"):
            if len(item) or kind not in CALLERS:
                text = f"The step gets “{item.get('name')}” in a way that isn't supported."
                notes.problem(node, "vendor.input", text, "Set the variable in a script task before the step.")
            else:
                _parameter(node, notes, item.get("name", ""), item.text or "")
        for item in holder.iterchildren(f"{{{space}}}outputParameter"):
            text = f"The step's result sets “{item.get('name')}”."
            notes.problem(node, "vendor.output", text, "Set the variable in a script task behind the step.")
    for name in ("errorCodeVariable", "errorMessageVariable", "escalationCodeVariable"):
        if value := _get(node, space, name):
            here = {"errorCodeVariable": "error_code", "errorMessageVariable": "error_message"}.get(name, "escalation_code")
            if value != here:
                notes.problem(node, "vendor.output", f"“{value}” is called {here} here.", f"Use {here} in what follows.")


def _call(node: etree._Element, space: str, notes: Notes) -> None:
    called = node.get("calledElement", "")
    if is_juel(called):
        text = f"Which process is called is worked out: “{called}”."
        notes.problem(node, "vendor.call", text, "Name the process; draw a gateway where there are several.")
    for item in extended(node, space, "in"):
        if item.get("variables") == "all" or item.get("businessKey"):
            continue
        value = item.get("sourceExpression") or f"${{{item.get('source', '')}}}"
        _parameter(node, notes, item.get("target", ""), value)
    ins, outs = extended(node, space, "in"), extended(node, space, "out")
    if not any(item.get("variables") == "all" for item in ins) and not any(
        item.get("source") or item.get("sourceExpression") for item in ins
    ):
        text = "The called process gets no variables there; here it gets all of them."
        notes.note(node, "vendor.variables", text, "List its parameters if it must not see them.")
    if not any(item.get("variables") == "all" for item in outs):
        text = "The called process gives back only what is listed there; here everything comes back."
        notes.note(node, "vendor.variables", text, "Take the whole into one variable with tandem:result.")
    for item in outs:
        if item.get("variables") != "all" and (item.get("source") != item.get("target") or not item.get("source")):
            text = f"The called process gives “{item.get('target')}” back under another name."
            notes.problem(node, "vendor.output", text, "Set the variable in a script task behind the call.")


def _rounds(node: etree._Element, space: str, notes: Notes, kind: str) -> None:
    if kind != "multiInstanceLoopCharacteristics":
        return
    if over := _get(node, space, "collection"):
        value = notes.expression(node, over, "The collection", lambda: juel(over)) if is_juel(over) else over
        notes.put(node, "collection", value)
    notes.put(node, "item", _get(node, space, "elementVariable"))


def _listeners(node: etree._Element, space: str, notes: Notes) -> None:
    for name in ("executionListener", "taskListener"):
        for item in extended(node, space, name):
            what = item.get("class") or item.get("delegateExpression") or item.get("expression") or "a script"
            text = f"The other engine would also run “{what[:100]}” here."
            notes.problem(node, "vendor.listener", text, "Draw it as a step of its own.")


def _unknown(node: etree._Element, space: str, notes: Notes) -> None:
    names = {etree.QName(name).localname for name in node.attrib if etree.QName(name).namespace == space}
    holder = node.find(f"{B}extensionElements")
    if holder is not None:
        names |= {etree.QName(c).localname for c in holder.iterchildren(tag=etree.Element) if etree.QName(c).namespace == space}
    for name in sorted(names - SILENT - WORDS):
        notes.note(node, "vendor.unknown", f"“{name}” isn't known here and isn't taken over.", "See whether the step needs it.")
