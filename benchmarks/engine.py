"""`make bench ARGS=engine`: what durable processes cost, as shares of the same process in stock SpiffWorkflow in memory.

    --databases sqlite,postgresql   which (PostgreSQL: DATABASE_URL's server, else the one on 127.0.0.1; left out where there is none)
    --figures durable,history,crowds,floods,company,sizes   only some
    --full                          the large ends too: 5,000 steps, 100,000 instances, 10,000 timers and messages (a quarter of an hour)
    --timers 500                    how many timers and messages at once

One table on the screen, the same as JSON in `.tandem/bench-engine.json`. Every ratio is of one run: what is compared is measured in
turn, block by block, and the medians are compared; "cpu" is processor time of the application and of its database process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

from benchmarks import portal as bench
from portal import embedded

LOCAL = "postgres://postgres@127.0.0.1:5432/postgres"
NAME = "tandem_bench_engine"


def fresh_postgres() -> str:
    """A new database on a reachable server, as an address; empty where there is none."""
    import psycopg

    server = os.environ.get("DATABASE_URL") or LOCAL
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=3) as line:
            line.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
            line.execute(f'CREATE DATABASE "{NAME}"')
    except psycopg.Error as error:
        print(f"PostgreSQL isn't measured: {str(error).splitlines()[0]}")
        return ""
    return f"{server.rpartition('/')[0]}/{NAME}"


def measured(kind: str, wish: argparse.Namespace) -> dict[str, Any] | None:
    """One database's figures, from a process of its own."""
    home = bench.HOME / f"engine-{kind}"
    home.mkdir(parents=True, exist_ok=True)
    if kind == "postgresql":
        address = fresh_postgres()
        if not address:
            return None
    else:
        for old in home.glob("engine.sqlite3*"):
            old.unlink()
        address = f"sqlite:///{home / 'engine.sqlite3'}"
    print(f"{kind} …", flush=True)
    words = [sys.executable, "-m", "benchmarks.engine_worker", "--figures", wish.figures, "--timers", str(wish.timers)]
    words += ["--rounds", str(wish.rounds), "--seconds", str(wish.seconds), *(["--full"] if wish.full else [])]
    environment = {**os.environ, "DATABASE_URL": address, "TANDEM_HOME": str(home), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    environment |= {"LOG_LEVEL": "ERROR", "LIVE_PREFIX": "tandem-bench"}
    with contextlib.ExitStack() as stack:
        if not os.environ.get("REDIS_URL"):
            stack.enter_context(bench.process("engine-valkey", embedded.valkey_command(home, durable=False), {}))
            embedded.wait_for_valkey(home)
        done = subprocess.run(words, env=environment, cwd=bench.CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{kind} couldn't be measured (status {done.returncode}).")
    return json.loads(done.stdout.strip().splitlines()[-1])


def lines(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What the table shows of one database: name, value, goal."""
    rows: list[tuple[str, str, str]] = []
    if durable := found.get("durable"):
        goal = "≥ 14 %" if found["version"].startswith("SQLite") else "≥ 10 %"
        for name, words in (("memory", "in memory, stock SpiffWorkflow"), ("raw", "durable, raw SQL"), ("services", "durable, services")):
            part = durable[name]
            share = f", {part['cpu_share']:.1%} of in memory ({part['share']:.1%} of its wall)" if "share" in part else ""
            value = f"{part['cpu_ms']:.2f} ms cpu, {part['wall_ms']:.2f} wall{share}"
            rows.append((f"1 start, 3 tasks, end: {words}", value, goal if name == "services" else ""))
        rows.append(("1 statements: start / one step", f"{durable['statements_start']} / {durable['statements_step']}", ""))
        rows.append(("1 a completion among 2 tasks", f"{durable['of_2']['cpu_ms']:.2f} ms cpu, {durable['of_2']['wall_ms']:.2f} wall", ""))
        value = f"{durable['of_100']['cpu_ms']:.2f} ms cpu, {durable['growth_100']:.2f} ×"
        rows.append(("1 a completion among 100 tasks", value, "≤ 1.2 ×"))
    if history := found.get("history"):
        for name, part in history["steps"].items():
            value = f"{part['cpu_ms']:.2f} ms cpu, {history['bytes'][name]:,} bytes"
            rows.append((f"2 one more step at {int(name):,} done", value, ""))
        rows.append(("2 growth", f"{history['growth']:.2f} ×", "≤ 1.3 ×"))
    if crowds := found.get("crowds"):
        for name, part in crowds.items():
            if name != "growth":
                value = f"{part['cpu_ms']:.2f} ms cpu, {part['wall_ms']:.2f} wall"
                rows.append((f"3 a step among {int(name):,} instances", value, ""))
        rows.append(("3 growth", f"{crowds['growth']:.2f} ×", "≤ 1.2 ×"))
    if floods := found.get("floods"):
        for kind in ("timers", "messages"):
            for workers in (1, 2):
                part = floods[f"{kind}_{workers}"]
                once = "each once" if part["once"] else "NOT each once"
                value = f"{part['per_second']:.0f} a second, {once}, 10,000 in {10_000 / part['per_second']:.0f} s"
                goal = "≤ 60 s" if kind == "timers" and workers == 1 else ""
                rows.append((f"4 {floods['count']:,} {kind}, {workers} worker{'s' if workers > 1 else ''}", value, goal))
    if company := found.get("company"):
        value = f"{company['people_start_ms']:.0f} ms wall, {company['people_statements']} statements"
        rows.append(("5 200 people asked at once", value, ""))
        rows.append(("5 one of the 200 answers", f"{company['people_vote']['cpu_ms']:.2f} ms cpu", ""))
        ratio = company["beside_p95"] / company["alone_p95"]
        rows.append(("5 a step's p95 beside a 1,000-round loop", f"{ratio:.2f} × ({company['alone_p95']:.1f} ms alone)", "≤ 1.5 ×"))
    if sizes := found.get("sizes"):
        value = f"{sizes['parse_3']['cpu_ms']:.1f} / {sizes['parse_100']['cpu_ms']:.0f} ms cpu"
        rows.append(("6 read a diagram of 3 / of 100 tasks", value, ""))
        rows.append(("6 publish a diagram of 3 tasks", f"{sizes['deploy_3']['cpu_ms']:.0f} ms cpu", ""))
        rows.append(("6 memory for 1,000 instances done", f"{sizes['kilobytes_per_1000'] / 1024:.1f} MB", ""))
    return rows


def main(arguments: list[str]) -> int:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="benchmarks engine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--figures", default="durable,history,crowds,floods,company,sizes")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--timers", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--no-peers", action="store_true")
    wish = parser.parse_args(arguments)
    wish.timers = wish.timers or (10_000 if wish.full else 500)
    bench.HOME.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count(), "python": platform.python_version()}
    record["databases"] = {kind: found for kind in wish.databases.split(",") if (found := measured(kind, wish))}
    if not wish.no_peers:
        from benchmarks.peers import measure_peers

        record["peers"] = measure_peers()
    print(f"\n{record['date']}, {record['cores']} cores, Python {record['python']}")
    for found in record["databases"].values():
        print(f"\n{found['version']}")
        for name, value, goal in lines(found):
            print(f"  {name:<58} {value}{f'   (goal {goal})' if goal else ''}")
    for name, peer in record.get("peers", {}).items():
        print(f"\n{name}: {peer}")
    (bench.CHECKOUT / ".tandem" / "bench-engine.json").write_text(json.dumps(record, indent=2))
    return 0
