"""Workers killed in the midst of their work (kill -9): nothing is lost, nothing done twice, calls are repeated only under their key."""

from __future__ import annotations

import collections
import logging
import os
import random
import signal
import time

import pytest
from django.db import connection, connections
from django.utils import timezone

from bpmn.model import PENDING
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, service
from workflows import services
from workflows.connector_registry import connector
from workflows.models import HistoryEvent, Incident, MessageBuffer, MessageWait, OutboxCall, ProcessInstance, Timer
from workflows.services import outbox
from workflows.services.timers import run_due

STEPS = ("start", "soon", "outside", "paid", "count", "end")
LOAD = diagram(
    "load",
    ENDS
    + '<bpmn:intermediateCatchEvent id="soon"><bpmn:timerEventDefinition><bpmn:timeDuration>PT0.1S</bpmn:timeDuration>'
    + "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    + service("outside", "tests.call_under_load")
    + '<bpmn:intermediateCatchEvent id="paid"><bpmn:messageEventDefinition messageRef="payment"/></bpmn:intermediateCatchEvent>'
    + '<bpmn:scriptTask id="count" scriptFormat="python"><bpmn:script>passed = passed + 1</bpmn:script></bpmn:scriptTask>'
    + chain(*STEPS),
    top='<bpmn:message id="payment" name="payment" tandem:correlation="order_id"/>',
)


@connector("tests.call_under_load")
def call_under_load(step):
    """A call that is answered from outside."""
    outbox.enqueue_call(
        "load", {"order": step.data["order_id"]}, idempotency_key=f"load:{step.idempotency_key}", instance_id=step.instance_id,
        element_id=step.element_id, waiting_step=step.task_id,
    )  # fmt: skip
    return PENDING


def work_until_killed(log: int) -> None:
    """What a worker does all day; never returns."""
    logging.disable(logging.CRITICAL)
    connections.close_all()

    def send(call: OutboxCall) -> dict:
        os.write(log, f"{call.idempotency_key}\n".encode())  # the world outside has seen it
        services.correlate_message("payment", {"order_id": call.payload["order"]}, {}, idempotency_key=f"bank:{call.idempotency_key}")
        return {}

    outbox.sender("load")(send)
    while True:
        run_due(seconds=0.2)
        outbox.send_batch(limit=5)


def one_worker(log: int) -> int:
    """A process of its own, forked so that it needn't start from nothing; gives its id."""
    pid = os.fork()
    if pid == 0:
        try:
            work_until_killed(log)
        finally:
            os._exit(1)
    return pid


def under_fire(tmp_path, instances: int, seconds: float, workers: int, seed: int) -> int:
    """Start instances, let workers be killed every now and then, finish the rest; gives how many were killed."""
    services.deploy(SYSTEM, LOAD)
    ids = [services.start_process(SYSTEM, "load", data={"order_id": n, "passed": 0}) for n in range(instances)]
    chance, kills = random.Random(seed), 0
    log = os.open(tmp_path / "sent", os.O_CREAT | os.O_RDWR | os.O_APPEND)
    connection.close()  # a fork must not share it
    crew = [one_worker(log) for _ in range(workers)]
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.02, 0.25))
            victim = crew.pop(chance.randrange(len(crew)))
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            kills += 1
            crew.append(one_worker(log))
    finally:
        for pid in crew:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    finish(log, ids)
    check(tmp_path, ids)
    os.close(log)
    return kills


def finish(log: int, ids: list[int]) -> None:
    """What the next workers would do: leases run out, and all goes on."""

    def send(call: OutboxCall) -> dict:
        os.write(log, f"{call.idempotency_key}\n".encode())
        services.correlate_message("payment", {"order_id": call.payload["order"]}, {}, idempotency_key=f"bank:{call.idempotency_key}")
        return {}

    outbox.sender("load")(send)
    for _round in range(20):
        OutboxCall.objects.filter(status="waiting").update(next_try=timezone.now())
        while outbox.send_batch() or run_due(seconds=5):
            pass
        if not ProcessInstance.objects.filter(pk__in=ids, status="running").exists():
            return
        time.sleep(0.1)


def check(tmp_path, ids: list[int]) -> None:
    """Every token came through once, every call went out under its one key."""
    assert not Incident.objects.exists()
    for pk in ids:
        row = assert_consistent(pk)
        assert (row.status, row.data["passed"]) == ("completed", 1)
    passed = collections.Counter(HistoryEvent.objects.filter(state="completed").values_list("instance_id", "element_id"))
    assert passed == {(pk, step): 1 for pk in ids for step in STEPS}
    sent = (tmp_path / "sent").read_text().split()
    known = list(OutboxCall.objects.values_list("idempotency_key", "status"))
    assert len(known) == len(ids) and {status for _key, status in known} == {"sent"}
    assert set(sent) == {key for key, _status in known}
    assert not Timer.objects.exists() and not MessageWait.objects.exists() and not MessageBuffer.objects.filter(taken=None).exists()


def test_workers_killed_under_load_lose_and_double_nothing(transactional_db, tmp_path):
    assert under_fire(tmp_path, instances=40, seconds=4, workers=2, seed=1) > 5


@pytest.mark.fuzz
@pytest.mark.skipif("ROUNDS" not in os.environ, reason="a minute long: make fuzz")
def test_workers_killed_for_a_minute(transactional_db, tmp_path):
    assert under_fire(tmp_path, instances=1500, seconds=60, workers=3, seed=random.randrange(10**6)) > 100
