"""Viewflow on the same work: start, three user tasks, end, each step in its own transaction. Run with Viewflow's own Python."""

import json
import sys
import tempfile
import time
import types

from django.conf import settings

home = tempfile.mkdtemp()
settings.configure(
    SECRET_KEY="only-for-measuring",  # noqa: S106
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "viewflow", "viewflow.workflow"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{home}/viewflow.sqlite3",
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"},
        }
    },
)
import django  # noqa: E402

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from viewflow import this  # noqa: E402
from viewflow.workflow import flow  # noqa: E402
from viewflow.workflow.models import Process, Task  # noqa: E402

DATA = {"deal": {"items": [{"sku": f"SKU-{i:05d}", "name": f"Product number {i}", "qty": i, "price": 19.99} for i in range(27)]}}
HERE = "viewflow.workflow.measured"  # a flow must live in an installed application
module = sys.modules[HERE] = types.ModuleType(HERE)


class Row(flow.Flow):
    """Three tasks in a row."""

    __module__ = HERE
    process_class = Process
    start = flow.StartHandle(this.begin).Next(this.t0)
    t0 = flow.View(lambda request: None).Next(this.t1)
    t1 = flow.View(lambda request: None).Next(this.t2)
    t2 = flow.View(lambda request: None).Next(this.end)
    end = flow.End()

    def begin(self, activation):
        """Put the data down."""
        activation.process.data = DATA
        activation.process.save()
        return activation.process


module.Row = Row  # type: ignore[attr-defined]
call_command("migrate", verbosity=0)
person = User.objects.create_user("erin")


def one() -> None:
    """One whole instance."""
    process = Row.start.run()
    for number in range(3):
        with transaction.atomic():
            task = Task.objects.select_for_update().get(process=process, status="NEW")
            with task.activation() as activation:
                activation.assign(person)
                activation.process.data = {**(activation.process.data or {}), f"f{number}": "x" * 50}
                activation.process.save()
                activation.start(None)
                activation.execute()


for _ in range(10):
    one()
with CaptureQueriesContext(connection) as caught:
    one()
wall, cpu, times = time.perf_counter(), time.process_time(), 100
for _ in range(times):
    one()
print(
    json.dumps(
        {
            "cpu_ms": round((time.process_time() - cpu) / times * 1000, 2),
            "wall_ms": round((time.perf_counter() - wall) / times * 1000, 2),
            "statements": len(caught),
        }
    )
)
