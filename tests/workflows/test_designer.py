"""Drawing, checking and publishing in the browser: who may, what a refusal says, and that tables stay with their process."""

from __future__ import annotations

import pytest

from workflows import selectors

DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:tandem="urn:tandem:bpmn:1" id="d" targetNamespace="urn:t">
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


@pytest.mark.parametrize("email", ["erin@northwind.example", "cara@acme.example", "paul@pine.example"])
def test_only_designers_draw(client, people, email):
    """For everybody else the pages aren't there."""
    client.force_login(people.users[email])
    assert client.get("/work/processes/draw/").status_code == 404
    assert client.post("/work/processes/draw/publish/", {"xml": DRAWING}).status_code == 404
