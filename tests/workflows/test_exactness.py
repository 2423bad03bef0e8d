"""Once and only once: races on a real database, crashes at every statement, timers with two runners, the outbox under leases."""

import contextlib
import sqlite3
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, close_old_connections, connection, connections
from django.utils import timezone

from portal.access import Actor
from portal.errors import Refused
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, ORDER, chain, diagram, flow, service, user
from tests.workflows.test_tasks import task_of
from tests.world import build_people
from workflows import services
from workflows.connector_registry import connector
from workflows.models import HistoryEvent, HumanTask, Incident, MessageBuffer, OutboxCall, ProcessInstance, Timer
from workflows.services import outbox, timers
from workflows.services.timers import run_due

FACTS = (
    (ProcessInstance, ("pk", "status", "state", "version", "data", "waits", "active", "stage", "has_incident")),
    (HumanTask, ("pk", "status", "element_id", "assignee_id", "done_by_id", "action")),
    (Timer, ("engine_id", "due")),
    (HistoryEvent, ("element_id", "state", "actor_id")),
    (OutboxCall, ("idempotency_key", "status")),
    (Incident, ("code", "resolved")),
)


def snapshot():
    """Everything that a step may change."""
    return [sorted(map(repr, model.objects.values_list(*fields))) for model, fields in FACTS]


def together(*acts):
    """Run functions at the same time, each in a thread with a connection of its own; gives what they returned or raised."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, act):
        close_old_connections()
        try:
            gate.wait()
            results[number] = act()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def live(transactional_db):
    """People and the order process, committed."""
    cast = build_people()
    services.deploy(SYSTEM, ORDER)
    cast.acme = cast.organisations["Acme Bikes (demo)"].pk
    return cast


def start_order(cast):
    return services.start_process(cast.erin, "order", customer_organisation_id=cast.acme)


def test_two_people_race_for_one_task(live):
    erin, mona = live.erin, live.mona
    for _round in range(5):
        instance = start_order(live)
        task = task_of(instance).pk
        results = together(
            lambda task=task: services.complete_task(erin, task, {"amount": 1}),
            lambda task=task: services.complete_task(mona, task, {"amount": 2}),
        )
        assert sorted(isinstance(r, Refused) for r in results) == [False, True], results
        assert HumanTask.objects.filter(instance_id=instance, element_id="decide").count() == 1
        assert HistoryEvent.objects.filter(instance_id=instance, element_id="check", state="completed").count() == 1


def test_one_person_sends_the_form_twice_at_once(live):
    erin = live.erin
    task = task_of(start_order(live)).pk
    results = together(*[lambda: services.complete_task(erin, task, {"amount": 1}, idempotency_key="k")] * 4)
    assert sorted(r.repeated for r in results) == [False, True, True, True]


def test_two_people_take_one_task(live):
    erin, mona = live.erin, live.mona
    task = task_of(start_order(live)).pk
    results = together(lambda: services.claim_task(erin, task), lambda: services.claim_task(mona, task))
    assert sorted(isinstance(r, Refused) for r in results) == [False, True]


def test_the_same_start_twice_at_once(live):
    erin = live.erin
    results = together(*[lambda: services.start_process(erin, "order", idempotency_key="form-7")] * 3)
    assert len(set(results)) == 1 and ProcessInstance.objects.count() == 1


class Crash(Exception):
    """The machine stops here."""


def crash_at(number, beginning=""):
    """Fail the nth statement of this thread's connection (of those that begin so), as a lost database would."""
    count = 0

    def wrapper(execute, sql, params, many, context):
        nonlocal count
        count += sql.startswith(beginning)
        if count == number and sql.startswith(beginning):
            raise OperationalError(f"lost at {sql[:60]}")
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


@connector("tests.note")
def note(step, text="x"):
    """A service step with an effect inside and one outside."""
    outbox.enqueue_call("tests", {"text": text}, idempotency_key=step.idempotency_key, instance_id=step.instance_id)
    return {"noted": text}


BUSY = diagram(
    "busy",
    ENDS
    + user("ask", 'tandem:stage="asked"')
    + service("work", "tests.note", attributes='tandem:result="work"')
    + '<bpmn:parallelGateway id="fork"/>'
    + user("left", 'tandem:stage="both"')
    + user("right")
    + '<bpmn:boundaryEvent id="late" attachedToRef="left" cancelActivity="false"><bpmn:timerEventDefinition>'
    "<bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
    + user("remind")
    + '<bpmn:parallelGateway id="join"/>'
    + chain("start", "ask", "work", "fork")
    + flow("fork", "left")
    + flow("fork", "right")
    + flow("left", "join")
    + flow("right", "join")
    + chain("join", "end")
    + flow("late", "remind")
    + '<bpmn:endEvent id="reminded"/>'
    + flow("remind", "reminded"),
)


def test_a_crash_at_any_statement_leaves_before_or_after(live):
    services.deploy(SYSTEM, BUSY)
    erin = live.erin
    instance = services.start_process(erin, "busy")
    task = task_of(instance).pk
    before, number, crashes = snapshot(), 0, 0
    while True:
        number += 1
        try:
            with crash_at(number):
                services.complete_task(erin, task, {}, idempotency_key="k")
        except OperationalError:
            crashes += 1
            assert snapshot() == before, f"statement {number} left something behind"
            continue
        break
    assert crashes >= 8
    assert set(HumanTask.objects.filter(status="open").values_list("element_id", flat=True)) == {"left", "right"}
    assert OutboxCall.objects.count() == 1 and Timer.objects.count() == 1 and not Incident.objects.exists()


def test_a_timer_fires_once_with_two_runners(live):
    services.deploy(SYSTEM, BUSY)
    erin = live.erin
    ids = [services.start_process(erin, "busy") for _ in range(4)]
    for pk in ids:
        services.complete_task(erin, task_of(pk).pk, {})
    assert run_due() == 0
    _make_due()
    together(run_due, run_due, run_due)
    assert HumanTask.objects.filter(element_id="remind").count() == len(ids)
    assert not Timer.objects.exists()


def test_a_timer_row_that_stands_too_soon_waits_for_the_engines_time(live):
    services.deploy(SYSTEM, BUSY)
    pk = services.start_process(live.erin, "busy")
    services.complete_task(live.erin, task_of(pk).pk, {})
    due = Timer.objects.get().due
    Timer.objects.update(due=timezone.now() - timedelta(hours=1))
    assert run_due() == 0
    assert Timer.objects.get().due == due
    _make_due()
    run_due()
    assert HumanTask.objects.filter(element_id="remind").count() == 1


def _make_due():
    """Let the timers' hour pass: the stored due times are the engine's own, so the clock is moved instead."""
    later = timezone.now() + timedelta(hours=2)
    patch = pytest.MonkeyPatch()
    patch.setattr(timezone, "now", lambda: later)
    return patch


@pytest.fixture(autouse=True)
def _clock():
    """Put the clock back."""
    original = timezone.now
    yield
    timezone.now = original


def test_a_crash_while_a_timer_fires_leaves_it_to_fire_again(live):
    services.deploy(SYSTEM, BUSY)
    instance = services.start_process(live.erin, "busy")
    services.complete_task(live.erin, task_of(instance).pk, {})
    _make_due()
    before = snapshot()
    with crash_at(1, 'UPDATE "workflows_processinstance"'):
        run_due(seconds=0)
    assert [s for n, s in enumerate(snapshot()) if n != 2] == [s for n, s in enumerate(before) if n != 2]  # only put off
    later = timezone.now() + timedelta(hours=1)
    timezone.now = lambda: later
    run_due()
    assert HumanTask.objects.filter(element_id="remind").count() == 1


def test_the_outbox_sends_each_call_once(live):
    sent = []
    outbox.sender("tests")(lambda call: sent.append(call.idempotency_key))
    for number in range(20):
        outbox.enqueue_call("tests", {}, idempotency_key=f"call-{number}")
        outbox.enqueue_call("tests", {}, idempotency_key=f"call-{number}")
    together(outbox.send_batch, outbox.send_batch, outbox.send_batch)
    while outbox.send_batch():
        pass
    assert sorted(sent) == sorted(f"call-{number}" for number in range(20))
    assert OutboxCall.objects.filter(status="sent").count() == 20


def test_a_failing_call_is_tried_again_and_then_told(live):
    services.deploy(SYSTEM, BUSY)
    instance = services.start_process(live.erin, "busy")

    def fail(call):
        raise outbox.SendFailed("nobody answers")

    outbox.sender("tests")(fail)
    services.complete_task(live.erin, task_of(instance).pk, {})
    for attempt in range(1, outbox.MAX_ATTEMPTS + 1):
        assert outbox.send_batch() == 1
        call = OutboxCall.objects.get(kind="tests")
        assert call.attempts == attempt
        OutboxCall.objects.filter(status="waiting").update(next_try=timezone.now())
    assert call.status == "failed"
    incident = Incident.objects.get()
    assert "nobody answers" in incident.message and ProcessInstance.objects.get(pk=instance).has_incident
    outbox.sender("tests")(lambda call: None)
    assert services.retry_incident(live.mona, incident.pk, "the line is mended")
    assert outbox.send_batch() >= 1  # the letters to the managers leave too
    assert OutboxCall.objects.get(kind="tests").status == "sent" and not ProcessInstance.objects.get(pk=instance).has_incident


def test_a_failing_connector_is_an_incident_in_words_and_can_be_retried(live):
    weather = {"bad": True}

    @connector("tests.fragile")
    def fragile(step):
        outbox.enqueue_call("tests", {}, idempotency_key="fragile")
        if weather["bad"]:
            raise Refused("The warehouse is closed.")
        return {}

    services.deploy(SYSTEM, diagram("fragile", ENDS + service("work", "tests.fragile") + chain("start", "work", "end")))
    instance = services.start_process(SYSTEM, "fragile")
    incident = Incident.objects.get(instance_id=instance)
    assert incident.message == "The warehouse is closed." and not OutboxCall.objects.filter(kind="tests").exists()
    with pytest.raises(Refused):
        services.retry_incident(live.erin, incident.pk, "try")
    assert not services.retry_incident(live.mona, incident.pk, "again")
    weather["bad"] = False
    incident = Incident.objects.get(instance_id=instance, resolved=None)
    assert services.retry_incident(live.mona, incident.pk, "it is open now")
    assert ProcessInstance.objects.get(pk=instance).status == "completed"


CATCH = diagram(
    "catch",
    ENDS
    + user("before")
    + '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="paid"/></bpmn:intermediateCatchEvent>'
    + chain("start", "before", "wait", "end"),
    top='<bpmn:message id="paid" name="paid" tandem:correlation="order_id"/>',
)


def test_a_message_goes_to_one_and_waits_for_late_ones(live):
    services.deploy(SYSTEM, CATCH)
    erin = Actor.system("tests")
    first, second = (services.start_process(erin, "catch", data={"order_id": n}) for n in (1, 2))
    services.complete_task(erin, task_of(first).pk, {})
    assert services.correlate_message("paid", {"order_id": 1}, {"sum": 5}, idempotency_key="bank-1")
    assert services.correlate_message("paid", {"order_id": 1}, {"sum": 5}, idempotency_key="bank-1")
    assert ProcessInstance.objects.get(pk=first).status == "completed"
    assert not services.correlate_message("paid", {"order_id": 2}, {"sum": 6}, idempotency_key="bank-2")
    assert ProcessInstance.objects.get(pk=second).status == "running"
    services.complete_task(erin, task_of(second).pk, {})
    row = ProcessInstance.objects.get(pk=second)
    assert (row.status, row.data["sum"]) == ("completed", 6)
    assert MessageBuffer.objects.filter(taken=None).count() == 0


def test_a_long_run_goes_on_in_another_transaction(live):
    loop = diagram(
        "loop",
        ENDS
        + '<bpmn:scriptTask id="count" scriptFormat="python"><bpmn:script>n = n + 1</bpmn:script></bpmn:scriptTask>'
        + '<bpmn:exclusiveGateway id="again" default="again_end"/>'
        + chain("start", "count", "again")
        + flow("again", "count", "n &lt; 600")
        + flow("again", "end"),
    )
    services.deploy(SYSTEM, loop)
    instance = services.start_process(SYSTEM, "loop", data={"n": 0})
    assert ProcessInstance.objects.get(pk=instance).more
    run_due()
    row = ProcessInstance.objects.get(pk=instance)
    assert (row.status, row.data["n"], row.more) == ("completed", 600, False)


def test_a_long_run_sees_whether_others_write_to_sqlite(live):
    if connection.vendor != "sqlite":
        pytest.skip("a server has many writers")
    timers._others_write()
    MessageBuffer.objects.filter(pk=0).delete()
    assert not timers._others_write()
    with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"])) as other, other:
        other.execute("UPDATE portal_organisation SET name = name || '.'")
    assert timers._others_write() and not timers._others_write()


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OperationalError("database is locked")])
def test_an_answer_that_cant_be_taken_holds_up_no_other_call(live, monkeypatch, error):
    sent = []
    outbox.sender("tests")(lambda call: sent.append(call.idempotency_key))
    first, *others = [outbox.enqueue_call("tests", {}, idempotency_key=f"call-{number}").pk for number in range(3)]
    take = outbox._take_answer

    def broken(call, lease, answer):
        if call.pk == first:
            raise error
        take(call, lease, answer)

    monkeypatch.setattr(outbox, "_take_answer", broken)
    for _round in range(outbox.MAX_ATTEMPTS + 1):
        OutboxCall.objects.filter(pk=first).update(next_try=timezone.now() - timedelta(minutes=1))
        try:
            outbox.send_batch()
        except OperationalError:  # the batch ends, and what it hasn't come to is as due as before
            assert error.args == ("database is locked",)
            waiting = OutboxCall.objects.filter(pk__in=others, status="waiting")
            assert all((row.attempts, row.lease) == (0, "") and row.next_try <= timezone.now() for row in waiting)
    while outbox.send_batch():
        pass
    rows = {row.pk: row for row in OutboxCall.objects.filter(kind="tests")}
    assert rows[first].status == "failed" and [rows[pk].status for pk in others] == ["sent", "sent"]
    assert sorted(set(sent)) == ["call-0", "call-1", "call-2"] and sent.count("call-1") == sent.count("call-2") == 1
