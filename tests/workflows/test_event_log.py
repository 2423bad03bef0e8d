"""The event log, read back by a mining tool, is what the database holds."""

import json
from collections import Counter, defaultdict
from xml.etree import ElementTree

import pytest
from django.core.management import call_command
from django.urls import reverse

from portal.audit import AuditEntry
from tests.workflows.conftest import SYSTEM
from workflows import services
from workflows.event_log import LogFilter, export
from workflows.models import HistoryEvent, HumanTask, ProcessInstance

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def log(cast, order, acme):
    """Six orders, three of them a step further, one with signs that XML must escape or can't hold."""
    for number in range(6):
        title = 'A & B <"quoted">' if number == 5 else f"Order {number}"
        pk = services.start_process(cast.erin, "order", data={"four_eyes": []}, title=title, customer_organisation_id=acme)
        if number % 2:
            services.complete_task(cast.erin, HumanTask.objects.get(instance_id=pk, status="open").pk, {"amount": 500})
    HistoryEvent.objects.filter(kind="userTask").update(reason="a bell \x07, a fox 🦊 and\na new line")


def of_database(**wanted) -> dict[str, list[str]]:
    """Case → names of its steps in order."""
    found = defaultdict(list)
    rows = HistoryEvent.objects.filter(state="completed", **wanted).exclude(kind__contains="Gateway")
    for line in rows.order_by("instance_id", "ended", "pk"):
        found[str(line.instance_id)].append(line.name or line.element_id)
    return found


def test_xes_read_back_by_pm4py_is_equal(log, tmp_path):
    pm4py = pytest.importorskip("pm4py")
    path = tmp_path / "log.xes"
    call_command("export_log", format="xes", output=str(path))
    frame = pm4py.read_xes(str(path), variant="iterparse")
    read = {case: list(rows["concept:name"]) for case, rows in frame.groupby("case:concept:name", sort=False)}
    assert read == of_database()
    assert Counter(map(tuple, read.values())) == Counter(map(tuple, of_database().values()))
    assert len(pm4py.get_variants(frame)) == len(set(map(tuple, of_database().values()))) > 1
    people = set(frame["org:resource"].dropna())
    assert people == set(HistoryEvent.objects.exclude(actor_name="").values_list("actor_name", flat=True))
    assert frame["time:timestamp"].min().to_pydatetime().tzinfo is not None


def test_ocel_read_back_by_pm4py_is_equal(log, tmp_path):
    pm4py = pytest.importorskip("pm4py")
    path = tmp_path / "log.jsonocel"
    call_command("export_log", format="ocel", output=str(path))
    read = pm4py.read_ocel2_json(str(path))
    assert Counter(read.events["ocel:activity"]) == Counter(name for names in of_database().values() for name in names)
    kinds = Counter(read.objects["ocel:type"])
    assert kinds["instance"] == ProcessInstance.objects.count()
    assert kinds["task"] == HumanTask.objects.filter(status="done").count() == 3  # the tool keeps what an event names
    assert kinds["account"] == 1
    assert len(read.events) == HistoryEvent.objects.filter(state="completed").exclude(kind__contains="Gateway").count()


def test_every_relation_names_an_object(world):
    data = json.loads("".join(export(SYSTEM, LogFilter(routing=True), "ocel")))
    known = {thing["id"] for thing in data["objects"]}
    assert len(known) == len(data["objects"])
    named = {r["objectId"] for thing in [*data["objects"], *data["events"]] for r in thing["relationships"]}
    assert named <= known
    declared = {kind["name"] for kind in data["objectTypes"]}
    assert {thing["type"] for thing in data["objects"]} <= declared
    assert {event["type"] for event in data["events"]} <= {kind["name"] for kind in data["eventTypes"]}


def test_filters_narrow_the_log(log):
    one = ProcessInstance.objects.order_by("pk").first()
    whole = "".join(export(SYSTEM, LogFilter(), "xes"))
    assert len(ElementTree.fromstring(whole)) > 6
    narrow = "".join(export(SYSTEM, LogFilter(text=one.title), "xes"))
    assert narrow.count("<trace>") == 1
    assert "<trace>" not in "".join(export(SYSTEM, LogFilter(key="nothing"), "xes"))


def test_an_employee_takes_only_what_they_may_see(log, cast):
    assert "".join(export(cast.cara, LogFilter(), "xes")).count("<trace>") == 0
    assert "".join(export(cast.mona, LogFilter(), "xes")).count("<trace>") == 6


def test_the_page_gives_it_to_managers_and_audits(log, cast, client):
    client.force_login(cast.users["mona@northwind.example"])
    answer = client.get(reverse("workflows:event-log-xes"), {"process": 'or"der\r\n'})
    assert answer.status_code == 200
    assert b"</log>" in b"".join(answer.streaming_content)
    assert AuditEntry.objects.filter(verb="processes.log_exported").count() == 1
    client.force_login(cast.users["erin@northwind.example"])
    assert client.get(reverse("workflows:event-log-ocel")).status_code in (403, 404)


def test_queries_do_not_grow_with_instances(log, django_assert_num_queries):
    with django_assert_num_queries(3):  # instances, their steps, and the piece after the last
        list(export(SYSTEM, LogFilter(), "xes"))
