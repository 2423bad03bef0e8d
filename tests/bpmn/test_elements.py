"""Escalation, conditions, repetition, compensation, transactions, ad hoc: each stored and loaded at every step."""

from html import escape

import pytest

from bpmn.model import DataRefused, NotWaiting
from bpmn.parser import parse
from tests.bpmn.build import (
    MESSAGE,
    Instance,
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
    xor,
)
from tests.bpmn.support import proves

ESCALATION = '<bpmn:escalation id="es" name="Es" escalationCode="LATE"/><bpmn:escalation id="es2" escalationCode="OTHER"/>'
ESCALATE = '<bpmn:escalationEventDefinition escalationRef="es"/>'
ESCALATE_ANY = "<bpmn:escalationEventDefinition/>"


def throw(id_, inner, **a):
    return node("intermediateThrowEvent", id_, inner, **a)


def sub(id_, inner, **a):
    return node("subProcess", id_, inner, **a)


def condition(text):
    inner = f'<bpmn:condition xsi:type="bpmn:tFormalExpression">{text}</bpmn:condition>'
    return f"<bpmn:conditionalEventDefinition>{inner}</bpmn:conditionalEventDefinition>"


def repeat(condition_="", maximum="", before=False):
    inner = f'<bpmn:loopCondition xsi:type="bpmn:tFormalExpression">{condition_}</bpmn:loopCondition>' if condition_ else ""
    most = f' loopMaximum="{maximum}"' if maximum else ""
    return (
        f'<bpmn:standardLoopCharacteristics testBefore="{"true" if before else "false"}"{most}>{inner}</bpmn:standardLoopCharacteristics>'
    )


# --- escalation -----------------------------------------------------------------------------------------------------


def escalating(interrupting, event=ESCALATE, throws=ESCALATE):
    inner = start("s2") + user("a") + throw("t", throws) + user("b") + end("e2") + chain("s2", "a", "t", "b", "e2")
    return wrap(
        start()
        + sub("sp", inner)
        + boundary("esc", "sp", event, interrupting=interrupting)
        + user("boss")
        + user("after")
        + end()
        + chain("start", "sp", "after", "end")
        + chain("esc", "boss", "end"),
        ESCALATION,
    )


@proves("escalation throw event", "escalation boundary event")
@pytest.mark.parametrize("event", [ESCALATE, ESCALATE_ANY])
def test_an_escalation_beside_the_subprocess_leaves_it_running(event):
    run = Instance(escalating(False, event))
    run.complete("a")
    assert run.open == ["b", "boss"]
    assert run.data["escalation_code"] == "LATE"
    run.complete("b")
    run.complete("boss")
    run.complete("after")
    assert run.done


@proves("escalation boundary event")
def test_an_interrupting_escalation_ends_the_subprocess():
    run = Instance(escalating(True))
    run.complete("a")
    assert run.open == ["boss"]
    assert "t" in run.steps()
    run.complete("boss")
    assert run.done and "after" not in run.steps()


def test_an_escalation_of_another_code_changes_nothing():
    run = Instance(escalating(True, throws='<bpmn:escalationEventDefinition escalationRef="es2"/>'))
    run.complete("a")
    assert run.open == ["b"]


@proves("escalation end event")
@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_end_event_and_a_branch_beside_it(interrupting):
    inner = start("s2") + end("e2", ESCALATE) + user("b") + flow("s2", "e2") + flow("s2", "b")
    run = Instance(
        wrap(
            start()
            + sub("sp", inner)
            + boundary("esc", "sp", ESCALATE, interrupting=interrupting)
            + user("boss")
            + end()
            + chain("start", "sp", "end")
            + flow("esc", "boss"),
            ESCALATION,
        )
    )
    assert run.open == (["boss"] if interrupting else ["b", "boss"])


@proves("escalation start of an event subprocess")
@pytest.mark.parametrize("interrupting", ["true", "false"])
def test_an_escalation_starts_an_event_subprocess(interrupting):
    handler = sub("ev", start("s3", ESCALATE, isInterrupting=interrupting) + user("boss") + chain("s3", "boss"), triggeredByEvent="true")
    run = Instance(
        wrap(start() + user("a") + throw("t", ESCALATE) + user("b") + end() + chain("start", "a", "t", "b", "end") + handler, ESCALATION)
    )
    run.complete("a")
    assert run.open == (["boss"] if interrupting == "true" else ["b", "boss"])
    for task in run.open:
        run.complete(task)
    assert run.done


@proves("escalation boundary event")
def test_an_escalation_leaves_a_called_process_with_its_payload():
    inside = '<bpmn:extensionElements><tandem:param name="days" value="= waited"/></bpmn:extensionElements>'
    called = wrap(start() + throw("t", inside + ESCALATE) + user("a") + end() + chain("start", "t", "a", "end"), ESCALATION, key="q")
    outer = wrap(
        start()
        + node("callActivity", "call", calledElement="q")
        + boundary("esc", "call", ESCALATE, interrupting=False)
        + user("boss")
        + end()
        + chain("start", "call", "end")
        + flow("esc", "boss"),
        ESCALATION,
    )
    run = Instance(parse(outer, called={"q": called}), {"waited": 3})
    assert run.open == ["boss", "q:a"]
    assert run.data["days"] == 3


def test_an_escalation_in_one_round_reaches_the_whole_step():
    inner = loop() + start("s2") + user("a") + throw("t", ESCALATE) + end("e2") + chain("s2", "a", "t", "e2")
    run = Instance(
        wrap(
            start()
            + sub("sp", inner)
            + boundary("esc", "sp", ESCALATE)
            + user("boss")
            + end()
            + chain("start", "sp", "end")
            + flow("esc", "boss"),
            ESCALATION,
        ),
        {"xs": [1, 2, 3]},
    )
    run.complete("a", 1)
    assert run.open == ["boss"]


# --- conditions -----------------------------------------------------------------------------------------------------


@proves("conditional catch event")
def test_a_condition_is_waited_for_until_another_branch_makes_it_true():
    run = Instance(
        start()
        + node("intermediateCatchEvent", "c", condition("stock > 3"))
        + user("after")
        + user("count")
        + flow("start", "c")
        + flow("start", "count")
        + chain("c", "after")
        + xor("g", "gd")
        + flow("count", "g")
        + flow("g", "count", "stock &lt; 9".replace("&lt;", "<"))
        + end()
        + flow("g", "end", id="gd")
    )
    assert run.open == ["count"]
    run.complete("count", stock=2)
    assert run.open == ["count"]
    run.complete("count", stock=5)
    assert run.open == ["after", "count"]


def test_a_condition_that_holds_already_is_passed_at_once():
    run = Instance(start() + node("intermediateCatchEvent", "c", condition("x")) + user("u") + chain("start", "c", "u"), {"x": 1})
    assert run.open == ["u"]


@proves("conditional boundary event")
def test_a_condition_beside_a_task_happens_each_time_it_comes_true_again():
    run = Instance(
        start()
        + user("work")
        + boundary("c", "work", condition("level > 5"), interrupting=False)
        + user("alarm")
        + user("measure")
        + flow("start", "work")
        + flow("start", "measure")
        + flow("c", "alarm")
        + xor("g")
        + flow("measure", "g")
        + flow("g", "measure")
    )
    run.complete("measure", level=9)
    assert run.open == ["alarm", "measure", "work"]
    run.complete("measure", level=8)  # it still holds: nothing new
    assert run.open == ["alarm", "measure", "work"]
    run.complete("measure", level=1)
    run.complete("measure", level=7)
    assert run.open == ["alarm", "alarm", "measure", "work"]


@proves("conditional boundary event")
def test_an_interrupting_condition_ends_the_step():
    run = Instance(
        start()
        + sub("sp", start("s2") + user("a") + user("b") + flow("s2", "a") + flow("s2", "b"))
        + boundary("c", "sp", condition("stop"))
        + user("stopped")
        + flow("start", "sp")
        + flow("c", "stopped"),
        {"stop": False},
    )
    run.complete("a", stop=True)
    assert run.open == ["stopped"]


@proves("conditional start of an event subprocess")
@pytest.mark.parametrize("interrupting", ["true", "false"])
def test_a_condition_starts_an_event_subprocess(interrupting):
    handler = sub(
        "ev", start("s3", condition("n == 2"), isInterrupting=interrupting) + user("h") + chain("s3", "h"), triggeredByEvent="true"
    )
    run = Instance(start() + script("k", "n = 1") + user("u") + user("v") + chain("start", "k", "u", "v") + handler)
    assert run.open == ["u"]
    run.complete("u", n=2)
    assert run.open == (["h"] if interrupting == "true" else ["h", "v"])
    for task in run.open:
        run.complete(task)
    assert run.done


@proves("conditional catch event")
def test_a_condition_behind_an_event_based_gateway():
    run = Instance(
        start()
        + node("eventBasedGateway", "g")
        + node("intermediateCatchEvent", "c", condition("ok"))
        + node("intermediateCatchEvent", "d", condition("not ok"))
        + user("yes")
        + user("no")
        + user("say")
        + flow("start", "g")
        + flow("start", "say")
        + chain("g", "c", "yes")
        + chain("g", "d", "no")
    )
    assert run.open == ["say"]  # `ok` has no value yet, so neither holds
    run.complete("say", ok=False)
    assert run.open == ["no"]


@proves("start by a condition")
@pytest.mark.parametrize("text", ["amount > 1000 and stage == 'new'", "= amount > 1000", "feel: amount > 1000"])
def test_a_condition_starts_a_process_and_its_history_says_with_which_values(text):
    body = start("s", condition(escape(text)), t_watches="crm.deal") + user("u") + end() + chain("s", "u", "end")
    definition = parse(wrap(body))
    source = text.removeprefix("= ")
    assert [(one.event, one.watches, one.condition) for one in definition.start_events] == [("conditional", "crm.deal", source)]
    run = Instance(definition, {"amount": 5000, "stage": "new", "title": "A"}, at="s")
    assert run.open == ["u"]
    seen = {"amount": 5000, "stage": "new"} if "stage" in text else {"amount": 5000}
    assert run.out.history[0].detail == {"condition": source, "seen": seen}
    assert Instance(definition, {"title": "by hand"}, at="s").out.history[0].detail is None


def test_a_condition_may_be_in_feel():
    inner = condition("n > 3").replace('xsi:type="bpmn:tFormalExpression"', 'xsi:type="bpmn:tFormalExpression" language="feel"')
    run = Instance(start() + user("a") + node("intermediateCatchEvent", "c", inner) + user("b") + chain("start", "a", "c", "b"))
    run.complete("a", n=5)
    assert run.open == ["b"]


def test_a_condition_that_fails_is_an_incident_until_it_can_be_worked_out():
    run = Instance(start() + node("intermediateCatchEvent", "c", condition("n > 3")) + user("u") + chain("start", "c", "u"), {"n": "many"})
    assert run.out.incident.code == "expression.failed" and run.out.incident.element_id == "c"
    run.resume(data={"n": 4})
    assert run.out.incident is None and run.open == ["u"]


def test_a_condition_that_nothing_can_make_true_is_an_incident():
    run = Instance(start() + node("intermediateCatchEvent", "c", condition("ok")) + user("u") + chain("start", "c", "u"))
    assert (run.out.incident.element_id, run.out.incident.code) == ("c", "deadlock")
    run.resume(data={"ok": True})
    assert run.out.incident is None and run.open == ["u"]


# --- the loop marker ------------------------------------------------------------------------------------------------


@proves("standard loop")
def test_a_standard_loop_repeats_while_its_condition_holds():
    run = Instance(start() + user("u", repeat("action == 'again'")) + user("v") + chain("start", "u", "v"))
    run.complete("u", action="again")
    run.complete("u", action="again", note="x")
    assert run.open == ["u"] and run.data["note"] == "x"
    run.complete("u", action="ok")
    assert run.open == ["v"]
    assert run.data["actions"] == {"u": "ok"}


@proves("standard loop")
def test_a_standard_loop_may_test_before_and_has_a_maximum():
    body = "log = log + [loop_index]"
    text = script("k", body).replace(
        "</bpmn:scriptTask>", repeat("len(log) < 9".replace("<", "&lt;"), "4", before=True) + "</bpmn:scriptTask>"
    )
    text = text.replace(
        f"<bpmn:script>{body}</bpmn:script>{repeat('len(log) &lt; 9', '4', before=True)}",
        repeat("len(log) &lt; 9", "4", before=True) + f"<bpmn:script>{body}</bpmn:script>",
    )
    xml = start() + text + user("v") + chain("start", "k", "v")
    assert Instance(xml, {"log": []}).data["log"] == [0, 1, 2, 3]
    assert Instance(xml, {"log": list(range(9))}).data["log"] == list(range(9))
    assert Instance(xml, {"log": list(range(7))}).data["log"] == [*range(7), 0, 1]


@proves("standard loop")
def test_a_standard_loop_over_a_subprocess_shares_the_variables():
    inner = repeat("not done") + start("s2") + user("a") + script("k", "n = n + 1\ndone = n > 1") + chain("s2", "a", "k")
    run = Instance(start() + sub("sp", inner) + user("v") + chain("start", "sp", "v"), {"n": 0})
    run.complete("a")
    assert run.open == ["a"] and run.data["n"] == 1 and run.task("a").data["n"] == 1
    run.complete("a")
    assert run.open == ["v"]


def test_a_loop_condition_that_fails_is_an_incident_and_loses_no_round():
    run = Instance(start() + service("s", inner=repeat("left > 0")) + user("v") + chain("start", "s", "v"))
    assert run.out.incident.code == "expression.failed"
    run.resume(data={"left": 0})
    assert run.open == ["v"] and len(run.host.calls) == 1


# --- ad hoc ---------------------------------------------------------------------------------------------------------

STEPS = (
    user("visit", name="Visit") + user("call", name="Call") + user("note", name="Note") + user("file", name="File") + chain("note", "file")
)


def adhoc(completion="", **a):
    inner = f'<bpmn:completionCondition xsi:type="bpmn:tFormalExpression">{completion}</bpmn:completionCondition>' if completion else ""
    return start() + node("adHocSubProcess", "ah", STEPS + inner, **a) + user("after") + chain("start", "ah", "after")


@proves("ad hoc subprocess")
def test_people_choose_what_to_do_and_when_it_is_enough():
    run = Instance(adhoc())
    assert run.open == ["ah"]
    assert [a.id for a in run.definition.element("ah").actions] == ["visit", "call", "note", "done"]
    first = run.task("ah").id
    run.complete("ah", action="call")
    run.complete("ah", action="call")
    run.complete("ah", action="note")
    assert run.open == ["ah", "call", "call", "note"]
    with pytest.raises(NotWaiting):
        run.complete_id(first, action="visit")
    run.complete("note")
    assert run.open == ["ah", "call", "call", "file"]
    run.complete("call", told=1)
    run.complete("ah", action="done")
    assert run.open == ["after"] and run.data["told"] == 1
    assert [r.detail["action"] for r in run.history if r.state == "chosen"] == ["call", "call", "note", "done"]


@proves("ad hoc subprocess")
def test_an_ad_hoc_subprocess_may_let_the_rest_finish():
    run = Instance(adhoc(cancelRemainingInstances="false"))
    run.complete("ah", action="call")
    run.complete("ah", action="done")
    assert run.open == ["call"]
    run.complete("call")
    assert run.open == ["after"]


@proves("ad hoc subprocess")
def test_one_at_a_time_and_a_condition_that_ends_it():
    run = Instance(adhoc("enough", ordering="Sequential"), {"enough": False})
    assert [a.id for a in run.definition.element("ah").actions] == ["visit", "call", "note"]
    run.complete("ah", action="note")
    assert run.open == ["note"]
    run.complete("note")
    run.complete("file")
    assert run.open == ["ah"]
    with pytest.raises(DataRefused):
        run.complete("ah", action="done")
    with pytest.raises(DataRefused):
        run.complete("ah", action="after")
    run.complete("ah", action="call")
    run.complete("call", enough=True)
    assert run.open == ["after"]


def test_a_boundary_event_takes_an_ad_hoc_subprocess_away():
    run = Instance(adhoc() + boundary("c", "ah", condition("stop")) + user("stopped") + flow("c", "stopped"))
    run.complete("ah", action="call")
    run.complete("call", stop=True)
    assert run.open == ["stopped"]


# --- smaller things -------------------------------------------------------------------------------------------------


@proves("conditions on flows out of a step")
def test_flows_out_of_a_step_may_have_conditions():
    xml = (
        start()
        + user("u", default="d")
        + user("a")
        + user("b")
        + user("c")
        + flow("start", "u")
        + flow("u", "a", "n > 1")
        + flow("u", "b", "n > 2")
        + flow("u", "c", id="d")
    )
    for n, expected in ((0, ["c"]), (2, ["a"]), (3, ["a", "b"])):
        run = Instance(xml)
        run.complete("u", n=n)
        assert run.open == expected


@proves("a scope without start event")
def test_a_scope_without_start_event_begins_at_every_step_without_a_way_in():
    run = Instance(
        user("a") + sub("sp", user("b") + user("c") + end("e2") + chain("b", "e2")) + user("d") + chain("a", "d") + chain("sp", "d")
    )
    assert run.open == ["a", "b", "c"]
    for task in ("a", "b", "c", "d", "d"):
        run.complete(task)
    assert run.done


@proves("manual task", "send task")
def test_a_manual_task_and_a_send_task():
    send = node(
        "sendTask", "tell", '<bpmn:extensionElements><tandem:param name="n" value="= 1 + 1"/></bpmn:extensionElements>', messageRef="m1"
    )
    run = Instance(wrap(start() + node("manualTask", "pack") + send + end() + chain("start", "pack", "tell", "end"), MESSAGE))
    assert run.open == ["pack"]
    run.complete("pack")
    assert run.done and [(t.name, t.payload) for t in run.thrown] == [("M1", {"n": 2})]


def test_an_ad_hoc_subprocess_of_a_called_process_offers_its_steps():
    called = wrap(adhoc() + end() + chain("after", "end"), key="q")
    run = Instance(
        parse(wrap(start() + node("callActivity", "c", calledElement="q") + end() + chain("start", "c", "end")), called={"q": called})
    )
    run.complete("q:ah", action="call")
    assert run.open == ["q:ah", "q:call"]


# --- data objects and lanes -----------------------------------------------------------------------------------------


@proves("data objects")
def test_data_objects_are_drawn_and_their_content_is_there_with_and_without_an_association():
    shown = '<bpmn:dataObject id="do"/><bpmn:dataObjectReference id="price" name="Price" dataObjectRef="do"/>'
    gives = "<bpmn:dataOutputAssociation><bpmn:targetRef>price</bpmn:targetRef></bpmn:dataOutputAssociation>"
    takes = (
        '<bpmn:property id="pr" name="__targetRef_placeholder"/><bpmn:dataInputAssociation><bpmn:sourceRef>price</bpmn:sourceRef>'
        "<bpmn:targetRef>pr</bpmn:targetRef></bpmn:dataInputAssociation>"
    )
    inner = start("s2") + script("double", "price = price * 2") + chain("s2", "double")
    run = Instance(
        shown + start() + user("ask", gives) + node("subProcess", "sp", inner) + user("see", takes) + chain("start", "ask", "sp", "see")
    )
    run.complete("ask", price=21)
    assert run.task("see").data["price"] == 42


@proves("lanes")
def test_lanes_within_lanes_say_who_does_what():
    ref = "<bpmn:flowNodeRef>{}</bpmn:flowNodeRef>"
    inner = f'<bpmn:childLaneSet id="ls2"><bpmn:lane id="buyers" tandem:role="buyer">{ref.format("order")}</bpmn:lane></bpmn:childLaneSet>'
    outer = f'<bpmn:lane id="them" tandem:audience="customer">{ref.format("order")}{ref.format("sp")}{inner}</bpmn:lane>'
    within = start("s2") + user("within") + chain("s2", "within")
    run = Instance(
        f'<bpmn:laneSet id="ls">{outer}</bpmn:laneSet>'
        + start()
        + user("order")
        + node("subProcess", "sp", within)
        + user("own")
        + chain("start", "order", "sp", "own")
    )
    order, inside, own = (run.definition.element(id_) for id_ in ("order", "within", "own"))
    assert (order.audience, order.role, inside.audience, own.audience) == ("customer", "buyer", "customer", "internal")
    run.complete("order")
    assert run.open == ["within"]
