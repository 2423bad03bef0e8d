"""The deploy gate: what can't run exactly as drawn is refused by element id, and unsafe XML never gets in."""

import json
from pathlib import Path

import pytest

from bpmn import check as checker
from bpmn.check import check
from bpmn.model import DeployRefused
from bpmn.parser import parse
from bpmn.xml_safety import MAX_BYTES, read_xml
from tests.bpmn.build import both, boundary, chain, end, flow, message, node, script, service, signal, start, timer, user, wrap, xor

MESSAGE = '<bpmn:message id="m1" name="M1"/>'
ERROR = '<bpmn:error id="er" errorCode="E1"/>'
ERROR_EVENT = '<bpmn:errorEventDefinition errorRef="er"/>'


def line(*nodes, extra="", **options):
    """A file with start, the given nodes in a row, and end."""
    ids = [text.split('id="')[1].split('"')[0] for text in nodes]
    return wrap(start() + "".join(nodes) + end() + chain("start", *ids, "end"), extra, **options)


def problems(xml, **options):
    return {(problem.element_id, problem.code) for problem in check(xml, **options).problems}


def catch(inner, **a):
    return node("intermediateCatchEvent", "x", inner, **a)


def throw(inner):
    return node("intermediateThrowEvent", "x", inner)


CONDITION = '<bpmn:condition xsi:type="bpmn:tFormalExpression">a</bpmn:condition>'
CONDITIONAL = f"<bpmn:conditionalEventDefinition>{CONDITION}</bpmn:conditionalEventDefinition>"
COMPENSATE = "<bpmn:compensateEventDefinition/>"
UNDONE = start() + user("u") + boundary("x", "u", COMPENSATE) + end() + chain("start", "u", "end")
REFUSED = {
    "an undecided task": (line(node("task", "x")), ("x", "element.task")),
    "a complex gateway": (line(node("complexGateway", "x")), ("x", "element.complexGateway")),
    "an ad hoc subprocess that offers an event": (
        line(node("adHocSubProcess", "s", node("intermediateThrowEvent", "x"))),
        ("x", "adhoc.entry"),
    ),
    "an ad hoc step without a name": (line(node("adHocSubProcess", "s", user("x"))), ("x", "adhoc.name")),
    "an empty ad hoc subprocess": (line(node("adHocSubProcess", "x")), ("x", "scope.no_start")),
    "a compensation without a handler": (wrap(UNDONE), ("x", "compensation.handler")),
    "a flow out of a compensation": (wrap(UNDONE + flow("x", "end")), ("x", "compensation.flow")),
    "a compensation of a step elsewhere": (
        line(throw('<bpmn:compensateEventDefinition activityRef="u"/>'), user("u")),
        ("x", "compensation.ref"),
    ),
    "a handler that nothing asks for": (
        wrap(start() + user("x", isForCompensation="true") + end() + chain("start", "end")),
        ("x", "node.unreachable"),
    ),
    "a handler with a flow": (
        wrap(start() + user("x", isForCompensation="true") + end() + chain("start", "x", "end")),
        ("x", "compensation.decorated"),
    ),
    "a cancel outside a transaction": (
        wrap(start() + end("x", "<bpmn:cancelEventDefinition/>") + chain("start", "x")),
        ("x", "event.unsupported"),
    ),
    "a cancel that nothing is drawn for": (
        line(node("transaction", "x", start("s2") + end("e2", "<bpmn:cancelEventDefinition/>") + chain("s2", "e2"))),
        ("x", "transaction.cancel"),
    ),
    "a cancel at a plain subprocess": (
        wrap(
            start()
            + node("subProcess", "s", start("s2") + end("e2") + chain("s2", "e2"))
            + boundary("x", "s", "<bpmn:cancelEventDefinition/>")
            + end()
            + chain("start", "s", "end")
            + flow("x", "end")
        ),
        ("x", "boundary.cancel_host"),
    ),
    "an escalation caught at a task": (
        wrap(
            start()
            + user("u")
            + boundary("x", "u", "<bpmn:escalationEventDefinition/>")
            + end()
            + chain("start", "u", "end")
            + flow("x", "end")
        ),
        ("x", "boundary.escalation_host"),
    ),
    "an escalation without a code": (line(throw("<bpmn:escalationEventDefinition/>")), ("x", "escalation.code")),
    "a condition on the time": (line(catch(CONDITIONAL.replace(">a<", ">now > due<"))), ("x", "condition.time")),
    "a condition that is empty": (line(catch(CONDITIONAL.replace(">a<", "><"))), ("x", "condition.empty")),
    "a process that starts by a condition of nothing": (
        wrap(start("x", CONDITIONAL) + end() + chain("x", "end")),
        ("x", "condition.watches"),
    ),
    "a condition inside that watches records": (line(catch(CONDITIONAL, t_watches="crm.deal")), ("x", "condition.watches")),
    "a start by a condition on the time": (
        wrap(start("x", CONDITIONAL.replace(">a<", ">due &lt; now<"), t_watches="crm.deal") + end() + chain("x", "end")),
        ("x", "condition.time"),
    ),
    "a condition in FEEL on the time": (line(catch(CONDITIONAL.replace(">a<", ">feel: due &lt; today()<"))), ("x", "condition.time")),
    "a subprocess that starts by a condition": (
        line(node("subProcess", "s", start("x", CONDITIONAL, t_watches="crm.deal") + end("e2") + chain("x", "e2"))),
        ("x", "event.unsupported"),
    ),
    "an endless loop": (line(user("x", "<bpmn:standardLoopCharacteristics/>")), ("x", "loop.endless")),
    "a loop without rounds": (line(user("x", '<bpmn:standardLoopCharacteristics loopMaximum="0"/>')), ("x", "loop.maximum")),
    "two event subprocesses for one error": (
        wrap(
            start()
            + end()
            + chain("start", "end")
            + "".join(
                node("subProcess", f"v{n}", start(id_, ERROR_EVENT) + end(f"e{n}") + chain(id_, f"e{n}"), triggeredByEvent="true")
                for n, id_ in ((1, "y"), (2, "x"))
            ),
            ERROR,
        ),
        ("x", "event_subprocess.twice"),
    ),
    "an event with two triggers": (line(catch(timer("PT1H") + message("m1")), extra=MESSAGE), ("x", "event.multiple")),
    "a condition on a flow out of an event": (
        wrap(start() + end() + flow("start", "end", "a", id="x")),
        ("x", "flow.condition"),
    ),
    "a gateway's flow without condition": (
        wrap(start() + xor("g") + end() + end("e2") + flow("start", "g") + flow("g", "end", "a") + flow("g", "e2", id="x")),
        ("x", "gateway.condition"),
    ),
    "a gateway without a way out": (wrap(start() + xor("x") + chain("start", "x")), ("x", "gateway.no_way_out")),
    "an unreachable step": (wrap(start() + user("x") + end() + chain("start", "end")), ("x", "node.unreachable")),
    "no start": (wrap(user("u") + user("v") + chain("u", "v", "u"), key="x"), ("x", "scope.no_start")),
    "a subprocess without a start": (line(node("subProcess", "x", user("u") + chain("u", "u"))), ("x", "scope.no_start")),
    "two plain starts": (wrap(start() + start("x") + end() + chain("start", "end") + flow("x", "end")), ("x", "scope.starts")),
    "a flow to nowhere": (wrap(start() + end() + chain("start", "end") + flow("start", "nope", id="x")), ("x", "flow.dangling")),
    "a flow into a subprocess": (
        wrap(
            start()
            + node("subProcess", "sp", start("s2") + user("u") + chain("s2", "u"))
            + flow("start", "sp")
            + flow("start", "u", id="x")
        ),
        ("x", "flow.crosses"),
    ),
    "a flow after an end": (wrap(start() + end("x") + user("u") + chain("start", "x", "u")), ("x", "flow.after_end")),
    "a script in another language's words": (line(script("x", "println 'hello'")), ("x", "script.bad")),
    "an empty script": (line(script("x", " ")), ("x", "script.empty")),
    "a script with an import": (line(script("x", "import os")), ("x", "script.bad")),
    "a condition with an import": (
        wrap(
            start() + xor("g", "d") + end() + flow("start", "g") + flow("g", "end", "__import__('os')", id="x") + flow("g", "end", id="d")
        ),
        ("x", "expression.bad"),
    ),
    "a service without connector": (line(node("serviceTask", "x")), ("x", "service.connector")),
    "a send task that sends nothing": (line(node("sendTask", "x")), ("x", "send.nothing")),
    "a rule without decision": (line(node("businessRuleTask", "x", t_result="r")), ("x", "rule.decision")),
    "a decision that isn't there": (line(node("businessRuleTask", "x", t_decision="nope", t_result="r")), ("x", "rule.missing")),
    "a call of nothing": (line(node("callActivity", "x")), ("x", "call.nothing")),
    "a call of a missing process": (line(node("callActivity", "x", calledElement="q")), ("x", "call.missing")),
    "a repetition that interrupts": (
        wrap(
            start() + user("u") + boundary("x", "u", timer("R/PT1H", "timeCycle")) + end() + chain("start", "u", "end") + flow("x", "end")
        ),
        ("x", "timer.cycle"),
    ),
    "a step that starts with two tokens": (line(user("x", startQuantity="2")), ("x", "attribute.unsupported")),
    "a step that ends with two tokens": (line(user("x", completionQuantity="2")), ("x", "attribute.unsupported")),
    "a receive task that starts the process": (
        wrap(node("receiveTask", "x", messageRef="m1", instantiate="true") + end() + chain("x", "end"), MESSAGE),
        ("x", "attribute.unsupported"),
    ),
    "an event-based gateway that starts the process": (
        wrap(
            node("eventBasedGateway", "x", instantiate="true")
            + node("intermediateCatchEvent", "c", message("m1"))
            + end()
            + chain("x", "c", "end"),
            MESSAGE,
        ),
        ("x", "attribute.unsupported"),
    ),
    "rounds that throw an event": (
        line(
            user(
                "x",
                '<bpmn:multiInstanceLoopCharacteristics behavior="None"><bpmn:loopCardinality>2</bpmn:loopCardinality>'
                "</bpmn:multiInstanceLoopCharacteristics>",
            )
        ),
        ("x", "attribute.unsupported"),
    ),
    "a transaction that is undone from an image": (
        line(node("transaction", "x", start("s2") + user("u") + chain("s2", "u"), method="##Image")),
        ("x", "attribute.unsupported"),
    ),
    "a data association that computes": (
        line(
            user(
                "x",
                '<bpmn:property id="pr"/><bpmn:dataInputAssociation><bpmn:targetRef>pr</bpmn:targetRef><bpmn:assignment>'
                "<bpmn:from>1</bpmn:from><bpmn:to>pr</bpmn:to></bpmn:assignment></bpmn:dataInputAssociation>",
            )
        ),
        ("x", "data.calculation"),
    ),
    "a cron start that never comes": (wrap(start("x", timer("0 9 30 2 *", "timeCycle")) + end() + chain("x", "end")), ("x", "timer.bad")),
    "a negative timer": (line(catch(timer("-PT1H"))), ("x", "timer.bad")),
    "a date without zone": (line(catch(timer("2030-07-05T10:00:00", "timeDate"))), ("x", "timer.bad")),
    "a duration that is none": (line(catch(timer("an hour"))), ("x", "timer.bad")),
    "a cycle that fires once": (line(catch(timer("R3/PT1H", "timeCycle"))), ("x", "timer.cycle")),
    "a timer without time": (line(catch("<bpmn:timerEventDefinition/>")), ("x", "timer.empty")),
    "a message that isn't there": (line(catch(message("nope"))), ("x", "message.missing")),
    "a signal that isn't there": (line(catch(signal("nope"))), ("x", "signal.missing")),
    "a boundary without flow": (
        wrap(start() + user("u") + boundary("x", "u", timer("PT1H")) + end() + chain("start", "u", "end")),
        ("x", "boundary.outgoing"),
    ),
    "an error caught at a human task": (
        wrap(start() + user("u") + boundary("x", "u", ERROR_EVENT) + end() + chain("start", "u", "end") + flow("x", "end"), ERROR),
        ("x", "boundary.error_host"),
    ),
    "the same error caught twice": (
        wrap(
            start()
            + service("s")
            + boundary("x", "s", ERROR_EVENT)
            + boundary("y", "s", ERROR_EVENT)
            + end()
            + chain("start", "s", "end")
            + flow("x", "end")
            + flow("y", "end"),
            ERROR,
        ),
        ("x", "boundary.error_twice"),
    ),
    "a task behind an event gateway": (line(node("eventBasedGateway", "g"), user("x")), ("x", "event_gateway.target")),
    "a link to nowhere": (
        wrap(start() + throw('<bpmn:linkEventDefinition name="L"/>') + chain("start", "x")),
        ("x", "link.target"),
    ),
    "a bad due time": (line(user("x", t_due="tomorrow")), ("x", "due.bad")),
    "a bad assignee": (line(user("x", t_assignee="= import")), ("x", "expression.bad")),
    "a field of unknown type": (
        line(user("x", '<bpmn:extensionElements><tandem:form><tandem:field id="a" type="magic"/></tandem:form></bpmn:extensionElements>')),
        ("x", "form.type"),
    ),
    "a field with an impossible name": (
        line(user("x", '<bpmn:extensionElements><tandem:form><tandem:field id="a b"/></tandem:form></bpmn:extensionElements>')),
        ("x", "variable.bad"),
    ),
    "rounds over nothing": (line(user("x", "<bpmn:multiInstanceLoopCharacteristics/>")), ("x", "loop.over")),
    "flows on an event subprocess": (
        wrap(
            start()
            + node("subProcess", "x", start("s2", timer("PT1H")) + end("e2") + chain("s2", "e2"), triggeredByEvent="true")
            + end()
            + chain("start", "x", "end")
        ),
        ("x", "event_subprocess.flow"),
    ),
    "an unknown time zone": (line(user("u"), key="x", attributes='tandem:timeZone="Mars/Olympus"'), ("x", "process.time_zone")),
    "two elements of one id": (wrap(start() + user("x") + user("x") + end() + chain("start", "x", "end")), ("x", "id.twice")),
    "an unknown lane audience": (
        wrap(
            '<bpmn:laneSet id="ls"><bpmn:lane id="x" tandem:audience="everybody"/></bpmn:laneSet>' + start() + end() + chain("start", "end")
        ),
        ("x", "lane.audience"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name):
    xml, expected = REFUSED[name]
    report = check(xml)
    assert report.status == "refused"
    assert expected in {(problem.element_id, problem.code) for problem in report.problems}, report.problems
    problem = next(problem for problem in report.problems if (problem.element_id, problem.code) == expected)
    assert problem.message and problem.remedy
    with pytest.raises(DeployRefused) as refused:
        parse(xml)
    assert refused.value.problems


def test_several_problems_are_told_together():
    xml = line(node("serviceTask", "a"), catch(timer("soon")), user("b", t_due="later"))
    assert {("a", "service.connector"), ("x", "timer.bad"), ("b", "due.bad")} <= problems(xml)


def test_a_called_process_cant_call_itself():
    inner = wrap(start() + node("callActivity", "again", calledElement="p") + end() + chain("start", "again", "end"), key="q")
    outer = wrap(start() + node("callActivity", "ca", calledElement="q") + end() + chain("start", "ca", "end"))
    assert problems(outer, called={"q": inner, "p": outer}) == {("q:again", "call.recursive")}


def test_a_process_of_too_many_steps():
    ids = [f"t{i}" for i in range(1001)]
    xml = wrap(start() + "".join(user(id_) for id_ in ids) + end() + chain("start", *ids, "end"))
    assert problems(xml) == {("p", "size.nodes")}


def test_a_drawing_is_told_from_a_refusal():
    assert check(line(user("u"), executable="false")).status == "drawing"
    assert check(line(user("u"), executable="true")).status == "executable"
    assert check(b"<nonsense/>").status == "refused"


def test_notes_on_what_runs_but_may_not_be_meant():
    xml = wrap(start() + xor("g") + end() + end("e2") + flow("start", "g") + flow("g", "end", "a") + flow("g", "e2", "b"))
    report = check(xml)
    assert report.status == "executable" and [note.code for note in report.warnings] == ["gateway.no_default"]


UNSAFE = {
    "an internal entity": b'<!DOCTYPE d [<!ENTITY e "x">]><d>&e;</d>',
    "a file": b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><d>&e;</d>',
    "an external DTD": b'<!DOCTYPE d SYSTEM "http://example.org/x.dtd"><d/>',
    "a bare doctype": b"<!DOCTYPE d><d/>",
    "laughs": b'<!DOCTYPE d [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]><d>&c;</d>',
    "depth": b"<d>" * 100 + b"</d>" * 100,
    "great depth": b"<d>" * 5000 + b"</d>" * 5000,
    "size": b"<d>" + b"x" * MAX_BYTES + b"</d>",
    "a long text": b"<d>" + b"x" * 300_000 + b"</d>",
    "many elements": b"<d>" + b"<e/>" * 100_001 + b"</d>",
    "nothing": b"  ",
    "half a file": b"<d><e>",
    "no XML": b"\x89PNG\r\n",
    "an encoding that lies": '<?xml version="1.0" encoding="utf-8"?><d>é</d>'.encode("latin-1"),
    "a null byte": b"<d>\x00</d>",
}


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_xml_is_refused_with_words(name):
    with pytest.raises(DeployRefused) as refused:
        read_xml(UNSAFE[name])
    assert refused.value.problems[0].code.startswith("xml.")


def test_a_bomb_is_called_by_its_name_even_where_the_parser_gives_up_on_it():
    rows = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    for xml in (
        f'<!DOCTYPE d [<!ENTITY a0 "ha">{rows}]><d x="&a8;">&a8;</d>',
        '<!DOCTYPE d [<!ENTITY a "&b;"><!ENTITY b "&a;">]><d x="&a;"/>',
    ):
        with pytest.raises(DeployRefused) as refused:
            read_xml(xml.encode())
        assert [problem.code for problem in refused.value.problems] == ["xml.doctype"]


def test_the_same_input_gives_the_same_definition():
    xml = line(user("u"))
    assert parse(xml) is parse(xml)
    assert parse(xml).digest != parse(line(user("v"))).digest


def test_everything_an_element_can_say():
    form = (
        '<bpmn:extensionElements><tandem:form submit="Send"><tandem:field id="amount" type="money" label="Amount" required="true" min="0"/>'
        '<tandem:field id="way" type="choice" options="a:By air;b:By sea"/></tandem:form>'
        '<tandem:action id="approve" label="Approve" style="primary"/>'
        '<tandem:action id="reject" label="Reject" style="danger" requires="reason"/>'
        "</bpmn:extensionElements>"
    )
    lanes = (
        '<bpmn:laneSet id="ls"><bpmn:lane id="l1" name="Sales" tandem:audience="internal" tandem:role="sales">'
        "<bpmn:flowNodeRef>start</bpmn:flowNodeRef><bpmn:flowNodeRef>u</bpmn:flowNodeRef></bpmn:lane>"
        '<bpmn:lane id="l2" name="Customer" tandem:audience="customer"><bpmn:flowNodeRef>v</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
    )
    tasks = user(
        "u",
        form,
        name="Qualify\nthe request",
        t_due="PT48H",
        t_publicLabel="We look at it",
        t_stage="qualification",
        t_assignee="= owner_id",
    )
    attributes = (
        'name="Request" tandem:subject="crm.request" tandem:startableBy="sales customer_admin" tandem:title="= \'Request \' + name"'
    )
    definition = parse(
        wrap(lanes + start() + tasks + user("v", t_milestone="true") + end() + chain("start", "u", "v", "end"), attributes=attributes)
    )
    u, v = definition.element("u"), definition.element("v")
    assert (definition.name, definition.subject, definition.startable_by) == ("Request", "crm.request", ("sales", "customer_admin"))
    assert (u.name, u.lane, u.lane_name, u.audience, u.role) == ("Qualify the request", "l1", "Sales", "internal", "sales")
    assert (u.public_label, u.stage, u.due, u.assignee) == ("We look at it", "qualification", "PT48H", "= owner_id")
    assert (u.form.submit, [(f.id, f.type, f.required, f.min) for f in u.form.fields]) == (
        "Send",
        [("amount", "money", True, "0"), ("way", "choice", False, "")],
    )
    assert [(choice.value, choice.label) for choice in u.form.fields[1].options] == [("a", "By air"), ("b", "By sea")]
    assert [(a.id, a.style, a.requires) for a in u.actions] == [("approve", "primary", ""), ("reject", "danger", "reason")]
    assert (v.audience, v.milestone) == ("customer", True)
    assert definition.start_events[0].element_id == "start" and [lane.elements for lane in definition.lanes] == [("start", "u"), ("v",)]


def test_steps_inside_a_subprocess_stand_in_its_lane():
    lanes = (
        '<bpmn:laneSet id="ls"><bpmn:lane id="l1" tandem:role="finance"><bpmn:flowNodeRef>start</bpmn:flowNodeRef>'
        "<bpmn:flowNodeRef>sp</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    inner = start("s2") + user("u") + chain("s2", "u")
    definition = parse(wrap(lanes + start() + node("subProcess", "sp", inner) + chain("start", "sp")))
    assert definition.element("u").role == "finance"


def test_the_command_line(tmp_path: Path, capsys):
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_bytes(line(user("u")))
    bad.write_bytes(line(node("task", "x")))
    assert checker.main([str(good)]) == 0
    assert "executable" in capsys.readouterr().out
    assert checker.main([str(good), str(bad), str(tmp_path / "absent.bpmn"), "--json"]) == 1
    reports = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [report["status"] for report in reports] == ["executable", "refused", "refused"]
    assert reports[1]["problems"][0]["element_id"] == "x"


def test_a_pool_drawn_beside_the_process_doesnt_matter():
    pool = (
        '<bpmn:collaboration id="c"><bpmn:participant id="p1" processRef="p"/><bpmn:participant id="p2" name="Them"/>'
        '<bpmn:messageFlow id="mf" sourceRef="u" targetRef="p2"/></bpmn:collaboration>'
    )
    note = '<bpmn:textAnnotation id="note"><bpmn:text>Hello</bpmn:text></bpmn:textAnnotation>'
    note += '<bpmn:association id="as" sourceRef="u" targetRef="note"/>'
    xml = wrap(start() + user("u") + end() + chain("start", "u", "end") + note, before=pool)
    assert check(xml).status == "executable"


def test_parallel_gateways_with_one_way_are_fine():
    assert check(wrap(start() + both("f") + end() + chain("start", "f", "end"))).status == "executable"
