"""The everyday life of a process: people, services, timers, messages."""

from datetime import timedelta

import pytest

from bpmn import engine
from bpmn.model import PENDING, NotDue, NotWaiting, ProcessError, StartRefused
from tests.bpmn.build import (
    NOW,
    Instance,
    TestHost,
    both,
    boundary,
    chain,
    end,
    flow,
    message,
    node,
    script,
    service,
    signal,
    start,
    timer,
    user,
    wrap,
    xor,
)
from tests.bpmn.support import proves


@proves("start event", "user task")
def test_start_complete_end():
    run = Instance(start() + user("a") + user("b") + end() + chain("start", "a", "b", "end"), {"request_id": 7})
    assert run.open == ["a"]
    assert run.task("a").data == {"request_id": 7}
    run.complete("a", note="hello")
    assert run.open == ["b"]
    run.complete("b")
    assert run.done
    assert run.data == {"request_id": 7, "note": "hello"}
    assert run.steps() == ["start", "a", "b", "end"]


@proves("exclusive gateway")
def test_gateway_says_which_way_it_took_and_why():
    body = start() + user("a") + xor("g", "no") + user("big") + user("small") + end() + chain("start", "a", "g")
    body += flow("g", "big", "amount > 1000", id="yes") + flow("g", "small", id="no") + flow("big", "end") + flow("small", "end")
    run = Instance(body)
    run.complete("a", amount=2000)
    assert run.open == ["big"]
    record = next(step for step in run.history if step.element_id == "g")
    assert record.detail == {"flow": "yes", "name": "", "condition": "amount > 1000"}
    other = Instance(body)
    other.complete("a", amount=10)
    assert other.open == ["small"]


@proves("service task")
def test_service_gets_parameters_and_gives_its_result():
    inner = '<tandem:param name="amount" value="= amount * 2"/><tandem:param name="kind" value="deal"/>'
    inner = f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"
    body = start() + service("s", "crm.open_deal", inner, t_result="deal") + user("u") + end() + chain("start", "s", "u", "end")
    host = TestHost(crm_open_deal={"id": 12})
    run = Instance(body, {"amount": 21}, host=host)
    connector, parameters, step = host.calls[0]
    assert (connector, parameters) == ("crm.open_deal", {"amount": 42, "kind": "deal"})
    assert step.element_id == "s" and step.data == {"amount": 21}
    assert run.data["deal"] == {"id": 12}


def test_a_failing_service_is_an_incident_that_can_be_retried():
    answers = iter([ValueError("no network"), {"id": 1}])

    def call(_parameters, _step):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    host = TestHost(test_call=call)
    run = Instance(start() + script("k", "n = 1") + service("s", t_result="deal") + end() + chain("start", "k", "s", "end"), host=host)
    assert run.out.status == "running"
    assert (run.out.incident.element_id, run.out.incident.message) == ("s", "no network")
    assert run.data == {"n": 1}
    first = host.calls[0][2].task_id
    run.resume()
    assert run.done and run.out.incident is None
    assert run.data == {"n": 1, "deal": {"id": 1}}
    assert host.calls[1][2].task_id == first


@proves("service task")
def test_pending_service():
    host = TestHost(test_call=PENDING)
    run = Instance(start() + service("s", t_result="mail") + end() + chain("start", "s", "end"), host=host)
    assert [wait.element_id for wait in run.out.service_waits] == ["s"]
    key = run.out.service_waits[0].id
    state = run.out.state
    run.finish_service("s", {"sent": True})
    assert run.done and run.data == {"mail": {"sent": True}}
    with pytest.raises(NotWaiting):
        engine.finish_service(run.definition, run.out.state, key, {}, host=host, now=NOW)
    failed = engine.fail_service(run.definition, state, key, "mail.bounced", "no such address", host=host, now=NOW)
    assert failed.incident.code == "mail.bounced"


@proves("timer events")
def test_timer_waits_and_fires_once():
    body = start() + node("intermediateCatchEvent", "t", timer("PT48H")) + user("u") + end() + chain("start", "t", "u", "end")
    run = Instance(body)
    (wait,) = run.out.timers
    assert wait.due == NOW + timedelta(hours=48)
    with pytest.raises(NotDue):
        engine.fire_timer(run.definition, run.out.state, wait.id, host=None, now=NOW)
    run.fire("t")
    assert run.open == ["u"] and not run.out.timers
    with pytest.raises(NotWaiting):
        engine.fire_timer(run.definition, run.out.state, wait.id, host=None, now=run.now)


@proves("timer events")
def test_boundary_timers_remind_and_escalate():
    body = start() + user("u") + boundary("remind", "u", timer("PT1H"), interrupting=False) + boundary("late", "u", timer("PT5H"))
    body += (
        service("ping")
        + end("e1")
        + user("boss")
        + end()
        + chain("start", "u", "end")
        + chain("remind", "ping", "e1")
        + chain("late", "boss", "end")
    )
    host = TestHost()
    run = Instance(body, host=host)
    assert sorted((t.element_id, t.attached_to, t.interrupting) for t in run.out.timers) == [("late", "u", True), ("remind", "u", False)]
    run.fire("remind")
    assert run.open == ["u"] and len(host.calls) == 1
    task = run.task("u").id
    run.fire("late")
    assert run.open == ["boss"] and not run.out.timers
    assert run.steps("cancelled") == ["u"]
    with pytest.raises(NotWaiting):
        run.complete_id(task)
    run.complete("boss")
    assert run.done


@proves("message events")
def test_message_with_correlation():
    extra = '<bpmn:message id="m" name="reply" tandem:correlation="request_id"/>'
    body = start() + node("intermediateCatchEvent", "wait", message("m"), t_result="answer") + end() + chain("start", "wait", "end")
    run = Instance(wrap(body, extra), {"request_id": 5})
    (wait,) = run.out.messages
    assert (wait.name, wait.correlation, wait.kind) == ("reply", {"request_id": 5}, "message")
    run.deliver("wait", text="yes")
    assert run.done and run.data["answer"] == {"text": "yes"}


@proves("message events", "signal events")
def test_signal_and_message_are_thrown_to_the_host():
    extra = '<bpmn:message id="m" name="paid" tandem:correlation="deal_id"/><bpmn:signal id="s" name="closed"/>'
    payload = '<bpmn:extensionElements><tandem:param name="total" value="= total"/></bpmn:extensionElements>'
    body = start() + node("intermediateThrowEvent", "m1", payload + message("m")) + end("end", signal("s")) + chain("start", "m1", "end")
    run = Instance(wrap(body, extra), {"deal_id": 3, "total": 9})
    assert [(t.kind, t.name, t.payload, t.correlation) for t in run.thrown] == [
        ("message", "paid", {"total": 9}, {"deal_id": 3}),
        ("signal", "closed", {}, {}),
    ]


@proves("error events")
def test_business_error_goes_to_its_boundary():
    def call(_parameters, _step):
        raise ProcessError("E_STOCK", "nothing left")

    extra = '<bpmn:error id="er" errorCode="E_STOCK"/>'
    body = start() + service("s") + boundary("b", "s", '<bpmn:errorEventDefinition errorRef="er"/>') + user("h") + end()
    body += chain("start", "s", "end") + chain("b", "h", "end")
    run = Instance(wrap(body, extra), host=TestHost(test_call=call))
    assert run.open == ["h"]
    assert run.data == {"error_code": "E_STOCK", "error_message": "nothing left"}


@proves("parallel gateway")
def test_parallel_branches_join():
    body = start() + both("f") + user("a") + user("b") + both("j") + user("c") + end()
    body += flow("start", "f") + chain("f", "a", "j", "c", "end") + chain("f", "b", "j")
    run = Instance(body)
    assert run.open == ["a", "b"]
    run.complete("a", action="approve")
    assert run.open == ["b"]
    run.complete("b", action="reject")
    assert run.open == ["c"]
    assert run.data["actions"] == {"a": "approve", "b": "reject"}


@proves("start event")
def test_start_at_an_element():
    body = start() + user("a") + user("b") + end() + chain("start", "a", "b", "end")
    run = Instance(body, at="b")
    assert run.open == ["b"]
    with pytest.raises(StartRefused):
        Instance(body, at="nowhere")


def test_cancel():
    run = Instance(start() + user("a") + end() + chain("start", "a", "end"))
    out = engine.cancel(run.definition, run.out.state, now=NOW)
    assert out.status == "cancelled" and not out.user_tasks
    assert [(step.element_id, step.state) for step in out.history] == [("a", "cancelled")]
    with pytest.raises(NotWaiting):
        engine.complete(run.definition, out.state, run.task("a").id, {}, host=None, now=NOW)
