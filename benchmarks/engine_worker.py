"""The engine measured on one database; a process of its own, because a database belongs to a process's settings.

Started by `benchmarks.engine`. Prints what it does to stderr and its figures as JSON to stdout.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import engine_diagrams as diagrams
from benchmarks.measure import cpu_seconds, percentile


class Meter:
    """Wall time and processor time of blocks, the database's own process included."""

    def __init__(self) -> None:
        from django.db import connection

        self.database: list[int] = []
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.database = [cursor.fetchone()[0]]

    def time(self, act: Callable[[], object], times: int) -> tuple[float, float]:
        """Milliseconds of wall and of processor for one act, over so many."""
        wall, cpu, other = time.perf_counter(), time.process_time(), cpu_seconds(self.database)
        for _ in range(times):
            act()
        spent = time.process_time() - cpu + cpu_seconds(self.database) - other
        return (time.perf_counter() - wall) / times * 1000, spent / times * 1000


def say(words: str) -> None:
    """Tell the reader what is being measured."""
    print(f"  {words}", file=sys.stderr, flush=True)


def rounds(measured: dict[str, tuple[Callable[[], object], int]], meter: Meter, times: int = 5) -> dict[str, dict[str, float]]:
    """Measure several things in turn, so that a noisy minute hits all of them; the median of the rounds."""
    for act, _count in measured.values():
        act()
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
    for _ in range(times):
        for name, (act, count) in measured.items():
            seen[name].append(meter.time(act, count))
    return {
        name: {
            "wall_ms": statistics.median(wall for wall, _cpu in pairs),
            "cpu_ms": statistics.median(cpu for _wall, cpu in pairs),
            "per_second": 1000 / statistics.median(wall for wall, _cpu in pairs),
        }
        for name, pairs in seen.items()
    }


def the_actor() -> Any:
    """An employee who may do everything that is measured."""
    from portal import demo

    world = demo.World()
    demo.seed(world)
    return world.actor("erin@northwind.example")


def prepare() -> None:
    """A new database with the people and the processes."""
    from django.core.management import call_command

    from portal.access import Actor
    from workflows import services

    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    for xml in diagrams.DIAGRAMS:
        services.deploy(Actor.system("bench"), xml)


def open_task(instance_id: int) -> int:
    """The task that waits in an instance."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM workflows_humantask WHERE instance_id = %s AND status = 'open'", [instance_id])
        return cursor.fetchone()[0]


def whole_instance(actor: Any, tasks: int = 3) -> Callable[[], None]:
    """Start and do every step of a process through the services; where a person's page knows the next step's id, so does this."""
    from workflows import services

    def one() -> None:
        task = open_task(services.start_process(actor, f"row{tasks}", data=diagrams.payload()))
        for number in range(tasks):
            done = services.complete_task(actor, task, {f"f{number}": "x" * 50}, idempotency_key=f"k{number}")
            task = done.next_task_id or 0

    return one


def raw_instance() -> Callable[[], None]:
    """The same engine and the same facts (instance, task, history), written with plain SQL statements: what the ORM costs."""
    from datetime import UTC, datetime

    from django.db import connection, transaction

    from bpmn import engine
    from workflows import definitions

    row = definitions.current("row3")
    assert row is not None
    definition = definitions.load(row.digest)
    serial = "integer PRIMARY KEY" if connection.vendor == "sqlite" else "bigserial PRIMARY KEY"
    blob = "blob" if connection.vendor == "sqlite" else "bytea"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS raw_instance (id {serial}, version int NOT NULL, status text, state {blob})")
        cursor.execute("CREATE TABLE IF NOT EXISTS raw_task (engine_id text PRIMARY KEY, instance int, name text, done int)")
        cursor.execute("CREATE TABLE IF NOT EXISTS raw_history (instance int, element text, state text, at text)")
        cursor.execute("CREATE INDEX IF NOT EXISTS raw_history_instance ON raw_history (instance)")
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""

    def keep(cursor: Any, pk: int, outcome: Any) -> str:
        for task in outcome.user_tasks:
            cursor.execute("INSERT INTO raw_task VALUES (%s, %s, %s, 0)", [task.id, pk, task.element_id])
        lines = [value for h in outcome.history for value in (pk, h.element_id, h.state, h.ended.isoformat())]
        cursor.execute("INSERT INTO raw_history VALUES " + ", ".join(["(%s, %s, %s, %s)"] * len(outcome.history)), lines)
        return outcome.user_tasks[0].id if outcome.user_tasks else ""

    def one() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            outcome = engine.start(definition, diagrams.payload(), host=None, now=datetime.now(UTC))
            cursor.execute("INSERT INTO raw_instance (version, status, state) VALUES (1, 'running', %s) RETURNING id", [outcome.state])
            pk = cursor.fetchone()[0]
            task = keep(cursor, pk, outcome)
        for number in range(3):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SELECT version, state FROM raw_instance WHERE id = %s{lock}", [pk])
                version, state = cursor.fetchone()
                outcome = engine.complete(definition, bytes(state), task, {f"f{number}": "x" * 50}, host=None, now=datetime.now(UTC))
                sql = "UPDATE raw_instance SET version = version + 1, status = %s, state = %s WHERE id = %s AND version = %s"
                cursor.execute(sql, [outcome.status, outcome.state, pk, version])
                cursor.execute("UPDATE raw_task SET done = 1 WHERE engine_id = %s", [task])
                task = keep(cursor, pk, outcome)

    return one


def durable(wish: argparse.Namespace) -> dict[str, Any]:
    """Figure 1: share of the engine in memory; a completion in a process of 100 tasks against one of 2."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from workflows import services

    say("start, three user tasks, end: in memory, raw SQL, through the services")
    actor, meter = the_actor(), Meter()
    acts = {
        "memory": (diagrams.stock_in_memory(), 100),
        "raw": (raw_instance(), 20),
        "services": (whole_instance(actor), 20),
    }
    found: dict[str, Any] = rounds(acts, meter, wish.rounds)
    for name in ("raw", "services"):
        found[name]["share"] = found["memory"]["wall_ms"] / found[name]["wall_ms"]
        found[name]["cpu_share"] = found["memory"]["cpu_ms"] / found[name]["cpu_ms"]
    with CaptureQueriesContext(connection) as caught:
        task = open_task(services.start_process(actor, "row3", data=diagrams.payload()))
    found["statements_start"] = len(caught) - 1
    with CaptureQueriesContext(connection) as caught:
        services.complete_task(actor, task, {"f0": "x"}, idempotency_key="k")
    found["statements_step"] = len(caught)

    say("a completion in a process of 2 and of 100 user tasks")
    steps = {count: completions(actor, f"row{count}", count - 1) for count in (2, 100)}
    both = rounds({str(count): (act, 60) for count, act in steps.items()}, meter, wish.rounds)
    found["of_2"], found["of_100"] = both["2"], both["100"]
    found["growth_100"] = both["100"]["cpu_ms"] / both["2"]["cpu_ms"]
    return found


def completions(actor: Any, key: str, length: int) -> Callable[[], None]:
    """Complete one step after the other that isn't an instance's last; a new instance is begun where one has no such step left.
    Instances are begun outside of the measured steps."""
    from workflows import services

    ready: list[tuple[int, int]] = []

    def refill() -> None:
        from django.db import transaction

        with transaction.atomic():
            for _ in range(400 // length):
                ready.append((open_task(services.start_process(actor, key, data=diagrams.payload())), 0))

    refill()

    def one() -> None:
        if not ready:
            refill()
        task, number = ready.pop()
        done = services.complete_task(actor, task, {f"f{number}": "x" * 50}, idempotency_key=f"k{number}")
        if number + 1 < length:
            ready.append((done.next_task_id or 0, number + 1))

    return one


def long_lives(wish: argparse.Namespace) -> dict[str, Any]:
    """Figure 2: one more step with so many completed, and the bytes of state."""
    from workflows import services
    from workflows.models import ProcessInstance

    actor, meter, found = the_actor(), Meter(), {}
    lengths = [10, 100, 1000, *([5000] if wish.full else [])]
    say(f"one more step after {', '.join(f'{n:,}' for n in lengths)} completed")
    alive: dict[str, list[int]] = {}
    for length in lengths:
        instance = services.start_process(actor, "steps", data=diagrams.payload())
        task = open_task(instance)
        for number in range(length):
            task = services.complete_task(actor, task, {"f0": "x" * 50}, idempotency_key=f"k{number}").next_task_id or 0
        alive[str(length)] = [task, instance]

    def step(name: str) -> Callable[[], None]:
        def one() -> None:
            alive[name][0] = services.complete_task(actor, alive[name][0], {"f0": "x" * 50}, idempotency_key="k").next_task_id or 0

        return one

    found["steps"] = rounds({name: (step(name), 40) for name in alive}, meter, wish.rounds)
    found["bytes"] = {name: len(ProcessInstance.objects.get(pk=pair[1]).state) for name, pair in alive.items()}
    first, last = str(lengths[0]), str(lengths[-1])
    found["growth"] = found["steps"][last]["cpu_ms"] / found["steps"][first]["cpu_ms"]
    return found


def clone(instance_id: int, count: int) -> None:
    """So many more instances that stand where this one stands, written by the database itself: instance, tasks, timers, waits, history."""
    from django.db import connection

    from workflows.models import HistoryEvent, HumanTask, MessageWait, ProcessInstance, Timer

    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM workflows_processinstance")
        base = cursor.fetchone()[0]
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        if connection.vendor == "postgresql":
            numbers = f"WITH n(i) AS (SELECT generate_series(1, {count}))"
        for model, owner in ((ProcessInstance, "id"), (HumanTask, ""), (Timer, ""), (MessageWait, ""), (HistoryEvent, "")):
            columns = [field.column for field in model._meta.concrete_fields]
            if not owner:
                columns.remove("id")
            values = ", ".join(f"{base} + n.i" if column == (owner or "instance_id") else f's."{column}"' for column in columns)
            names = ", ".join(f'"{column}"' for column in columns)
            table, key = model._meta.db_table, owner or "instance_id"
            cursor.execute(f"INSERT INTO {table} ({names}) {numbers} SELECT {values} FROM n, {table} s WHERE s.{key} = {instance_id}")
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('workflows_processinstance', 'id'), max(id)) FROM workflows_processinstance"
            )
        cursor.execute("ANALYZE")


def crowds(wish: argparse.Namespace) -> dict[str, Any]:
    """Figure 3: the time of a step with more and more instances in the table."""
    import random

    from workflows import services
    from workflows.models import HumanTask, ProcessInstance

    actor, meter, found = the_actor(), Meter(), {}
    sizes = [1000, 10_000, *([100_000] if wish.full else [])]
    say(f"a step among {', '.join(f'{n:,}' for n in sizes)} instances")
    chance = random.Random(3)
    for size in sizes:
        source = services.start_process(actor, "row3", data=diagrams.payload())
        clone(source, max(400, size - ProcessInstance.objects.count()))
        waiting = list(HumanTask.objects.filter(instance_id__gte=source, status="open").values_list("pk", flat=True))
        chance.shuffle(waiting)
        take = iter(waiting)
        act = lambda take=take: services.complete_task(actor, next(take), {"f0": "x" * 50}, idempotency_key="k")  # noqa: E731
        found[str(size)] = rounds({"step": (act, 40)}, meter, wish.rounds)["step"]
    found["growth"] = found[str(sizes[-1])]["cpu_ms"] / found[str(sizes[0])]["cpu_ms"]
    return found


@contextlib.contextmanager
def helpers(count: int, kind: str) -> Iterator[list[subprocess.Popen]]:
    """Other processes of the same database that are set up and wait for a line on their input."""
    words = [sys.executable, "-m", "benchmarks.engine_worker", "--help-with", kind]
    children = [
        subprocess.Popen([*words, "--share", f"{number}/{count}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(count)
    ]
    try:
        for child in children:
            assert child.stdout is not None and child.stdout.readline().strip() == "ready"
        yield children
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()


def let_go(children: list[subprocess.Popen], line: str = "go") -> tuple[float, float]:
    """Let all begin at once, wait for their word; wall and processor seconds."""
    began, before = time.perf_counter(), cpu_seconds(child.pid for child in children)
    for child in children:
        assert child.stdin is not None
        child.stdin.write(f"{line}\n")
        child.stdin.flush()
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    return time.perf_counter() - began, cpu_seconds(child.pid for child in children) - before


def help_with(kind: str, share: str) -> None:
    """What a helping process does when it is let go."""
    from workflows import services
    from workflows.services.timers import run_due

    number, count = (int(part) for part in share.split("/"))
    print("ready", flush=True)
    for line in sys.stdin:
        if kind == "timers":
            while run_due(seconds=600):
                pass
        elif kind == "messages":
            first, last = (int(part) for part in line.split("-"))
            for order in range(first, last):
                if order % count == number:
                    services.correlate_message("paid", {"order_id": order}, {"sum": 5}, idempotency_key=f"bank-{order}")
        elif kind == "loops":
            end = time.monotonic() + float(line)
            while time.monotonic() < end:
                services.start_process(the_actor(), "rounds", data={"n": 0})
                run_due(seconds=1)
        print("done", flush=True)


def floods(wish: argparse.Namespace) -> dict[str, Any]:
    """Figure 4: many timers due at one moment, many messages to as many who wait; by one worker and by two."""
    found: dict[str, Any] = {"count": wish.timers}
    for workers in (1, 2):
        say(f"{wish.timers:,} timers due at once, and {wish.timers:,} messages, by {workers} worker{'s' if workers > 1 else ''}")
        found[f"timers_{workers}"] = flood_of_timers(wish.timers, workers)
        found[f"messages_{workers}"] = flood_of_messages(wish.timers, workers, base=workers * 1_000_000)
    return found


def flood_of_timers(count: int, workers: int) -> dict[str, Any]:
    """Each fired once, and how long it took."""
    from workflows import services
    from workflows.models import HumanTask, Timer

    before = HumanTask.objects.filter(element_id="after").count()
    instance = services.start_process(the_actor(), "alarm", data=diagrams.payload())
    clone(instance, count - 1)
    time.sleep(1.1)
    with helpers(workers, "timers") as children:
        wall, cpu = let_go(children)
    fired = HumanTask.objects.filter(element_id="after", instance_id__gte=instance)
    once = fired.count() == fired.values("instance_id").distinct().count() == count and not Timer.objects.exists()
    return {
        "seconds": wall,
        "cpu_ms": cpu / count * 1000,
        "per_second": count / wall,
        "once": once and before + count == before + fired.count(),
    }


def flood_of_messages(count: int, workers: int, base: int) -> dict[str, Any]:
    """Each taken once by the one who waits for it."""
    from workflows import services
    from workflows.correlation import digest_of
    from workflows.models import HumanTask, MessageBuffer, MessageWait

    instance = services.start_process(the_actor(), "catch", data={**diagrams.payload(), "order_id": base})
    clone(instance, count - 1)
    waits = list(MessageWait.objects.filter(instance_id__gte=instance).order_by("pk"))
    for number, wait in enumerate(waits):
        wait.key_digest = digest_of({"order_id": base + number})[1]
    MessageWait.objects.bulk_update(waits, ["key_digest"], batch_size=300)
    with helpers(workers, "messages") as children:
        wall, cpu = let_go(children, f"{base}-{base + count}")
    took = HumanTask.objects.filter(element_id="after", instance_id__gte=instance)
    once = took.count() == took.values("instance_id").distinct().count() == count
    once = once and MessageBuffer.objects.filter(taken=None).count() == 0
    return {"seconds": wall, "cpu_ms": cpu / count * 1000, "per_second": count / wall, "once": once}


def company(wish: argparse.Namespace) -> dict[str, Any]:
    """Figure 5: 200 people at once; interactive steps beside a loop of 1,000 rounds."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from workflows import services
    from workflows.models import HumanTask

    say("200 people asked at once")
    actor, meter = the_actor(), Meter()
    with CaptureQueriesContext(connection) as caught:
        begun = time.perf_counter()
        instance = services.start_process(actor, "people", data=diagrams.payload())
        start_ms = (time.perf_counter() - begun) * 1000
    votes = iter(list(HumanTask.objects.filter(instance_id=instance, status="open").order_by("pk").values_list("pk", flat=True)))
    wall, cpu = meter.time(lambda: services.complete_task(actor, next(votes), {}, idempotency_key="k"), 200)
    found: dict[str, Any] = {"people_start_ms": start_ms, "people_statements": len(caught), "people_vote": {"wall_ms": wall, "cpu_ms": cpu}}

    say("interactive steps beside a loop of 1,000 rounds")
    step = completions(actor, "row2", 1)

    def waits(seconds: float) -> list[float]:
        """A person's step every 30 ms, as people do them, not as fast as can be."""
        seen, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.perf_counter()
            step()
            seen.append(time.perf_counter() - begun)
            time.sleep(0.03)
        return seen

    waits(1)
    alone = waits(wish.seconds)
    with helpers(1, "loops") as children:
        stdin = children[0].stdin
        assert stdin is not None
        stdin.write(f"{wish.seconds + 1}\n")
        stdin.flush()
        time.sleep(0.5)
        beside = waits(wish.seconds)
    found["alone_p95"], found["beside_p95"] = percentile(alone, 0.95), percentile(beside, 0.95)
    found["alone_p50"], found["beside_p50"] = percentile(alone, 0.5), percentile(beside, 0.5)
    return found


def resident() -> float:
    """Kilobytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def sizes(wish: argparse.Namespace) -> dict[str, Any]:
    """Figure 6: reading and publishing a diagram, and the memory of 1,000 instances touched."""
    from bpmn.parser import parse
    from portal.access import Actor
    from workflows import services

    say("reading, publishing, memory")
    meter = Meter()
    versions = iter(range(100_000))  # what was read before is remembered: each must be new
    new = lambda count: diagrams.row_of_tasks(count) + f"<!-- {next(versions)} -->".encode()  # noqa: E731
    acts = {
        "parse_3": (lambda: parse(new(3)), 5),
        "parse_100": (lambda: parse(new(100)), 2),
        "deploy_3": (
            lambda: services.deploy(Actor.system("bench"), diagrams.row_of_tasks(3, "again") + f"<!-- {next(versions)} -->".encode()),
            3,
        ),
    }
    found: dict[str, Any] = rounds(acts, meter, wish.rounds)
    one = whole_instance(the_actor())
    for _ in range(30):
        one()
    before = resident()
    for _ in range(1000 if wish.full else 300):
        one()
    grown = resident() - before
    found["kilobytes_per_1000"] = grown * (1 if wish.full else 1000 / 300)
    return found


FIGURES = {"durable": durable, "history": long_lives, "crowds": crowds, "floods": floods, "company": company, "sizes": sizes}


def main() -> int:
    """Set Django up on the database that the environment names, and measure."""
    import django

    django.setup()
    parser = argparse.ArgumentParser()
    parser.add_argument("--help-with", default="")
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--figures", default=",".join(FIGURES))
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--timers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    wish = parser.parse_args()
    if wish.help_with:
        help_with(wish.help_with, wish.share)
        return 0
    prepare()
    found = {name: FIGURES[name](wish) for name in wish.figures.split(",")}
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        found["version"] = f"{connection.display_name} {cursor.fetchone()[0].split()[0]}"
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    sys.exit(main())
