"""The inbox's boxes, order, filters and counts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import Organisation
from portal.registry import SubjectRef
from social_feed.models import Notification
from social_feed.services.follows import set_follow
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, user
from tests.workflows.test_tasks import task_of
from workflows import selectors, services
from workflows.assignment import stake_fields
from workflows.models import HumanTask, ProcessInstance, TaskCandidate
from workflows.selectors.desk import BADGE_CAP, Desk, InboxFilter, box_counts, counted, queue, waiting_count


def ids(actor, box="todo", **wanted):
    return [row.id for row in selectors.tasks_for(actor, InboxFilter(box=box, **wanted)).rows]


@pytest.fixture
def three(cast, order, acme):
    """Three orders that wait for sales."""
    return [task_of(services.start_process(cast.mona, "order", customer_organisation_id=acme)) for _n in range(3)]


def test_boxes_hold_what_their_names_say(cast, three):
    one, two, _rest = three
    services.claim_task(cast.erin, one.pk)
    services.delegate_task(cast.mona, two.pk, cast.dan.user_id, "please")
    assert ids(cast.erin, "mine") == [one.pk]
    assert ids(cast.erin, "group") == [three[2].pk]
    assert set(ids(cast.erin)) == {one.pk, three[2].pk}
    assert ids(cast.mona, "delegated") == [two.pk] and ids(cast.dan, "received") == [two.pk]
    assert ids(cast.dan, "delegated") == [] and ids(cast.erin, "received") == []
    # Mona started all three; Erin has one, Dan another, and the free one is Mona's to take herself.
    assert set(ids(cast.mona, "waiting")) == {one.pk, two.pk}
    assert ids(cast.erin, "waiting") == []
    assert len(ids(cast.mona, "all")) == 3
    services.complete_task(cast.erin, one.pk, {"amount": 1})
    assert ids(cast.erin, "done") == [one.pk]


def test_who_follows_a_process_waits_for_it_and_hears_of_every_step(cast, three):
    instance = f"workflows.instance:{three[0].instance_id}"
    set_follow(cast.adam, instance, "follow")
    assert ids(cast.adam, "waiting") == [three[0].pk]
    with CaptureQueriesContext(connection) as followed:
        services.complete_task(cast.erin, three[0].pk, {"amount": 1})
    [news] = Notification.objects.filter(user_id=cast.adam.user_id, kind="follow", subject_kind="workflows.instance")
    assert news.values["step"] == "Check the order"
    with CaptureQueriesContext(connection) as alone:
        services.complete_task(cast.erin, three[1].pk, {"amount": 1})
    assert len(alone) < len(followed)
    set_follow(cast.adam, instance, "")
    assert not ProcessInstance.objects.get(pk=three[0].instance_id).is_followed
    assert ids(cast.adam, "waiting") == []


def test_the_order_by_money_compares_the_companys_currency_alone(cast, three, settings):
    own = settings.DEFAULT_CURRENCY
    for task, worth in zip(three, [(Decimal(500), "EUR"), (Decimal(90), own), (Decimal(800), own)], strict=True):
        HumanTask.objects.filter(pk=task.pk).update(**stake_fields(*worth))
    rows = selectors.tasks_for(cast.erin, InboxFilter(sort="money")).rows
    assert [row.id for row in rows] == [three[2].pk, three[1].pk, three[0].pk]
    assert (rows[2].stake, rows[2].stake_currency) == (Decimal(500), "EUR")


def test_filters_narrow(cast, three, acme):
    late, today, later = three
    now = timezone.now()
    for task, due in ((late, now - timedelta(days=2)), (later, now + timedelta(days=3)), (today, None)):
        HumanTask.objects.filter(pk=task.pk).update(due=due)
    assert ids(cast.erin, due="late") == [late.pk]
    assert ids(cast.erin, due="week") == [later.pk]
    assert ids(cast.erin, due="none") == [today.pk]
    assert len(ids(cast.erin, process="order", step="check", group="sales")) == 3
    assert ids(cast.erin, process="other") == ids(cast.erin, step="deliver") == ids(cast.erin, group="delivery") == []
    services.link_subject(late.instance_id, SubjectRef("portal.organisation", acme))
    assert ids(cast.erin, about="portal.organisation") == [late.pk]
    services.claim_task(cast.erin, late.pk)
    assert ids(cast.mona, "all", person=cast.erin.user_id) == [late.pk]
    assert ids(cast.erin, text="check the") and not ids(cast.erin, text="zebra")


def test_a_row_is_about_the_last_record_that_the_reader_sees(cast, three, acme):
    gone = Organisation.objects.create(name="Gone")
    both, hidden, none = three
    for task, records in ((both, [acme]), (hidden, [acme, gone.pk]), (none, [gone.pk])):
        for pk in records:
            services.link_subject(task.instance_id, SubjectRef("portal.organisation", pk))
    selectors.tasks_for(cast.erin)
    with CaptureQueriesContext(connection) as seen:
        assert {row.subject_ref.id for row in selectors.tasks_for(cast.erin).rows} == {acme, gone.pk}
    gone.delete()
    with CaptureQueriesContext(connection) as looked_on:
        about = {row.id: row.subject_ref for row in selectors.tasks_for(cast.erin).rows}
    assert about == {both.pk: SubjectRef("portal.organisation", acme), hidden.pk: SubjectRef("portal.organisation", acme), none.pk: None}
    assert len(looked_on) == len(seen) + 1


def test_the_order_is_total_and_pages_never_overlap(cast, three):
    services.claim_task(cast.erin, three[1].pk)
    pages = [ids(cast.erin, limit=1, offset=n) for n in range(3)]
    assert sorted(sum(pages, [])) == sorted(task.pk for task in three)
    assert queue(cast.erin, InboxFilter()) == sum(pages, [])


def test_counts_are_one_statement_and_stop_at_the_cap(cast, three):
    desk = Desk(cast.mona)
    assert desk.asleep == []
    with CaptureQueriesContext(connection) as caught:
        counts = box_counts(cast.mona, desk)
    told = [query["sql"] for query in caught]
    assert len([sql for sql in told if "workflows_humantask" in sql]) == 1, told
    assert (counts["waiting"], counts["all"], counts["todo"]) == (0, 3, 3)
    assert counted({"all": Desk(cast.mona).box("all")}, 2)["all"] == 2
    assert waiting_count(cast.erin) == 3 < BADGE_CAP


def test_somebody_asked_by_name_and_a_stand_in_see_it_once(cast):
    asking = diagram("asking", ENDS + user("vote", 'tandem:candidates="= asked"') + chain("start", "vote", "end"))
    services.deploy(SYSTEM, asking)
    pk = services.start_process(SYSTEM, "asking", data={"asked": [cast.erin.user_id, cast.fiona.user_id]})
    today = timezone.localdate()
    services.plan_absence(cast.fiona, today, today, cast.erin.user_id)
    assert ids(cast.erin) == ids(cast.erin, "group") == [task_of(pk).pk]
    assert ids(cast.dan) == []


def test_whom_a_task_asks_is_settled_with_it(cast):
    services.deploy(SYSTEM, diagram("asking", ENDS + user("vote", 'tandem:candidates="= asked"') + chain("start", "vote", "end")))
    done, over, left = (services.start_process(SYSTEM, "asking", data={"asked": [cast.erin.user_id]}) for _n in range(3))
    services.complete_task(cast.erin, task_of(done).pk, {})
    services.cancel_instance(SYSTEM, over, "not needed")
    assert list(TaskCandidate.objects.filter(is_open=True).values_list("task__instance", flat=True)) == [left]
    assert ids(cast.erin, "group") == [task_of(left).pk] and waiting_count(cast.erin) == 1


def test_the_page_takes_the_same_statements_however_much_there_is(client, cast, order, acme):
    def statements(box: str) -> int:
        client.get(f"/work/inbox/?box={box}")
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/work/inbox/?box={box}").status_code == 200
        return len(caught)

    def more(count: int) -> None:
        for _n in range(count):
            task = task_of(services.start_process(cast.mona, "order", customer_organisation_id=acme))
            services.claim_task(cast.erin, task.pk)
            services.start_process(cast.mona, "order", customer_organisation_id=acme)

    client.force_login(cast.users["mona@northwind.example"])
    more(1)
    before = {box: statements(box) for box in ("todo", "all", "waiting", "delegated", "done")}
    more(6)
    assert before == {box: statements(box) for box in before}


def test_the_list_alone_brings_its_tabs_and_counts(client, cast, three):
    client.force_login(cast.users["erin@northwind.example"])
    part = client.get("/work/inbox/?box=group&due=late", headers={"hx-request": "true", "hx-target": "inbox-list"}).content.decode()
    assert "<html" not in part and 'id="inbox-tabs" hx-swap-oob="true"' in part and "Nothing found" in part


@pytest.mark.parametrize(
    "query",
    [
        "box=nonsense",
        "person=x&due=never&sort=%00",
        "page=99999",
        "page=-1",
        "q=" + "x" * 5000,
        "process=%00&step=%27",
        "did=99999",
        "did=x",
    ],
)
def test_whatever_an_address_asks_there_is_an_answer(client, cast, three, query):
    client.force_login(cast.users["mona@northwind.example"])
    assert client.get(f"/work/inbox/?{query}").status_code == 200


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("mine", "All done"),
        ("delegated", "Nothing handed on"),
        ("received", "Nobody handed you anything"),
        ("waiting", "You wait for nobody"),
        ("snoozed", "Nothing snoozed"),
        ("done", "Nothing yet"),
    ],
)
def test_an_empty_box_says_what_to_do(client, cast, box, words):
    client.force_login(cast.users["erin@northwind.example"])
    assert words in client.get(f"/work/inbox/?box={box}").content.decode()


def test_doing_the_last_task_of_a_view_says_so_and_what_waits_elsewhere(client, cast, three):
    client.force_login(cast.users["erin@northwind.example"])
    services.claim_task(cast.erin, three[0].pk)
    services.claim_task(cast.erin, three[2].pk)
    sent = client.post(f"/work/tasks/{three[0].pk}/?box=mine", {"amount": "1"})
    assert sent["Location"] == f"/work/tasks/{three[2].pk}/?box=mine"
    sent = client.post(f"/work/tasks/{three[2].pk}/?box=mine", {"amount": "1"})
    assert sent["Location"] == "/work/inbox/?box=mine&cleared=yes"
    page = client.get(sent["Location"]).content.decode()
    assert "Nothing is left in this view" in page and "My groups’ · 1" in page
