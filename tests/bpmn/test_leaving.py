"""What fails in leaving a step is the step's own incident, wherever its end has come from: no token is lost, no work is done twice."""

import pytest

from bpmn.model import PENDING
from bpmn.parser import parse
from tests.bpmn.build import Instance, TestHost, boundary, chain, end, flow, loop, message, node, service, start, timer, user, wrap
from tests.bpmn.test_undoing import COMPENSATE, sub, undo, undoable

REPEAT = '<bpmn:standardLoopCharacteristics loopMaximum="2"/>'
MESSAGE = '<bpmn:message id="m1" name="M1"/>'


def around(step, id_="s", before=""):
    """A process in which a condition that can't be worked out yet leads out of a step."""
    ways = flow(id_, "a", "later > 1") + flow(id_, "b", id="else")
    return start() + before + step + user("a") + user("b") + ways + (flow("start", id_) if not before else "")


def inside(*shapes, head=""):
    ids = [text.split('id="')[1].split('"')[0] for text in shapes]
    return sub("s", head + start("s2") + "".join(shapes) + chain("s2", *ids), default="else")


CASES = {
    "parallel rounds": (service("s", inner=loop(), default="else"), 2),
    "rounds in turn": (service("s", inner=loop(sequential=True), default="else"), 2),
    "a loop": (service("s", inner=REPEAT, default="else"), 2),
    "a subprocess": (inside(service("x")), 1),
    "rounds of a subprocess": (inside(service("x"), head=loop()), 2),
    "a transaction": (node("transaction", "s", start("s2") + service("x") + chain("s2", "x"), default="else"), 1),
    "a subprocess that has undone what it did": (
        sub("s", start("s2") + undoable("x") + end("e2", COMPENSATE) + chain("s2", "x", "e2"), default="else"),
        2,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_ends_by_itself(case):
    step, calls = CASES[case]
    run = Instance(around(step), {"xs": [1, 2]})
    assert [(i.element_id, i.code) for i in run.out.incidents] == [("s", "expression.failed")] and run.out.active == ("s",)
    run.resume()
    assert [i.element_id for i in run.out.incidents] == ["s"], "it is tried again, and fails again"
    run.resume(data={"later": 2})
    assert run.open == ["a"] and len(run.host.calls) == calls
    assert run.steps().count("s") == (3 if "rounds" in case or case == "a loop" else 1)


def test_what_a_person_ends():
    run = Instance(around(inside(user("x"), service("y"))))
    run.complete("x")
    assert [i.element_id for i in run.out.incidents] == ["s"]
    run.resume(data={"later": 2})
    assert run.open == ["a"] and len(run.host.calls) == 1


def test_what_an_answer_ends():
    run = Instance(around(inside(service("x"))), host=TestHost(test_call=PENDING))
    run.finish_service("x", {})
    assert [i.element_id for i in run.out.incidents] == ["s"] and not run.out.service_waits
    run.resume(data={"later": 0})
    assert run.open == ["b"]


def test_what_a_timer_ends():
    run = Instance(around(inside(node("intermediateCatchEvent", "x", timer("PT1H")))))
    run.fire("x")
    assert [i.element_id for i in run.out.incidents] == ["s"] and not run.out.timers
    run.resume(data={"later": 2})
    assert run.open == ["a"]


def test_a_message_is_taken_even_if_its_task_cant_be_left_yet():
    run = Instance(wrap(around(node("receiveTask", "s", messageRef="m1", default="else")), MESSAGE))
    run.deliver("s", sum=5)
    assert [i.element_id for i in run.out.incidents] == ["s"] and not run.out.messages
    run.resume(data={"later": 2})
    assert run.open == ["a"] and run.data["sum"] == 5


def test_a_called_process_that_is_over_stays_over():
    called = wrap(start() + service("x") + chain("start", "x"), key="q")
    run = Instance(parse(wrap(around(node("callActivity", "s", calledElement="q", default="else"))), called={"q": called}))
    assert [i.element_id for i in run.out.incidents] == ["s"]
    run.resume(data={"later": 2})
    assert run.open == ["a"] and len(run.host.calls) == 1


def test_a_completion_condition_that_fails_is_the_rounds_incident():
    step = sub("s", loop(completion="later > 1") + start("s2") + service("x") + chain("s2", "x"))
    run = Instance(start() + step + user("a") + chain("start", "s", "a"), {"xs": [1, 2]})
    assert [i.element_id for i in run.out.incidents] == ["s", "s"]
    run.resume(data={"later": 0})
    assert run.open == ["a"] and len(run.host.calls) == 2


def test_an_answer_that_cant_be_taken_leaves_one_event_beside_its_step():
    reminder = boundary("b", "s", timer("PT1H"), interrupting=False)
    run = Instance(
        start() + service("s") + reminder + user("nudge") + user("v") + chain("start", "s", "v") + flow("b", "nudge"),
        host=TestHost(test_call=PENDING),
    )
    run.finish_service("s", "no dictionary")
    assert run.out.incident.code == "service.result"
    run.resume()
    assert len(run.out.timers) == 1
    run.fire("b")
    assert run.open == ["nudge"]


def test_what_is_thrown_can_be_kept():
    def thrower(kind, inner):
        param = '<bpmn:extensionElements><tandem:param name="what" value="= data.keys()"/></bpmn:extensionElements>'
        return node(kind, "t", param + inner)

    event = '<bpmn:escalationEventDefinition escalationRef="es"/>'
    for kind, inner in (("intermediateThrowEvent", event), ("intermediateThrowEvent", message("m1")), ("endEvent", event)):
        extra = MESSAGE + '<bpmn:escalation id="es" escalationCode="X"/>'
        within = start("s2") + thrower(kind, inner) + chain("s2", "t")
        body = start() + sub("sp", within) + boundary("b", "sp", event) + user("u") + user("v") + chain("start", "sp", "u") + flow("b", "v")
        run = Instance(wrap(body, extra), {"data": {"a": 1}})
        assert [(i.element_id, i.code) for i in run.out.incidents] == [("t", "data.type")] and not run.thrown


def test_a_call_whose_variables_cant_be_kept_is_tried_again():
    called = wrap(start() + user("x") + chain("start", "x"), key="q")
    param = '<bpmn:extensionElements><tandem:param name="what" value="= data.keys() if data else 0"/></bpmn:extensionElements>'
    xml = wrap(start() + node("callActivity", "s", param, calledElement="q") + chain("start", "s"))
    run = Instance(parse(xml, called={"q": called}), {"data": {"a": 1}})
    assert run.out.incident.element_id == "s"
    run.resume(data={"data": {}})
    assert run.open == ["q:x"]


def test_undoing_that_is_over_stays_over():
    step = service("x") + boundary("b_x", "x", COMPENSATE) + user("undo_x", isForCompensation="true") + undo("b_x", "undo_x")
    run = Instance(around(sub("s", start("s2") + step + end("e2", COMPENSATE) + chain("s2", "x", "e2"), default="else")))
    run.complete("undo_x")
    assert [i.element_id for i in run.out.incidents] == ["s"]
    run.resume(data={"later": 2})
    assert run.open == ["a"] and run.steps().count("undo_x") == 1
