"""The monitor: what the list finds and how, the map's figures, one act on many, corrected values, a new start at a step."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal import jobs
from portal.errors import Conflict, NotAllowed, Refused
from portal.models import AuditEntry, Job
from portal.registry import SubjectRef
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, user
from tests.workflows.test_operations import FIRST, stands_at
from workflows import selectors, services
from workflows.models import HistoryEvent, HumanTask, ProcessInstance
from workflows.selectors.heat import process_heat
from workflows.selectors.monitor import COUNTED, InstanceFilter
from workflows.services.bulk import Act
from workflows.worth import _sources, follow_worth, worth_of


def signed_in(cast, email: str = "mona@northwind.example") -> Client:
    client = Client()
    client.force_login(cast.users[email], backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def rows(cast):
    """Five instances of three steps, the second at its second step."""
    services.deploy(SYSTEM, FIRST)
    ids = [services.start_process(cast.erin, "steps", title=f"Job {n}") for n in range(5)]
    services.complete_task(cast.erin, HumanTask.objects.get(instance_id=ids[1]).pk, {})
    return ids


def found(actor, **wanted) -> list[int]:
    return [row.id for row in selectors.instances(actor, InstanceFilter(**wanted)).rows]


def test_every_filter_finds_what_it_says(cast, rows, acme):
    services.cancel_instance(cast.mona, rows[4], "not needed")
    ProcessInstance.objects.filter(pk=rows[0]).update(started=timezone.now() - timedelta(days=8), worth=500, worth_currency="EUR")
    services.link_subject(rows[2], SubjectRef("portal.organisation", acme))
    services.delegate_task(cast.mona, HumanTask.objects.get(instance_id=rows[3], status="open").pk, cast.fiona.user_id)
    assert found(cast.mona, key="steps") == [*reversed(rows[1:]), rows[0]]
    assert found(cast.mona, status="live", sort="oldest") == [rows[0], *rows[1:4]]
    assert found(cast.mona, status="cancelled") == [rows[4]]
    assert found(cast.mona, element="check") == [rows[1]]
    assert found(cast.mona, age=7) == found(cast.mona, worth=Decimal(500)) == [rows[0]] == found(cast.mona, sort="worth")[:1]
    assert found(cast.mona, about=f"portal.organisation:{acme}") == found(cast.mona, about="portal.organisation") == [rows[2]]
    assert found(cast.mona, person=cast.fiona.user_id) == [rows[3]] and len(found(cast.mona, person=cast.erin.user_id)) == 5
    assert found(cast.mona, text="job 2") == [rows[2]] and found(cast.mona, key="x") == []
    page = signed_in(cast).get(
        reverse("workflows:instances"), {"worth": "1e99", "age": "x", "page": "after_x_1", "sort": "evil", "person": "-1"}
    )
    assert page.status_code == 200 and page.text.count("t-cell-main") == 5


def test_pages_lead_forth_and_back_and_cost_the_same(cast, rows):
    places, seen, place = [], [], ""
    while True:
        page = selectors.instances(cast.mona, place=place, limit=2)
        seen.append([row.id for row in page.rows])
        places.append(page)
        if not page.following:
            break
        place = page.following
    assert seen == [[rows[4], rows[3]], [rows[2], rows[1]], [rows[0]]] and not places[0].before
    back = selectors.instances(cast.mona, place=places[2].before, limit=2)
    assert [row.id for row in back.rows] == seen[1] and back.following and back.before
    first = selectors.instances(cast.mona, place=back.before, limit=2)
    assert [row.id for row in first.rows] == seen[0] and not first.before and (first.total, first.is_more) == (5, False)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            selectors.instances(cast.mona, InstanceFilter(key="steps", status="live"))
        return len(caught)

    before = queries()
    known = ProcessInstance.objects.get(pk=rows[0])
    copies = []
    for number in range(COUNTED + 5):
        known.pk, known.title = None, f"Copy {number}"
        copies.append(
            ProcessInstance(**{f.attname: getattr(known, f.attname) for f in ProcessInstance._meta.concrete_fields if not f.primary_key})
        )
    ProcessInstance.objects.bulk_create(copies)
    assert queries() == before
    page = selectors.instances(cast.mona)
    assert (page.total, page.is_more, len(page.rows)) == (COUNTED, True, 50)


def test_the_map_adds_up_what_stands_waits_and_is_worth(cast, rows, acme):
    birch = cast.organisations["Birch Clinic (demo)"].pk if "Birch Clinic (demo)" in cast.organisations else None
    others = [org.pk for org in cast.organisations.values() if org.pk not in (acme, birch)]
    ProcessInstance.objects.filter(pk__in=rows[:2]).update(worth=100, worth_currency="EUR", customer_organisation_id=acme)
    ProcessInstance.objects.filter(pk=rows[2]).update(worth=50, worth_currency="USD", customer_organisation_id=birch or others[0])
    HistoryEvent.objects.filter(instance_id=rows[1], element_id="ask").update(started=timezone.now() - timedelta(hours=3))
    heat = process_heat(cast.mona, "steps")
    ask, check = heat.steps
    assert (ask.element_id, ask.count, ask.customers, check.count, check.customers, heat.live) == ("ask", 4, 2, 1, 1, 5)
    assert {currency: amount for amount, currency in ask.money} == {"EUR": Decimal(100), "USD": Decimal(50)}
    assert timedelta(hours=2) < ask.median < timedelta(hours=4) and ask.p85 == ask.median and check.median is None
    assert (heat.level(ask, "count"), heat.level(check, "count"), heat.level(check, "time")) == (5, 2, 0)
    assert process_heat(cast.mona, "nothing").steps == []
    mona = signed_in(cast)
    for layer, words in (("count", "4"), ("time", "3 hours"), ("money", "100"), ("customers", "2")):
        state = mona.get(reverse("workflows:definition-state", args=["steps"]), {"layer": layer}).json()
        hot = next(one for one in state["here"] if one["element"] == "ask")
        assert words in hot["count"] and hot["heat"] == 5 and "element=ask" in hot["url"]
        page = mona.get(reverse("workflows:definition", args=["steps"]), {"layer": layer})
        assert page.status_code == 200 and "Step by step" in page.text
    assert mona.get(hot["url"]).text.count("t-cell-main") == 4


def test_worth_follows_the_record(cast, order, acme, django_capture_on_commit_callbacks):
    worth = {acme: (Decimal(10), "EUR")}
    worth_of("portal.organisation", lambda ids: {pk: worth[pk] for pk in ids if pk in worth})
    try:
        ref = SubjectRef("portal.organisation", acme)
        pk = services.start_process(cast.erin, "order", subject=ref, data={"four_eyes": []})
        worth[acme] = (Decimal(12), "EUR")
        with django_capture_on_commit_callbacks(execute=True):
            follow_worth(ref)
        row = ProcessInstance.objects.get(pk=pk)
        assert (row.worth, row.worth_currency) == (12, "EUR")
        later = services.start_process(cast.erin, "order", data={"four_eyes": []})
        services.link_subject(later, ref)
        assert ProcessInstance.objects.get(pk=later).worth == 12
    finally:
        _sources.pop("portal.organisation")


def run(job: Job) -> Job:
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def test_an_act_hits_exactly_the_set_that_was_shown(cast, rows):
    mona, url = signed_in(cast), reverse("workflows:bulk")
    shown = mona.post(url, {"act": "hold", "everything": "yes", "process": "steps"})
    assert shown.status_code == 200 and "these 5" in shown.text and ProcessInstance.objects.filter(status="running").count() == 5
    frozen = re.search(r'name="ids" value="([\d,]+)"', shown.text).group(1)
    late = services.start_process(cast.erin, "steps")  # came after the look: not part of it
    services.suspend_instance(cast.mona, rows[0], "meanwhile")
    wish = {"act": "hold", "ids": frozen, "apply": "yes"}
    assert mona.post(url, {**wish, "reason": " "}).status_code == 422
    answer = mona.post(url, {**wish, "reason": "the auditor comes"})
    job = run(Job.objects.latest("pk"))
    assert answer["Location"] == reverse("job", args=[job.pk]) and (job.state, job.done, job.failed) == ("done", 5, 1)
    assert ProcessInstance.objects.filter(status="suspended").count() == 5
    assert ProcessInstance.objects.get(pk=late).status == "running"
    result = mona.get(reverse("workflows:bulk-result", args=[job.pk])).text
    assert "Only a running process can be held" in result and "the auditor comes" in result
    assert AuditEntry.objects.filter(verb="process.suspended", reason="the auditor comes").count() == 4
    erin = signed_in(cast, "erin@northwind.example")
    assert erin.post(url, wish).status_code in (403, 404) and erin.get(reverse("workflows:bulk-result", args=[job.pk])).status_code in (
        403,
        404,
    )
    for bad in ({"act": "explode", "id": rows[0]}, {"act": "hold"}):
        assert mona.post(url, bad).status_code == 302


def test_many_move_and_many_end(cast, rows):
    with pytest.raises(NotAllowed):
        services.start_bulk(cast.erin, Act("cancel"), rows, "why")
    with pytest.raises(Refused):
        services.start_bulk(cast.mona, Act("change"), rows, "why")
    act = Act("change", "ask", "send")
    verdicts = {one.instance_id: one.verdict for one in services.preview_bulk(cast.mona, act, rows)}
    assert verdicts == {pk: "blocked" if pk == rows[1] else "safe" for pk in rows}
    job = run(services.start_bulk(cast.mona, act, rows, "the customer called"))
    assert (job.done, job.failed) == (5, 1) and stands_at(rows[0]) == ["send"] and stands_at(rows[1]) == ["check"]
    assert run(services.start_bulk(cast.mona, Act("cancel"), rows[:2], "enough")).failed == 0
    assert ProcessInstance.objects.filter(status="cancelled").count() == 2
    assert [p.verdict for p in services.preview_bulk(cast.mona, Act("cancel"), rows[:3])] == ["blocked", "blocked", "safe"]
    page = signed_in(cast).post(reverse("workflows:bulk"), {"act": "change", "id": rows[2]})
    assert page.status_code == 200 and '<option value="send"' in page.text


VALUES = diagram("values", ENDS + user("look", name="Look") + user("act") + chain("start", "look", "act", "end"))


def test_values_are_corrected_with_their_kind_and_undone(cast):
    services.deploy(SYSTEM, VALUES)
    data = {"amount": Decimal("10.50"), "count": 3, "is_new": True, "name": "Ada", "parts": ["a"]}
    pk = services.start_process(cast.erin, "values", data=data)
    for name, bad in (("amount", "ten"), ("count", "3.5"), ("is_new", "maybe"), ("parts", '{"a": 1}'), ("bad name", "1")):
        with pytest.raises(Refused):
            services.preview_correction(cast.mona, pk, {name: bad}, set())
    with pytest.raises(NotAllowed):
        services.preview_correction(cast.erin, pk, {"count": "4"}, set())
    changes = services.preview_correction(cast.mona, pk, {"amount": "11", "count": "3", "extra": '{"x": 1}'}, {"name"})
    assert [(one.name, one.is_new, one.is_removed) for one in changes] == [
        ("name", False, True),
        ("amount", False, False),
        ("extra", True, False),
    ]
    version = ProcessInstance.objects.get(pk=pk).version
    wanted = {"amount": "11", "extra": '{"x": 1}'}
    assert services.correct_data(cast.mona, pk, wanted, {"name"}, "a typing error", version=version) == 3
    with pytest.raises(Conflict):
        services.correct_data(cast.mona, pk, {"count": "9"}, set(), "late", version=version)
    known = services.variables_of(cast.mona, pk)
    assert known["amount"] == Decimal(11) and known["extra"] == {"x": 1} and "name" not in known and known["count"] == 3
    assert_consistent(pk)
    mona = signed_in(cast)
    page = mona.get(reverse("workflows:instance", args=[pk])).text
    assert "Values corrected" in page and "a typing error" in page
    undo = re.search(r'href="([^"]+undo=\d+)"', page).group(1).replace("&amp;", "&")
    form = mona.get(undo).text
    assert 'name="v_amount" value="10.50"' in form and 'name="v_name" value="Ada"' in form
    url = reverse("workflows:instance-data", args=[pk])
    wish = {"v_amount": "10.50", "v_name": "Ada", "remove": "extra", "version": ProcessInstance.objects.get(pk=pk).version}
    assert "This would change" in mona.post(url, wish).text
    assert mona.post(url, {**wish, "do": "1", "reason": "it was right"}).status_code == 302
    assert services.variables_of(cast.mona, pk)["amount"] == Decimal("10.50") and "extra" not in services.variables_of(cast.mona, pk)
    assert mona.post(url, {**wish, "do": "1", "reason": "again", "v_count": "7"}).status_code == 422  # it has moved on
    services.suspend_instance(cast.mona, pk, "a look")
    version = ProcessInstance.objects.get(pk=pk).version
    services.correct_data(cast.mona, pk, {"count": "4"}, set(), "while held", version=version)
    assert ProcessInstance.objects.get(pk=pk).status == "suspended"
    services.resume_instance(cast.mona, pk, "go")
    services.complete_task(cast.erin, HumanTask.objects.get(instance_id=pk, status="open").pk, {})
    assert ProcessInstance.objects.get(pk=pk).data["count"] == 4


def test_another_begins_at_a_step_and_one_begins_again(cast, rows, acme):
    ProcessInstance.objects.filter(pk=rows[1]).update(customer_organisation_id=acme)
    mona, url = signed_in(cast), reverse("workflows:instance-change", args=[rows[1]])
    wish = {"kind": "begin", "target": "send", "reason": "it was sent to the wrong address"}
    assert "A new process" in mona.post(url, wish).text and ProcessInstance.objects.count() == 5
    answer = mona.post(url, {**wish, "do": "1"})
    new = ProcessInstance.objects.latest("pk")
    assert answer["Location"] == reverse("workflows:instance", args=[new.pk]) and stands_at(new.pk) == ["send"]
    assert stands_at(rows[1]) == ["check"] and new.customer_organisation_id == acme and new.title == "Job 1"
    services.cancel_instance(cast.mona, rows[1], "over")
    page = mona.get(url)
    assert page.status_code == 200 and 'value="move"' not in page.text and 'value="begin"' in page.text
    again = reverse("workflows:instance-change", args=[rows[0]])
    mona.post(again, {"kind": "restart", "target": "check", "reason": "again", "do": "1"})
    assert stands_at(rows[0]) == ["check"]
    page = mona.get(reverse("workflows:instance", args=[rows[0]])).text
    undo = re.search(r'href="([^"]+kind=move[^"]+)"', page).group(1).replace("&amp;", "&")
    assert "source=check" in undo and "target=ask" in undo and '<option value="check" selected' in mona.get(undo).text


def test_the_log_of_a_process_takes_the_filters(cast, rows):
    mona = signed_in(cast)
    page = mona.get(reverse("workflows:definition", args=["steps"])).text
    assert f"{reverse('workflows:event-log-ocel')}?process=steps" in page
    services.cancel_instance(cast.mona, rows[0], "over")
    url = reverse("workflows:event-log-ocel")
    log = json.loads(b"".join(mona.get(url, {"process": "steps", "status": "live", "until": "2999-01-01"}).streaming_content))
    assert sum(one["type"] == "instance" for one in log["objects"]) == 4
    log = json.loads(b"".join(mona.get(url, {"process": "steps", "since": "2999-01-01"}).streaming_content))
    assert log["objects"] == []
    assert url not in signed_in(cast, "erin@northwind.example").get(reverse("workflows:definition", args=["steps"])).text


@pytest.mark.django_db
def test_postgresql_finds_words_in_titles_off_an_index():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads the titles")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if cursor.fetchone() is None:
            pytest.skip("this server hasn't pg_trgm")
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = ProcessInstance.objects.filter(title__icontains="zebra").only("pk")
        assert "instance_title_parts" in rows.explain()
