"""`make bench ARGS=inbox`: the inbox's page beside very many tasks, as a multiple of the same page beside few.

    --databases sqlite,postgresql   which (PostgreSQL: DATABASE_URL's server, else the one on 127.0.0.1; left out where there is none)
    --full                          100,000 open and 1,000,000 finished tasks instead of 10,000 and 100,000
    --rounds 15                     how often each page is asked for, in turn

Both sizes stand in databases of their own and are measured in turn, page by page, in one process each; the medians are compared. A page is
what the view and the database do for it, in milliseconds of their processor time; statements are counted. The same as JSON in
`.tandem/bench-inbox.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from typing import Any

from benchmarks import portal as bench
from portal import embedded

LOCAL = "postgres://postgres@127.0.0.1:5432/postgres"
PREFIX = "tandem_bench_inbox_"
FEW = (100, 1_000)
MANY = (10_000, 100_000)
FULL = (100_000, 1_000_000)
PAGES = [  # name, who reads it, address
    ("to do, due first", "erin@northwind.example", "/work/inbox/?view=none"),
    ("to do, most money first", "erin@northwind.example", "/work/inbox/?sort=money"),
    ("my groups', newest first", "erin@northwind.example", "/work/inbox/?box=group&sort=new"),
    ("mine", "dan@northwind.example", "/work/inbox/?box=mine"),
    ("waiting for others", "erin@northwind.example", "/work/inbox/?box=waiting"),
    ("done by me", "erin@northwind.example", "/work/inbox/?box=done"),
    ("late, in my groups", "erin@northwind.example", "/work/inbox/?box=group&due=late"),
    ("everybody's", "mona@northwind.example", "/work/inbox/?box=all"),
    ("everybody's, most money first", "mona@northwind.example", "/work/inbox/?box=all&sort=money"),
    ("page 2 of everybody's", "mona@northwind.example", "/work/inbox/?box=all&page=2"),
]


def addresses_of(kind: str, base: str) -> dict[str, str]:
    """Two databases copied from a migrated one, as addresses; none where there is no server. `base` is "" to ask for the one to migrate."""
    home = bench.HOME / "inbox"
    home.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        if not base:
            for old in home.glob("*.sqlite3*"):
                old.unlink()
            return {"base": f"sqlite:///{home / 'base.sqlite3'}"}
        for name in ("few", "many"):
            shutil.copy(home / "base.sqlite3", home / f"{name}.sqlite3")
        return {name: f"sqlite:///{home / f'{name}.sqlite3'}" for name in ("few", "many")}
    import psycopg

    server = os.environ.get("DATABASE_URL") or LOCAL
    names = ("base",) if not base else ("few", "many")
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=3) as line:
            for name in names:
                line.execute(f'DROP DATABASE IF EXISTS "{PREFIX}{name}" WITH (FORCE)')
                line.execute(f'CREATE DATABASE "{PREFIX}{name}"' + (f' TEMPLATE "{PREFIX}base"' if base else ""))
    except psycopg.Error as error:
        print(f"PostgreSQL isn't measured: {str(error).splitlines()[0]}")
        return {}
    return {name: f"{server.rpartition('/')[0]}/{PREFIX}{name}" for name in names}


class Worker:
    """A process with one filled database that measures pages when asked."""

    def __init__(self, address: str, size: tuple[int, int]) -> None:
        home = bench.HOME / "inbox"
        environment = {**os.environ, "DATABASE_URL": address, "TANDEM_HOME": str(home), "DJANGO_SETTINGS_MODULE": "portal.settings"}
        environment |= {"LOG_LEVEL": "ERROR", "LIVE_PREFIX": "tandem-bench"}
        words = [sys.executable, "-m", "benchmarks.inbox_worker", *map(str, size)]
        self.process = subprocess.Popen(
            words, env=environment, cwd=bench.CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=embedded.tied_to_parent(),
        )  # fmt: skip
        self.ask()

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send a question, when there is one, and wait for the answer."""
        assert self.process.stdin and self.process.stdout
        if question:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("A process of the benchmark ended before it answered.")
        return json.loads(answer)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def measured(kind: str, size: tuple[int, int], rounds: int) -> dict[str, Any] | None:
    """One database's figures: each page beside few and beside many tasks."""
    with contextlib.ExitStack() as stack:
        base = addresses_of(kind, "").get("base", "")
        if not base:
            return None
        Worker(base, (0, 0)).close()
        workers, copies = [], addresses_of(kind, base)
        for name, count in (("few", FEW), ("many", size)):
            address = copies[name]
            print(f"{kind}: {count[0]:,} open and {count[1]:,} finished tasks …", flush=True)
            workers.append(Worker(address, count))
            stack.callback(workers[-1].close)
        figures: dict[str, Any] = {}
        for name, email, address in PAGES:
            times: tuple[list[float], list[float]] = ([], [])
            statements = [0, 0]
            for turn in range(rounds + 2):
                for place, worker in enumerate(workers):
                    told = worker.ask(email=email, address=address)
                    statements[place] = told["statements"]
                    if turn >= 2:  # the first two warm caches
                        times[place].append(told["ms"])
            few, many = map(statistics.median, times)
            figures[name] = {"few": few, "many": many, "times": many / few, "statements": statements}
        return figures


def main(arguments: list[str]) -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=inbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int, default=15)
    wish = parser.parse_args(arguments)
    size = FULL if wish.full else MANY
    found: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        home = bench.HOME / "inbox"
        home.mkdir(parents=True, exist_ok=True)
        if not os.environ.get("REDIS_URL"):
            stack.enter_context(bench.process("inbox-valkey", embedded.valkey_command(home, durable=False), {}))
            embedded.wait_for_valkey(home)
        for kind in wish.databases.split(","):
            if (figures := measured(kind, size, wish.rounds)) is not None:
                found[kind] = figures
    for kind, figures in found.items():
        print(f"\n{kind}: {FEW[0]:,} open and {FEW[1]:,} finished, against {size[0]:,} and {size[1]:,}; ms of processor time\n")
        print(f"{'page':<32} {'few':>8} {'many':>8} {'times':>7} {'statements':>12}")
        for name, line in figures.items():
            few, many = line["statements"]
            print(f"{name:<32} {line['few']:>8.1f} {line['many']:>8.1f} {line['times']:>6.2f} × {few:>5} / {many}")
    (bench.CHECKOUT / ".tandem" / "bench-inbox.json").write_text(json.dumps({"size": size, "figures": found}, indent=2))
    return 0
