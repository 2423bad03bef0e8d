"""The portal to be measured: a database of its own with as many records as asked for, and one Daphne on it."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from portal import embedded

CHECKOUT = embedded.CHECKOUT
HOME = CHECKOUT / ".tandem" / "bench"


def database_addresses() -> tuple[str, str]:
    """Where the portal and the floor keep their data: beside DATABASE_URL when it is given, else SQLite."""
    given = os.environ.get("DATABASE_URL", "")
    if not given:
        return f"sqlite:///{HOME / 'tandem.sqlite3'}", f"sqlite:///{HOME / 'floor.sqlite3'}"
    server, _, name = given.rpartition("/")
    return f"{server}/tandem_bench", f"{server}/tandem_bench_floor"


def make_databases(given: str) -> None:
    """Make both databases on the server when they aren't there."""
    import psycopg

    with psycopg.connect(given, autocommit=True) as line:
        for name in ("tandem_bench", "tandem_bench_floor"):
            if line.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                line.execute(f'CREATE DATABASE "{name}"')


@contextlib.contextmanager
def process(name: str, command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    """A process for the length of the block, its output in a file."""
    with (HOME / f"{name}.log").open("wb") as log:
        child = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=CHECKOUT,
            env={**os.environ, **environment},
            preexec_fn=embedded.tied_to_parent(),
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def daphne(port: int, application: str) -> list[str]:
    """How a web process is started."""
    return [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), application]


def wait_for(port: int, path: str, child: subprocess.Popen, log: Path) -> None:
    """Until it answers."""
    from benchmarks.measure import Client

    for _ in range(600):
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError):
            Client(port, "").get(path)
            return
        time.sleep(0.1)
    raise SystemExit(f"A web process did not start:\n{log.read_text()[-3000:]}")


def fill(records: int) -> None:
    """Migrate, the demo company, and as many deals with accounts as asked for; what is there already stays."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    call_command("seed_demo", skip_checks=True, verbosity=0)
    add_deals(records)


def add_deals(records: int) -> None:
    """Deals over all stages and two years, fifty to an account."""
    import datetime
    import random

    from crm.models import Account, Deal, Product, SalesTeamMember, Stage

    missing = records - Deal.objects.count()
    if missing <= 0:
        return
    chance = random.Random(records)
    accounts = Account.objects.bulk_create([Account(name=f"Measured company {chance.random():.9f}") for _ in range(max(1, missing // 50))])
    products, owners = list(Product.objects.all()[:10]), list(SalesTeamMember.objects.all()[:10])
    day = datetime.date(2025, 1, 1)
    deals = []
    for number in range(missing):
        stage = chance.choice(list(Stage))
        closed = stage in (Stage.WON, Stage.LOST)
        engaged = day + datetime.timedelta(chance.randrange(600))
        deals.append(
            Deal(
                title=f"Measured deal {number} {chance.randrange(10**6)}",
                account=chance.choice(accounts),
                product=chance.choice(products) if products else None,
                owner=chance.choice(owners) if owners else None,
                stage=stage,
                outcome=stage.value if closed else None,
                amount=chance.randrange(100, 30_000),
                engage_date=engaged,
                close_date=engaged + datetime.timedelta(40) if closed else None,
                close_value=chance.randrange(100, 30_000) if closed else None,
            )
        )
    Deal.objects.bulk_create(deals, batch_size=2000)
