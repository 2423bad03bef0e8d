# ruff: noqa: E501 - other engines' files
"""Drawings of other engines: what surely means the same is taken over, everything else is named by element, and nothing is skipped."""

import pytest

from bpmn.check import check
from bpmn.vendors import translate
from bpmn.vendors.expressions import Untranslatable, feel, juel
from tests.bpmn.build import Instance, TestHost, flow

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:flowable="http://flowable.org/bpmn" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="urn:t">'
)


def file(body, before="", attributes=""):
    return f'{HEAD}{before}<bpmn:process id="p" isExecutable="true" {attributes}>{body}</bpmn:process></bpmn:definitions>'.encode()


def row(node, id_="x", **options):
    return file(f'<bpmn:startEvent id="s"/>{node}<bpmn:endEvent id="e"/>{flow("s", id_)}{flow(id_, "e")}', **options)


def ext(inner):
    return f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"


def codes(xml):
    return {(problem.element_id, problem.code) for problem in check(xml).problems}


def noted(xml):
    return {(note.element_id, note.code) for note in check(xml).warnings}


def element(xml, id_="x"):
    report = check(xml)
    assert report.definition is not None, report.problems
    return report.definition.element(id_)


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ("${approved}", {"approved": True}, True),
        ("#{!approved}", {"approved": False}, True),
        ("${amount > 10 && amount <= 20 || vip}", {"amount": 20, "vip": False}, True),
        ("${not (a eq 'x') and b ne null}", {"a": "y", "b": 1}, True),
        ("${order.total * 2 + 1 >= 21}", {"order": {"total": 10}}, True),
        ("${name.toLowerCase() == 'ada' ? 1 : 2}", {"name": "Ada"}, 1),
        ("${empty list}", {"list": []}, True),
        ("${items.size() > 1 and items.contains('b')}", {"items": ["a", "b"]}, True),
        ("${map['key'][0] mod 4 == 3}", {"map": {"key": [7]}}, True),
        ("${nrOfCompletedInstances / nrOfInstances >= 0.5}", {"loop_done": 1, "loop_count": 2}, True),
        ("${environment.variables.take2}", {"take2": 5}, 5),
        ("${'it\\'s'}", {}, "it's"),
        ("${a - b - c}", {"a": 5, "b": 2, "c": 1}, 2),
        ("${-a * (b + 1)}", {"a": 5, "b": 2}, -15),
    ],
)
def test_simple_expressions_mean_the_same(text, data, value):
    from bpmn.scripts import evaluate

    assert evaluate(juel(text), data) == value


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ('= amount > 10 and status = "open"', {"amount": 11, "status": "open"}, True),
        ("=not(paid) or order.total != 3", {"paid": True, "order": {"total": 3}}, False),
        ("= customer", {"customer": 4}, 4),
    ],
)
def test_simple_feel_means_the_same(text, data, value):
    from bpmn.scripts import evaluate

    assert evaluate(feel(text), data) == value


@pytest.mark.parametrize(
    "text",
    ["${bean.check(order)}", "${execution.getVariable('a')}", "${date()}", "a ${b} c", "${a b}", "${}", "${a.b(}", "${a ==}", "${x[0}", "${@}",
     "${class.x}", "${__import__}", "${" + "(" * 5000 + "}", "${" + "!" * 1500 + "a}"],
)  # fmt: skip
def test_what_isnt_sure_is_refused(text):
    with pytest.raises(Untranslatable):
        juel(text)


@pytest.mark.parametrize("text", ["= if a then b else c", "= count(list) > 2", "= x in [1..5]", "= some x in y satisfies x", "= a = "])
def test_feel_that_isnt_simple_is_refused(text):
    with pytest.raises(Untranslatable):
        feel(text)


def test_camunda_people_and_forms():
    form = (
        '<camunda:formData><camunda:formField id="amount" label="Amount" type="long" defaultValue="7"><camunda:validation>'
        '<camunda:constraint name="required"/><camunda:constraint name="min" config="3"/></camunda:validation></camunda:formField>'
        '<camunda:formField id="kind" type="enum"><camunda:value id="a" name="First"/><camunda:value id="b"/></camunda:formField>'
        "</camunda:formData>"
    )
    xml = row(
        f'<bpmn:userTask id="x" camunda:assignee="${{seller}}" camunda:dueDate="P3D" camunda:candidateGroups="sales">{ext(form)}</bpmn:userTask>'
    )
    found = element(xml)
    assert (found.assignee, found.due) == ("= seller", "P3D")
    first, second = found.form.fields
    assert (first.id, first.type, first.label, first.required, first.min, first.default) == ("amount", "number", "Amount", True, "3", "7")
    assert [(option.value, option.label) for option in second.options] == [("a", "First"), ("b", "b")]
    assert ("x", "vendor.groups") in noted(xml)


def test_a_translation_isnt_translated_twice():
    field = ext('<camunda:field name="n" stringValue="1"/>')
    form = ext('<camunda:formData><camunda:formField id="a" type="string"/></camunda:formData>')
    xml = file(
        f'<bpmn:startEvent id="s"/><bpmn:serviceTask id="x" camunda:class="a.B">{field}</bpmn:serviceTask>'
        f'<bpmn:userTask id="u">{form}</bpmn:userTask>{flow("s", "x")}{flow("x", "u")}'
    )
    once = translate(xml)
    assert once.problems == () and b"tandem:param" in once.xml and b"tandem:field" in once.xml
    assert translate(once.xml).xml == once.xml


def test_the_initiator_is_who_started():
    xml = file(
        '<bpmn:startEvent id="s" flowable:initiator="who"/><bpmn:userTask id="x" flowable:assignee="${who}"/>'
        f'<bpmn:userTask id="y" flowable:assignee="$INITIATOR"/>{flow("s", "x")}{flow("x", "y")}'
    )
    assert element(xml).assignee == element(xml, "y").assignee == "= started_by_id"


@pytest.mark.parametrize(
    ("attributes", "connector"),
    [
        ('camunda:class="org.acme.Mail"', "org.acme.Mail"),
        ('camunda:delegateExpression="${mailDelegate}"', "mailDelegate"),
        ('camunda:type="external" camunda:topic="mail"', "mail"),
        ('camunda:expression="${mailer.send()}" camunda:resultVariable="sent"', "mailer.send"),
        ('flowable:type="mail"', "mail"),
    ],
)
def test_what_a_service_calls_becomes_its_connector(attributes, connector):
    assert element(row(f'<bpmn:serviceTask id="x" {attributes}/>')).connector == connector


def test_parameters_and_results_of_a_service():
    inner = ext('<camunda:inputOutput><camunda:inputParameter name="to">${buyer.mail}</camunda:inputParameter></camunda:inputOutput>')
    xml = translate(row(f'<bpmn:serviceTask id="x" camunda:class="mail" camunda:resultVariable="sent">{inner}</bpmn:serviceTask>')).xml
    run = Instance(xml, {"buyer": {"mail": "a@example.org"}}, host=TestHost(mail="yes"))
    assert run.done and run.host.calls[0][1] == {"to": "a@example.org"} and run.data["sent"] == "yes"


LEFT_OUT = {
    "a listener": ('<bpmn:userTask id="x">' + ext('<camunda:taskListener class="a.B" event="create"/>') + "</bpmn:userTask>", "vendor.listener"),
    "a bean with arguments": ('<bpmn:serviceTask id="x" camunda:expression="${a.b(c)}"/>', "vendor.service"),
    "an output mapping": (
        '<bpmn:userTask id="x">'
        + ext('<camunda:inputOutput><camunda:outputParameter name="a">${b}</camunda:outputParameter></camunda:inputOutput>')
        + "</bpmn:userTask>",
        "vendor.output",
    ),
    "a script of another language": ('<bpmn:scriptTask id="x" scriptFormat="groovy"><bpmn:script>a = 1</bpmn:script></bpmn:scriptTask>', "vendor.script"),
    "a list of rows": ('<bpmn:businessRuleTask id="x" camunda:decisionRef="d" camunda:resultVariable="r"/>', "vendor.mapping"),
    "a worker behind a rule": ('<bpmn:businessRuleTask id="x" camunda:class="a.B"/>', "vendor.service"),
    "a called process that is worked out": ('<bpmn:callActivity id="x" calledElement="${which}" camunda:calledElementBinding="latest"/>', "vendor.call"),
    "an unknown field": (
        '<bpmn:userTask id="x">' + ext('<camunda:formData><camunda:formField id="a" type="magic"/></camunda:formData>') + "</bpmn:userTask>",
        "vendor.field",
    ),
    "an assignee by a bean": ('<bpmn:userTask id="x" camunda:assignee="${who.is(1)}"/>', "vendor.expression"),
    "a FEEL script": ('<bpmn:scriptTask id="x">' + ext('<zeebe:script expression="= 1" resultVariable="r"/>') + "</bpmn:scriptTask>", "vendor.script"),
    "a result under another name": (
        '<bpmn:serviceTask id="x">' + ext('<zeebe:taskDefinition type="t"/><zeebe:ioMapping><zeebe:output source="= a" target="b"/></zeebe:ioMapping>')
        + "</bpmn:serviceTask>",
        "vendor.output",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_would_be_left_out_is_named(name):
    node, code = LEFT_OUT[name]
    assert ("x", code) in codes(row(node))


def test_a_flow_in_another_language_is_named():
    condition = (
        '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression" language="javascript">next(null, true)</bpmn:conditionExpression>'
    )
    xml = file(
        '<bpmn:startEvent id="s"/><bpmn:exclusiveGateway id="g" default="d"/><bpmn:endEvent id="e"/>' + flow("s", "g")
        + f'<bpmn:sequenceFlow id="x" sourceRef="g" targetRef="e">{condition}</bpmn:sequenceFlow>' + flow("g", "e", id="d")
    )  # fmt: skip
    assert ("x", "vendor.language") in codes(xml)


def test_a_camunda_process_runs_like_there():
    xml = translate(
        file(
            '<bpmn:startEvent id="s"/><bpmn:userTask id="u" camunda:priority="50"/><bpmn:exclusiveGateway id="g"/><bpmn:userTask id="big"/><bpmn:userTask id="small"/>'
            + flow("s", "u")
            + flow("u", "g")
            + flow("g", "big", "${amount > 100 && !vip}")
            + flow("g", "small")
        )  # fmt: skip
    ).xml
    for amount, vip, expected in ((500, False, "big"), (500, True, "small"), (1, False, "small")):
        run = Instance(xml)
        run.complete("u", amount=amount, vip=vip)
        assert run.open == [expected]


def test_a_camunda_8_process():
    rounds = ext(
        '<zeebe:loopCharacteristics inputCollection="= people" inputElement="person" outputCollection="votes" outputElement="= vote"/>'
    )
    body = (
        '<bpmn:startEvent id="s"/><bpmn:serviceTask id="w">' + ext('<zeebe:taskDefinition type="work"/>') + "</bpmn:serviceTask>"
        + '<bpmn:userTask id="v">' + ext('<zeebe:assignmentDefinition assignee="= person"/>')
        + f"<bpmn:multiInstanceLoopCharacteristics>{rounds}</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
        + '<bpmn:receiveTask id="m" messageRef="msg"/>' + flow("s", "w") + flow("w", "v") + flow("v", "m")
    )  # fmt: skip
    message = '<bpmn:message id="msg" name="Paid">' + ext('<zeebe:subscription correlationKey="= orderId"/>') + "</bpmn:message>"
    run = Instance(translate(file(body, before=message)).xml, {"people": [3, 5], "orderId": 9})
    assert [task.assignee for task in run.out.user_tasks] == [3, 5]
    run.complete("v", vote="yes")
    run.complete("v", vote="no")
    assert run.data["votes"] == ["yes", "no"]
    assert run.out.messages[0].correlation == {"orderId": 9}


def test_a_file_without_vendors_stays_as_it_is():
    xml = row('<bpmn:userTask id="x"/>').replace(b"camunda", b"other").replace(b"flowable", b"more").replace(b"zeebe", b"nothing")
    assert translate(xml).xml == xml


@pytest.mark.parametrize("text", ["${amount &gt; 1000}", "=amount &gt; 1000"])
def test_a_condition_that_starts_a_process_there_is_named_for_want_of_its_records(text):
    """Elsewhere the caller hands variables in; here somebody has to say of which records it shall come true."""
    condition = f'<bpmn:conditionalEventDefinition><bpmn:condition xsi:type="bpmn:tFormalExpression">{text}</bpmn:condition></bpmn:conditionalEventDefinition>'
    vendor = 'zeebe:modelerTemplate="t"' if text.startswith("=") else 'camunda:asyncBefore="true"'
    xml = file(f'<bpmn:startEvent id="s" {vendor}>{condition}</bpmn:startEvent><bpmn:endEvent id="e"/>{flow("s", "e")}')
    report = check(xml)
    assert (report.status, codes(xml)) == ("refused", {("s", "condition.watches")})
    assert "tandem:watches" in report.problems[0].remedy
    named = check(xml.replace(b'id="s" ', b'id="s" xmlns:tandem="urn:tandem:bpmn:1" tandem:watches="crm.deal" '))
    assert named.status == "executable" and named.definition.start_events[0].condition.strip("()") == "amount > 1000"
