"""The cache's server goes away and comes back: nobody is refused, and nothing out of date lives on in it."""

import pytest

from portal import embedded
from portal.cache import RedisCache
from tests.infra.servers import running


@pytest.fixture
def server(tmp_path):
    """A Valkey of the test's own: `server()` gives the running block."""
    return lambda: running(embedded.valkey_command(tmp_path), tmp_path / "log")


def test_away_it_holds_nothing_and_back_it_holds_nothing_old(tmp_path, server):
    cache = RedisCache(f"unix://{embedded.valkey_socket(tmp_path)}", {})
    with server():
        assert embedded.wait_for_valkey(tmp_path)
        cache.set_many({"ended": 1, "changed": 1, "untouched": 1})
    assert cache.get("ended", "nothing") == "nothing" and cache.get_many(["ended"]) == {} and "ended" not in cache
    assert cache.add("new", 1) is False and cache.incr("count") == 1 and cache.touch("ended") is False
    cache.delete("ended")
    cache.set("changed", 2)
    assert cache.set_many({"more": 1}) == ["more"]
    cache.delete_many(["more"])
    with server():
        assert embedded.wait_for_valkey(tmp_path)
        assert cache.get_many(["ended", "changed", "untouched", "more"]) == {"untouched": 1}
        cache.clear()
