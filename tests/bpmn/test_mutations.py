"""Drawings that have been damaged at random: each is judged without a traceback and quickly, and what is called executable runs."""

import os
import random
import time

import pytest
from lxml import etree

from bpmn import draft
from bpmn.check import check
from bpmn.model import EngineError
from tests.bpmn import model_more  # noqa: F401 - more blocks
from tests.bpmn.model_of_truth import Truth
from tests.infra.inputs import shared_input

QUICK, ROUNDS = 150, int(os.environ.get("ROUNDS", "0"))
WORDS = [
    "",
    "0",
    "true",
    "a b",
    "${x}",
    "= x",
    "=",
    "PT1H",
    "R/PT1H",
    "-1",
    "x" * 300,
    "é",
    "next(null)",
    "__class__",
    "1e999",
    "* * * * *",
]


def damaged(xml, pick):
    """The file with a few things taken away, doubled, moved or changed."""
    root = etree.fromstring(xml)
    for _ in range(pick.randint(1, 4)):
        nodes = [node for node in root.iter(tag=etree.Element) if node is not root and "BPMNDiagram" not in node.tag]
        if not nodes:
            break
        node = pick.choice(nodes)
        other = pick.choice(nodes)
        act = pick.randrange(6)
        if act == 0:
            node.getparent().remove(node)
        elif act == 1 and node.attrib:
            del node.attrib[pick.choice(list(node.attrib))]
        elif act == 2 and node.attrib:
            node.set(pick.choice(list(node.attrib)), pick.choice([*WORDS, *(value for value in other.attrib.values())]))
        elif act == 3:
            node.text = pick.choice([*WORDS, other.text or ""])
        elif act == 4:
            node.tag = other.tag
        elif other not in node.iter() and node not in other.iter():
            node.append(other)
    return etree.tostring(root)


def judged(xml, where):
    begun = time.process_time()
    report = check(xml)
    assert report.status == "executable" or report.problems, where
    if report.definition is not None:
        try:
            told = draft.run(report.definition, max_acts=30)
        except EngineError:
            return report.status
        assert told["ended"] in ("completed", "failed", "incident", "bound", "waits"), where
    assert time.process_time() - begun < 5, where
    return report.status


def test_random_processes_damaged():
    statuses = [judged(damaged(Truth(seed).xml, random.Random(seed)), seed) for seed in range(QUICK)]
    assert "executable" in statuses and "refused" in statuses


def real_files():
    folders = ["bpmn-camunda-examples", "bpmn-flowable-examples", "bpmn-io-moddle", "bpmn-miwg", "bpmn-paed01"]
    return sorted(path for name in folders for path in shared_input(name).rglob("*") if path.suffix in (".bpmn", ".xml") and path.is_file())


def damage_real_files(seeds):
    files = real_files()
    for seed in seeds:
        pick = random.Random(seed)
        path = pick.choice(files)
        try:
            xml = damaged(path.read_bytes(), pick)
        except (etree.XMLSyntaxError, ValueError):
            continue
        judged(xml, f"{path}, seed {seed}")


def test_real_files_damaged():
    damage_real_files(range(QUICK))


@pytest.mark.fuzz
@pytest.mark.skipif(not ROUNDS, reason="thousands of files: make fuzz")
def test_thousands_of_real_files_damaged():
    damage_real_files(range(QUICK, QUICK + ROUNDS))
