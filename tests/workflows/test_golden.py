"""Every instance that a release has stored is still read, waits for what it waited for, and comes to its end."""

from __future__ import annotations

import ast
import base64
import json
from datetime import timedelta

import pytest

from bpmn import engine
from bpmn.parser import parse
from bpmn.serializer import VERSION
from tests.workflows.golden.__main__ import CASES, HERE, NOW, VALUES, Host

FILES = sorted(HERE.glob("*/*.json"))
LATER = NOW + timedelta(days=400)


def test_the_present_format_has_its_golden_instances():
    assert {path.stem for path in FILES if path.parent.name == str(VERSION)} >= set(CASES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_stored_instance_goes_on_and_ends(path):
    kept = json.loads(path.read_text())
    definition, state = parse(kept["xml"].encode()), base64.b64decode(kept["state"])
    seen = engine.look(definition, state, now=NOW)
    assert {
        "tasks": [task.element_id for task in seen.user_tasks],
        "timers": [[timer.element_id, timer.due.isoformat()] for timer in seen.timers],
        "messages": [wait.name for wait in seen.messages],
        "services": [wait.element_id for wait in seen.service_waits],
        "incidents": [incident.element_id for incident in seen.incidents],
    } == kept["waits"]
    if path.stem == "values":
        assert {name: seen.data[name] for name in VALUES} == VALUES
        assert {name: type(seen.data[name]) for name in VALUES} == {name: type(value) for name, value in VALUES.items()}
    elif not kept["data"].startswith("{'order"):
        assert seen.data == ast.literal_eval(kept["data"])
    for _step in range(20):
        seen = one_more(definition, seen)
        if seen.status != "running":
            break
    assert seen.status == "completed"


def one_more(definition, seen):
    """Do the first thing that the instance waits for."""
    where = {"host": Host(), "now": LATER}
    if seen.incidents:
        return engine.resume(definition, seen.state, data={"missing": 2}, **where)
    if seen.timers:
        return engine.fire_timer(definition, seen.state, seen.timers[0].id, **where)
    if seen.messages:
        return engine.deliver(definition, seen.state, seen.messages[0].id, {"sum": 1}, **where)
    if seen.service_waits:
        return engine.finish_service(definition, seen.state, seen.service_waits[0].id, {}, **where)
    return engine.complete(definition, seen.state, seen.user_tasks[0].id, {}, **where)
