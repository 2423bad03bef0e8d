"""The cache is a help, never a need: while its server is away pages are slower, and none fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.core.cache import cache
from django.core.cache.backends import redis
from django.db import transaction
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
T = TypeVar("T")
IN_PROCESS, IN_CACHE = 1.0, 60  # seconds


class Kept(Generic[T]):
    """A small table that every step or page asks for: for a second in this process, for a minute in the cache.

    `LEVELS = Kept("workflows.service_levels", read)` · `LEVELS.get()` · `LEVELS.forget()` in the transaction that changes a row: it is
    read anew here at once, elsewhere within a second. An act that mustn't rest on what is a second old calls `read` itself. What never
    needs forgetting may be kept for longer: `here` and `in_cache` seconds.
    """

    _all: list[Kept] = []

    def __init__(self, key: str, read: Callable[[], T], here: float = IN_PROCESS, in_cache: float = IN_CACHE) -> None:
        self.key, self.read, self.here, self.in_cache = key, read, here, in_cache
        self._here: tuple[float, T] | None = None  # until when, what; one assignment, so threads may share it
        Kept._all.append(self)

    def get(self) -> T:
        """What the table held a moment ago; what it holds, for a transaction that has changed it."""
        if change := self._change():
            return change.get()
        here, now = self._here, time.monotonic()
        if here is None or here[0] <= now:
            known = cache.get(self.key)
            if known is None:
                known = self.read()
                cache.set(self.key, known, self.in_cache)
            self._here = here = now + self.here, known
        return here[1]

    def forget(self) -> None:
        """A row changes in this transaction: read it anew, now and after it."""
        self.drop()
        if change := self._change():
            change.known = None
        else:
            transaction.on_commit(_Change(self))

    def drop(self) -> None:
        """Know nothing of it, here and in the cache."""
        cache.delete(self.key)
        self._here = None

    def _change(self) -> _Change[T] | None:
        waiting = transaction.get_connection().run_on_commit
        return next((function for _points, function, _robust in waiting if isinstance(function, _Change) and function.kept is self), None)


class _Change(Generic[T]):
    """What a transaction that changed a kept table knows of it; others don't before it is committed."""

    def __init__(self, kept: Kept[T]) -> None:
        self.kept = kept
        self.known: tuple[T] | None = None

    def get(self) -> T:
        if self.known is None:
            self.known = (self.kept.read(),)
        return self.known[0]

    def __call__(self) -> None:
        self.kept.drop()


class _Client(redis.RedisCacheClient):
    """One client a pool; Django makes one a call, which costs more than the call."""

    def get_client(self, key=None, *, write=False):
        """The client of the pool that Django chooses."""
        pool = self._get_connection_pool(write)
        known = self.__dict__.setdefault("_clients", {})
        if pool not in known:
            known[pool] = self._client(connection_pool=pool)
        return known[pool]


class RedisCache(redis.RedisCache):
    """Redis or Valkey; away, it holds nothing and takes nothing. What could not be overwritten is deleted when it is back.

    So a session that ended meanwhile doesn't live on in the cache.
    """

    _owed: set[tuple[Any, Any]] = set()  # (key, version) whose value on the server is out of date

    def __init__(self, server, params):
        super().__init__(server, params)
        self._class = _Client

    def _try(self, call: Callable, default: Any, keys: list[tuple[Any, Any]] | None = None) -> Any:
        try:
            for owed in list(self._owed):
                super().delete(*owed)
                self._owed.discard(owed)
            return call()
        except (RedisError, OSError) as error:
            log.warning("the cache is away: %s", error)
            self._owed.update(keys or ())
            return default

    def add(self, key, value, timeout=redis.DEFAULT_TIMEOUT, version=None):
        """Whether it was added; away, as if it was: whoever marks what is used, or takes a lock, is neither refused nor kept waiting."""
        return self._try(lambda: super(RedisCache, self).add(key, value, timeout, version), True)

    def get(self, key, default=None, version=None):
        """The value, or the default."""
        return self._try(lambda: super(RedisCache, self).get(key, default, version), default)

    def set(self, key, value, timeout=redis.DEFAULT_TIMEOUT, version=None):
        """Keep it."""
        self._try(lambda: super(RedisCache, self).set(key, value, timeout, version), None, [(key, version)])

    def touch(self, key, timeout=redis.DEFAULT_TIMEOUT, version=None):
        """Whether it is there, for longer now."""
        return self._try(lambda: super(RedisCache, self).touch(key, timeout, version), False)

    def delete(self, key, version=None):
        """Whether it was there."""
        return self._try(lambda: super(RedisCache, self).delete(key, version), False, [(key, version)])

    def get_many(self, keys, version=None):
        """Those that are there."""
        keys = list(keys)
        return self._try(lambda: super(RedisCache, self).get_many(keys, version), {})

    def has_key(self, key, version=None):
        """Whether it is there."""
        return self._try(lambda: super(RedisCache, self).has_key(key, version), False)

    def incr(self, key, delta=1, version=None):
        """Count; with nowhere to count in, the first."""
        return self._try(lambda: super(RedisCache, self).incr(key, delta, version), delta)

    def set_many(self, data, timeout=redis.DEFAULT_TIMEOUT, version=None):
        """Keep all of them; the keys that could not be kept."""
        failed, owed = list(data), [(key, version) for key in data]
        return self._try(lambda: super(RedisCache, self).set_many(data, timeout, version), failed, owed)

    def clear(self):
        """Hold nothing, neither there nor in this process."""
        for kept in Kept._all:
            kept._here = None
        return self._try(super().clear, False)

    def delete_many(self, keys, version=None):
        """Drop all of them."""
        keys = list(keys)
        self._try(lambda: super(RedisCache, self).delete_many(keys, version), None, [(key, version) for key in keys])
