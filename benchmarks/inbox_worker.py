"""A database with so many open and finished tasks, filled by SQL, and pages of the inbox measured in this process.

python -m benchmarks.inbox_worker 100000 1000000     then a JSON line for each question: {"email": …, "address": …}
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.measure import spent

TASKS_OF_ONE = 10  # tasks of one instance
FAR = 1_000_000_000  # no number is a multiple of it


def numbers(vendor: str, last: int) -> str:
    """A table `n(i)` of 1 to last."""
    if vendor == "postgresql":
        return f"(SELECT generate_series(1::bigint, {last}) AS i) n"
    return f"(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {last}) SELECT i FROM c) n"


def fill(open_tasks: int, finished: int) -> None:
    """People, one published process, instances and tasks of theirs."""
    from django.db import connection

    from tests.workflows.conftest import SYSTEM
    from tests.workflows.diagrams import ORDER
    from tests.world import build_people
    from workflows import services
    from workflows.models import HumanTask, ProcessInstance

    people = build_people()
    services.deploy(SYSTEM, ORDER)
    erin, dan, mona = people.erin.user_id, people.dan.user_id, people.mona.user_id
    first = services.start_process(people.mona, "order")
    pattern = ProcessInstance.objects.get(pk=first)
    task = HumanTask.objects.get(instance_id=first)
    is_postgres = connection.vendor == "postgresql"
    day, now = (
        ("now() + ({} || ' minutes')::interval", "now()") if is_postgres else ("datetime('now', ({}) || ' minutes')", "datetime('now')")
    )
    total = open_tasks + finished

    def copy(model: Any, row: Any, source: str, changed: dict[str, str]) -> None:
        """Insert copies of a row, with some columns as SQL of `i`."""
        quote, columns, values, given = connection.ops.quote_name, [], [], []
        for field in model._meta.concrete_fields:
            if field.primary_key and field.name not in changed:
                continue
            columns.append(quote(field.column))
            if field.name in changed:
                values.append(changed[field.name])
            else:
                values.append("%s")
                given.append(field.get_db_prep_save(getattr(row, field.attname), connection))
        words = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source}"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(words, given)

    lively = open_tasks // TASKS_OF_ONE + 1
    instances = total // TASKS_OF_ONE + 1
    base = 1_000_000
    few = open_tasks <= 1_000
    share = 2 if few else 20
    copy(
        ProcessInstance,
        pattern,
        numbers(connection.vendor, instances),
        {
            "id": f"i + {base}",
            "title": "'Order number ' || i",
            "started_by": f"CASE WHEN i %% {1 if few else 5} = 0 THEN {erin} ELSE {mona} END",
            "status": f"CASE WHEN i > {instances - lively} THEN 'running' ELSE 'completed' END",
            "ended": f"CASE WHEN i > {instances - lively} THEN NULL ELSE {now} END",
        },
    )
    # Of the open, every `share`th is Dan's, one in 200 asked by name, the rest free for sales (and finance, where there are many).
    # All boxes that are measured hold a full page also where there is little, so that both sides show as many rows.
    is_open = f"i > {finished}"
    when = day.format("-i" if few else "(i * 7919) %% 43200 - 21600")
    copy(
        HumanTask,
        task,
        numbers(connection.vendor, total),
        {
            "instance": f"{base} + 1 + (i - 1) / {TASKS_OF_ONE}",
            "engine_id": "'e' || i",
            "name": "'Check the order ' || i",
            "status": f"CASE WHEN {is_open} THEN 'open' ELSE 'done' END",
            "created": day.format(f"i - {total}"),
            "assignee": f"CASE WHEN i %% {share} = 0 THEN {dan} ELSE NULL END",
            "is_shared": "i %% 200 <> 3" if is_postgres else "CASE WHEN i %% 200 = 3 THEN 0 ELSE 1 END",
            "role": "'sales'" if few else "CASE WHEN i %% 5 = 4 THEN 'finance' ELSE 'sales' END",
            "due": f"CASE WHEN i %% {FAR if few else 3} = 0 THEN NULL ELSE {when} END",
            "stake": "(i * 104729) %% 100000",
            "ended": f"CASE WHEN {is_open} THEN NULL ELSE {day.format('-i')} END",
            "started_by": f"CASE WHEN (1 + (i - 1) / {TASKS_OF_ONE}) %% {1 if few else 5} = 0 THEN {erin} ELSE {mona} END",
            "done_by": f"CASE WHEN {is_open} THEN NULL WHEN i %% 10 = 0 THEN {erin} ELSE {dan} END",
        },
    )
    candidates = f"""
        INSERT INTO workflows_taskcandidate (task_id, user_id, is_open)
        SELECT id, CASE WHEN id %% 1000 = 4 THEN {erin} ELSE {dan} END, status = 'open'
        FROM workflows_humantask WHERE NOT is_shared AND id <= 40000000
    """  # noqa: S608  numbers of our own
    with connection.cursor() as cursor:
        cursor.execute(candidates.replace("%%", "%"))
        if is_postgres:
            cursor.execute("ANALYZE")


def main() -> None:
    """Fill, say so, then answer."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    if sys.argv[1] == "0":  # the base that both are copied from
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        connection.close()
    else:
        fill(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps({"ready": True}), flush=True)
    clients: dict[str, Client] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["email"] not in clients:
            client = clients[asked["email"]] = Client(HTTP_HOST="127.0.0.1")
            client.force_login(get_user_model().objects.get(email=asked["email"]), backend="django.contrib.auth.backends.ModelBackend")
        client = clients[asked["email"]]
        before = spent()
        answer = client.get(asked["address"])
        took = spent() - before
        with CaptureQueriesContext(connection) as caught:
            client.get(asked["address"])
        told = {"ms": took, "status": answer.status_code, "statements": len(caught)}
        if asked.get("plan"):
            told["sql"] = [f"{query['time']} {query['sql']}" for query in caught]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
