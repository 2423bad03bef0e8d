"""The cache is a help, never a need: while its server is away pages are slower, and none fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends import redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class RedisCache(redis.RedisCache):
    """Redis or Valkey; away, it holds nothing and takes nothing. What could not be overwritten is deleted when it is back.

    So a session that ended meanwhile doesn't live on in the cache.
    """

    _owed: set[tuple[Any, Any]] = set()  # (key, version) whose value on the server is out of date

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
        """Whether it was added."""
        return self._try(lambda: super(RedisCache, self).add(key, value, timeout, version), False)

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

    def delete_many(self, keys, version=None):
        """Drop all of them."""
        keys = list(keys)
        self._try(lambda: super(RedisCache, self).delete_many(keys, version), None, [(key, version) for key in keys])
