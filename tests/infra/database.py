"""One migrated database, built once and kept, copied for every worker and after every test that commits.

The template lies under `.tandem/test-db/` (SQLite) or on the server (PostgreSQL) and is named by what it was made from:
the migrations of every installed app, and what ours write after them.
"""

import contextlib
import fcntl
import hashlib
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections

TEMPLATES_FOLDER = settings.TEST_ROOT.parent / "test-db"
KEPT_TEMPLATES = 4


def is_sqlite() -> bool:
    """Which of the two ways this run takes."""
    return connection.vendor == "sqlite"


def fingerprint() -> str:
    """A name for everything that decides what a freshly migrated database holds."""
    total = hashlib.sha256(f"{connection.vendor} {version('django')}".encode())
    for config in apps.get_app_configs():
        folder = Path(config.path)
        written = ["apps.py", "services/site.py"] if folder.parent == settings.BASE_DIR else []  # what ours write after migrating
        for path in sorted(path for name in ["migrations/*.py", *written] for path in folder.glob(name)):
            total.update(f"{config.label}/{path.name}".encode() + path.read_bytes())
    return total.hexdigest()[:12]


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one worker build while the others wait for it."""
    TEMPLATES_FOLDER.mkdir(parents=True, exist_ok=True)
    with (TEMPLATES_FOLDER / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Point Django's connection at another database for a while."""
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


def migrate(name: str) -> None:
    """Run every migration in that database."""
    with connected_to(name):
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)


# ---------------------------------------------------------------- SQLite: files


def sqlite_template() -> Path:
    """The migrated file, built when it isn't there."""
    path = TEMPLATES_FOLDER / f"{fingerprint()}.sqlite3"
    with one_at_a_time():
        if not path.exists():
            building = path.with_suffix(".building")
            for old in TEMPLATES_FOLDER.glob("*.building*"):
                old.unlink()
            migrate(str(building))
            with contextlib.closing(sqlite3.connect(building)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                database.execute("PRAGMA journal_mode=DELETE")
            building.rename(path)
            for old in sorted(TEMPLATES_FOLDER.glob("*.sqlite3"), key=lambda file: file.stat().st_mtime)[:-KEPT_TEMPLATES]:
                old.unlink()
    return path


def copy_sqlite(template: Path) -> None:
    """Overwrite the worker's database in place: other processes that have it open see the change, as after any commit."""
    own = settings.DATABASES["default"]["NAME"]
    with (
        contextlib.closing(sqlite3.connect(f"file:{template}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(own, timeout=20)) as target,
    ):
        source.backup(target, sleep=0.05)


# ---------------------------------------------------------------- PostgreSQL: databases


def on_server(*statements: str) -> list[tuple]:
    """Say these to the server outside any transaction; the rows of the last one, if it gives any."""
    with connected_to(settings.MAINTENANCE_DATABASE), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def server_template() -> str:
    """The migrated database on the server, built when it isn't there."""
    name = f"tandem_template_{fingerprint()}"
    with one_at_a_time():
        if not on_server(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            for (old,) in on_server("SELECT datname FROM pg_database WHERE datname LIKE 'tandem_template_%'"):
                on_server(f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE)')
            on_server(f'CREATE DATABASE "{name}_building"')
            migrate(f"{name}_building")
            on_server(f'ALTER DATABASE "{name}_building" RENAME TO "{name}"')
    return name


def copy_on_server(template: str) -> None:
    """Make the worker's database again from the template; connections of other processes are ended and come back by themselves."""
    own = settings.DATABASES["default"]["NAME"]
    with one_at_a_time():  # a template can be copied by one session at a time
        on_server(f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)', f'CREATE DATABASE "{own}" TEMPLATE "{template}"')


# ---------------------------------------------------------------- what the fixtures call

_template: Path | str = ""


def prepare() -> None:
    """Give this worker its database."""
    global _template
    settings.TEST_HOME.mkdir(parents=True, exist_ok=True)
    _template = sqlite_template() if is_sqlite() else server_template()
    restore()


def restore() -> None:
    """Put the worker's database back to its freshly migrated state."""
    connections.close_all()
    if isinstance(_template, Path):
        copy_sqlite(_template)
    else:
        copy_on_server(_template)
    ContentType.objects.clear_cache()


def drop() -> None:
    """Remove the worker's database; a SQLite file goes with the worker's home."""
    connections.close_all()
    if not is_sqlite():
        on_server(f'DROP DATABASE IF EXISTS "{settings.DATABASES["default"]["NAME"]}" WITH (FORCE)')
        connections.close_all()
