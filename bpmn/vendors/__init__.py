"""Reads drawings of other engines: what surely means the same becomes Tandem's attributes, everything else is named.

`translate` gives the file with `tandem:` attributes beside those that were there, the problems (something would be left out or would
mean something else, so the file can't run as it is) and the notes (something isn't taken over that changes no step).
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from bpmn.model import DeployRefused, Problem
from bpmn.vendors import camunda, zeebe
from bpmn.vendors.common import BPMN, Notes, bare_flows, conditions, languages, timers
from bpmn.vendors.expressions import is_juel, juel
from bpmn.xml_safety import read_xml

VENDORS = {
    "http://camunda.org/schema/1.0/bpmn": ("Camunda 7", camunda.translate),
    "http://activiti.org/bpmn": ("Activiti", camunda.translate),
    "http://flowable.org/bpmn": ("Flowable", camunda.translate),
    "http://camunda.org/schema/zeebe/1.0": ("Camunda 8", zeebe.translate),
}
SIGNAVIO = "http://www.signavio.com"


@dataclass(frozen=True, slots=True)
class Translation:
    """A file that the gate can read, and what was left of it."""

    xml: bytes
    vendor: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def translate(xml: bytes) -> Translation:
    """Translate a file; one that needs no translation comes back as it is. Raises DeployRefused for what isn't safe XML."""
    root = read_xml(xml)
    if root.tag != f"{{{BPMN}}}definitions":
        return Translation(xml)
    spaces = {etree.QName(name).namespace for node in root.iter(tag=etree.Element) for name in (node.tag, *node.attrib)}
    notes = Notes(root)
    names = []
    for space, (name, work) in VENDORS.items():
        if space in spaces:
            names.append(name)
            work(root, space, notes)
    conditions(root, notes, is_juel, juel)
    timers(root, notes, is_juel, juel)
    if names:
        bare_flows(root, notes)
    languages(root, notes)
    vendor = ", ".join(names) or ("Signavio" if SIGNAVIO in spaces else "")
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8") if notes.changed else xml
    return Translation(content, vendor, tuple(notes.problems), tuple(notes.told))


def translated(xml: bytes) -> tuple[bytes, tuple[Problem, ...]]:
    """The translated file and its notes; raises DeployRefused where something can't be translated."""
    found = translate(xml)
    if found.problems:
        raise DeployRefused(list(found.problems))
    return found.xml, found.notes


def called_keys(xml: bytes) -> set[str]:
    """The keys of the processes that a file calls; none for a file that can't be read."""
    try:
        root = read_xml(translate(xml).xml)
    except DeployRefused:
        return set()
    return {node.get("calledElement", "") for node in root.iter(f"{{{BPMN}}}callActivity")} - {""}


def main_key(xml: bytes) -> str:
    """The key of a file's one executable process, or nothing."""
    try:
        root = read_xml(xml)
    except DeployRefused:
        return ""
    marked = [node for node in root.iterchildren(f"{{{BPMN}}}process") if node.get("isExecutable") in ("true", "1")]
    return marked[0].get("id", "") if len(marked) == 1 else ""
