"""The cache's server goes away and comes back: nobody is refused, and nothing out of date lives on in it."""

import contextlib

import pytest
from django.core.cache import cache
from django.db import transaction

from portal import embedded
from portal.cache import Kept, RedisCache
from tests.infra.servers import running


@pytest.fixture
def server(tmp_path):
    """A Valkey of the test's own: `server()` gives the running block."""
    return lambda: running(embedded.valkey_command(tmp_path), tmp_path / "log")


def test_away_it_holds_nothing_and_back_it_holds_nothing_old(tmp_path, server):
    there = RedisCache(f"unix://{embedded.valkey_socket(tmp_path)}", {})
    with server():
        assert embedded.wait_for_valkey(tmp_path)
        there.set_many({"ended": 1, "changed": 1, "untouched": 1})
    assert there.get("ended", "nothing") == "nothing" and there.get_many(["ended"]) == {} and "ended" not in there
    assert there.add("new", 1) is True and there.incr("count") == 1 and there.touch("ended") is False
    there.delete("ended")
    there.set("changed", 2)
    assert there.set_many({"more": 1}) == ["more"]
    there.delete_many(["more"])
    with server():
        assert embedded.wait_for_valkey(tmp_path)
        assert there.get_many(["ended", "changed", "untouched", "more"]) == {"untouched": 1}
        there.clear()


@pytest.mark.django_db(transaction=True)
def test_a_kept_table_is_read_once_and_anew_when_it_changes():
    """What a transaction changes it sees itself at once, others after it, and nobody when it is taken back."""
    rows, reads = ["one"], []

    def read():
        reads.append(1)
        return list(rows)

    table = Kept("tests.kept", read)
    try:
        assert [table.get(), table.get()] == [["one"]] * 2 and len(reads) == 1
        with contextlib.suppress(RuntimeError), transaction.atomic():
            rows.append("two")
            table.forget()
            assert table.get() == ["one", "two"]
            rows.remove("two")
            raise RuntimeError
        assert table.get() == ["one"] and cache.get("tests.kept") == ["one"]
        with transaction.atomic():
            rows.append("three")
            table.forget()
        assert table.get() == ["one", "three"]
        before = len(reads)
        table.get()
        assert len(reads) == before
    finally:
        Kept._all.remove(table)
