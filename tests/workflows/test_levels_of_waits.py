"""Promises of steps that nobody does: calls, messages and times that are waited for, called processes."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from bpmn.model import PENDING
from portal.errors import Refused
from social_feed.models import Notification
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, flow, service, user
from tests.workflows.test_statements import statements
from workflows import services
from workflows.connector_registry import connector
from workflows.models import HistoryEvent, ServiceClock
from workflows.selectors.service_levels import clocks_of_instance, clocks_that, level_rows, steps_to_promise
from workflows.service_levels import Level
from workflows.services import outbox
from workflows.services.service_levels import look_at_clock, look_at_clocks, save_level
from workflows.services.timers import run_due

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@connector("tests.ask_supplier")
def ask_supplier(step):
    """A service step that waits for an answer from outside."""
    key = f"supplier:{step.idempotency_key}"
    outbox.enqueue_call(
        "tests", {}, idempotency_key=key, instance_id=step.instance_id, element_id=step.element_id, waiting_step=step.task_id
    )
    return PENDING


WAITS = diagram(
    "waits",
    ENDS
    + service("order", "tests.ask_supplier", attributes='tandem:target="PT4H"')
    + '<bpmn:intermediateCatchEvent id="paid" name="Wait for the money" tandem:target="PT8H"><bpmn:messageEventDefinition messageRef="m"/>'
    + "</bpmn:intermediateCatchEvent>"
    + '<bpmn:intermediateCatchEvent id="rest"><bpmn:timerEventDefinition><bpmn:timeDuration>PT2H</bpmn:timeDuration>'
    + "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    + chain("start", "order", "paid", "rest", "end"),
    top='<bpmn:message id="m" name="money" tandem:correlation="number"/>',
)


@pytest.fixture
def clock_hand():
    with time_machine.travel(MONDAY, tick=False) as hand:
        yield hand


@pytest.fixture
def begun(cast, clock_hand):
    outbox.sender("tests")(lambda call: {})
    services.deploy(SYSTEM, WAITS)
    return services.start_process(cast.erin, "waits", data={"number": 7}, title="Bikes")


def clock(element):
    return ServiceClock.objects.get(element_id=element)


def test_told_once_at_risk_and_once_broken(cast, begun, clock_hand, client):
    assert clock("order").breach_at == MONDAY + 4 * HOUR
    clock_hand.move_to(MONDAY + 3 * HOUR)
    assert look_at_clocks() == 1 and look_at_clocks() == 0
    [risky], total = clocks_that(cast.mona, "at_risk")
    assert (risky.name, risky.task_id, total) == ("Order", None, 1)
    client.force_login(cast.users["mona@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    assert b"Order" in client.get(reverse("workflows:service-levels")).content
    assert b"At risk" in client.get(reverse("workflows:instance-clocks", args=[begun])).content
    clock_hand.move_to(MONDAY + 5 * HOUR)
    assert look_at_clocks() == 1 and look_at_clocks() == 0
    assert [line.state for line in HistoryEvent.objects.filter(kind="service_level").order_by("pk")] == ["at_risk", "breached"]
    told = Notification.objects.filter(source__startswith="service-level:").values_list("user_id", flat=True)
    assert {cast.erin.user_id, cast.mona.user_id} <= set(told), "whoever started it, and the managers"
    outbox.send_batch()
    done = clock("order")
    assert (done.kept, done.used, done.look) == (False, 5 * HOUR, None)
    assert clock("paid").started == MONDAY + 5 * HOUR
    assert_consistent(begun)


def test_message_in_time_and_process_cancelled(cast, begun, clock_hand):
    outbox.send_batch()
    clock_hand.move_to(MONDAY + HOUR)
    services.correlate_message("money", {"number": 7}, {})
    run_due()
    assert (clock("order").kept, clock("paid").kept) == (True, True)
    other = services.start_process(cast.erin, "waits", data={"number": 8})
    services.suspend_instance(cast.mona, other, "wait")
    assert ServiceClock.objects.get(instance_id=other).stops == ["held"]
    services.resume_instance(cast.mona, other, "on")
    services.cancel_instance(cast.mona, other, "a mistake")
    gone = ServiceClock.objects.get(instance_id=other)
    assert (gone.kept, gone.ended is not None) == (None, True)


def test_set_by_an_administrator_for_what_waits_already(cast, begun, clock_hand):
    outbox.send_batch()
    services.correlate_message("money", {"number": 7}, {})
    run_due()
    assert ("rest", "rest") in steps_to_promise("waits")
    with pytest.raises(Refused, match="nothing|none where"):
        save_level(cast.adam, "waits", "end", Level("PT1H"))
    clock_hand.move_to(MONDAY + 90 * timedelta(minutes=1))
    save_level(cast.adam, "waits", "rest", Level("PT1H"))
    look_at_clocks()
    look_at_clocks()
    late = clock("rest")
    assert (late.started, late.state, late.engine_id != "") == (MONDAY, "breached", True)
    look_at_clocks()
    assert ServiceClock.objects.filter(element_id="rest").count() == 1
    [row] = [row for row in level_rows(cast.mona) if row.element_id == "rest"]
    assert (row.running, row.breached) == (1, 1)
    clock_hand.move_to(MONDAY + 3 * HOUR)
    run_due()
    assert clock("rest").kept is False


def test_a_wait_whose_id_has_letters_of_another_language(cast, clock_hand):
    pause = '<bpmn:intermediateCatchEvent id="prüfen"><bpmn:timerEventDefinition><bpmn:timeDuration>PT2H</bpmn:timeDuration>'
    pause += "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    services.deploy(SYSTEM, diagram("accents", ENDS + pause + chain("start", "prüfen", "end")))
    services.start_process(cast.erin, "accents")
    save_level(cast.adam, "accents", "prüfen", Level("PT1H"))
    look_at_clocks()
    assert clock("prüfen").started == MONDAY


ROUNDS = diagram(
    "again",
    ENDS
    + user("ask")
    + '<bpmn:callActivity id="call" name="The other" calledElement="other" tandem:target="PT3H"/>'
    + '<bpmn:exclusiveGateway id="enough" default="enough_end"/>'
    + chain("start", "ask", "call", "enough", "end")
    + flow("enough", "ask", "more"),
)
OTHER = diagram("other", ENDS + user("inner") + chain("start", "inner", "end"))


def test_each_round_of_a_called_process_has_a_clock_of_its_own(cast, clock_hand):
    services.deploy(SYSTEM, OTHER)
    services.deploy(SYSTEM, ROUNDS)
    begun = services.start_process(cast.erin, "again")

    def do(**values):
        from workflows.models import HumanTask

        services.complete_task(SYSTEM, HumanTask.objects.get(status="open").pk, values)

    do()
    assert [one.name for one in clocks_of_instance(cast.erin, begun)] == ["The other"]
    clock_hand.move_to(MONDAY + 4 * HOUR)
    do(more=True)
    do()
    clock_hand.move_to(MONDAY + 5 * HOUR)
    do(more=False)
    assert list(ServiceClock.objects.order_by("pk").values_list("kept", flat=True)) == [False, True]


def test_two_branches_at_one_step_are_counted_apart(cast, clock_hand):
    services.deploy(
        SYSTEM,
        diagram(
            "twice",
            ENDS
            + '<bpmn:parallelGateway id="fork"/>'
            + user("left")
            + user("right")
            + '<bpmn:receiveTask id="wait" messageRef="m" tandem:target="PT1H"/>'
            + chain("start", "fork", "left", "wait", "end")
            + flow("fork", "right")
            + flow("right", "wait"),
            top='<bpmn:message id="m" name="letter"/>',
        ),
    )
    begun = services.start_process(cast.erin, "twice")
    from workflows.models import HumanTask

    for number, name in enumerate(("left", "right")):
        clock_hand.move_to(MONDAY + number * timedelta(minutes=30))
        services.complete_task(SYSTEM, HumanTask.objects.get(element_id=name).pk, {})
    assert [one.started for one in ServiceClock.objects.order_by("pk")] == [MONDAY, MONDAY + timedelta(minutes=30)]
    clock_hand.move_to(MONDAY + timedelta(minutes=80))
    services.correlate_message("letter", {}, {})
    run_due()
    services.correlate_message("letter", {}, {})
    run_due()
    assert sorted(ServiceClock.objects.values_list("kept", flat=True)) == [False, True]
    assert look_at_clock(ServiceClock.objects.first().pk, begun) is False


def test_what_promises_nothing_costs_nothing(cast, clock_hand):
    plain = WAITS.replace(b'tandem:target="PT4H"', b"").replace(b'tandem:target="PT8H"', b"").replace(b'id="waits"', b'id="plain"')
    services.deploy(SYSTEM, plain)
    services.start_process(cast.erin, "plain", data={"number": 1})
    seen = statements(lambda: services.start_process(cast.erin, "plain", data={"number": 2}))
    assert not [sql for sql in seen if "serviceclock" in sql]
