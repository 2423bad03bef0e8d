"""The pages: what they show, what they refuse, and how many statements they take."""

import sys

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.registry import SubjectRef
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, ORDER, chain, diagram, user
from tests.workflows.test_tasks import task_of
from workflows import packs, selectors, services
from workflows.models import HumanTask, ProcessDefinition, ProcessInstance


@pytest.fixture
def sign_in(client, cast):
    def enter(email):
        client.force_login(cast.users[email])
        return client

    return enter


@pytest.fixture
def erin(sign_in):
    return sign_in("erin@northwind.example")


def test_the_inbox_lists_and_finds(erin, started):
    page = erin.get("/work/inbox/")
    assert page.status_code == 200 and b"Check the order" in page.content
    assert b"Check the order" in erin.get("/work/inbox/?q=check").content
    assert b"Nothing found" in erin.get("/work/inbox/?q=zebra").content
    assert b"All done" in erin.get("/work/inbox/?box=mine").content


def test_completing_opens_the_next_task(erin, cast, started, acme):
    other = services.start_process(cast.erin, "order", customer_organisation_id=acme)
    address = reverse("workflows:task", args=[task_of(started).pk])
    assert b"Amount" in erin.get(address).content
    answer = erin.post(address, {"amount": "7", "idempotency_key": "k"})
    assert answer.status_code == 302 and answer["Location"] == reverse("workflows:task", args=[task_of(other).pk])
    again = erin.post(address, {"amount": "7", "idempotency_key": "k"})
    assert again.status_code == 302
    late = erin.post(address, {"amount": "8", "idempotency_key": "other"})
    assert late.status_code == 409 and b"was faster" in late.content


def test_mistakes_keep_what_was_typed(erin, started):
    address = reverse("workflows:task", args=[task_of(started).pk])
    answer = erin.post(address, {"amount": "seven", "note": "keep <me>"})
    assert answer.status_code == 422
    assert b"seven" in answer.content and b"keep &lt;me&gt;" in answer.content and b"Enter a number" in answer.content


@pytest.mark.parametrize("email", ["fiona@northwind.example", "dan@northwind.example"])
def test_a_task_of_another_role_isnt_there(sign_in, started, email):
    client = sign_in(email)
    pk = task_of(started).pk
    assert client.get(reverse("workflows:task", args=[pk])).status_code == 404
    for act in ("claim", "release", "delegate"):
        assert client.post(reverse(f"workflows:task-{act}", args=[pk])).status_code == 404


@pytest.mark.parametrize("email", ["cara@acme.example", "paul@pine.example"])
def test_outsiders_have_none_of_these_pages(sign_in, started, email):
    client = sign_in(email)
    for address in ("/work/inbox/", f"/work/tasks/{task_of(started).pk}/", "/work/processes/", f"/work/processes/running/{started}/"):
        assert client.get(address).status_code == 404


def test_instance_pages(sign_in, cast, started):
    mona = sign_in("mona@northwind.example")
    page = mona.get(f"/work/processes/running/{started}/")
    assert page.status_code == 200 and b"four_eyes" in page.content
    state = mona.get(f"/work/processes/running/{started}/state/").json()
    assert [h["element"] for h in state["here"]] == ["check"] and state["past"] == ["start"]
    assert b"order" in mona.get("/work/processes/p/order/").content
    assert b"BPMNDiagram" in mona.get(f"/work/processes/xml/{ProcessDefinition.objects.get().pk}/").content
    assert mona.get("/work/processes/p/order/state/").json()["here"][0]["count"] == "1"
    assert b"Order" in mona.get("/work/processes/running/?status=running&process=order").content
    assert mona.post(f"/work/processes/running/{started}/cancel/", {"reason": ""}).status_code == 302
    assert ProcessInstance.objects.get(pk=started).status == "running"
    mona.post(f"/work/processes/running/{started}/cancel/", {"reason": "made twice"})
    row = ProcessInstance.objects.get(pk=started)
    assert (row.status, row.end_reason) == ("cancelled", "made twice")
    assert not HumanTask.objects.filter(instance_id=started, status="open").exists()


def test_an_employee_without_the_permission_sees_no_variables(sign_in, cast, started):
    erin = sign_in("erin@northwind.example")
    page = erin.get(f"/work/processes/running/{started}/")
    assert page.status_code == 200 and b"four_eyes" not in page.content
    erin.post(f"/work/processes/running/{started}/cancel/", {"reason": "x"})
    assert ProcessInstance.objects.get(pk=started).status == "running"
    assert sign_in("fiona@northwind.example").get(f"/work/processes/running/{started}/").status_code == 404


def test_publishing_checks_first(sign_in, cast, order):
    from django.core.files.uploadedfile import SimpleUploadedFile as Upload

    dora = sign_in("dora@northwind.example")
    broken = ORDER.replace(b'id="check_decide"', b'id="check_decide" ').replace(b'targetRef="deliver"', b'targetRef="nowhere"')
    answer = dora.post("/work/processes/publish/", {"file": Upload("x.bpmn", broken)})
    assert answer.status_code == 422 and b"agreed_deliver" in answer.content
    unknown = diagram("p", ENDS + '<bpmn:serviceTask id="call" tandem:connector="no.such"/>' + chain("start", "call", "end"))
    answer = dora.post("/work/processes/publish/", {"file": Upload("x.bpmn", unknown)})
    assert answer.status_code == 422 and b"no.such" in answer.content
    fine = diagram("order", ENDS + user("only") + chain("start", "only", "end"))
    answer = dora.post("/work/processes/publish/", {"file": Upload("x.bpmn", fine)})
    assert answer.status_code == 200 and b"Publish as a new version" in answer.content
    answer = dora.post("/work/processes/publish/", {"source": fine.decode(), "step": "publish", "note": "less"})
    assert answer.status_code == 302 and ProcessDefinition.objects.get(key="order", is_current=True).version == 2
    dora.post("/work/processes/p/order/1/restore/")
    assert ProcessDefinition.objects.get(key="order", is_current=True).version == 1
    assert sign_in("erin@northwind.example").get("/work/processes/publish/").status_code == 404


def test_the_panel_and_the_approval_form(sign_in, cast, acme):
    packs.deploy_shipped()
    erin = sign_in("erin@northwind.example")
    ref = SubjectRef("portal.organisation", acme)
    assert b"Ask for an approval" in erin.get(f"/work/processes/about/{ref}/").content
    address = f"/work/processes/approval/{ref}/"
    assert erin.get(address).status_code == 200
    assert erin.post(address, {"text": "?", "approvers": [cast.erin.user_id], "mode": "parallel"}).status_code == 422
    sent = {"text": "Discount?", "approvers": [cast.mona.user_id], "mode": "parallel", "idempotency_key": "a"}
    assert erin.post(address, sent).status_code == 302
    assert erin.post(address, sent).status_code == 302
    assert ProcessInstance.objects.filter(key="approval").count() == 1
    assert b"Decide" in erin.get(f"/work/processes/about/{ref}/").content
    assert erin.get("/work/processes/about/portal.organisation:99999/").status_code == 404
    assert erin.get("/work/processes/about/nonsense/").status_code == 404


def test_the_inbox_takes_as_many_statements_for_many_tasks(erin, cast, order, acme):
    def statements():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert erin.get("/work/inbox/?box=group").status_code == 200
        return len(captured)

    subject = SubjectRef("portal.organisation", acme)
    starts = [services.ProcessStart(subject, {}, customer_organisation_id=acme) for _ in range(10)]
    services.start_processes(cast.erin, "order", starts)
    statements()
    few = statements()
    services.start_processes(SYSTEM, "order", starts * 19)
    assert HumanTask.objects.count() == 200
    assert statements() == few


def test_the_history_names_no_gateway_that_only_passed_a_token_on(cast):
    body = ENDS + user("a", name="First") + '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>' + user("b") + user("c")
    ways = chain("start", "a", "fork", "b", "join", "end") + chain("fork", "c", "join")
    services.deploy(SYSTEM, diagram("forked", body + ways))
    pk = services.start_process(cast.erin, "forked")
    services.complete_task(cast.erin, task_of(pk).pk, {})
    names = [line.name for line in selectors.instance_detail(cast.mona, pk).history]
    assert "First" in names and "fork" not in names


def test_counting_instances_costs_the_same_however_many_there_are(cast, monkeypatch):
    found = sys.modules["workflows.selectors.definitions"]  # the package's own word of this name is the function
    monkeypatch.setattr(found, "CAP", 3)
    services.deploy(SYSTEM, diagram("many", ENDS + user("a") + chain("start", "a", "end")))
    services.deploy(SYSTEM, diagram("few", ENDS + user("a") + chain("start", "a", "end")))
    ids = [services.start_process(cast.erin, "many") for _number in range(6)]
    for pk in ids[:2]:
        services.cancel_instance(cast.mona, pk, "a mistake")
    ProcessInstance.objects.filter(pk=ids[-1]).update(has_incident=True)

    def seen():
        with CaptureQueriesContext(connection) as caught:
            shown = {one.key: (one.running, one.ended, one.incidents) for one in found.definitions(cast.mona)}
        return shown, len(caught)

    before, statements = seen()
    assert (before["many"], before["few"]) == ((4, 2, 1), (0, 0, 0)), "up to one more than the cap"
    for _number in range(4):
        services.start_process(cast.erin, "many")
    assert seen() == (before, statements)
    assert found.running_count(cast.mona, "many") == 8
