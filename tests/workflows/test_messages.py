"""What is sent and can't be taken: told once, with the step that waits, and in nobody's way."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bpmn import arrivals
from bpmn.model import StepFailed
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, user
from workflows import services
from workflows.models import HumanTask, Incident, MessageBuffer, ProcessInstance, Timer
from workflows.services import timers
from workflows.services.timers import run_due

PAID = '<bpmn:intermediateCatchEvent id="paid"><bpmn:{}EventDefinition {}Ref="payment"/></bpmn:intermediateCatchEvent>'
ROAD = {
    "message": '<bpmn:message id="payment" name="payment" tandem:correlation="order_id"/>',
    "signal": '<bpmn:signal id="payment" name="payment"/>',
}
BAD = {"not a name": 1}


@pytest.fixture
def waits(cast):
    """Starts an order that asks, then waits to be paid for."""

    def start(kind="message", number=5):
        xml = diagram("pay", ENDS + user("ask") + PAID.format(kind, kind) + chain("start", "ask", "paid", "end"), top=ROAD[kind])
        services.deploy(SYSTEM, xml)
        return services.start_process(cast.erin, "pay", data={"order_id": number})

    return start


def ask(cast, instance):
    task = HumanTask.objects.get(instance_id=instance, status="open")
    services.complete_task(cast.erin, task.pk, {})


def test_a_message_that_cant_be_taken_is_an_incident_and_the_next_one_is_taken(cast, waits):
    instance = waits()
    ask(cast, instance)
    assert not services.correlate_message("payment", {"order_id": 5}, BAD)
    run_due(seconds=0)
    incident = Incident.objects.get()
    assert (incident.instance_id, incident.element_id) == (instance, "paid") and "not a name" in incident.message
    assert not MessageBuffer.objects.filter(taken=None, expires__gt=timezone.now()).exists(), "it isn't tried for ever"
    assert assert_consistent(instance).has_incident
    assert services.correlate_message("payment", {"order_id": 5}, {"sum": 7})
    assert ProcessInstance.objects.get().status == "completed"
    services.retry_incident(cast.mona, incident.pk, "the sender has sent it again")
    assert not ProcessInstance.objects.get().has_incident


def test_a_message_that_came_before_and_cant_be_taken_stops_nobody(cast, waits):
    instance = waits()
    assert not services.correlate_message("payment", {"order_id": 5}, BAD)
    ask(cast, instance)
    assert assert_consistent(instance).active == ["paid"]
    run_due(seconds=0)
    assert Incident.objects.get().element_id == "paid"


def test_a_signal_that_one_cant_take_reaches_the_others(cast, waits):
    first = waits("signal")
    ask(cast, first)
    services.deploy(SYSTEM, diagram("other", ENDS + PAID.format("signal", "signal").replace('id="paid"', 'id="heard" tandem:result="told"')
                                    + chain("start", "heard", "end"), top=ROAD["signal"]))  # fmt: skip
    second = services.start_process(cast.erin, "other")
    assert services.broadcast_signal("payment", BAD)
    assert ProcessInstance.objects.get(pk=second).status == "completed"
    assert [row.instance_id for row in Incident.objects.all()] == [first]
    assert assert_consistent(first).status == "running"
    run_due(seconds=0)
    assert Incident.objects.count() == 1


def test_a_timer_that_still_waits_keeps_its_row(cast, monkeypatch):
    timer = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
    hour = f'<bpmn:intermediateCatchEvent id="hour">{timer}</bpmn:intermediateCatchEvent>'
    services.deploy(SYSTEM, diagram("late", ENDS + hour + chain("start", "hour", "end")))
    services.start_process(cast.erin, "late")
    row, later = Timer.objects.get(), timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with monkeypatch.context() as broken:
        broken.setattr(arrivals, "happen", lambda *_given: (_ for _ in ()).throw(StepFailed("size.tokens", "too many tokens")))
        assert not timers.fire_timer(row.pk, row.instance_id)
    row.refresh_from_db()
    assert (row.attempts, row.last_error) == (1, "too many tokens")
    Timer.objects.update(due=later)
    assert timers.fire_timer(row.pk, row.instance_id) and ProcessInstance.objects.get().status == "completed"
