"""Camunda 8: the extensions of Zeebe, whose expressions are FEEL behind a `=`."""

from __future__ import annotations

import re

from lxml import etree

from bpmn.scripts import FEEL, ScriptError, check_expression
from bpmn.vendors.common import B, Notes, conditions, extended, steps, timers
from bpmn.vendors.expressions import Untranslatable
from bpmn.vendors.expressions import feel as simple

NAME = re.compile(r"^[A-Za-z]\w*$")
WORKERS = ("serviceTask", "sendTask", "scriptTask", "businessRuleTask", "intermediateThrowEvent", "endEvent")
SILENT = frozenset(
    {"userTask", "versionTag", "properties", "taskHeaders", "priorityDefinition", "modelerTemplate", "modelerTemplateVersion"}
)
WORDS = frozenset(
    {
        *("taskDefinition", "assignmentDefinition", "formDefinition", "userTaskForm", "calledDecision", "calledElement", "ioMapping"),
        *("loopCharacteristics", "subscription", "taskSchedule", "script", "executionListeners", "taskListeners", "modelerTemplateIcon"),
    }
)


def translate(root: etree._Element, space: str, notes: Notes) -> None:
    """Write what Zeebe's extensions say as Tandem's."""
    for node in steps(root):
        kind = etree.QName(node).localname
        if kind == "userTask":
            _people(node, space, notes)
        _work(node, space, notes, kind)
        _variables(node, space, notes, kind)
        if kind == "message":
            _correlation(node, space, notes)
        if kind == "multiInstanceLoopCharacteristics":
            _rounds(node, space, notes)
        for name in ("executionListeners", "taskListeners"):
            if extended(node, space, name):
                text = "The other engine would also run a listener here."
                notes.problem(node, "vendor.listener", text, "Draw it as a step of its own.")
        _unknown(node, space, notes)
    conditions(root, notes, is_feel, expression)
    timers(root, notes, is_feel, expression)


def expression(text: str) -> str:
    """A FEEL expression as Python where it is simple, else as FEEL; raises Untranslatable for what is neither."""
    try:
        return simple(text)
    except Untranslatable:
        kept = f"{FEEL} {text.strip().removeprefix('=').strip()}"
        try:
            check_expression(kept)
        except ScriptError as error:
            raise Untranslatable(str(error)) from None
        return kept


def is_feel(text: str) -> bool:
    """Whether a text is an expression for Zeebe."""
    return text.startswith("=")


def _text(node: etree._Element, notes: Notes, value: str, what: str) -> str:
    """A text, or `= Python` for `= FEEL`."""
    value = value.strip()
    return notes.expression(node, value, what, lambda: "= " + expression(value)) if value.startswith("=") else value


def _people(node: etree._Element, space: str, notes: Notes) -> None:
    for item in extended(node, space, "assignmentDefinition"):
        for name, target in (("assignee", "assignee"), ("candidateUsers", "candidates")):
            value = item.get(name, "").strip()
            if value.startswith("="):
                notes.put(node, target, _text(node, notes, value, name))
            elif value:
                text = f"“{value}” names people of the other engine."
                notes.note(node, "vendor.people", text, "Put the step into a lane with a role, or set tandem:assignee.")
        if groups := item.get("candidateGroups", ""):
            notes.note(node, "vendor.groups", f"The step is for “{groups}” there.", "Put it into a lane with that role.")
    for item in extended(node, space, "taskSchedule"):
        if due := item.get("dueDate", ""):
            notes.put(node, "due", _text(node, notes, due, "The due date") if due.startswith(("=", "P")) else f"= {due!r}")
    for name in ("formDefinition", "userTaskForm"):
        for item in extended(node, space, name):
            key = item.get("formKey") or item.get("formId") or name
            notes.note(node, "vendor.form", f"The form “{key}” isn't in the file.", "Give the step the fields that later steps ask for.")


def _work(node: etree._Element, space: str, notes: Notes, kind: str) -> None:
    for item in extended(node, space, "taskDefinition"):
        called = item.get("type", "").strip()
        if kind not in ("serviceTask", "sendTask") or called.startswith("="):
            text = f"The step is done by a worker of the other engine: “{called}”."
            notes.problem(node, "vendor.service", text, "Make it a service task with a connector.")
        else:
            notes.put(node, "connector", called)
            for header in item.getparent().iter(f"{{{space}}}header"):
                _parameter(node, notes, header.get("key", ""), header.get("value", ""))
    for item in extended(node, space, "calledDecision"):
        notes.put(node, "decision", _text(node, notes, item.get("decisionId", ""), "The decision"))
        notes.put(node, "result", item.get("resultVariable", ""))
    for item in extended(node, space, "script"):
        text = f"The script is FEEL: “{item.get('expression', '')[:80]}”."
        notes.problem(node, "vendor.script", text, "Write it in Python.")
    for item in extended(node, space, "calledElement"):
        called = item.get("processId", "")
        if called.startswith("="):
            text = f"Which process is called is worked out: “{called}”."
            notes.problem(node, "vendor.call", text, "Name the process; draw a gateway where there are several.")
        elif called and not node.get("calledElement"):
            node.set("calledElement", called)
            notes.changed = True


def _parameter(node: etree._Element, notes: Notes, name: str, value: str) -> None:
    if not NAME.match(name):
        notes.problem(node, "vendor.input", f"The parameter “{name}” can't keep its name.", "Use letters, digits and _.")
    elif text := _text(node, notes, value, f"The parameter {name}"):
        notes.parameter(node, name, text)


def _variables(node: etree._Element, space: str, notes: Notes, kind: str) -> None:
    for holder in extended(node, space, "ioMapping"):
        for item in holder.iterchildren(f"{{{space}}}input"):
            if kind in ("serviceTask", "sendTask", "callActivity", "businessRuleTask"):
                _parameter(node, notes, item.get("target", ""), item.get("source", ""))
            else:
                text = f"The step gets “{item.get('target')}” in a way that isn't supported."
                notes.problem(node, "vendor.input", text, "Set the variable in a script task before the step.")
        for item in holder.iterchildren(f"{{{space}}}output"):
            if item.get("source", "").removeprefix("=").strip() != item.get("target"):
                text = f"The step's result sets “{item.get('target')}”."
                notes.problem(node, "vendor.output", text, "Set the variable in a script task behind the step.")


def _correlation(node: etree._Element, space: str, notes: Notes) -> None:
    for item in extended(node, space, "subscription"):
        key = item.get("correlationKey", "").removeprefix("=").strip()
        if NAME.match(key):
            notes.put(node, "correlation", key)
        elif key:
            text = f"The message finds its place by “{key}”."
            notes.problem(node, "vendor.expression", text, "Keep that value in a variable and name it in tandem:correlation.")


def _rounds(node: etree._Element, space: str, notes: Notes) -> None:
    for item in extended(node, space, "loopCharacteristics"):
        if over := item.get("inputCollection", ""):
            notes.put(node, "collection", notes.expression(node, over, "The collection", lambda: expression(over)))
        notes.put(node, "item", item.get("inputElement", ""))
        notes.put(node, "results", item.get("outputCollection", ""))
        result = item.get("outputElement", "").removeprefix("=").strip()
        if NAME.match(result):
            notes.put(node, "result", result)
        elif result:
            notes.problem(node, "vendor.output", f"Each round gives “{result[:80]}”.", "Give a variable of the round.")


def _unknown(node: etree._Element, space: str, notes: Notes) -> None:
    holder = node.find(f"{B}extensionElements")
    if holder is None:
        return
    names = {etree.QName(c).localname for c in holder.iterchildren(tag=etree.Element) if etree.QName(c).namespace == space}
    for name in sorted(names - SILENT - WORDS):
        notes.note(node, "vendor.unknown", f"“{name}” isn't known here and isn't taken over.", "See whether the step needs it.")
