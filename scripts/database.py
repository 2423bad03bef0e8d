"""Brings the database up to date with the shipped processes published, and with `--demo` fills in the demo company: only what is missing.

Starting Django is most of the cost of a second start. So the embedded database leaves a stamp, made from everything that
migrating and filling read; while that and the file are the same, nothing is loaded at all. A server is always asked.
"""

import argparse
import hashlib
import io
import os
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCES = ["requirements.txt", "*/migrations/*.py", "*/demo*.py", "*/demo/**/*", "*/processes/*", "*/models.py", "*/apps.py", "*/access.py"]
sys.path.insert(0, str(CHECKOUT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from portal import embedded  # noqa: E402


def stamp_of(database: Path, *, demo: bool) -> str:
    """What the embedded database was made from, and which file it is; empty where there is none."""
    if os.environ.get("DATABASE_URL") or not database.exists():
        return ""
    total = hashlib.sha256(f"{database.stat().st_ino} {demo}".encode())
    for path in sorted(path for pattern in SOURCES for path in CHECKOUT.glob(pattern) if path.is_file()):
        total.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def bring_up_to_date(*, demo: bool) -> bool:
    """Migrate and seed; False, with words, where the database can't be reached."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import DEFAULT_DB_ALIAS, OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
    except OperationalError as problem:
        print(f"The database can't be reached: {problem}", file=sys.stderr)
        return False
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print(f"· Bringing the database up to date ({connection.vendor})", flush=True)
        started = time.monotonic()
        call_command("migrate", database=DEFAULT_DB_ALIAS, verbosity=0, interactive=False, skip_checks=True)
        print(f"· Ready after {time.monotonic() - started:.0f} s", flush=True)
    if demo:
        call_command("seed_demo", skip_checks=True)
    else:
        call_command("deploy_processes", stdout=io.StringIO(), skip_checks=True)
    connection.close()
    return True


def main() -> int:
    """Migrate when a migration is missing; seed when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="also the demo company; changes nothing when it is there")
    wish = parser.parse_args()
    home = embedded.home_folder()
    database, stamp = home / "tandem.sqlite3", home / ("database-demo.stamp" if wish.demo else "database.stamp")
    now = stamp_of(database, demo=wish.demo)
    if now and stamp.exists() and stamp.read_text() == now:
        return 0

    with embedded.valkey_at_hand():
        done = bring_up_to_date(demo=wish.demo)
    if done and (now := stamp_of(database, demo=wish.demo)):
        stamp.write_text(now)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
