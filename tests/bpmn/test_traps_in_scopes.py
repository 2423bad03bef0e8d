"""The traps of subprocesses, event subprocesses and rounds. Every step stores and loads the state."""

from datetime import timedelta

import pytest

from bpmn import engine
from bpmn.model import NotWaiting
from bpmn.parser import parse
from tests.bpmn.build import (
    ERROR,
    ERROR_EVENT,
    MESSAGE,
    NOW,
    SIGNAL,
    Instance,
    TestHost,
    boundary,
    chain,
    end,
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
)
from tests.bpmn.support import proves

# --- subprocesses and event subprocesses ----------------------------------------------------------------------------


@proves("message events", "embedded subprocess")
def test_an_interrupting_boundary_on_a_subprocess_takes_everything_inside_away():
    deepest = start("s3") + user("u") + boundary("late", "u", timer("PT1H")) + end("e3") + chain("s3", "u", "e3") + chain("late", "e3")
    inner = start("s2") + node("subProcess", "sp2", deepest) + end("e2") + chain("s2", "sp2", "e2")
    body = (
        start()
        + node("subProcess", "sp", inner)
        + boundary("b", "sp", timer("PT2H"))
        + user("h")
        + end()
        + chain("start", "sp", "end")
        + chain("b", "h", "end")
    )
    run = Instance(body)
    assert sorted(t.element_id for t in run.out.timers) == ["b", "late"]
    run.fire("b")
    assert run.open == ["h"] and not run.out.timers
    assert run.steps("cancelled") == ["u", "sp2", "sp"]


def event_subprocess(interrupting, inner_event, extra=""):
    flag = "true" if interrupting else "false"
    inner = start("es_s", inner_event, isInterrupting=flag) + user("eu") + end("es_e") + chain("es_s", "eu", "es_e")
    body = start() + user("u") + end() + chain("start", "u", "end") + node("subProcess", "es", inner, triggeredByEvent="true")
    return wrap(body, extra)


@proves("event subprocess")
def test_a_non_interrupting_event_subprocess_runs_beside_and_again():
    definition = parse(event_subprocess(False, message("m1"), MESSAGE))
    run = Instance(definition)
    assert run.open == ["u"]
    run.deliver("es")
    assert run.open == ["eu", "u"]
    run.deliver("es")
    assert run.open == ["eu", "eu", "u"]
    run.complete("u")
    assert run.open == ["eu", "eu"]
    run.complete("eu")
    run.complete("eu")
    assert run.done
    assert Instance(definition).open == ["u"]  # the shared graph didn't learn from the first instance


@proves("event subprocess")
def test_an_interrupting_event_subprocess_takes_over():
    run = Instance(event_subprocess(True, timer("PT1H")))
    run.fire("es")
    assert run.open == ["eu"] and not run.out.timers
    run.complete("eu")
    assert run.done


def test_an_event_subprocess_is_disarmed_when_its_scope_ends():
    run = Instance(event_subprocess(True, signal("sg"), SIGNAL))
    wait = run.out.messages[0].id
    run.complete("u")
    assert run.done and not run.out.messages
    with pytest.raises(NotWaiting):
        engine.deliver(run.definition, run.out.state, wait, {}, host=None, now=NOW)


@proves("error events", "event subprocess")
def test_an_event_subprocess_catches_an_error_of_its_scope():
    inner = start("es_s", ERROR_EVENT) + user("eu") + end("es_e") + chain("es_s", "eu", "es_e")
    body = start() + user("u") + end("e", ERROR_EVENT) + chain("start", "u", "e") + node("subProcess", "es", inner, triggeredByEvent="true")
    run = Instance(wrap(body, ERROR))
    run.complete("u")
    assert run.open == ["eu"] and run.data["error_code"] == "E1"
    run.complete("eu")
    assert run.done


@proves("timer cycle")
def test_reminders_repeat_as_often_as_the_cycle_says():
    body = (
        start() + user("u") + boundary("b", "u", timer("R3/PT10M", "timeCycle"), interrupting=False) + service("ping") + end("e2") + end()
    )
    host = TestHost()
    run = Instance(body + chain("start", "u", "end") + chain("b", "ping", "e2"), host=host)
    dues = []
    while run.out.timers:
        dues.append(run.out.timers[0].due - NOW)
        run.fire("b")
    assert dues == [timedelta(minutes=10), timedelta(minutes=20), timedelta(minutes=30)] and len(host.calls) == 3
    run.complete("u")
    assert run.done


def test_a_late_timer_doesnt_fire_for_all_the_times_it_missed():
    body = start() + user("u") + boundary("b", "u", timer("R/PT10M", "timeCycle"), interrupting=False) + service("ping") + end("e2") + end()
    host = TestHost()
    run = Instance(body + chain("start", "u", "end") + chain("b", "ping", "e2"), host=host)
    run.now = NOW + timedelta(days=1)
    run.fire("b")
    assert len(host.calls) == 1 and run.out.timers[0].due == run.now + timedelta(minutes=10)


# --- multi-instance -------------------------------------------------------------------------------------------------


@proves("multi-instance")
def test_parallel_rounds_keep_their_results_in_order():
    body = start() + user("u", loop(output="votes", item="who")) + user("after") + end() + chain("start", "u", "after", "end")
    run = Instance(body, {"xs": ["ann", "bob", "cid"]})
    assert [t.loop_item for t in run.out.user_tasks] == ["ann", "bob", "cid"]
    run.complete("u", 2, action="approve")
    run.complete("u", 0, action="reject")
    assert run.data["votes"] == [{"who": "ann", "action": "reject"}, {"who": "cid", "action": "approve"}]
    run.complete("u", 0, action="approve")
    assert run.open == ["after"]
    assert [vote["who"] for vote in run.data["votes"]] == ["ann", "bob", "cid"]
    assert "action" not in run.data


@proves("multi-instance")
def test_sequential_rounds_come_one_after_another():
    run = Instance(
        start() + user("u", loop(sequential=True, output="out", output_item="y")) + end() + chain("start", "u", "end"), {"xs": [1, 2, 3]}
    )
    for x in (1, 2, 3):
        assert [t.loop_item for t in run.out.user_tasks] == [x] and run.task("u").data["x"] == x
        run.complete("u", y=x * 10)
    assert run.done and run.data["out"] == [10, 20, 30]


@proves("multi-instance")
def test_a_quorum_ends_the_voting():
    condition = "len([v for v in votes if v['action'] == 'approve']) &gt;= 2"
    body = start() + user("u", loop(output="votes", completion=condition)) + user("after") + end() + chain("start", "u", "after", "end")
    run = Instance(body, {"xs": [1, 2, 3, 4]})
    run.complete("u", action="reject")
    run.complete("u", action="approve")
    assert run.open == ["u", "u"]
    run.complete("u", action="approve")
    assert run.open == ["after"] and run.steps("cancelled") == ["u"]


def test_a_bad_quorum_condition_is_an_incident_and_the_vote_isnt_lost():
    body = (
        start()
        + user("u", loop(output="votes", completion="votes[0]['x'] == limit"))
        + user("after")
        + end()
        + chain("start", "u", "after", "end")
    )
    run = Instance(body, {"xs": [1, 2]})
    with pytest.raises(NotWaiting):
        run.complete("u", action="approve")
    assert run.open == ["u", "u"] and run.data["votes"] == []


def test_no_rounds_and_too_many_rounds():
    body = start() + user("u", loop(output="out")) + end() + chain("start", "u", "end")
    assert Instance(body, {"xs": []}).data["out"] == []
    assert Instance(body, {"xs": list(range(1001))}).out.incident.code == "loop.large"
    assert Instance(body, {"xs": 5}).out.incident.code == "loop.collection"
    assert Instance(body).out.incident.code == "expression.failed"


def test_rounds_of_a_subprocess_dont_share_variables():
    inner = start("s2") + user("ask") + script("k", "answer = text + '!'") + end("e2") + chain("s2", "ask", "k", "e2")
    body = start() + node("subProcess", "sp", loop(output="out", output_item="answer") + inner) + end() + chain("start", "sp", "end")
    run = Instance(body, {"xs": ["a", "b"]})
    run.complete("ask", 1, text="two")
    run.complete("ask", 0, text="one")
    assert run.done and run.data == {"xs": ["a", "b"], "out": ["one!", "two!"]}


def test_a_boundary_timer_on_rounds_stops_all_of_them():
    body = (
        start()
        + user("u", loop())
        + boundary("b", "u", timer("PT1H"))
        + user("h")
        + end()
        + chain("start", "u", "end")
        + chain("b", "h", "end")
    )
    run = Instance(body, {"xs": [1, 2, 3]})
    assert len(run.out.timers) == 1
    run.fire("b")
    assert run.open == ["h"]


def test_a_thousand_rounds_of_a_service():
    host = TestHost(test_call=lambda parameters, step: {"n": step.loop_item})
    run = Instance(
        start() + service("s", inner=loop(output="out", output_item="r"), t_result="r") + end() + chain("start", "s", "end"),
        {"xs": list(range(1000))},
        host=host,
    )
    while run.out.more:
        run.resume()
    assert run.done and len(host.calls) == 1000 and run.data["out"][999] == {"n": 999}
