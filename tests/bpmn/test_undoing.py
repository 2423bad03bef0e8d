"""Compensation and transactions: what was done is undone once, the last first; stored and loaded at every step."""

import pytest

from bpmn import engine, operations
from bpmn.operations import Change
from bpmn.parser import parse
from tests.bpmn.build import ERROR, ERROR_EVENT, Instance, TestHost, boundary, chain, end, flow, loop, node, service, start, user, wrap, xor
from tests.bpmn.support import proves

COMPENSATE = "<bpmn:compensateEventDefinition/>"
CANCEL = "<bpmn:cancelEventDefinition/>"


def throw(id_, inner):
    return node("intermediateThrowEvent", id_, inner)


def sub(id_, inner, **a):
    return node("subProcess", id_, inner, **a)


def undo(event, handler):
    return f'<bpmn:association id="as_{event}" sourceRef="{event}" targetRef="{handler}" associationDirection="One"/>'


def undoable(id_, handler=None):
    """A service with a compensation event and the service that undoes it."""
    handler = handler or service(f"undo_{id_}", f"undo.{id_}", isForCompensation="true")
    return service(id_, f"do.{id_}") + boundary(f"b_{id_}", id_, COMPENSATE) + handler + undo(f"b_{id_}", f"undo_{id_}")


def calls(run):
    return [connector for connector, _, _ in run.host.calls]


# --- compensation ---------------------------------------------------------------------------------------------------


@proves("compensation", "compensation throw event")
def test_what_was_done_is_undone_in_reverse_order():
    run = Instance(
        start()
        + undoable("hotel")
        + undoable("flight")
        + undoable("car")
        + user("pay")
        + throw("undo", COMPENSATE)
        + user("after")
        + end()
        + chain("start", "hotel", "flight", "pay", "undo", "after", "end")
        + flow("undo", "car")
        + flow("car", "end")
    )
    assert calls(run) == ["do.hotel", "do.flight"]
    run.complete("pay")
    assert calls(run) == ["do.hotel", "do.flight", "undo.flight", "undo.hotel", "do.car"]
    assert run.open == ["after"]
    assert [s for s in run.steps() if s.startswith("undo")] == ["undo_flight", "undo_hotel", "undo"]


@proves("compensation throw event")
def test_one_step_is_undone_by_name_and_only_once():
    run = Instance(
        start()
        + undoable("hotel")
        + undoable("flight")
        + throw("t1", '<bpmn:compensateEventDefinition activityRef="hotel"/>')
        + throw("t2", '<bpmn:compensateEventDefinition activityRef="hotel"/>')
        + user("u")
        + throw("t3", COMPENSATE)
        + end()
        + chain("start", "hotel", "flight", "t1", "t2", "u", "t3", "end")
    )
    assert calls(run)[2:] == ["undo.hotel"]
    run.complete("u")
    assert calls(run)[2:] == ["undo.hotel", "undo.flight"] and run.done


@proves("compensation end event", "compensation")
def test_a_person_undoes_and_the_process_waits_for_it():
    handler = user("undo_ship", isForCompensation="true")
    run = Instance(start() + undoable("ship", handler) + end("end", COMPENSATE) + chain("start", "ship", "end"))
    assert run.open == ["undo_ship"]
    run.complete("undo_ship", returned=True)
    assert run.done and run.data["returned"] is True


@proves("compensation")
def test_steps_inside_a_finished_subprocess_are_undone_from_outside():
    inner = start("s2") + undoable("a") + undoable("b") + end("e2") + chain("s2", "a", "b", "e2")
    deeper = sub("outer", start("s4") + sub("sp", inner) + undoable("c") + end("e4") + chain("s4", "sp", "c", "e4"))
    run = Instance(start() + deeper + user("u") + end("end", COMPENSATE) + chain("start", "outer", "u", "end"))
    run.complete("u")
    assert calls(run)[3:] == ["undo.c", "undo.b", "undo.a"] and run.done


@proves("compensation")
def test_a_subprocess_with_a_handler_of_its_own_is_undone_as_a_whole():
    inner = start("s2") + undoable("a") + end("e2") + chain("s2", "a", "e2")
    run = Instance(
        start()
        + sub("sp", inner)
        + boundary("b_sp", "sp", COMPENSATE)
        + service("undo_sp", "undo.sp", isForCompensation="true")
        + undo("b_sp", "undo_sp")
        + end("end", COMPENSATE)
        + chain("start", "sp", "end")
    )
    assert calls(run) == ["do.a", "undo.sp"] and run.done


def test_only_finished_steps_are_undone_and_running_ones_go_on():
    run = Instance(
        start()
        + undoable("a")
        + user("slow")
        + boundary("b_slow", "slow", COMPENSATE)
        + service("undo_slow", "undo.slow", isForCompensation="true")
        + undo("b_slow", "undo_slow")
        + throw("t", COMPENSATE)
        + user("v")
        + flow("start", "a")
        + flow("start", "slow")
        + chain("a", "t", "v")
    )
    assert calls(run) == ["do.a", "undo.a"] and run.open == ["slow", "v"]


def test_every_round_is_undone_with_its_own_variables():
    handler = service(
        "undo_book",
        "undo.book",
        isForCompensation="true",
        inner='<bpmn:extensionElements><tandem:param name="what" value="= x"/></bpmn:extensionElements>',
    )
    xml = (
        start()
        + service("book", "do.book", loop(sequential=True))
        + boundary("b_book", "book", COMPENSATE)
        + handler
        + undo("b_book", "undo_book")
        + end("end", COMPENSATE)
        + chain("start", "book", "end")
    )
    run = Instance(xml, {"xs": ["room", "seat", "car"]})
    assert [p["what"] for name, p, _ in run.host.calls if name == "undo.book"] == ["car", "seat", "room"]
    assert run.done


def test_rounds_of_a_subprocess_are_undone_with_their_variables():
    handler = service(
        "undo_a",
        "undo.a",
        isForCompensation="true",
        inner='<bpmn:extensionElements><tandem:param name="what" value="= x"/></bpmn:extensionElements>',
    )
    inner = loop(sequential=True) + start("s2") + undoable("a", handler) + chain("s2", "a")
    run = Instance(start() + sub("sp", inner) + user("u") + end("end", COMPENSATE) + chain("start", "sp", "u", "end"), {"xs": [1, 2]})
    run.complete("u")
    assert [p["what"] for name, p, _ in run.host.calls if name == "undo.a"] == [2, 1] and run.done


@proves("compensation")
def test_an_error_handler_undoes_what_its_scope_has_done():
    handler = sub(
        "ev", start("s3", ERROR_EVENT) + throw("t", COMPENSATE) + user("sorry") + chain("s3", "t", "sorry"), triggeredByEvent="true"
    )
    run = Instance(wrap(start() + undoable("a") + user("u") + end("end", ERROR_EVENT) + chain("start", "a", "u", "end") + handler, ERROR))
    run.complete("u")
    assert calls(run) == ["do.a", "undo.a"] and run.open == ["sorry"]


def test_a_handler_that_fails_is_retried_and_nothing_is_undone_twice():
    answers = {"n": 0}

    def undo_b(parameters, step):
        answers["n"] += 1
        if answers["n"] == 1:
            raise RuntimeError("down")

    run = Instance(
        start() + undoable("a") + undoable("b") + end("end", COMPENSATE) + chain("start", "a", "b", "end"), host=TestHost(undo_b=undo_b)
    )
    assert run.out.incident.element_id == "undo_b"
    run.resume()
    assert calls(run) == ["do.a", "do.b", "undo.b", "undo.b", "undo.a"] and run.done


def test_cancelling_in_the_middle_of_undoing():
    run = Instance(
        start() + undoable("ship", user("undo_ship", isForCompensation="true")) + end("end", COMPENSATE) + chain("start", "ship", "end")
    )
    out = engine.cancel(run.definition, run.out.state, now=run.now)
    assert out.status == "cancelled" and not out.user_tasks


# --- transactions ---------------------------------------------------------------------------------------------------


@proves("transaction", "cancel end event", "cancel boundary event")
def test_a_cancelled_transaction_is_undone_before_its_cancel_event():
    inner = (
        start("s2")
        + undoable("a")
        + user("decide")
        + user("beside")
        + xor("g", "ok")
        + end("fine")
        + end("stop", CANCEL)
        + chain("s2", "a", "decide", "g")
        + flow("a", "beside")
        + flow("g", "stop", "action == 'no'")
        + flow("g", "fine", id="ok")
    )
    xml = (
        start()
        + node("transaction", "tx", inner)
        + boundary("cancelled", "tx", CANCEL)
        + user("told")
        + user("after")
        + chain("start", "tx", "after")
        + chain("cancelled", "told")
    )
    run = Instance(xml)
    run.complete("decide", action="no")
    assert calls(run) == ["do.a", "undo.a"]
    assert run.open == ["told"]
    assert "beside" in run.steps("cancelled")
    run = Instance(xml)
    run.complete("decide", action="yes")
    run.complete("beside")
    assert calls(run) == ["do.a"] and run.open == ["after"]


def test_a_transaction_waits_for_the_people_who_undo():
    inner = start("s2") + undoable("a", user("undo_a", isForCompensation="true")) + end("stop", CANCEL) + chain("s2", "a", "stop")
    run = Instance(
        start() + node("transaction", "tx", inner) + boundary("c", "tx", CANCEL) + user("told") + flow("start", "tx") + flow("c", "told")
    )
    assert run.open == ["undo_a"]
    run.complete("undo_a")
    assert run.open == ["told"]


# --- operations -----------------------------------------------------------------------------------------------------


def test_a_step_that_was_skipped_isnt_undone():
    xml = (
        start()
        + user("a")
        + boundary("b_a", "a", COMPENSATE)
        + service("undo_a", "undo.a", isForCompensation="true")
        + undo("b_a", "undo_a")
    )
    run = Instance(xml + undoable("c") + end("end", COMPENSATE) + chain("start", "a", "c", "end"))
    out = operations.modify(run.definition, run.out.state, [Change("skip", "a")], host=run.host, now=run.now)
    assert out.status == "completed" and calls(run) == ["do.c", "undo.c"]


def test_nothing_can_be_started_at_a_handler():
    run = Instance(start() + undoable("a") + user("u") + chain("start", "a", "u"))
    with pytest.raises(operations.Impossible):
        operations.modify(run.definition, run.out.state, [Change("start", "undo_a")], host=run.host, now=run.now)


def test_what_can_be_undone_moves_to_another_version_or_keeps_the_instance_from_it():
    def version(step):
        return parse(wrap(start() + undoable(step) + user("u") + end("end", COMPENSATE) + chain("start", step, "u", "end")))

    run = Instance(version("a"))
    told = operations.migrate(run.definition, version("b"), run.out.state, {}, now=run.now)
    assert told.verdict == "blocked" and "undo_a" in told.reasons[0]
    told = operations.migrate(run.definition, version("b"), run.out.state, {"a": "b", "undo_a": "undo_b"}, now=run.now)
    assert told.verdict == "safe"
    run.definition, run.out = version("b"), engine.look(version("b"), told.state, now=run.now)
    run.complete("u")
    assert run.done and calls(run) == ["do.a", "undo.b"]


def test_a_cancelled_event_that_undoes_and_a_skipped_one():
    xml = start() + undoable("ship", user("undo_ship", isForCompensation="true")) + throw("t", COMPENSATE) + user("v")
    run = Instance(xml + chain("start", "ship", "t", "v"))
    out = operations.modify(run.definition, run.out.state, [Change("skip", "t")], host=run.host, now=run.now)
    assert [task.element_id for task in out.user_tasks] == ["v"]
    out = operations.modify(run.definition, run.out.state, [Change("cancel", "t")], host=run.host, now=run.now)
    assert out.status == "completed"
