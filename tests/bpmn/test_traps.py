"""One test for each way in which a process engine was seen to go wrong. Every step stores and loads the state."""

import time
from datetime import timedelta

import pytest

from bpmn import engine
from bpmn.model import PENDING, NotWaiting, StateRefused
from bpmn.parser import parse
from tests.bpmn.build import (
    ERROR,
    ERROR_EVENT,
    MESSAGE,
    NOW,
    SIGNAL,
    TERMINATE,
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

# --- joins and gateways ---------------------------------------------------------------------------------------------


def two_approvals_in_a_loop():
    body = start() + xor("m") + both("f") + user("a") + user("b") + both("j") + user("after") + xor("g", "fd") + end()
    body += chain("start", "m", "f", "a", "j", "after", "g") + chain("f", "b", "j")
    return body + flow("g", "m", "again") + flow("g", "end", id="fd")


@proves("parallel gateway")
@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_join_in_a_loop_waits_for_both_approvals_in_every_round(order):
    run = Instance(two_approvals_in_a_loop())
    for _ in range(4):
        assert run.open == ["a", "b"]
        run.complete(order[0])
        assert "after" not in run.open
        run.complete(order[1])
        assert run.open == ["after"]
        run.complete("after", again=True)
    run.complete("b")
    run.complete("a")
    run.complete("after", again=False)
    assert run.done


def test_tokens_that_come_too_early_for_the_next_round_are_kept():
    """A second token on one way in doesn't count for the other way, and isn't lost."""
    body = start() + both("f") + xor("m") + user("a") + user("b") + both("j") + user("c") + end()
    body += flow("start", "f") + flow("f", "m") + flow("f", "m") + chain("m", "a", "j", "c", "end") + chain("f", "b", "j")
    run = Instance(body)
    assert run.open == ["a", "a", "b"]
    run.complete("a")
    run.complete("a")
    assert run.open == ["b"]
    run.complete("b")
    assert run.open == ["c"]
    run.complete("c")
    assert run.out.incident.code == "deadlock"  # the diagram sent two tokens where one can meet a partner; said, not hidden


def test_forty_parallel_blocks_cost_nothing():
    body, before = start(), "start"
    for i in range(40):
        body += both(f"fork{i}") + user(f"a{i}") + user(f"b{i}") + both(f"j{i}")
        body += chain(before, f"fork{i}", f"a{i}", f"j{i}") + chain(f"fork{i}", f"b{i}", f"j{i}")
        before = f"j{i}"
    run = Instance(body + end() + flow(before, "end"))
    assert len(run.out.state) < 500
    for i in range(40):
        run.complete(f"a{i}")
        run.complete(f"b{i}")
    assert run.done


def test_a_loop_of_a_thousand_rounds_stays_small_and_alive():
    body = start() + user("u") + script("k", "n = n + 1") + xor("g", "no") + end()
    body += chain("start", "u", "k", "g") + flow("g", "u", "n < 1000") + flow("g", "end", id="no")
    run = Instance(body, {"n": 0})
    run.complete("u")
    size = len(run.out.state)
    for _ in range(998):
        run.complete("u")
    assert run.open == ["u"] and run.data["n"] == 999
    assert len(run.out.state) <= size + 20
    run.complete("u")
    assert run.done and run.data["n"] == 1000


def test_a_long_run_is_bounded_and_goes_on():
    body = (
        start()
        + script("k", "n = n + 1")
        + xor("g", "no")
        + end()
        + chain("start", "k", "g")
        + flow("g", "k", "n < 1000")
        + flow("g", "end", id="no")
    )
    run = Instance(body, {"n": 0})
    rounds = 0
    while run.out.more:
        assert run.out.status == "running"
        rounds += 1
        run.resume()
    assert run.done and run.data["n"] == 1000 and rounds == 4


@proves("exclusive gateway")
def test_exclusive_gateway_without_a_true_condition_is_an_incident():
    body = start() + xor("g") + user("a") + user("b") + end() + flow("start", "g") + flow("g", "a", "n == 1") + flow("g", "b", "n == 2")
    run = Instance(body + flow("a", "end") + flow("b", "end"), {"n": 3})
    assert (run.out.incident.element_id, run.out.incident.code) == ("g", "gateway.no_way_out")
    run.resume(data={"n": 2})
    assert run.open == ["b"]


def inclusive():
    body = (
        start()
        + node("inclusiveGateway", "f", default="d")
        + user("a")
        + user("b")
        + user("c")
        + node("inclusiveGateway", "j")
        + user("after")
        + end()
    )
    body += flow("start", "f") + flow("f", "a", "n > 1") + flow("f", "b", "n > 2") + flow("f", "c", id="d")
    return body + chain("a", "j") + chain("b", "j") + chain("c", "j") + chain("j", "after", "end")


@proves("inclusive gateway")
@pytest.mark.parametrize(("n", "expected"), [(0, ["c"]), (2, ["a"]), (3, ["a", "b"])])
def test_inclusive_gateway_waits_for_exactly_the_branches_it_opened(n, expected):
    run = Instance(inclusive(), {"n": n})
    assert run.open == expected
    for left in range(len(expected), 0, -1):
        assert "after" not in run.open
        run.complete(expected[left - 1])
    assert run.open == ["after"]
    run.complete("after")
    assert run.done and run.steps().count("after") == 1


@proves("inclusive gateway")
def test_inclusive_join_waits_for_a_step_far_upstream_and_for_boundary_paths():
    body = start() + node("inclusiveGateway", "f", default="d") + user("a") + user("a2") + user("b") + boundary("late", "a", timer("PT1H"))
    body += user("h") + node("inclusiveGateway", "j") + user("after") + end()
    body += flow("start", "f") + flow("f", "a", "True") + flow("f", "b", "True") + flow("f", "j", id="d")
    body += chain("a", "a2", "j", "after", "end") + chain("b", "j") + chain("late", "h", "j")
    run = Instance(body)
    run.complete("b")
    assert run.open == ["a"]
    run.fire("late")
    assert run.open == ["h"]
    run.complete("h")
    assert run.open == ["after"]


def test_inclusive_join_in_a_loop():
    body = start() + xor("m") + node("inclusiveGateway", "f") + user("a") + user("b") + node("inclusiveGateway", "j") + user("after")
    body += xor("g", "fd") + end() + chain("start", "m", "f") + flow("f", "a", "True") + flow("f", "b", "two")
    body += chain("a", "j", "after", "g") + chain("b", "j") + flow("g", "m", "again") + flow("g", "end", id="fd")
    run = Instance(body, {"two": True})
    for two in (True, False, True):
        assert run.open == (["a", "b"] if run.data["two"] else ["a"])
        for id_ in list(run.open):
            assert "after" not in run.open
            run.complete(id_)
        assert run.open == ["after"]
        run.complete("after", again=True, two=two)


def test_a_deadlock_is_said():
    body = start() + xor("g", "no") + user("a") + user("b") + both("j") + end()
    body += flow("start", "g") + flow("g", "a", "False") + flow("g", "b", id="no") + chain("a", "j", "end") + chain("b", "j")
    run = Instance(body)
    run.complete("b")
    assert run.out.status == "running" and run.out.incident.code == "deadlock" and run.out.incident.element_id == "j"


@proves("flows without id")
def test_flows_without_an_id_are_followed():
    text = (
        start()
        + user("approve")
        + end()
        + '<bpmn:sequenceFlow sourceRef="start" targetRef="approve"/><bpmn:sequenceFlow sourceRef="approve" targetRef="end"/>'
    )
    run = Instance(text)
    assert run.open == ["approve"]
    assert set(run.definition.flows) == {"flow_start_approve_1", "flow_approve_end_1"}


@proves("several flows out of a step")
def test_several_flows_out_of_a_step_start_branches():
    run = Instance(start() + user("a") + user("b") + end() + flow("start", "a") + flow("start", "b") + flow("a", "end") + flow("b", "end"))
    assert run.open == ["a", "b"]
    run.complete("a")
    assert not run.done
    run.complete("b")
    assert run.done


@proves("a path without end event", "embedded subprocess")
def test_a_path_may_end_without_an_end_event_inside_a_subprocess():
    inner = start("s2") + user("a") + chain("s2", "a")
    run = Instance(start() + node("subProcess", "sp", inner) + user("b") + end() + chain("start", "sp", "b", "end"))
    run.complete("a")
    assert run.open == ["b"]


def test_a_chain_as_long_as_the_gate_allows():
    ids = [f"t{i}" for i in range(996)]
    body = start() + "".join(script(id_, "n = n + 1") for id_ in ids) + end() + chain("start", *ids, "end")
    run = Instance(body, {"n": 0}, max_steps=2000)
    assert run.done and run.data["n"] == 996


# --- events ---------------------------------------------------------------------------------------------------------


def event_gateway(*events, extra=""):
    body = start() + node("eventBasedGateway", "g") + end() + flow("start", "g")
    for id_, inner in events:
        body += node("intermediateCatchEvent", id_, inner) + user(f"u_{id_}") + chain("g", id_, f"u_{id_}", "end")
    return wrap(body, extra)


@proves("event-based gateway", "timer events")
@pytest.mark.parametrize("first", ["t1", "t2"])
def test_two_timers_of_an_event_gateway_have_their_own_times(first):
    times = {"t1": "PT5H", "t2": "PT1H"}
    run = Instance(event_gateway(*((id_, timer(text)) for id_, text in times.items())))
    assert {t.element_id: t.due - NOW for t in run.out.timers} == {"t1": timedelta(hours=5), "t2": timedelta(hours=1)}
    run.fire(first)
    assert run.open == [f"u_{first}"] and not run.out.timers
    run.complete(f"u_{first}")
    assert run.done and f"u_{first}" in run.steps()


@proves("event-based gateway")
def test_event_gateway_takes_the_first_and_closes_the_others():
    run = Instance(event_gateway(("m", message("m1")), ("t", timer("PT1H")), ("s", signal("sg")), extra=MESSAGE + SIGNAL))
    late = run.out.timers[0].id
    run.deliver("m", text="hi")
    assert run.open == ["u_m"] and run.data == {"text": "hi"} and not run.out.messages and not run.out.timers
    with pytest.raises(NotWaiting):
        engine.fire_timer(run.definition, run.out.state, late, host=None, now=NOW + timedelta(hours=2))


def test_one_message_reaches_one_catcher_only():
    body = start() + both("f") + both("j") + end() + flow("start", "f") + flow("j", "end")
    for i in "AB":
        body += node("intermediateCatchEvent", f"c{i}", message("m1")) + chain("f", f"c{i}", "j")
    run = Instance(wrap(body, MESSAGE))
    run.deliver("cA")
    assert not run.done and [wait.element_id for wait in run.out.messages] == ["cB"]


@proves("signal events")
def test_a_signal_thrown_is_always_offered_outside_and_waits_inside_too():
    body = start() + both("f") + both("j") + node("intermediateCatchEvent", "c", signal("sg")) + user("u")
    body += (
        node("intermediateThrowEvent", "th", signal("sg"))
        + end()
        + flow("start", "f")
        + chain("f", "c", "j", "end")
        + chain("f", "u", "th", "j")
    )
    run = Instance(wrap(body, SIGNAL))
    run.complete("u")
    assert [(t.kind, t.name) for t in run.thrown] == [("signal", "SG")]
    assert [(w.kind, w.name) for w in run.out.messages] == [("signal", "SG")]
    run.deliver("c")
    assert run.done


@proves("signal events")
def test_a_signal_end_event_throws():
    run = Instance(wrap(start() + end("end", signal("sg")) + chain("start", "end"), SIGNAL))
    assert run.done and [t.name for t in run.thrown] == ["SG"]


@proves("link events")
def test_link_events_jump():
    link = '<bpmn:linkEventDefinition name="L"/>'
    body = start() + node("intermediateThrowEvent", "th", link) + node("intermediateCatchEvent", "ca", link) + user("u") + end()
    run = Instance(body + chain("start", "th") + chain("ca", "u", "end"))
    assert run.open == ["u"]


def parallel_subprocesses():
    body = start() + both("f") + both("j") + end() + flow("start", "f") + flow("j", "end")
    for name, throws in (("A", True), ("B", False)):
        inner = (
            start(f"s{name}")
            + user(f"u{name}")
            + end(f"e{name}", ERROR_EVENT if throws else "")
            + chain(f"s{name}", f"u{name}", f"e{name}")
        )
        body += (
            node("subProcess", f"sp{name}", inner) + boundary(f"b{name}", f"sp{name}", ERROR_EVENT) + user(f"h{name}") + end(f"end{name}")
        )
        body += chain("f", f"sp{name}", "j") + chain(f"b{name}", f"h{name}", f"end{name}")
    return wrap(body, ERROR)


def test_an_error_in_one_subprocess_leaves_its_twin_alone():
    run = Instance(parallel_subprocesses())
    run.complete("uA")
    assert run.open == ["hA", "uB"]


def test_an_error_nobody_catches_fails_the_instance():
    run = Instance(
        wrap(
            start()
            + both("f")
            + user("a")
            + user("b")
            + end("e", ERROR_EVENT)
            + end()
            + flow("start", "f")
            + chain("f", "a", "e")
            + chain("f", "b", "end"),
            ERROR,
        )
    )
    run.complete("a")
    assert (run.out.status, run.out.error_code) == ("failed", "E1") and not run.out.user_tasks


@proves("error events")
def test_an_error_goes_outwards_until_somebody_catches_it():
    deepest = start("s3") + end("e3", ERROR_EVENT) + chain("s3", "e3")
    middle = start("s2") + node("subProcess", "sp2", deepest) + end("e2") + chain("s2", "sp2", "e2")
    body = (
        start()
        + node("subProcess", "sp", middle)
        + boundary("b", "sp", ERROR_EVENT)
        + user("h")
        + end()
        + chain("start", "sp", "end")
        + chain("b", "h", "end")
    )
    run = Instance(wrap(body, ERROR))
    assert run.open == ["h"] and run.data["error_code"] == "E1"


# --- a cancelled task never runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("charge_first", [True, False])
def test_a_task_cancelled_in_the_same_batch_does_not_run(charge_first):
    ways = [flow("f", "k"), flow("f", "ee")]
    inner = start("s2") + both("f") + end("ee", ERROR_EVENT) + script("pre", "x = 1") + service("k") + end("e2")
    inner += flow("s2", "f") + "".join(ways if charge_first else ways[::-1]) + flow("k", "e2")
    inner = inner.replace('targetRef="k"', 'targetRef="pre"', 1) + flow("pre", "k")
    body = (
        start()
        + node("subProcess", "sp", inner)
        + boundary("b", "sp", ERROR_EVENT)
        + user("h")
        + end()
        + chain("start", "sp", "end")
        + chain("b", "h", "end")
    )
    host = TestHost()
    run = Instance(wrap(body, ERROR), host=host)
    assert run.open == ["h"] and host.calls == []


@proves("terminate end event")
def test_terminate_stops_the_other_branch():
    body = start() + both("f") + end("t", TERMINATE) + script("pre", "x = 1") + service("k") + user("u") + end()
    body += flow("start", "f") + flow("f", "pre") + flow("f", "t") + chain("pre", "k", "u", "end")
    host = TestHost()
    run = Instance(body, host=host)
    assert run.done and host.calls == [] and not run.out.user_tasks


@proves("terminate end event", "embedded subprocess")
def test_terminate_in_a_subprocess_ends_only_the_subprocess():
    inner = (
        start("s2")
        + both("f")
        + user("a")
        + user("b")
        + end("t", TERMINATE)
        + end("e2")
        + flow("s2", "f")
        + chain("f", "a", "t")
        + chain("f", "b", "e2")
    )
    run = Instance(start() + node("subProcess", "sp", inner) + user("after") + end() + chain("start", "sp", "after", "end"))
    run.complete("a")
    assert run.open == ["after"]


# --- done twice, done too late, failed half-way ---------------------------------------------------------------------


def test_a_task_is_completed_once():
    run = Instance(start() + user("a") + user("b") + end() + chain("start", "a", "b", "end"))
    task = run.task("a").id
    before = run.out.state
    run.complete_id(task, n=1)
    with pytest.raises(NotWaiting):
        run.complete_id(task, n=2)
    with pytest.raises(NotWaiting):
        run.complete_id("0" * 32)
    assert run.data == {"n": 1}
    assert engine.look(run.definition, before, now=NOW).data == {}


def test_a_gateway_or_timer_cant_be_completed_as_a_task():
    run = Instance(start() + node("intermediateCatchEvent", "t", timer("PT1H")) + end() + chain("start", "t", "end"))
    with pytest.raises(NotWaiting):
        run.complete_id(run.out.timers[0].id)


@proves("script task")
def test_a_failed_script_leaves_nothing_behind_and_a_retry_doubles_nothing():
    run = Instance(
        start() + script("k", "total = total + 1\nlst.append(1)\nx = 1 / z") + end() + chain("start", "k", "end"),
        {"z": 0, "total": 0, "lst": []},
    )
    assert run.out.incident.element_id == "k" and "line 3" in run.out.incident.message
    assert run.data == {"z": 0, "total": 0, "lst": []}
    run.resume(data={"z": 2})
    assert run.done and run.data == {"z": 2, "total": 1, "lst": [1], "x": 0.5}


def test_one_branch_fails_and_the_other_goes_on():
    body = (
        start()
        + both("f")
        + script("bad", "x = nothing")
        + user("a")
        + both("j")
        + end()
        + flow("start", "f")
        + chain("f", "bad", "j", "end")
        + chain("f", "a", "j")
    )
    run = Instance(body)
    assert run.open == ["a"] and run.out.incident.element_id == "bad"
    run.complete("a")
    assert run.out.incident.element_id == "bad" and not run.done
    run.resume(data={"nothing": 3})
    assert run.done and run.data == {"nothing": 3, "x": 3}


def test_a_boundary_timer_that_cant_be_worked_out_stops_before_the_service_is_called():
    host = TestHost(test_call=PENDING)
    body = (
        start()
        + service("s")
        + boundary("b", "s", timer("= missing"))
        + user("h")
        + end()
        + chain("start", "s", "end")
        + chain("b", "h", "end")
    )
    run = Instance(body, host=host)
    assert run.out.incident.code == "expression.failed" and host.calls == []
    run.resume(data={"missing": "PT2H"})
    assert len(host.calls) == 1 and [t.element_id for t in run.out.timers] == ["b"]
    run.fire("b")
    assert run.open == ["h"] and not run.out.service_waits


# --- variables ------------------------------------------------------------------------------------------------------


def test_parallel_branches_dont_undo_each_others_values():
    body = start() + both("f") + both("j") + user("uA") + script("sA", "status = 'approved'") + user("uB") + end()
    body += flow("start", "f") + chain("f", "uA", "sA", "j", "end") + chain("f", "uB", "j")
    run = Instance(body, {"status": "new"})
    run.complete("uA")
    run.complete("uB")
    assert run.done and run.data["status"] == "approved"


def test_both_branches_can_append_to_a_list():
    body = (
        start()
        + both("f")
        + both("j")
        + user("uA")
        + script("sA", "log.append('a')")
        + user("uB")
        + script("sB", "log = log + ['b']")
        + end()
    )
    body += flow("start", "f") + chain("f", "uA", "sA", "j", "end") + chain("f", "uB", "sB", "j")
    run = Instance(body, {"log": ["x"]})
    run.complete("uA")
    run.complete("uB")
    assert run.data["log"] == ["x", "a", "b"]


def test_each_branch_sees_its_own_action():
    """Two people decide in parallel; the gateway behind each sees what its own person chose, even when it is reached later."""
    body = start() + both("f") + end() + flow("start", "f")
    for name in "ab":
        body += user(name) + service(f"s_{name}") + xor(f"g_{name}", f"no_{name}") + user(f"yes_{name}") + user(f"nope_{name}")
        body += chain("f", name, f"s_{name}", f"g_{name}") + flow(f"g_{name}", f"yes_{name}", "action == 'approve'")
        body += flow(f"g_{name}", f"nope_{name}", id=f"no_{name}") + chain(f"yes_{name}", "end") + chain(f"nope_{name}", "end")
    run = Instance(body, host=TestHost(test_call=PENDING))
    run.complete("a", action="approve")
    run.complete("b", action="reject")
    run.finish_service("s_a")
    run.finish_service("s_b")
    assert run.open == ["nope_b", "yes_a"]


@pytest.mark.parametrize(
    "payload",
    [{"typename": "foo"}, {"typename": "UUID", "value": "x"}, {"$": "D", "v": "1"}, {"$": "unknown"}, {1: "a", (2, 3): "b"}],
)
def test_form_data_that_looks_like_the_codecs_own_comes_back(payload):
    run = Instance(start() + user("u") + user("v") + end() + chain("start", "u", "v", "end"))
    run.complete("u", form=payload)
    assert run.task("v").data["form"] == payload
    assert engine.look(run.definition, run.out.state, now=NOW).data["form"] == payload


@proves("call activity")
def test_a_called_process_has_variables_of_its_own():
    inner = start("start") + script("sc", "leak = secret\ndel keep") + user("ask") + end() + chain("start", "sc", "ask", "end")
    params = '<tandem:param name="secret" value="= secret"/><tandem:param name="keep" value="1"/>'
    params = f"<bpmn:extensionElements>{params}</bpmn:extensionElements>"
    body = start() + node("callActivity", "ca", params, calledElement="q", t_result="answer") + end() + chain("start", "ca", "end")
    definition = parse(wrap(body), called={"q": wrap(inner, key="q")})
    run = Instance(definition, {"secret": 1, "keep": 2})
    assert run.open == ["q:ask"] and definition.element("q:ask").process_key == "q"
    assert run.task("q:ask").data == {"secret": 1, "leak": 1} and run.task("q:ask").path == ("ca",)
    run.complete("q:ask")
    assert run.done and run.data == {"secret": 1, "keep": 2, "answer": {"secret": 1, "leak": 1}}


def test_unstorable_data_is_refused_before_anything_happens():
    run = Instance(start() + user("u") + end() + chain("start", "u", "end"))
    for bad in (object(), float("nan"), len, "x" * 2_000_000):
        with pytest.raises(NotWaiting):
            run.complete("u", value=bad)
    for name in ("now", "a b", "_x", "1a"):
        with pytest.raises(NotWaiting):
            run._keep(engine.complete(run.definition, run.out.state, run.task("u").id, {name: 1}, host=None, now=NOW))
    run.complete("u", value=1)
    assert run.done


# --- a changed definition under a running instance ------------------------------------------------------------------


def test_a_new_version_takes_inserted_steps_and_refuses_removed_ones():
    first = parse(wrap(start() + user("u") + user("v") + end() + chain("start", "u", "v", "end")))
    run = Instance(first)
    inserted = parse(wrap(start() + user("u") + user("n") + user("v") + end() + chain("start", "u", "n", "v", "end")))
    out = engine.complete(inserted, run.out.state, run.task("u").id, {}, host=None, now=NOW)
    assert [t.element_id for t in out.user_tasks] == ["n"]
    removed = parse(wrap(start() + user("other") + user("v") + end() + chain("start", "other", "v", "end")))
    with pytest.raises(StateRefused):
        engine.complete(removed, run.out.state, run.task("u").id, {}, host=None, now=NOW)


def test_the_clock_of_the_machine_plays_no_part(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: pytest.fail("the engine looked at the clock"))
    run = Instance(start() + user("u") + end() + chain("start", "u", "end"))
    run.complete("u")
    assert run.done
