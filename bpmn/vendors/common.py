"""What the translations share: where Tandem's attributes go, and how problems and notes are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from lxml import etree

from bpmn.model import Problem
from bpmn.vendors.expressions import Untranslatable, is_juel, juel

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
TANDEM = "urn:tandem:bpmn:1"
B, T = f"{{{BPMN}}}", f"{{{TANDEM}}}"
etree.register_namespace("tandem", TANDEM)
PYTHON = frozenset({"", "python", "python3", "text/python", "text/x-python", "application/python"})
EXPRESSIONS = frozenset({"", "juel", "python", "feel", "http://www.omg.org/spec/feel/20140401"})
JUEL_PLACES = ("condition", "loopCondition", "completionCondition", "loopCardinality", "conditionExpression")


class Notes:
    """Collects problems and notes, and writes the translation into the tree."""

    def __init__(self, root: etree._Element):
        self.root = root
        self.problems: list[Problem] = []
        self.told: list[Problem] = []
        self.changed = False

    def problem(self, node: etree._Element, code: str, message: str, remedy: str) -> None:
        """Something that would be left out or would mean something else."""
        self.problems.append(Problem(id_of(node), code, message, remedy))

    def note(self, node: etree._Element, code: str, message: str, remedy: str) -> None:
        """Something that isn't taken over, and without which every step still happens."""
        self.told.append(Problem(id_of(node), code, message, remedy))

    def put(self, node: etree._Element, name: str, value: str) -> None:
        """Set one of Tandem's attributes, unless the file has it already."""
        if value and node.get(f"{T}{name}") is None:
            node.set(f"{T}{name}", value)
            self.changed = True

    def parameter(self, node: etree._Element, name: str, value: str) -> None:
        """Add a parameter to a step, unless the file has it already."""
        if any(known.get("name") == name for known in extensions(node).iterchildren(f"{T}param")):
            return
        item = etree.SubElement(extensions(node), f"{T}param")
        item.set("name", name)
        item.set("value", value)
        self.changed = True

    def text(self, node: etree._Element, value: str, what: str) -> str:
        """A text or `= expression` from a vendor's text or `${…}`; empty with a problem where it can't be translated."""
        value = value.strip()
        if not is_juel(value):
            if value.startswith("="):
                self.problem(node, "vendor.expression", f"{what} begins with “=”: “{value[:80]}”.", "Write it as an expression.")
                return ""
            return value
        return self.expression(node, value, what, lambda: "= " + juel(value))

    def expression(self, node: etree._Element, value: str, what: str, work: Callable[[], str]) -> str:
        """What `work` translates; empty with a problem where it can't."""
        try:
            return work()
        except Untranslatable as error:
            text = f"{what} can't be translated: “{value[:100]}”: {error}."
            self.problem(node, "vendor.expression", text, "Write it in Python.")
            return ""


def id_of(node: etree._Element) -> str | None:
    """The id of the nearest element that has one."""
    found: etree._Element | None = node
    while found is not None and not found.get("id"):
        found = found.getparent()
    return found.get("id") if found is not None else None


def extensions(node: etree._Element) -> etree._Element:
    """The element's extensionElements, made where there are none (behind its documentation, where the schema wants them)."""
    found = node.find(f"{B}extensionElements")
    if found is None:
        found = etree.Element(f"{B}extensionElements")
        node.insert(len(node.findall(f"{B}documentation")), found)
    return found


def extended(node: etree._Element, space: str, name: str) -> list[etree._Element]:
    """The element's own vendor extensions of this name."""
    holder = node.find(f"{B}extensionElements")
    return list(holder.iterchildren(f"{{{space}}}{name}")) if holder is not None else []


def steps(root: etree._Element) -> Iterator[etree._Element]:
    """Every element of BPMN's own."""
    return (node for node in root.iter(tag=etree.Element) if etree.QName(node).namespace == BPMN)


def conditions(root: etree._Element, notes: Notes, is_other: Callable[[str], bool], work: Callable[[str], str]) -> None:
    """Write conditions in Python where that is sure. The others stay, and are named."""
    for name in JUEL_PLACES:
        for node in root.iter(f"{B}{name}"):
            text = (node.text or "").strip()
            if is_other(text):
                value = notes.expression(node, text, "The condition", partial(work, text))
                if value:
                    node.text = value
                    notes.changed = True


def timers(root: etree._Element, notes: Notes, is_other: Callable[[str], bool], work: Callable[[str], str]) -> None:
    """Write the expressions of timers as `= Python`."""
    for name in ("timeDuration", "timeDate", "timeCycle"):
        for node in root.iter(f"{B}{name}"):
            text = (node.text or "").strip()
            if is_other(text):
                value = notes.expression(node, text, "The timer", partial(work, text))
                if value:
                    literal = len(value) > 1 and value[0] == value[-1] == "'" and "'" not in value[1:-1]
                    node.text = value[1:-1] if literal else f"= {value}"
                    notes.changed = True


def bare_flows(root: etree._Element, notes: Notes) -> None:
    """An exclusive gateway whose last flow alone has no condition takes it when no other holds: that is its default."""
    flows: dict[str, list[etree._Element]] = {}
    for flow in root.iter(f"{B}sequenceFlow"):
        flows.setdefault(flow.get("sourceRef", ""), []).append(flow)
    for gateway in root.iter(f"{B}exclusiveGateway"):
        ways = flows.get(gateway.get("id", ""), [])
        bare = [flow for flow in ways if not (flow.findtext(f"{B}conditionExpression") or "").strip()]
        if len(ways) > 1 and len(bare) == 1 and bare[0] is ways[-1] and not gateway.get("default") and bare[0].get("id"):
            gateway.set("default", bare[0].get("id", ""))
            notes.changed = True


def languages(root: etree._Element, notes: Notes) -> None:
    """Scripts and conditions that say that they are in another language."""
    for node in root.iter(f"{B}scriptTask"):
        language = node.get("scriptFormat", "").strip().lower()
        if language not in PYTHON:
            notes.problem(node, "vendor.script", f"The script is in “{node.get('scriptFormat')}”.", "Write it in Python.")
    for name in JUEL_PLACES:
        for node in root.iter(f"{B}{name}"):
            language = node.get("language", "").strip().lower()
            if language not in EXPRESSIONS:
                notes.problem(node, "vendor.language", f"The condition is in “{node.get('language')}”.", "Write it in Python.")
