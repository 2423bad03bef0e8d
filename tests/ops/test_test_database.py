"""The test database itself: what a test commits is gone in the next one."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection, connections, transaction

from portal.models import Organisation


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_committed_rows_do_not_survive(turn):
    assert not Organisation.objects.filter(name="Left over").exists()
    with transaction.atomic():
        Organisation.objects.create(name="Left over")
    connections.close_all()
    assert Organisation.objects.filter(name="Left over").exists()


@pytest.mark.django_db(transaction=True)
def test_what_migrations_made_comes_back():
    assert ContentType.objects.filter(app_label="portal").exists()


@pytest.mark.django_db
def test_rolled_back_rows():
    Organisation.objects.create(name="Left over")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.django_db
@pytest.mark.parametrize("turn", [1, 2])
def test_cache_is_a_real_server_and_starts_empty(turn):
    assert cache.get("left over") is None
    cache.set("left over", turn)
    assert cache.get("left over") == turn
