"""`make bench` (or `python -m benchmarks`): what our pages cost, against the floor, in one run; `make bench ARGS=engine`: the process
engine (benchmarks/engine.py); `make bench ARGS=monitor`: the monitor among many instances (benchmarks/monitor.py);
`make bench ARGS=inbox`: the inbox beside very many tasks (benchmarks/inbox.py).

    --records 10000      how many deals the database holds (100, 10,000 and 100,000 show the growth)
    --requests 40        requests a page and phase
    --only inbox,board   only these pages

The floor of a page is plain Django with as many rows as make a page of the same length.

One table on the screen, the same as JSON in `.tandem/bench.json`. DATABASE_URL measures PostgreSQL (databases `tandem_bench`
and `tandem_bench_floor` are made beside the one it names); without it, SQLite.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys

from benchmarks import portal as bench
from benchmarks.floor import ROWS
from benchmarks.measure import Figures, listener, measure
from portal import embedded

PAGES = [  # name, who reads it, address; {deal}, {instance} … are filled in from the data
    ("inbox", "erin@northwind.example", "/work/inbox/"),
    ("deal list", "erin@northwind.example", "/work/crm/deals/"),
    ("deal card", "erin@northwind.example", "/work/crm/deals/{deal}/"),
    ("board", "erin@northwind.example", "/work/crm/board/"),
    ("search", "erin@northwind.example", "/palette/?q=measured"),
    ("feed", "erin@northwind.example", "/work/feed/"),
    ("projects", "dan@northwind.example", "/work/projects/"),
    ("dashboard", "mona@northwind.example", "/work/sales/"),
    ("processes", "dora@northwind.example", "/work/processes/"),
    ("cabinet home", "cara@acme.example", "/cabinet/"),
    ("request page", "cara@acme.example", "/cabinet/requests/{request}/"),
    ("partner home", "paul@pine.example", "/partner/"),
]


KEPT = ("cabinet home", "request page", "partner home")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cookie_for(email: str) -> str:
    """A signed-in session's cookie."""
    from django.conf import settings

    from tests.infra.browser import session_cookie

    return f"{settings.SESSION_COOKIE_NAME}={session_cookie(email)}"


def places() -> dict[str, int]:
    """Ids to put into addresses."""
    from crm.models import Deal, Request

    deal = Deal.objects.exclude(instance_id=None).order_by("-pk").first() or Deal.objects.order_by("-pk").first()
    request = Request.objects.filter(customer_organisation__name__startswith="Acme").order_by("-pk").first()
    return {"deal": deal.pk if deal else 0, "request": request.pk if request else 0}


def count_queries(email: str, path: str) -> int:
    """Statements of one page, warm, counted in this process."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(get_user_model().objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
    client.get(path)
    with CaptureQueriesContext(connection) as caught:
        client.get(path)
    return len(caught)


def row(name: str, figures: Figures, floor: Figures | None, queries: int | str) -> str:
    """One line of the table; `floor` is a page of plain Django as long as this one."""
    if figures.status != 200:
        return f"{name:<20} not measured: it answers {figures.status}"
    total, least = figures.cpu_ms + figures.database_ms, floor.cpu_ms + floor.database_ms if floor else 0
    times = f"{total / least:5.2f} ×" if least else "       "
    return (
        f"{name:<20} {queries:>7} {figures.kilobytes:7.1f} {figures.cpu_ms:7.1f} {figures.database_ms:6.1f} {times}"
        f" {figures.p50:8.1f} {figures.p95:7.1f} {figures.p50_of_8:8.1f} {figures.p95_of_8:7.1f} {figures.per_second_of_8:7.1f}"
    )


HEAD = "page                 queries      KB  web ms  db ms   floor    p50 1   p95 1    p50 8   p95 8   a sec"


def main() -> int:
    """Make the data, start both, measure all."""
    if sys.argv[1:2] == ["engine"]:
        from benchmarks import engine

        return engine.main(sys.argv[2:])
    if sys.argv[1:2] == ["monitor"]:
        from benchmarks import monitor

        return monitor.main(sys.argv[2:])
    if sys.argv[1:2] == ["inbox"]:
        from benchmarks import inbox

        return inbox.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--only", default="")
    wish = parser.parse_args()
    bench.HOME.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("DATABASE_URL", "")
    if given:
        bench.make_databases(given)
    ours, floors = bench.database_addresses()
    os.environ.update(TANDEM_HOME=str(bench.HOME), DATABASE_URL=ours, DJANGO_SETTINGS_MODULE="portal.settings", LOG_LEVEL="ERROR")
    os.environ["BENCH_FLOOR_DATABASE"] = floors
    of_floor = {"DJANGO_SETTINGS_MODULE": "benchmarks.floor"}

    with contextlib.ExitStack() as stack:
        if not os.environ.get("REDIS_URL"):
            stack.enter_context(bench.process("valkey", embedded.valkey_command(bench.HOME, durable=False), {}))
            embedded.wait_for_valkey(bench.HOME)
        import django

        django.setup()
        print(f"Filling the database with {wish.records} deals …", flush=True)
        bench.fill(wish.records)
        words = [sys.executable, "-m", "benchmarks.floor"]
        key = subprocess.run(words, env={**os.environ, **of_floor}, capture_output=True, text=True, check=True).stdout.strip()

        results: dict[str, dict] = {}
        floor_port = free_port()
        plain = stack.enter_context(bench.process("floor", bench.daphne(floor_port, "benchmarks.floor_asgi:application"), of_floor))
        bench.wait_for(floor_port, "/", plain, bench.HOME / "floor.log")

        def floor_with(rows: int) -> Figures:
            """Plain Django with so many rows."""
            address = f"/?rows={max(1, rows)}"
            return measure(floor_port, f"sessionid={key}", address, web=plain.pid, postgres=bool(given), requests=wish.requests)

        floor, short = floor_with(ROWS), floor_with(1)
        a_row = (floor.kilobytes - short.kilobytes) / (ROWS - 1)
        print(f"\n{'PostgreSQL' if given else 'SQLite'}, {wish.records} deals; milliseconds of processor and of waiting\n\n{HEAD}")
        print(row("floor, 50 rows", floor, None, 4), flush=True)
        results["floor"] = dataclasses.asdict(floor) | {"queries": 4}

        port = free_port()
        web = stack.enter_context(bench.process("web", bench.daphne(port, "portal.asgi:application"), {"PORT": str(port)}))
        bench.wait_for(port, "/health/", web, bench.HOME / "web.log")
        ids = places()
        wanted = [page for page in PAGES if not wish.only or page[0] in wish.only.split(",")]
        for again in (False, True):  # again: while a page is open, so that this process hears every ping (portal/kept_pages.py)
            if again:
                stack.enter_context(contextlib.closing(listener(port, cookie_for(wanted[0][1]))))
            for name, email, path in wanted:
                if again and name not in KEPT:
                    continue
                address, label = path.format(**ids), f"{name}, again" if again else name
                figures = measure(port, cookie_for(email), address, web=web.pid, postgres=bool(given), requests=wish.requests)
                like = floor_with(round((figures.kilobytes - short.kilobytes) / a_row) + 1)
                queries = count_queries(email, address) if figures.status == 200 and not again else ""
                print(row(label, figures, like, queries), flush=True)
                results[label] = dataclasses.asdict(figures) | {"queries": queries, "address": address, "floor": dataclasses.asdict(like)}
    record = {"database": "postgresql" if given else "sqlite", "records": wish.records, "pages": results}
    (bench.CHECKOUT / ".tandem" / "bench.json").write_text(json.dumps(record, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
