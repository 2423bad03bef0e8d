"""Draft runs: how a process would go; and the process of its own that untrusted ones run in, which no diagram gets out of."""

import os
import time

import pytest

from bpmn import draft, sandbox
from bpmn.model import DeployRefused, EngineError
from bpmn.parser import parse
from bpmn.sandbox import Limits, SandboxFailed, draft_run
from tests.bpmn.build import chain, end, flow, message, node, script, service, start, timer, user, wrap, xor

FORM = (
    '<bpmn:extensionElements><tandem:form><tandem:field id="n" type="number"/><tandem:field id="k" type="choice" options="a:A;b:B"/>'
    '<tandem:action id="ok"/><tandem:action id="no"/></tandem:form></bpmn:extensionElements>'
)
EVERYTHING = wrap(
    start() + user("u", FORM) + xor("g", "d") + service("s", "do.it") + node("intermediateCatchEvent", "t", timer("PT5H"))
    + node("intermediateCatchEvent", "m", message("m1")) + user("other") + end()
    + chain("start", "u", "g") + flow("g", "s", "action == 'ok' and n == 1 and k == 'a'") + flow("g", "other", id="d")
    + chain("s", "t", "m", "end") + chain("other", "end"),
    '<bpmn:message id="m1" name="M1"/>',
)  # fmt: skip


def test_a_draft_run_answers_and_tells():
    report = draft.run(parse(EVERYTHING))
    assert report["ended"] == "completed"
    assert [act["act"] for act in report["acts"]] == ["start", "task", "timer", "message"]
    assert report["services"] == ["do.it"]
    assert draft.run(parse(EVERYTHING), answers={"u": {"action": "no"}})["steps"][-2:] == ["other", "end"]


def test_a_draft_run_is_bounded_and_tells_incidents():
    around = parse(wrap(start() + user("u") + xor("g") + chain("start", "g", "u", "g")))
    report = draft.run(around, max_acts=20)
    assert report["ended"] == "bound" and len(report["acts"]) == 20 and report["waits"] == [{"kind": "task", "element": "u"}]
    broken = draft.run(parse(wrap(start() + script("k", "a = 1 / 0") + chain("start", "k"))))
    assert broken["ended"] == "incident" and broken["incidents"][0]["element"] == "k"


def test_a_draft_run_assumes_what_nothing_has_set_and_says_so():
    asked = (
        start()
        + xor("g", "d")
        + user("a")
        + user("b")
        + flow("start", "g")
        + flow("g", "a", "approved and amount < 5")
        + flow("g", "b", id="d")
    )
    report = draft.run(parse(wrap(asked)))
    assert report["ended"] == "completed" and report["steps"][-1] == "a"
    assert report["assumed"] == {"approved": 1, "amount": 1}
    report = draft.run(parse(wrap(asked)), {"approved": False})
    assert report["steps"][-1] == "b" and report["assumed"] == {}


def test_what_a_step_looks_into_is_assumed_to_be_a_mapping():
    asked = (
        start()
        + xor("g", "d")
        + user("a")
        + user("b")
        + flow("start", "g")
        + flow("g", "a", "deal.get('x') is None")
        + flow("g", "b", id="d")
    )
    report = draft.run(parse(wrap(asked)))
    assert (report["ended"], report["assumed"]) == ("completed", {"deal": {}})
    assert [act.get("answer") for act in report["acts"] if act["act"] == "task"] == [{}]


def test_a_sandboxed_run_tells_the_same():
    assert draft_run(EVERYTHING) == draft.run(parse(EVERYTHING))


def test_what_is_refused_is_told_from_the_sandbox():
    with pytest.raises(DeployRefused) as refused:
        draft_run(wrap(start() + node("task", "x") + chain("start", "x")))
    assert refused.value.problems[0].code == "element.task"
    with pytest.raises(EngineError, match="variable"):
        draft_run(wrap(start() + end() + chain("start", "end")), data={"a b": 1})


def hostile(monkeypatch, code):
    """Let the other process do something that the engine's own limits would never let a diagram do."""
    text = f"import bpmn.sandbox as s\ndef bad(request):\n    {code}\ns._answer = bad\ns.work()"
    real = sandbox.subprocess.Popen
    monkeypatch.setattr(sandbox.subprocess, "Popen", lambda command, **o: real([command[0], "-c", text], **o))


def test_a_memory_bomb_is_stopped(monkeypatch):
    hostile(monkeypatch, "return {'report': 'x' * (4 * 1024 ** 3)}")
    with pytest.raises(SandboxFailed) as failed:
        draft_run(EVERYTHING)
    assert failed.value.code == "sandbox.memory"


def test_an_endless_loop_is_stopped(monkeypatch):
    hostile(monkeypatch, "exec('while True: pass')")
    begun = time.monotonic()
    with pytest.raises(SandboxFailed) as failed:
        draft_run(EVERYTHING, limits=Limits(seconds=1, wall=30))
    assert failed.value.code == "sandbox.time" and time.monotonic() - begun < 25


def test_a_process_that_sleeps_is_stopped_by_the_clock(monkeypatch):
    hostile(monkeypatch, "__import__('time').sleep(60)")
    with pytest.raises(SandboxFailed) as failed:
        draft_run(EVERYTHING, limits=Limits(wall=3))
    assert failed.value.code == "sandbox.time"


def test_nothing_is_written_and_no_secret_is_there(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    hostile(monkeypatch, f"f = open('{tmp_path}/f', 'w'); f.write('x' * 100000); f.close(); return {{'report': 1}}")
    with pytest.raises(SandboxFailed):
        draft_run(EVERYTHING)
    assert not os.path.exists(tmp_path / "f") or os.path.getsize(tmp_path / "f") == 0
    monkeypatch.undo()
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    hostile(monkeypatch, "return {'report': sorted(__import__('os').environ)}")
    assert "SECRET_KEY" not in draft_run(EVERYTHING)


def test_a_script_that_grows_stays_an_incident():
    grow = "x = ['a' * 1000]\nfor i in range(9000):\n    x = x + x"
    report = draft_run(wrap(start() + script("k", grow) + chain("start", "k")))
    assert report["ended"] == "incident"
