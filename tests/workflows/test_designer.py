"""Drawing, checking and publishing in the browser: who may, what a refusal says, and that tables stay with their process."""

from __future__ import annotations

import json
import re

import pytest

from workflows import selectors

DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:tandem="urn:tandem:bpmn:1" id="ds" targetNamespace="u">
<bpmn:process id="drawn_here" name="Drawn here" isExecutable="true">
<bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
<bpmn:userTask id="look" name="Look"><bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing></bpmn:userTask>
<bpmn:endEvent id="end"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
<bpmn:sequenceFlow id="a" sourceRef="start" targetRef="look"/>
<bpmn:sequenceFlow id="b" sourceRef="look" targetRef="end"/></bpmn:process></bpmn:definitions>"""


@pytest.fixture
def designer(client, people):
    """A browser of the process designer."""
    client.force_login(people.users["dora@northwind.example"])
    return client


def test_a_drawing_is_checked_then_published(designer, people):
    """The check publishes nothing; publishing leads to the process's page."""
    told = designer.post("/work/processes/draw/check/", {"xml": DRAWING}).json()
    assert told["problems"] == []
    assert told["name"] == "Drawn here"
    assert selectors.definition_detail(people.dora, "drawn_here") is None
    answer = designer.post("/work/processes/draw/publish/", {"xml": DRAWING, "note": "first"})
    assert answer.json()["url"] == "/work/processes/p/drawn_here/"
    assert selectors.definition_detail(people.dora, "drawn_here").version == 1
    assert designer.get("/work/processes/draw/p/drawn_here/").status_code == 200


@pytest.mark.parametrize("address", ["check", "publish"])
def test_a_refused_drawing_says_where_and_why(designer, address):
    """Nothing is published, and each problem names its element."""
    broken = DRAWING.replace(
        '<bpmn:sequenceFlow id="b" sourceRef="look" targetRef="end"/>', '<bpmn:sequenceFlow id="b" sourceRef="look" targetRef="gone"/>'
    )
    answer = designer.post(f"/work/processes/draw/{address}/", {"xml": broken})
    assert answer.status_code == 422
    assert answer.json()["problems"]
    assert designer.post(f"/work/processes/draw/{address}/", {"xml": "<nonsense"}).status_code == 422


def test_the_panel_offers_what_this_portal_has(designer):
    """Roles, functions and kinds of fields come from the registries."""
    told = designer.get("/work/processes/draw/kit.json").json()
    assert ["sales", "Sales"] in told["roles"]
    assert any(one["key"] == "mail.send" for one in told["connectors"])
    deal = next(one for one in told["watched"] if one["key"] == "crm.deal")
    assert deal["label"] == "Deal" and {"stage", "amount", "owner_user_id"} <= set(deal["fields"])


@pytest.mark.parametrize("email", ["erin@northwind.example", "cara@acme.example", "paul@pine.example"])
def test_only_designers_draw(client, people, email):
    """For everybody else the pages aren't there."""
    client.force_login(people.users[email])
    assert client.get("/work/processes/draw/").status_code == 404
    assert client.post("/work/processes/draw/publish/", {"xml": DRAWING}).status_code == 404


BRANCHING = DRAWING.replace(
    '<bpmn:userTask id="look" name="Look">',
    '<bpmn:userTask id="look" name="Look"><bpmn:extensionElements><tandem:form><tandem:field id="sum" type="number" label="Sum"/>'
    '<tandem:field id="size" type="choice" options="s:Small;b:Big" label="Size"/></tandem:form>'
    '<tandem:action id="yes" label="Yes"/><tandem:action id="no" label="No"/></bpmn:extensionElements>',
).replace(
    '<bpmn:endEvent id="end"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>',
    '<bpmn:exclusiveGateway id="way" default="d"><bpmn:incoming>b</bpmn:incoming><bpmn:outgoing>c</bpmn:outgoing>'
    '<bpmn:outgoing>d</bpmn:outgoing></bpmn:exclusiveGateway>'
    '<bpmn:endEvent id="end"><bpmn:incoming>c</bpmn:incoming></bpmn:endEvent><bpmn:endEvent id="small" name="Small">'
    '<bpmn:incoming>d</bpmn:incoming></bpmn:endEvent><bpmn:sequenceFlow id="c" sourceRef="way" targetRef="end"><bpmn:conditionExpression>'
    'sum &gt; limit'
    '</bpmn:conditionExpression></bpmn:sequenceFlow><bpmn:sequenceFlow id="d" sourceRef="way" targetRef="small"/>',
).replace('sourceRef="look" targetRef="end"', 'sourceRef="look" targetRef="way"')  # fmt: skip


def test_a_trial_run_tells_the_way_and_takes_other_answers(designer, people):
    """Nothing is published or started; what nobody sets is assumed and named; other answers lead another way."""
    told = designer.post("/work/processes/draw/try/", {"xml": BRANCHING}).json()["trial"]
    assert (told["tone"], told["assumed"]) == ("good", {"limit": 1})
    assert "small" in told["taken"]
    asked = next(line for line in told["lines"] if line["act"] == "task")
    assert [field["label"] for field in asked["fields"]] == ["Sum", "Size"]
    assert asked["actions"] == [["yes", "Yes"], ["no", "No"]]
    answers = {"look": {"sum": 9, "action": "no"}}
    told = designer.post("/work/processes/draw/try/", {"xml": BRANCHING, "answers": json.dumps(answers), "data": '{"limit": 5}'}).json()[
        "trial"
    ]
    assert told["assumed"] == {}
    assert told["taken"][-1] == "end"
    assert selectors.definition_detail(people.dora, "drawn_here") is None


def test_a_process_that_a_condition_starts_is_tried_and_refused_like_others(designer):
    """It begins at the condition without anybody asking whether it is true."""
    event = (
        '<bpmn:startEvent id="start" tandem:watches="crm.deal">%s<bpmn:conditionalEventDefinition><bpmn:condition>amount &gt; 5'
        "</bpmn:condition></bpmn:conditionalEventDefinition></bpmn:startEvent>"
    )
    plain = re.search(r'<bpmn:startEvent id="start"[^>]*>(.*?)</bpmn:startEvent>', DRAWING)
    drawing = DRAWING.replace(plain[0], event % plain[1])
    told = designer.post("/work/processes/draw/try/", {"xml": drawing}).json()["trial"]
    assert told["tone"] == "good" and told["taken"][0] == "start"
    problems = designer.post("/work/processes/draw/check/", {"xml": drawing.replace("amount", "colour")}).json()["problems"]
    assert [(one["element_id"], one["code"]) for one in problems] == [("start", "condition.field")]


def test_a_trial_run_asks_what_functions_answer(designer):
    """A function isn't called: its answer is the designer's, and what looks into it goes on."""
    call = DRAWING.replace(
        '<bpmn:userTask id="look" name="Look">',
        '<bpmn:serviceTask id="look" name="Send" tandem:connector="mail.send" tandem:result="sent"><bpmn:extensionElements>'
        + "".join(f'<tandem:param name="{name}" value="= 1"/>' for name in ("to", "subject", "text"))
        + "</bpmn:extensionElements>",
    ).replace("</bpmn:userTask>", "</bpmn:serviceTask>")
    answer = designer.post("/work/processes/draw/try/", {"xml": call, "answers": '{"look": {"id": 7}}'})
    assert answer.json()["trial"]["answered"] == [["look", "Send", {"id": 7}]]


def test_a_trial_run_refuses_in_words(designer):
    """A broken drawing, answers that are no answers, and a drawing that never ends."""
    assert designer.post("/work/processes/draw/try/", {"xml": "<nonsense"}).status_code == 422
    for wrong in ("[]", "{", '"x"'):
        assert designer.post("/work/processes/draw/try/", {"xml": DRAWING, "answers": wrong}).status_code == 400
    around = DRAWING.replace('sourceRef="look" targetRef="end"', 'sourceRef="look" targetRef="look"')
    told = designer.post("/work/processes/draw/try/", {"xml": around}).json()
    assert told.get("problems") or told["trial"]["tone"] == "warn"
