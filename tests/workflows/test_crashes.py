"""A crash at every statement of every kind of step: all of it or nothing, and the next try finishes it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from bpmn.model import PENDING
from portal import rows
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, flow, service, user
from tests.workflows.test_exactness import FACTS, together
from tests.workflows.wire import CUTS, Wire, assert_pool_is_sound, wired
from tests.world import build_people
from workflows import services
from workflows.connector_registry import connector
from workflows.models import HistoryEvent, HumanTask, Incident, MessageBuffer, OutboxCall, ProcessInstance, Timer
from workflows.services import outbox, timers

HOUR = timedelta(hours=1)


@connector("tests.ask_outside")
def ask_outside(step):
    """A service step that waits for an answer from outside."""
    outbox.enqueue_call(
        "tests", {}, idempotency_key=f"out:{step.idempotency_key}", instance_id=step.instance_id, element_id=step.element_id,
        waiting_step=step.task_id,
    )  # fmt: skip
    return PENDING


# start → ask → outside (a call that is answered) → timer of an hour → message → two branches with a task each → end
ROAD = diagram(
    "road",
    ENDS
    + user("ask", 'tandem:stage="asked"')
    + service("outside", "tests.ask_outside")
    + '<bpmn:intermediateCatchEvent id="hour"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration>'
    + "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    + '<bpmn:intermediateCatchEvent id="paid"><bpmn:messageEventDefinition messageRef="payment"/></bpmn:intermediateCatchEvent>'
    + '<bpmn:parallelGateway id="fork"/>'
    + user("left", 'tandem:stage="both"')
    + user("right")
    + '<bpmn:parallelGateway id="join"/>'
    + chain("start", "ask", "outside", "hour", "paid", "fork", "left", "join", "end")
    + flow("fork", "right")
    + flow("right", "join"),
    top='<bpmn:message id="payment" name="payment" tandem:correlation="order_id"/>',
)


class Lost(OperationalError):
    """The database is gone."""


class Crash:
    """Fails the nth statement: before it runs, after it ran, or by ending the connection from the server's side."""

    def __init__(self, number: int, how: str) -> None:
        self.number, self.how, self.count, self.hit = number, how, 0, False
        self.listening = connection.execute_wrapper(self)

    def __enter__(self) -> Crash:
        self.listening.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        self.listening.__exit__(*failure)
        if self.hit:
            connection.close()  # what is said to be lost is lost

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        if self.count != self.number:
            return execute(sql, params, many, context)
        self.hit = True
        if self.how == "after":
            execute(sql, params, many, context)
        elif self.how == "killed":
            execute("SELECT pg_terminate_backend(pg_backend_pid())", None, False, context)
        raise Lost(f"lost at {sql[:80]}")


class Cut:
    """Cuts the wire at the nth message, which may hold several statements; nothing listens on the way, so that they do go together."""

    def __init__(self, wire: Wire, number: int, how: str) -> None:
        self.wire, self.number, self.how = wire, number, how

    def __enter__(self) -> Cut:
        self.wire.cut(self.number, self.how)
        return self

    def __exit__(self, *_failure: object) -> None:
        self.hit = self.wire.hit
        self.wire.cut(0, "")


class Between:
    """Stops PostgreSQL in the nth gap between two statements of one message: the whole connection, or only what it does just now."""

    def __init__(self, number: int, how: str) -> None:
        self.number, self.how, self.count, self.hit = number, how, 0, False
        self.patch = pytest.MonkeyPatch()

    def __enter__(self) -> Between:
        flush = rows.Together.flush

        def broken(together: rows.Together) -> int:
            gaps = len(together.waiting) - 1
            place = self.number - self.count
            self.count += max(gaps, 0)
            if 0 < place <= gaps:
                self.hit = True
                together.waiting.insert(place, (f"SELECT {STOPS[self.how]}(pg_backend_pid()), pg_sleep(1)", []))
            return flush(together)

        self.patch.setattr(rows.Together, "flush", broken)
        return self

    def __exit__(self, *_failure: object) -> None:
        self.patch.undo()


STOPS = {"killed between": "pg_terminate_backend", "stopped between": "pg_cancel_backend"}


@contextlib.contextmanager
def failing_commit() -> Iterator[None]:
    """The machine stops when everything is written and nothing is committed."""
    patch = pytest.MonkeyPatch()

    def refuse(self) -> None:
        raise Lost("lost at COMMIT")

    patch.setattr(BaseDatabaseWrapper, "_commit", refuse)
    try:
        yield
    finally:
        patch.undo()


def facts() -> list[list[str]]:
    """Everything that a step may change; how often a timer or call was tried isn't."""
    without = {Timer: ("engine_id", "instance_id"), OutboxCall: ("idempotency_key", "status")}
    return [sorted(map(repr, model.objects.values_list(*without.get(model, fields)))) for model, fields in FACTS]


def crash_everywhere(
    act: Callable[[], object], after: Callable[[], bool], again: Callable[[], object], crash_at: Callable[[int], Any]
) -> int:
    """Run an act with a crash at its first statement, its second, and so on, until it comes through; gives how many crashes it had.

    `again` makes a postponed act due once more; `after` says whether the act has been done.
    """
    before, number = facts(), 0
    while True:
        number += 1
        raised = False
        try:
            with crash_at(number) as crash:
                act()
        except (OperationalError, InterfaceError):
            raised = True
        if crash.hit:
            close_old_connections()  # as every web process and worker does behind a request or job
            if connection.vendor == "postgresql":
                assert_pool_is_sound()
        if not crash.hit and not raised:
            assert after(), "it went through and did nothing"
            return number - 1
        if after():  # the crash came after the commit: nothing may be left to do
            return number - 1
        assert facts() == before, f"statement {number} left something behind"
        again()
        assert number < 200


@pytest.fixture
def live(transactional_db):
    """People, and the road published."""
    cast = build_people()
    services.deploy(SYSTEM, ROAD)
    outbox.sender("tests")(lambda call: {"answer": call.idempotency_key})
    yield cast
    close_old_connections()


def open_tasks() -> set[str]:
    return set(HumanTask.objects.filter(status="open").values_list("element_id", flat=True))


def came_to(*elements: str) -> Callable[[], bool]:
    """Whether the tokens stand exactly here."""
    return lambda: sorted(ProcessInstance.objects.values_list("active", flat=True).first() or []) == sorted(elements)


@pytest.fixture
def wire(live):
    """The wire to the server."""
    if connection.vendor != "postgresql" or not connection.settings_dict["HOST"] or connection.settings_dict["HOST"].startswith("/"):
        pytest.skip("there is no wire that could be cut")
    with wired() as wire:
        yield wire


@pytest.mark.parametrize("how", ["before", "after", "killed", *STOPS])
def test_a_crash_at_every_statement_of_a_whole_road(live, how, monkeypatch):
    if how not in ("before", "after") and connection.vendor != "postgresql":
        pytest.skip("there is no server that could end the connection")
    if how in STOPS:
        assert all(crash_on_the_road(live, monkeypatch, lambda number: Between(number, how)).values())
    else:
        counts = crash_on_the_road(live, monkeypatch, lambda number: Crash(number, how))
        assert all(number >= 4 for number in counts.values()), counts  # the act was crashed at several statements, not just once


@pytest.mark.parametrize("how", CUTS)
def test_the_wire_is_cut_at_every_message_of_a_whole_road(live, wire, how, monkeypatch):
    counts = crash_on_the_road(live, monkeypatch, lambda number: Cut(wire, number, how))
    assert all(number >= 3 for number in counts.values()), counts


def test_the_last_statements_of_a_step_leave_in_one_message(live, wire):
    services.start_process(live.erin, "road", data={"order_id": 5})
    task = HumanTask.objects.get().pk
    wire.cut(0, "")
    services.complete_task(live.erin, task, {})
    assert [text for text in wire.questions if text.startswith(b"UPDATE") and b";UPDATE" in text and b";INSERT" in text]


def crash_on_the_road(live, monkeypatch, crash_at: Callable[[int], Any]) -> dict[str, int]:
    """Walk the whole road with crashes everywhere; gives how many each act had."""
    erin, counts = live.erin, {}
    nothing = lambda: None  # noqa: E731

    def do(name: str, act: Callable[[], object], after: Callable[[], bool], again: Callable[[], object] = nothing) -> None:
        with failing_commit(), contextlib.suppress(Lost):
            act()
        again()
        counts[name] = crash_everywhere(act, after, again, crash_at)
        for pk in ProcessInstance.objects.values_list("pk", flat=True):
            assert_consistent(pk)

    start = lambda: services.start_process(erin, "road", data={"order_id": 5}, idempotency_key="one")  # noqa: E731
    do("start", start, came_to("ask"))
    instance = start()
    assert ProcessInstance.objects.count() == 1

    task = HumanTask.objects.get()
    do("complete", lambda: services.complete_task(erin, task.pk, {}, idempotency_key="k"), came_to("outside"))
    assert services.complete_task(erin, task.pk, {}, idempotency_key="k").repeated

    due_again = lambda: OutboxCall.objects.filter(status="waiting").update(next_try=timezone.now(), attempts=0, lease="")  # noqa: E731
    do("outbox", outbox.send_batch, came_to("hour"), due_again)
    call = OutboxCall.objects.get()
    assert (call.status, call.answer["answer"]) == ("sent", call.idempotency_key)

    later = timezone.now() + 2 * HOUR
    monkeypatch.setattr(timezone, "now", lambda: later)
    timer = Timer.objects.get()
    due = timer.due
    due_timer = lambda: Timer.objects.filter(pk=timer.pk).update(due=due, attempts=0, last_error="")  # noqa: E731
    do("timer", lambda: timers.fire_timer(timer.pk, instance), came_to("paid"), due_timer)

    send = lambda: services.correlate_message("payment", {"order_id": 5}, {"sum": 7}, idempotency_key="bank-5")  # noqa: E731
    do("message", lambda: send() or timers.run_due(seconds=0), came_to("left", "right"))
    assert MessageBuffer.objects.get().taken_by_id == instance

    for element in ("left", "right"):
        pk = HumanTask.objects.get(element_id=element).pk
        done = lambda pk=pk: HumanTask.objects.get(pk=pk).status == "done"  # noqa: E731
        do(element, lambda pk=pk: services.complete_task(erin, pk, {}, idempotency_key="k"), done)
    row = assert_consistent(instance)
    assert (row.status, row.data["sum"], Incident.objects.count()) == ("completed", 7, 0)
    passed = list(HistoryEvent.objects.filter(state="completed").values_list("element_id", flat=True))
    assert sorted(passed) == sorted(["start", "ask", "outside", "hour", "paid", "fork", "left", "right", "join", "end"])
    return counts


RACE = diagram(
    "race",
    ENDS
    + user("work")
    + '<bpmn:boundaryEvent id="late" attachedToRef="work"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration>'
    + '</bpmn:timerEventDefinition></bpmn:boundaryEvent><bpmn:boundaryEvent id="told" attachedToRef="work">'
    + '<bpmn:messageEventDefinition messageRef="stop"/></bpmn:boundaryEvent>'
    + user("after_work") + user("after_late") + user("after_told")
    + chain("start", "work", "after_work", "end") + chain("late", "after_late", "end") + chain("told", "after_told", "end"),
    top='<bpmn:message id="stop" name="stop" tandem:correlation="order_id"/>',
)  # fmt: skip


def test_completion_timer_message_and_cancel_race_on_one_instance(live, monkeypatch):
    services.deploy(SYSTEM, RACE)
    now = timezone.now()
    for number in range(6):
        monkeypatch.setattr(timezone, "now", lambda: now)
        instance = services.start_process(live.erin, "race", data={"order_id": number})
        task, timer = HumanTask.objects.get(instance=instance), Timer.objects.get(instance=instance)
        monkeypatch.setattr(timezone, "now", lambda: now + 2 * HOUR)
        acts = [
            lambda task=task: services.complete_task(live.erin, task.pk, {}),
            lambda timer=timer: timers.fire_timer(timer.pk, timer.instance_id),
            lambda number=number: services.correlate_message("stop", {"order_id": number}, {}),
        ]
        if number % 2:
            acts.append(lambda instance=instance: services.cancel_instance(live.mona, instance, "race"))
        together(*acts)
        row = assert_consistent(instance)
        ways = HumanTask.objects.filter(instance=instance).exclude(element_id="work").count()
        assert ways == 1 if row.status == "running" else ways <= 1
        assert row.status == ("cancelled" if number % 2 else "running")
        assert not Timer.objects.filter(instance=instance).exists()
