"""A worker keeps its database connection from task to task, and never a broken one."""

from types import SimpleNamespace

import pytest
from django.db import connection

from portal.celery import app, keep_usable_connections

pytestmark = pytest.mark.django_db(transaction=True)


def _task(*, is_eager: bool) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(is_eager=is_eager))


def _break_connection() -> None:
    connection.ensure_connection()
    connection.connection.close()
    connection.errors_occurred = True


def test_celery_itself_closes_nothing_between_two_tasks():
    assert app.conf.get("CELERY_DB_REUSE_MAX")


def test_a_broken_connection_is_not_kept():
    if connection.vendor == "sqlite":
        pytest.skip("a file has no connection that breaks")
    _break_connection()
    keep_usable_connections(task=_task(is_eager=False))
    with connection.cursor() as cursor:
        assert cursor.execute("SELECT 1")


def test_a_task_inside_another_process_leaves_its_connection_alone():
    connection.ensure_connection()
    before = connection.connection
    keep_usable_connections(task=_task(is_eager=True))
    assert connection.connection is before
