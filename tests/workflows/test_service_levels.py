"""Service levels: seen before they are broken, told once, standing still when nobody could do anything."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from portal.errors import NotAllowed, Refused
from portal.selectors import people_with_role
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from tests.workflows.test_statements import statements
from workflows import services
from workflows.errors import NotFound
from workflows.models import HistoryEvent, HumanTask, Incident, MessageBuffer, ProcessInstance, ServiceClock, ServiceLevel
from workflows.selectors.service_levels import clocks_of_instance, clocks_of_tasks, clocks_that, level_rows
from workflows.service_levels import Level
from workflows.services.calendars import save_calendar
from workflows.services.service_levels import drop_level, look_at_clock, look_at_clocks, save_level

WEEK = ["9:00–17:00"] * 5 + ["", ""]
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PROMISED = diagram(
    "promised",
    ENDS
    + user("check", 'tandem:target="8 working hours"', "", "Check it")
    + user("choose", "", "", "Choose a date")
    + user("deliver", "", "", "Deliver it")
    + chain("start", "check", "choose", "deliver", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "check", "end", "deliver") + lane("Customer", "customer", "", "choose"),
    attributes='tandem:target="3 working days" tandem:targetPauses="customer"',
)
FOLLOW_UP = diagram("follow_up", ENDS + user("call", "", "", "Call them") + chain("start", "call", "end"))


@pytest.fixture
def clock_hand():
    with time_machine.travel(MONDAY, tick=False) as hand:
        yield hand


@pytest.fixture
def office(cast):
    ours = cast.organisations["Northwind Works (demo)"].pk
    save_calendar(cast.adam, ours, time_zone="UTC", country="", region="", hours=WEEK)
    services.deploy(SYSTEM, PROMISED)
    services.deploy(SYSTEM, FOLLOW_UP)
    return cast


@pytest.fixture
def begun(clock_hand, office, acme):
    return services.start_process(office.erin, "promised", customer_organisation_id=acme, title="Bikes")


def clock_of(instance_id, element_id=""):
    return ServiceClock.objects.get(instance_id=instance_id, element_id=element_id)


def step(instance_id):
    return HumanTask.objects.get(instance_id=instance_id, status="open")


def at(hand, *parts):
    hand.move_to(datetime(2026, 3, *parts, tzinfo=UTC))
    return look_at_clocks()


def test_a_promise_says_when_it_will_be_broken(begun, office):
    whole, check = clock_of(begun), clock_of(begun, "check")
    assert check.risk_at == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert check.breach_at == datetime(2026, 3, 2, 17, tzinfo=UTC)
    assert whole.breach_at == datetime(2026, 3, 4, 17, tzinfo=UTC)
    views = clocks_of_instance(office.erin, begun)
    assert [(view.task_id is None, view.words) for view in views] == [(True, "On time"), (False, "On time")]
    assert clocks_of_instance(office.cara, begun) == []


def test_at_risk_and_broken_are_told_once(begun, office, clock_hand):
    assert at(clock_hand, 2, 14, 59) == 0
    assert at(clock_hand, 2, 15, 1) == 1
    assert at(clock_hand, 2, 15, 2) == 0
    assert clock_of(begun, "check").state == "at_risk"
    [view], total = clocks_that(office.mona, "at_risk")
    assert (view.name, total, view.used) == ("Check it", 1, "6 h 2 min")
    assert at(clock_hand, 2, 17, 1) == 1
    assert at(clock_hand, 2, 17, 2) == 0
    lines = HistoryEvent.objects.filter(instance_id=begun, kind="service_level").order_by("pk")
    assert [line.state for line in lines] == ["at_risk", "breached"]


def test_the_holder_their_group_and_the_manager_are_told(begun, office, clock_hand):
    from social_feed.models import Notification

    at(clock_hand, 2, 15, 1)
    told = Notification.objects.filter(source=f"service-level:{clock_of(begun, 'check').pk}:at_risk:8 working hours").values_list(
        "user_id", flat=True
    )
    assert set(told) == {person.id for role in ("sales", "manager") for person in people_with_role(role)}


def test_kept_and_broken_promises_are_counted(begun, office, clock_hand, acme):
    clock_hand.move_to(MONDAY + timedelta(hours=2))
    services.complete_task(office.erin, step(begun).pk, {})
    kept = clock_of(begun, "check")
    assert (kept.kept, kept.used, kept.look) == (True, timedelta(hours=2), None)
    late = services.start_process(office.erin, "promised", customer_organisation_id=acme)
    clock_hand.move_to(MONDAY + timedelta(days=1, hours=4))
    services.complete_task(office.erin, step(late).pk, {})
    assert (clock_of(late, "check").kept, clock_of(late, "check").state) == (False, "breached")
    row = next(one for one in level_rows(office.mona) if one.element_id == "check")
    assert (row.ended, row.kept_share, row.p50, row.p85) == (2, 50, "2 h", "10 h")
    third = services.start_process(office.erin, "promised", customer_organisation_id=acme)
    services.cancel_instance(office.mona, third, "not wanted")
    assert clock_of(third, "check").kept is None and clock_of(third).ended


def test_waiting_for_the_customer_stops_the_process_clock(begun, office, clock_hand):
    clock_hand.move_to(MONDAY + timedelta(hours=2))
    services.complete_task(office.erin, step(begun).pk, {})
    whole = clock_of(begun)
    assert (whole.since, whole.used, whole.breach_at) == (None, timedelta(hours=2), None)
    assert "customer" in clocks_of_instance(office.mona, begun)[0].words
    clock_hand.move_to(MONDAY + timedelta(days=7))
    assert look_at_clocks() == 0
    services.complete_task(office.cara, step(begun).pk, {})
    whole = clock_of(begun)
    assert whole.since == MONDAY + timedelta(days=7)
    assert whole.breach_at == datetime(2026, 3, 11, 15, tzinfo=UTC)  # 22 hours are left
    clock_hand.move_to(MONDAY + timedelta(days=7, hours=3))
    services.complete_task(office.erin, step(begun).pk, {})
    assert (clock_of(begun).kept, clock_of(begun).used) == (True, timedelta(hours=5))


def test_a_held_process_has_time(begun, office, clock_hand):
    clock_hand.move_to(MONDAY + timedelta(hours=1))
    services.suspend_instance(office.mona, begun, "the customer moves")
    clock_hand.move_to(MONDAY + timedelta(days=2))
    assert look_at_clocks() == 0
    services.resume_instance(office.mona, begun, "on with it")
    check = clock_of(begun, "check")
    assert (check.used, check.breach_at) == (timedelta(hours=1), MONDAY + timedelta(days=2, hours=7))


def test_what_was_broken_before_it_was_held_is_told(begun, office, clock_hand):
    clock_hand.move_to(MONDAY + timedelta(days=1))
    services.suspend_instance(office.mona, begun, "too late anyway")
    assert look_at_clocks() == 1
    assert clock_of(begun, "check").told_breach
    assert look_at_clocks() == 0


def test_a_breach_tells_processes(begun, office, clock_hand):
    save_level(office.adam, "promised", "check", Level("2 working hours", 50, message="late", starts="follow_up", tell_role=""))
    assert at(clock_hand, 2, 10, 1) == 1
    [message] = MessageBuffer.objects.all()
    assert (message.name, message.keys, message.payload) == (
        "late",
        {"instance_id": begun},
        {"late_step": "check", "late_state": "at_risk"},
    )
    assert not ProcessInstance.objects.filter(key="follow_up").exists()
    at(clock_hand, 2, 11, 1)
    at(clock_hand, 2, 12, 1)
    [started] = ProcessInstance.objects.filter(key="follow_up")
    assert started.data["late_instance_id"] == begun
    assert MessageBuffer.objects.count() == 2


def test_a_process_that_cant_start_is_an_incident_and_the_people_are_told(begun, office, clock_hand):
    save_level(office.adam, "promised", "check", Level("2 working hours", starts="follow_up"))
    services.deploy(SYSTEM, FOLLOW_UP.replace(b'isExecutable="true"', b'isExecutable="true" tandem:title="x"'))
    from workflows.models import ProcessDefinition

    ProcessDefinition.objects.filter(key="follow_up").update(is_current=False)
    at(clock_hand, 2, 12, 0)
    assert clock_of(begun, "check").told_breach
    assert "follow_up" in Incident.objects.get(instance_id=begun).message


def test_what_ran_before_gets_its_clock(clock_hand, office):
    first = services.start_process(office.erin, "follow_up")
    clock_hand.move_to(MONDAY + timedelta(hours=3))
    save_level(office.adam, "follow_up", "", Level("4 working hours"))
    save_level(office.adam, "follow_up", "call", Level("1 working hour"))
    look_at_clocks()
    look_at_clocks()
    assert (clock_of(first).state, clock_of(first, "call").state) == ("at_risk", "breached")
    save_level(office.adam, "follow_up", "call", Level("10 working hours"))
    look_at_clocks()
    assert clock_of(first, "call").state == "on_time"
    save_level(office.adam, "follow_up", "call", Level(""))
    assert not ServiceClock.objects.filter(element_id="call").exists()
    drop_level(office.adam, "follow_up", "")
    assert not ServiceClock.objects.exists() and not ServiceLevel.objects.filter(element_id="").exists()


def test_an_administrators_row_stands_instead_of_the_diagrams_word(begun, office):
    save_level(office.adam, "promised", "check", Level(""))
    assert not ServiceClock.objects.filter(element_id="check").exists()
    drop_level(office.adam, "promised", "check")
    second = services.start_process(office.erin, "promised")
    assert clock_of(second, "check").target == "8 working hours"


def test_other_hours_are_counted_at_once(begun, office, clock_hand):
    ours = office.organisations["Northwind Works (demo)"].pk
    save_calendar(office.adam, ours, time_zone="UTC", country="", region="", hours=["9-11"] * 5 + ["", ""])
    look_at_clocks()
    assert clock_of(begun, "check").breach_at == datetime(2026, 3, 5, 11, tzinfo=UTC)


def test_what_cant_be_promised_is_refused_with_its_field(office):
    for field, key, element, level in (
        ("target", "promised", "check", Level("soon")),
        ("risk_percent", "promised", "check", Level("PT1H", 100)),
        ("tell_role", "promised", "check", Level("PT1H", tell_role="customer_admin")),
        ("starts", "promised", "check", Level("PT1H", starts="promised")),
        ("starts", "promised", "check", Level("PT1H", starts="nothing")),
        ("element_id", "promised", "start", Level("PT1H")),
    ):
        with pytest.raises(Refused) as caught:
            save_level(office.adam, key, element, level)
        assert caught.value.field == field
    with pytest.raises(NotFound):
        save_level(office.adam, "nothing", "", Level("PT1H"))
    with pytest.raises(NotAllowed):
        save_level(office.mona, "promised", "", Level("PT1H"))


def test_a_step_without_a_promise_costs_nothing_more(clock_hand, office):
    erin = office.erin
    services.start_process(erin, "follow_up")
    assert len(statements(lambda: services.start_process(erin, "follow_up"))) == 7
    save_level(office.adam, "promised", "", Level("1 working day"))  # another process's promise costs it nothing either
    services.start_process(erin, "follow_up")
    assert len(statements(lambda: services.start_process(erin, "follow_up"))) == 7


def test_the_page_costs_the_same_for_many(begun, office, client, acme):
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.get(email="adam@northwind.example"), backend="django.contrib.auth.backends.ModelBackend")
    pages = [reverse("workflows:service-levels"), reverse("workflows:inbox") + "?box=all"]
    for page in pages:
        assert client.get(page).status_code == 200
    before = [len(statements(lambda page=page: client.get(page))) for page in pages]
    for _n in range(6):
        services.start_process(office.erin, "promised", customer_organisation_id=acme)
    assert [len(statements(lambda page=page: client.get(page))) for page in pages] == before


def test_the_pages(begun, office, client, clock_hand):
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.get(email="adam@northwind.example"), backend="django.contrib.auth.backends.ModelBackend")
    edit = reverse("workflows:service-level") + "?process=promised&step=check"
    assert b"8 working hours" in client.get(edit).content
    wrong = client.post(edit, {"target": "soonish", "risk_percent": "75"})
    assert wrong.status_code == 422 and b"soonish" in wrong.content
    assert client.post(edit, {"target": "1 working hour", "risk_percent": "60", "tell_role": "manager"}).status_code == 302
    clock_hand.move_to(MONDAY + timedelta(minutes=40))
    look_at_clocks()
    page = client.get(reverse("workflows:service-levels")).content.decode()
    assert "At risk" in page and "1 working hour" in page and "Bikes" in page
    assert b"At risk" in client.get(reverse("workflows:instance-clocks", args=[begun])).content
    assert b"At risk" in client.get(reverse("workflows:task", args=[step(begun).pk])).content
    assert b"At risk" in client.get(reverse("workflows:inbox") + "?box=all").content
    assert client.post(reverse("workflows:service-level-drop"), {"process": "promised", "step": "check"}).status_code == 302
    assert client.get(reverse("workflows:service-level") + "?process=promised&step=nothing").status_code == 404
    assert clocks_of_tasks([]) == {}
    assert look_at_clock(987654, begun) is False
