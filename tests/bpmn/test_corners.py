"""Corners where several things meet: errors through calls and rounds, events on events, incidents inside what is taken away."""

from datetime import timedelta

import pytest

from bpmn import engine
from bpmn.model import PENDING, NotWaiting, ProcessError, StartRefused, StepFailed
from bpmn.parser import parse
from tests.bpmn.build import (
    ERROR,
    ERROR_EVENT,
    MESSAGE,
    NOW,
    SIGNAL,
    Instance,
    TestHost,
    both,
    boundary,
    chain,
    end,
    flow,
    loop,
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

CATCH_ALL = "<bpmn:errorEventDefinition/>"
TWO_ERRORS = ERROR + '<bpmn:error id="er2" errorCode="E2"/>'


def failing(code="E1", message="no"):
    def call(_parameters, _step):
        raise ProcessError(code, message)

    return TestHost(test_call=call)


# --- errors ---------------------------------------------------------------------------------------------------------


@proves("call activity", "error events")
def test_an_error_in_a_called_process_is_caught_at_the_call():
    inner = wrap(start() + user("u") + end("e", ERROR_EVENT) + chain("start", "u", "e"), ERROR, key="q")
    body = start() + node("callActivity", "ca", calledElement="q") + boundary("b", "ca", ERROR_EVENT) + user("h") + end()
    definition = parse(wrap(body + chain("start", "ca", "end") + chain("b", "h", "end"), ERROR), called={"q": inner})
    run = Instance(definition)
    run.complete("q:u")
    assert run.open == ["h"]


def test_an_error_in_one_round_stops_all_rounds():
    inner = start("s2") + user("u") + xor("g", "ok") + end("bad", ERROR_EVENT) + end("good") + chain("s2", "u", "g")
    inner += flow("g", "bad", "fail") + flow("g", "good", id="ok")
    body = start() + node("subProcess", "sp", loop() + inner) + boundary("b", "sp", ERROR_EVENT) + user("h") + end()
    run = Instance(wrap(body + chain("start", "sp", "end") + chain("b", "h", "end"), ERROR), {"xs": [1, 2, 3]})
    run.complete("u", fail=False)
    run.complete("u", fail=True)
    assert run.open == ["h"]
    run.complete("h")
    assert run.done


def test_the_exact_code_wins_over_catching_everything():
    handlers = boundary("any", "s", CATCH_ALL) + boundary("one", "s", ERROR_EVENT) + user("h_any") + user("h_one")
    body = (
        start() + service("s") + handlers + end() + chain("start", "s", "end") + chain("any", "h_any", "end") + chain("one", "h_one", "end")
    )
    xml = wrap(body, TWO_ERRORS)
    assert Instance(xml, host=failing("E1")).open == ["h_one"]
    assert Instance(xml, host=failing("E2")).open == ["h_any"]


def test_an_uncaught_business_error_of_a_service_is_an_incident():
    run = Instance(start() + service("s") + end() + chain("start", "s", "end"), host=failing("E9", "sold out"))
    assert (run.out.incident.code, run.out.incident.message, run.out.status) == ("E9", "sold out", "running")


def test_a_pending_service_that_fails_goes_to_its_boundary():
    body = start() + service("s") + boundary("b", "s", ERROR_EVENT) + boundary("t", "s", timer("PT1H")) + user("h") + end()
    body += chain("start", "s", "end") + chain("b", "h", "end") + chain("t", "end")
    run = Instance(wrap(body, ERROR), host=TestHost(test_call=PENDING))
    assert [t.element_id for t in run.out.timers] == ["t"]
    run.fail_service("s", "E1")
    assert run.open == ["h"] and not run.out.timers


def test_a_pending_service_that_fails_uncaught_can_be_tried_again():
    answers = iter([PENDING, {"ok": 1}])
    host = TestHost(test_call=lambda parameters, step: next(answers))
    body = start() + service("s", t_result="r") + boundary("t", "s", timer("PT1H")) + end() + chain("start", "s", "end") + chain("t", "end")
    run = Instance(body, host=host)
    run.fail_service("s", "mail.down", "no answer")
    assert run.out.incident.code == "mail.down" and not run.out.timers and not run.out.service_waits
    run.resume()
    assert run.done and run.data == {"r": {"ok": 1}}


def test_an_error_subprocess_inside_a_subprocess():
    handler = start("es_s", ERROR_EVENT) + user("eu") + end("es_e") + chain("es_s", "eu", "es_e")
    inner = start("s2") + both("f") + user("a") + user("b") + end("bad", ERROR_EVENT) + end("e2") + flow("s2", "f") + chain("f", "a", "bad")
    inner += chain("f", "b", "e2") + node("subProcess", "es", handler, triggeredByEvent="true")
    run = Instance(wrap(start() + node("subProcess", "sp", inner) + user("after") + end() + chain("start", "sp", "after", "end"), ERROR))
    run.complete("a")
    assert run.open == ["eu"]
    run.complete("eu")
    assert run.open == ["after"]


def test_an_error_inside_an_error_handler_goes_further_out():
    handler = start("es_s", ERROR_EVENT) + end("es_e", ERROR_EVENT) + chain("es_s", "es_e")
    inner = start("s2") + end("bad", ERROR_EVENT) + chain("s2", "bad") + node("subProcess", "es", handler, triggeredByEvent="true")
    body = start() + node("subProcess", "sp", inner) + boundary("b", "sp", ERROR_EVENT) + user("h") + end()
    run = Instance(wrap(body + chain("start", "sp", "end") + chain("b", "h", "end"), ERROR))
    assert run.open == ["h"]


# --- events ---------------------------------------------------------------------------------------------------------


@proves("receive task")
def test_a_receive_task_with_a_deadline():
    body = (
        start() + node("receiveTask", "r", messageRef="m1", t_result="answer") + boundary("late", "r", timer("P1D")) + user("chase") + end()
    )
    xml = wrap(body + chain("start", "r", "end") + chain("late", "chase", "end"), MESSAGE)
    run = Instance(xml)
    run.deliver("r", ok=True)
    assert run.done and run.data == {"answer": {"ok": True}}
    late = Instance(xml)
    late.fire("late")
    assert late.open == ["chase"] and not late.out.messages


@proves("receive task", "event-based gateway")
def test_a_receive_task_behind_an_event_gateway():
    body = start() + node("eventBasedGateway", "g") + node("receiveTask", "r", messageRef="m1") + end()
    body += node("intermediateCatchEvent", "t", timer("PT1H")) + chain("start", "g", "r", "end") + chain("g", "t", "end")
    run = Instance(wrap(body, MESSAGE))
    assert [w.element_id for w in run.out.messages] == ["r"]
    run.deliver("r")
    assert run.done


@proves("signal events")
def test_a_signal_boundary_beside_a_task_comes_again_and_again():
    body = start() + user("u") + boundary("b", "u", signal("sg"), interrupting=False) + service("s") + end("e2") + end()
    host = TestHost()
    run = Instance(wrap(body + chain("start", "u", "end") + chain("b", "s", "e2"), SIGNAL), host=host)
    run.deliver("b", n=1)
    run.deliver("b", n=2)
    assert len(host.calls) == 2 and run.data["n"] == 2 and run.open == ["u"]


def test_an_event_subprocess_that_reminds_in_a_cycle():
    inner = start("es_s", timer("R2/PT1H", "timeCycle"), isInterrupting="false") + service("s") + end("es_e") + chain("es_s", "s", "es_e")
    body = start() + user("u") + end() + chain("start", "u", "end") + node("subProcess", "es", inner, triggeredByEvent="true")
    host = TestHost()
    run = Instance(body, host=host)
    run.fire("es")
    run.fire("es")
    assert len(host.calls) == 2 and not run.out.timers and run.open == ["u"]
    assert run.now == NOW + timedelta(hours=2)


def test_a_thrown_payload_that_fails_is_an_incident_and_nothing_is_thrown():
    payload = '<bpmn:extensionElements><tandem:param name="x" value="= nothing"/></bpmn:extensionElements>'
    run = Instance(
        wrap(start() + node("intermediateThrowEvent", "t", payload + message("m1")) + end() + chain("start", "t", "end"), MESSAGE)
    )
    assert run.out.incident.element_id == "t" and not run.thrown
    run.resume(data={"nothing": 1})
    assert run.done and run.thrown[0].payload == {"x": 1}


def test_a_message_without_its_correlation_is_an_incident():
    extra = '<bpmn:message id="m1" name="M1" tandem:correlation="deal_id"/>'
    run = Instance(wrap(start() + node("intermediateCatchEvent", "c", message("m1")) + end() + chain("start", "c", "end"), extra))
    assert run.out.incident.code == "message.correlation" and "deal_id" in run.out.incident.message
    run.resume(data={"deal_id": 4})
    assert run.out.messages[0].correlation == {"deal_id": 4}


@proves("link events")
def test_link_events_inside_a_subprocess():
    link = '<bpmn:linkEventDefinition name="L"/>'
    inner = start("s2") + node("intermediateThrowEvent", "th", link) + node("intermediateCatchEvent", "ca", link) + user("u")
    run = Instance(start() + node("subProcess", "sp", inner + chain("s2", "th") + chain("ca", "u")) + end() + chain("start", "sp", "end"))
    run.complete("u")
    assert run.done


# --- incidents, jumps, answers ----------------------------------------------------------------------------------------


def test_an_incident_inside_a_subprocess_goes_away_with_it():
    inner = start("s2") + script("bad", "x = nothing") + end("e2") + chain("s2", "bad", "e2")
    body = start() + node("subProcess", "sp", inner) + boundary("b", "sp", timer("PT1H")) + user("h") + end()
    run = Instance(body + chain("start", "sp", "end") + chain("b", "h", "end"))
    assert run.out.incident.element_id == "bad" and [t.element_id for t in run.out.timers] == ["b"]
    run.fire("b")
    assert run.out.incident is None and run.open == ["h"]


def test_one_of_several_incidents_is_retried():
    body = (
        start()
        + both("f")
        + script("a", "x = p")
        + script("b", "y = q")
        + end()
        + flow("start", "f")
        + chain("f", "a", "end")
        + chain("f", "b", "end")
    )
    run = Instance(body)
    assert {i.element_id for i in run.out.incidents} == {"a", "b"}
    first = next(i for i in run.out.incidents if i.element_id == "a")
    run.resume(task_id=first.task_id, data={"p": 1})
    assert [i.element_id for i in run.out.incidents] == ["b"] and run.data == {"p": 1, "x": 1}
    out = engine.go_on(run.definition, run.out.state, host=None, now=NOW)
    assert [i.element_id for i in out.incidents] == ["b"] and not out.history


def test_starts_in_the_middle():
    body = start() + both("f") + user("a") + user("b") + both("j") + user("c") + boundary("t", "c", timer("PT1H")) + end()
    body += flow("start", "f") + chain("f", "a", "j", "c", "end") + chain("f", "b", "j") + chain("t", "end")
    assert Instance(body, at="f").open == ["a", "b"]
    assert Instance(body, at="j").open == ["c"]
    assert Instance(body, at="end").done
    for wrong in ("t", "nothing", "", "p"):
        with pytest.raises(StartRefused):
            Instance(body, at=wrong)


@proves("start by message, signal or timer")
def test_a_message_start_beside_a_plain_one():
    body = (
        start()
        + start("by_mail", message("m1"))
        + user("a")
        + user("b")
        + end()
        + chain("start", "a", "end")
        + chain("by_mail", "b", "end")
    )
    definition = parse(wrap(body, MESSAGE))
    assert [(s.element_id, s.event, s.message) for s in definition.start_events] == [("start", "none", ""), ("by_mail", "message", "M1")]
    assert Instance(definition).open == ["a"]
    assert Instance(definition, {"text": "hi"}, at="by_mail").open == ["b"]


def test_several_starts_and_none_plain():
    body = start("m", message("m1")) + start("t", timer("R/P1D", "timeCycle")) + end() + chain("m", "end") + chain("t", "end")
    definition = parse(wrap(body, MESSAGE))
    with pytest.raises(StartRefused):
        Instance(definition)
    assert Instance(definition, at="t").done
    assert definition.start_events[1].timer.expression == "R/P1D"


def test_bad_start_data_is_refused():
    definition = parse(wrap(start() + end() + chain("start", "end")))
    for data in ({"now": 1}, {"a b": 1}, {"x": object()}):
        with pytest.raises(StartRefused):
            Instance(definition, data)


def test_a_tasks_answer_in_a_variable_of_its_own():
    run = Instance(start() + user("u", t_result="answer") + end() + chain("start", "u", "end"))
    run.complete("u", action="approve", note="ok")
    assert run.data["answer"] == {"action": "approve", "note": "ok"}


@pytest.mark.parametrize("result", [5, "text", [1], object()])
def test_a_connector_that_answers_nonsense(result):
    run = Instance(start() + service("s") + end() + chain("start", "s", "end"), host=TestHost(test_call=result))
    assert run.out.incident.code in ("service.result", "data.type")
    kept = Instance(start() + service("s", t_result="r") + end() + chain("start", "s", "end"), host=TestHost(test_call=result))
    assert kept.done == (type(result) is not object) or kept.out.incident.code == "data.type"


def test_a_connector_cant_change_the_process_behind_its_back():
    def call(_parameters, step):
        step.data["xs"].append(2)
        return {}

    run = Instance(start() + service("s") + user("u") + end() + chain("start", "s", "u", "end"), {"xs": [1]}, host=TestHost(test_call=call))
    assert run.data == {"xs": [1]}


def test_a_host_may_say_why_a_step_failed():
    def call(_parameters, _step):
        raise StepFailed("crm.closed", "the deal is closed")

    run = Instance(start() + service("s") + end() + chain("start", "s", "end"), host=TestHost(test_call=call))
    assert (run.out.incident.code, run.out.incident.message) == ("crm.closed", "the deal is closed")
    assert [(step.element_id, step.state) for step in run.history] == [("start", "completed"), ("s", "failed")]


def test_ended_instances_accept_nothing():
    run = Instance(start() + user("u") + end() + chain("start", "u", "end"))
    task = run.task("u").id
    run.complete("u")
    for call in (
        lambda: engine.complete(run.definition, run.out.state, task, {}, host=None, now=NOW),
        lambda: engine.resume(run.definition, run.out.state, host=None, now=NOW),
        lambda: engine.cancel(run.definition, run.out.state, now=NOW),
    ):
        with pytest.raises(NotWaiting):
            call()


def test_history_tells_what_changed_and_when():
    run = Instance(start() + user("u") + script("k", "b = a + 1") + end() + chain("start", "u", "k", "end"))
    run.now += timedelta(hours=3)
    run.complete("u", a=1, action="go")
    record = {step.element_id: step for step in run.history}
    assert record["u"].data_delta == {"a": 1, "action": "go", "actions": {"u": "go"}} and record["u"].detail == {"action": "go"}
    assert (record["u"].started, record["u"].ended) == (NOW, NOW + timedelta(hours=3))
    assert record["k"].data_delta == {"b": 2}


def test_a_naive_now_is_refused():
    definition = parse(wrap(start() + end() + chain("start", "end")))
    with pytest.raises(ValueError, match="time zone"):
        engine.start(definition, {}, host=None, now=NOW.replace(tzinfo=None))


@proves("business rule task")
def test_decisions_explain_themselves():
    dmn = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">
    <decision id="limit" name="Limit"><decisionTable id="t" hitPolicy="FIRST">
    <input id="i"><inputExpression id="ie" typeRef="number"><text>amount</text></inputExpression></input>
    <output id="o1" name="limit" typeRef="number"/><output id="o2" name="who" typeRef="string"/>
    <rule id="r1"><inputEntry id="a"><text>&lt; 1000</text></inputEntry><outputEntry id="b"><text>20</text></outputEntry>
    <outputEntry id="c"><text>"none"</text></outputEntry></rule>
    <rule id="r2"><inputEntry id="e"><text>-</text></inputEntry><outputEntry id="f"><text>5</text></outputEntry>
    <outputEntry id="g"><text>"manager"</text></outputEntry></rule>
    </decisionTable></decision></definitions>"""
    body = start() + node("businessRuleTask", "r", t_decision="limit", t_result="limit") + xor("g", "no") + user("boss") + end()
    body += chain("start", "r", "g") + flow("g", "boss", "discount > limit['limit']") + flow("g", "end", id="no") + chain("boss", "end")
    definition = parse(wrap(body), decisions={"limit.dmn": dmn})
    run = Instance(definition, {"amount": 5000, "discount": 10})
    assert run.open == ["boss"] and run.data["limit"] == {"limit": 5, "who": "manager"}
    detail = next(step.detail for step in run.history if step.element_id == "r")
    assert detail["decision"] == "limit" and [rule["rule"] for rule in detail["matched"]] == [2]
    assert Instance(definition, {"amount": 10, "discount": 10}).done
