"""`make bench ARGS=monitor`: what the monitor costs among 100 and among 100,000 instances, in the same process one after the other.

    --databases sqlite,postgresql   which (PostgreSQL: DATABASE_URL's server, else the one on 127.0.0.1; left out where there is none)
    --many 100000                   how many instances are many
    --rounds 15                     how often each page is read; medians are compared

One table on the screen, the same as JSON in `.tandem/bench-monitor.json`. A page is a request through Django, without a socket.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from typing import Any

from benchmarks import portal as bench
from benchmarks.engine import fresh_postgres
from benchmarks.measure import spent

PAGES = [  # name, address; {place} is that of the second page
    ("list, newest first", "/work/processes/running/"),
    ("list, its second page", "/work/processes/running/?page={place}"),
    ("list, most money first", "/work/processes/running/?sort=worth"),
    ("list of one process that runs", "/work/processes/running/?process=measured&status=running"),
    ("list of one person", "/work/processes/running/?person={person}"),
    ("list older than a week", "/work/processes/running/?age=7"),
    ("list by words of the title", "/work/processes/running/?q=measured"),
    ("map of a process", "/work/processes/p/measured/map/"),
]
GOAL = 1.3


def fill(total: int) -> None:
    """Bring the instances of one process up to a number, by copying a hundred: half of them run, the others have ended; each has a task."""
    from django.db import connection, transaction

    from workflows.models import HistoryEvent, HumanTask, InstanceSubject, ProcessInstance

    known = ProcessInstance.objects.count()
    if not known:
        _first_hundred()
        known = ProcessInstance.objects.count()
    last = ProcessInstance.objects.latest("pk").pk
    task = HumanTask.objects.order_by("pk").first().pk
    with transaction.atomic(), connection.cursor() as cursor:
        times = -(-total // known) - 1
        numbers = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {times})"  # noqa: S608
        columns = [f.column for f in ProcessInstance._meta.concrete_fields if not f.primary_key]
        copied = ["title || ' ' || n" if name == "title" else name for name in columns]
        table = ProcessInstance._meta.db_table
        if times:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) {numbers} SELECT {', '.join(copied)} FROM {table}, n WHERE id <= {last}"  # noqa: S608
                if connection.vendor == "sqlite"
                else f"{numbers} INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(copied)} FROM {table}, n WHERE id <= {last}"  # noqa: S608
            )
        columns = [f.column for f in HumanTask._meta.concrete_fields if not f.primary_key]
        own = {"instance_id": "i.id", "status": "CASE WHEN i.status = 'running' THEN 'open' ELSE 'done' END"}
        words = ", ".join(own.get(name, f"t.{name}") for name in columns)
        cursor.execute(
            f"INSERT INTO {HumanTask._meta.db_table} ({', '.join(columns)}) SELECT {words} FROM {table} i, {HumanTask._meta.db_table} t"  # noqa: S608
            f" WHERE i.id > {last if times else 1} AND t.id = {task}"
        )
    with connection.cursor() as cursor:
        for model in (ProcessInstance, HumanTask, HistoryEvent, InstanceSubject):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def _first_hundred() -> None:
    """A hundred instances like one that really runs."""
    from datetime import timedelta

    from django.utils import timezone

    from portal.access import Actor
    from tests.workflows.diagrams import ENDS, chain, diagram, user
    from workflows import services
    from workflows.models import ProcessInstance

    system, now = Actor.system("benchmark"), timezone.now()
    services.deploy(system, diagram("measured", ENDS + user("ask", name="Ask") + user("send") + chain("start", "ask", "send", "end")))
    model = ProcessInstance.objects.get(pk=services.start_process(system, "measured", title="measured 0"))
    same = {f.attname: getattr(model, f.attname) for f in ProcessInstance._meta.concrete_fields if not f.primary_key}
    rows = []
    for number in range(1, 100):
        own = {"title": f"measured {number}", "started": now - timedelta(hours=number * 7), "worth": number * 10, "worth_currency": "EUR"}
        own |= {} if number % 2 else {"status": "completed", "active": [], "ended": now, "state": b""}
        rows.append(ProcessInstance(**{**same, **own}))
    ProcessInstance.objects.bulk_create(rows)


def read(rounds: int) -> dict[str, dict[str, Any]]:
    """Each page: the median of its time, and its statements."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from portal.access import Actor
    from workflows import selectors

    person = get_user_model().objects.get(email="mona@northwind.example")
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    place = selectors.instances(Actor.system("benchmark")).following
    found = {}
    for name, path in PAGES:
        address = path.format(place=place, person=person.pk)
        for _ in range(3):
            answer = client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"{address} answers {answer.status_code}")
        with CaptureQueriesContext(connection) as caught:
            client.get(address)
        queries = len(caught)  # the next request empties the log
        times = []
        for _ in range(rounds):
            before = spent()
            client.get(address)
            times.append(spent() - before)
        found[name] = {"ms": statistics.median(times), "queries": queries}
    return found


def worker(many: int, rounds: int) -> dict[str, Any]:
    """One database's figures."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from tests.world import build_people

    call_command("migrate", verbosity=0)
    build_people()
    fill(100)
    few = read(rounds)
    fill(many)
    return {
        "version": f"{connection.display_name} {'.'.join(map(str, connection.get_database_version()))}",
        "few": few,
        "many": read(rounds),
    }


def measured(kind: str, wish: argparse.Namespace) -> dict[str, Any] | None:
    """One database's figures, from a process of its own."""
    home = bench.HOME / f"monitor-{kind}"
    home.mkdir(parents=True, exist_ok=True)
    for old in home.glob("monitor.sqlite3*"):
        old.unlink()
    address = fresh_postgres() if kind == "postgresql" else f"sqlite:///{home / 'monitor.sqlite3'}"
    if not address:
        return None
    print(f"{kind} …", flush=True)
    words = [sys.executable, "-m", "benchmarks.monitor", str(wish.many), str(wish.rounds)]
    environment = {**os.environ, "DATABASE_URL": address, "TANDEM_HOME": str(home), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    environment |= {"LOG_LEVEL": "ERROR", "LIVE_PREFIX": "tandem-bench"}
    done = subprocess.run(words, env=environment, cwd=bench.CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{kind} couldn't be measured (status {done.returncode}).")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(arguments: list[str]) -> int:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="benchmarks monitor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    wish = parser.parse_args(arguments)
    record = {kind: found for kind in wish.databases.split(",") if (found := measured(kind, wish))}
    for found in record.values():
        print(f"\n{found['version']}, ms of processor time among 100 and {wish.many:,} instances (goal: {GOAL} ×, the same statements)")
        for name, few in found["few"].items():
            many = found["many"][name]
            growth = many["ms"] / few["ms"]
            print(f"  {name:<34} {few['ms']:7.1f} {many['ms']:7.1f} {growth:5.2f} ×   {few['queries']:>3} / {many['queries']} statements")
    (bench.CHECKOUT / ".tandem").mkdir(exist_ok=True)
    (bench.CHECKOUT / ".tandem" / "bench-monitor.json").write_text(json.dumps(record, indent=2))
    return 0


if __name__ == "__main__":
    print(json.dumps(worker(int(sys.argv[1]), int(sys.argv[2]))))
