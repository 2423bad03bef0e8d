"""Undoing what is over as a whole: called processes, and scopes with an event subprocess that undoes them; stored at every step."""

import pytest

from bpmn import engine, operations
from bpmn.check import check
from bpmn.model import StateRefused
from bpmn.parser import parse
from tests.bpmn.build import (
    ERROR,
    ERROR_EVENT,
    Instance,
    TestHost,
    boundary,
    chain,
    end,
    flow,
    loop,
    node,
    script,
    service,
    start,
    user,
    wrap,
)
from tests.bpmn.support import proves
from tests.bpmn.test_undoing import COMPENSATE, calls, sub, throw, undo, undoable

UNDO_A = '<bpmn:compensateEventDefinition activityRef="a"/>'


def param(name, value):
    return f'<bpmn:extensionElements><tandem:param name="{name}" value="{value}"/></bpmn:extensionElements>'


def telling(id_, *names, **a):
    """A service that is told the values of variables."""
    inner = "".join(f'<tandem:param name="{name}" value="= {name}"/>' for name in names)
    return service(id_, f"do.{id_}", f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>", **a)


def told(run, connector):
    return [parameters for name, parameters, _ in run.host.calls if name == connector]


def undoing(id_, *inside):
    """An event subprocess that undoes its scope: its start, then these shapes in a row."""
    ids = [text.split('id="')[1].split('"')[0] for text in inside]
    return sub(id_, start(f"s_{id_}", COMPENSATE) + "".join(inside) + chain(f"s_{id_}", *ids), triggeredByEvent="true")


def call(id_, key="q", inner="", **a):
    return node("callActivity", id_, inner, calledElement=key, **a)


# --- called processes -----------------------------------------------------------------------------------------------


@proves("compensation", "call activity")
def test_the_steps_of_a_called_process_that_is_over_are_undone_with_its_own_variables():
    handler = telling("undo_book", "room", isForCompensation="true")
    book = service("book", "do.book") + boundary("b_book", "book", COMPENSATE) + handler + undo("b_book", "undo_book")
    called = wrap(start() + script("pick", "room = 'of ' + who") + book + end() + chain("start", "pick", "book", "end"), key="q")
    body = (
        start()
        + call("ca", inner=param("who", "= who"), t_result="answer")
        + script("later", "room = 'mine'")
        + user("u")
        + end("end", COMPENSATE)
    )
    run = Instance(parse(wrap(body + chain("start", "ca", "later", "u", "end")), called={"q": called}), {"who": "Ada"})
    run.complete("u")
    assert calls(run) == ["do.book", "do.undo_book"] and told(run, "do.undo_book") == [{"room": "of Ada"}]
    assert run.done and run.data["room"] == "mine"


@proves("compensation")
def test_the_handlers_of_one_called_process_share_its_variables_and_the_caller_keeps_its_own():
    handler = user("undo_a", isForCompensation="true")
    a = service("a", "do.a") + boundary("b_a", "a", COMPENSATE) + handler + undo("b_a", "undo_a")
    b = (
        service("b", "do.b")
        + boundary("b_b", "b", COMPENSATE)
        + '<bpmn:scriptTask id="undo_b" isForCompensation="true"><bpmn:script>left = 7</bpmn:script></bpmn:scriptTask>'
        + undo("b_b", "undo_b")
    )
    inner = wrap(start() + sub("sp", start("s2") + a + b + chain("s2", "a", "b")) + chain("start", "sp"), key="q")
    run = Instance(
        parse(wrap(start() + call("ca") + end("end", COMPENSATE) + chain("start", "ca", "end")), called={"q": inner}), {"left": 1}
    )
    assert [task.data["left"] for task in run.out.user_tasks] == [7]
    run.complete("q:undo_a", left=8)
    assert run.done and run.data["left"] == 1


@proves("compensation")
def test_a_call_is_undone_by_name_and_by_its_own_handler_where_it_has_one():
    called = wrap(start() + undoable("a") + end() + chain("start", "a", "end"), key="q")
    body = start() + call("c1") + call("c2") + boundary("b_c2", "c2", COMPENSATE)
    body += service("undo_c2", "undo.c2", isForCompensation="true") + undo("b_c2", "undo_c2")
    throws = throw("t1", '<bpmn:compensateEventDefinition activityRef="c1"/>') + user("u") + end("end", COMPENSATE)
    run = Instance(parse(wrap(body + throws + chain("start", "c1", "c2", "t1", "u", "end")), called={"q": called}))
    assert calls(run) == ["do.a", "do.a", "undo.a"]
    run.complete("u")
    assert calls(run) == ["do.a", "do.a", "undo.a", "undo.c2"] and run.done


def test_calls_within_calls_are_undone_each_with_its_own_variables():
    handler = telling("undo_a", "n", isForCompensation="true")
    a = service("a", "do.a") + boundary("b_a", "a", COMPENSATE) + handler + undo("b_a", "undo_a")
    inmost = wrap(start() + script("s", "n = n + 1") + a + chain("start", "s", "a"), key="r")
    middle = wrap(start() + a + script("s", "n = n + 10") + call("deep", "r") + chain("start", "a", "s", "deep"), key="q")
    body = start() + call("ca", inner=loop("xs", sequential=True), t_result="answers") + end("end", COMPENSATE)
    xml = wrap(body + chain("start", "ca", "end"))
    run = Instance(parse(xml, called={"q": middle, "r": inmost}), {"xs": [1, 2], "n": 100})
    # the caller took nothing back, the middle one takes back what the inmost has written: 100, 111, 100, 111
    assert told(run, "do.undo_a") == [{"n": 111}, {"n": 111}, {"n": 111}, {"n": 111}] and run.done and run.data["n"] == 100


def test_a_process_that_is_called_in_rounds_is_undone_round_by_round_the_last_first():
    handler = telling("undo_a", "x", isForCompensation="true")
    a = service("a", "do.a") + boundary("b_a", "a", COMPENSATE) + handler + undo("b_a", "undo_a")
    called = wrap(start() + a + chain("start", "a"), key="q")
    body = start() + call("ca", inner=loop("xs")) + user("u") + end("end", COMPENSATE)
    run = Instance(parse(wrap(body + chain("start", "ca", "u", "end")), called={"q": called}), {"xs": ["one", "two", "three"]})
    run.complete("u")
    assert told(run, "do.undo_a") == [{"x": "three"}, {"x": "two"}, {"x": "one"}] and run.done


def test_a_call_that_is_cancelled_by_its_border_has_nothing_to_undo():
    called = wrap(start() + undoable("a") + user("w") + chain("start", "a", "w"), key="q")
    message = '<bpmn:message id="m1" name="M1"/>'
    stop = boundary("stop", "ca", '<bpmn:messageEventDefinition messageRef="m1"/>')
    body = start() + call("ca") + stop + end("end", COMPENSATE) + chain("start", "ca", "end") + chain("stop", "end")
    run = Instance(parse(wrap(body, message), called={"q": called}))
    run.deliver("stop")
    assert calls(run) == ["do.a"] and run.done


def test_a_handler_in_a_called_process_that_fails_is_an_incident_and_goes_on_where_it_stood():
    tries = []

    def refuse(_parameters, _step):
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("down")

    called = wrap(start() + undoable("a") + undoable("b") + chain("start", "a", "b"), key="q")
    xml = wrap(start() + call("ca") + end("end", COMPENSATE) + chain("start", "ca", "end"))
    run = Instance(parse(xml, called={"q": called}), host=TestHost(undo_b=refuse))
    assert run.out.incident.element_id == "q:undo_b"
    run.resume()
    assert calls(run) == ["do.a", "do.b", "undo.b", "undo.b", "undo.a"] and run.done


def test_a_call_of_a_process_that_nothing_undoes_is_refused_by_name():
    called = wrap(start() + user("a") + end() + chain("start", "a", "end"), key="q")
    body = (
        start() + call("ca") + throw("x", '<bpmn:compensateEventDefinition activityRef="ca"/>') + end() + chain("start", "ca", "x", "end")
    )
    assert {(p.element_id, p.code) for p in check(wrap(body), called={"q": called}).problems} == {("x", "compensation.ref")}


# --- event subprocesses that undo their scope -----------------------------------------------------------------------


@proves("compensation start of an event subprocess")
def test_a_finished_scope_is_undone_by_its_event_subprocess_with_the_variables_of_then():
    inner = start("s2") + script("pick", "room = n * 10") + undoable("a") + chain("s2", "pick", "a")
    inner += undoing("ev", telling("back", "room", "n"), script("write", "returned = room"))
    body = start() + sub("sp", inner) + script("later", "room, n = 'gone', 99") + user("u") + end("end", COMPENSATE)
    run = Instance(body + chain("start", "sp", "later", "u", "end"), {"n": 4})
    run.complete("u")
    assert calls(run) == ["do.a", "do.back"], "the event subprocess is all that happens"
    assert told(run, "do.back") == [{"room": 40, "n": 4}]
    assert run.done and (run.data["returned"], run.data["room"], run.data["n"]) == (40, "gone", 99)
    assert run.steps()[-5:] == ["s_ev", "back", "write", "ev", "end"]


@proves("compensation start of an event subprocess")
def test_it_undoes_the_steps_inside_where_it_throws_for_them_all_or_by_name():
    for thrown, expected in ((COMPENSATE, ["undo.b", "undo.a"]), (UNDO_A, ["undo.a"])):
        inner = start("s2") + undoable("a") + undoable("b") + chain("s2", "a", "b") + undoing("ev", throw("t", thrown), user("note"))
        run = Instance(start() + sub("sp", inner) + end("end", COMPENSATE) + chain("start", "sp", "end"))
        assert calls(run) == ["do.a", "do.b", *expected] and run.open == ["note"]
        run.complete("note")
        assert run.done and len(run.host.calls) == 2 + len(expected)


@proves("compensation start of an event subprocess")
def test_people_and_times_within_it_are_waited_for_and_it_runs_once():
    due = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
    inner = start("s2") + service("a", "do.a") + chain("s2", "a")
    inner += undoing("ev", user("call_back"), node("intermediateCatchEvent", "hour", due), script("s", "called = call + 1"))
    body = start() + sub("sp", inner) + throw("t1", COMPENSATE) + throw("t2", COMPENSATE) + user("v") + end()
    run = Instance(body + chain("start", "sp", "t1", "t2", "v", "end"))
    assert run.open == ["call_back"]
    run.complete("call_back", call=1)
    run.fire("hour")
    assert run.open == ["v"] and run.data["called"] == 2


def test_while_its_scope_runs_it_isnt_what_undoes():
    inner = start("s2") + undoable("a") + throw("t", COMPENSATE) + user("w") + chain("s2", "a", "t", "w") + undoing("ev", user("never"))
    run = Instance(start() + sub("sp", inner) + end() + chain("start", "sp", "end"))
    assert calls(run) == ["do.a", "undo.a"] and run.open == ["w"]
    run.complete("w")
    assert run.done


@proves("compensation start of an event subprocess", "multi-instance")
def test_each_round_is_undone_with_its_own_variables_the_last_first():
    inner = loop("xs", sequential=True) + start("s2") + script("s", "y = x * 2") + chain("s2", "s")
    inner += undoing("ev", telling("back", "x", "y"), script("w", "last = x"))
    run = Instance(start() + sub("sp", inner) + user("u") + end("end", COMPENSATE) + chain("start", "sp", "u", "end"), {"xs": [1, 2, 3]})
    run.complete("u")
    assert told(run, "do.back") == [{"x": 3, "y": 6}, {"x": 2, "y": 4}, {"x": 1, "y": 2}]
    assert run.done and run.data["last"] == 1 and "x" not in run.data


def test_scopes_within_scopes_are_undone_by_the_outermost_that_can():
    deep = start("s3") + undoable("a") + chain("s3", "a") + undoing("inner_ev", service("back_in", "do.back_in"), throw("t3", COMPENSATE))
    for outer_ev, expected in (
        (undoing("ev", service("back", "do.back"), throw("t", COMPENSATE)), ["do.back", "do.back_in", "undo.a"]),
        (undoing("ev", service("back", "do.back")), ["do.back"]),
        ("", ["do.back_in", "undo.a"]),
    ):
        inner = start("s2") + sub("deep", deep) + chain("s2", "deep") + outer_ev
        run = Instance(start() + sub("sp", inner) + user("u") + end("end", COMPENSATE) + chain("start", "sp", "u", "end"))
        run.complete("u")
        assert calls(run) == ["do.a", *expected] and run.done


@proves("compensation start of an event subprocess", "call activity")
def test_a_called_process_is_undone_by_its_own_event_subprocess_and_what_it_writes_stays_there():
    inner = start() + script("s", "n = n + 1") + undoable("a") + chain("start", "s", "a")
    inner += undoing("ev", telling("back", "n"), script("w", "n = 50"), throw("t", COMPENSATE), telling("again", "n"))
    body = start() + call("ca", inner=param("n", "= n"), t_result="answer") + end("end", COMPENSATE) + chain("start", "ca", "end")
    run = Instance(parse(wrap(body), called={"q": wrap(inner, key="q")}), {"n": 1})
    assert calls(run) == ["do.a", "do.back", "undo.a", "do.again"]
    assert told(run, "do.back") == [{"n": 2}] and told(run, "do.again") == [{"n": 50}]
    assert run.done and run.data["n"] == 1


def test_a_scope_within_a_called_process_gives_what_it_writes_to_that_process():
    handler = telling("undo_a", "n", isForCompensation="true")
    a = service("a", "do.a") + boundary("b_a", "a", COMPENSATE) + handler + undo("b_a", "undo_a")
    part = sub("sp", start("s2") + service("x", "do.x") + chain("s2", "x") + undoing("ev", script("w", "n = 'given'")))
    called = wrap(start() + a + part + chain("start", "a", "sp"), key="q")
    run = Instance(parse(wrap(start() + call("ca") + end("end", COMPENSATE) + chain("start", "ca", "end")), called={"q": called}), {"n": 1})
    assert told(run, "do.undo_a") == [{"n": "given"}] and run.done and run.data["n"] == 1


def test_an_error_within_it_is_caught_around_the_event_that_asked_for_it():
    inner = start("s2") + user("a") + chain("s2", "a") + undoing("ev", end("boom", ERROR_EVENT))
    catching = sub("catch", start("s4", ERROR_EVENT) + user("sorry") + chain("s4", "sorry"), triggeredByEvent="true")
    body = start() + sub("sp", inner) + throw("t", COMPENSATE) + user("never") + chain("start", "sp", "t", "never") + catching
    run = Instance(wrap(body, ERROR))
    run.complete("a")
    assert run.open == ["sorry"]
    run.complete("sorry")
    assert run.done


def test_an_incident_within_it_is_retried_and_a_cancelled_instance_leaves_nothing():
    inner = start("s2") + user("a") + chain("s2", "a") + undoing("ev", script("s", "x = missing"), user("w"))
    run = Instance(start() + sub("sp", inner) + end("end", COMPENSATE) + chain("start", "sp", "end"))
    run.complete("a")
    assert run.out.incident.element_id == "s"
    out = engine.cancel(run.definition, run.out.state, now=run.now)
    assert out.status == "cancelled" and not out.user_tasks
    # `missing` is set in the process itself, which the restored scope doesn't see: the step is skipped instead
    out = operations.modify(run.definition, run.out.state, [operations.Change("skip", "s")], host=run.host, now=run.now)
    assert [task.element_id for task in out.user_tasks] == ["w"]


def test_a_transaction_that_is_over_is_undone_by_its_event_subprocess():
    inner = start("s2") + undoable("a") + end("fine") + chain("s2", "a", "fine") + undoing("ev", service("back", "do.back"))
    body = start() + node("transaction", "tx", inner) + user("u") + end("end", COMPENSATE) + chain("start", "tx", "u", "end")
    run = Instance(body)
    run.complete("u")
    assert calls(run) == ["do.a", "do.back"] and run.done


def test_what_was_done_ad_hoc_is_undone_from_outside():
    inner = undoable("a").replace('id="a"', 'id="a" name="A"', 1)
    body = start() + node("adHocSubProcess", "ad", inner) + user("u") + end("end", COMPENSATE) + chain("start", "ad", "u", "end")
    run = Instance(body)
    run.complete("ad", action="a")
    run.complete("ad", action="done")
    run.complete("u")
    assert calls(run) == ["do.a", "undo.a"] and run.done


# --- the gate and other versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "around", "expected"),
    [
        (undoing("ev", user("a")) + undoing("ev2", user("b")), "", ("s_ev2", "event_subprocess.twice")),
        (
            undoing("ev", user("a")),
            boundary("b_sp", "sp", COMPENSATE) + user("back", isForCompensation="true") + undo("b_sp", "back"),
            ("sp", "compensation.twice"),
        ),
        (start("x", COMPENSATE), "", ("x", "event.unsupported")),
    ],
)
def test_the_gate_names_what_would_not_happen(inside, around, expected):
    scope = "" if 'id="x"' in inside else start("s2") + user("w") + chain("s2", "w")
    xml = wrap(start() + sub("sp", scope + inside) + around + end() + chain("start", "sp", "end"))
    assert expected in {(problem.element_id, problem.code) for problem in check(xml).problems}


def test_a_process_cant_start_by_compensation_and_no_event_undoes_without_waiting():
    assert ("start", "event.unsupported") in {
        (p.element_id, p.code) for p in check(wrap(start("start", COMPENSATE) + end() + chain("start", "end"))).problems
    }
    hasty = '<bpmn:compensateEventDefinition waitForCompletion="false"/>'
    xml = wrap(start() + undoable("a") + throw("x", hasty) + end() + chain("start", "a", "x", "end"))
    assert {(p.element_id, p.code) for p in check(xml).problems} == {("x", "compensation.wait")}


def test_the_handler_itself_cant_be_undone():
    inner = start("s2") + user("w") + chain("s2", "w") + undoing("ev", user("z"))
    handler = sub("undo_a", inner, isForCompensation="true")
    xml = wrap(start() + undoable("a", handler) + end() + chain("start", "a", "end"))
    assert {(p.element_id, p.code) for p in check(xml).problems} == {("undo_a", "compensation.twice")}


def test_what_waits_to_be_undone_and_what_is_being_undone_move_to_another_version_or_keep_the_instance_from_it():
    def version(ev, step):
        inner = start("s2") + undoable(step) + chain("s2", step) + undoing(ev, throw("t", COMPENSATE), user("w"))
        return parse(wrap(start() + sub("sp", inner) + user("u") + end("end", COMPENSATE) + chain("start", "sp", "u", "end")))

    run = Instance(version("ev", "a"))
    assert operations.migrate(run.definition, version("ev2", "a"), run.out.state, {}, now=run.now).verdict == "blocked"
    names = {"ev": "ev2", "s_ev": "s_ev2", "a": "b", "undo_a": "undo_b", "b_a": "b_b"}
    moved = operations.migrate(run.definition, version("ev2", "b"), run.out.state, names, now=run.now)
    assert moved.verdict == "safe"
    run.definition, run.out = version("ev2", "b"), engine.look(version("ev2", "b"), moved.state, now=run.now)
    run.complete("u")
    assert calls(run) == ["do.a", "undo.b"] and run.open == ["w"]
    with pytest.raises(StateRefused):
        engine.look(version("ev", "a"), run.out.state, now=run.now)
    moved = operations.migrate(run.definition, version("ev", "a"), run.out.state, {new: old for old, new in names.items()}, now=run.now)
    assert moved.verdict == "safe"
    run.definition, run.out = version("ev", "a"), engine.look(version("ev", "a"), moved.state, now=run.now)
    run.complete("w")
    assert run.done


def test_a_flow_into_an_undoing_event_subprocess_is_refused():
    inner = start("s2") + user("w") + chain("s2", "w") + flow("w", "ev") + undoing("ev", user("z"))
    xml = wrap(start() + sub("sp", inner) + end() + chain("start", "sp", "end"))
    assert ("ev", "event_subprocess.flow") in {(p.element_id, p.code) for p in check(xml).problems}
