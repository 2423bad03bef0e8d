"""Which message is for whom: a wait takes a message that carries the same values for the wait's variables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Q

from workflows.models import MessageBuffer, MessageWait, ProcessInstance


def digest_of(keys: Mapping[str, Any]) -> tuple[str, str]:
    """The names of a correlation and the digest of its values; both empty without a correlation. `5` and `"5"` are the same value."""
    if not keys:
        return "", ""
    names = sorted(keys)
    body = orjson.dumps([[name, str(keys[name])] for name in names])
    return " ".join(names), hashlib.sha256(body).hexdigest()


def waiting_for(name: str, keys: Mapping[str, Any], *, held: bool = False) -> MessageWait | None:
    """The wait that a message goes to: the one with the most of its variables, then the oldest; of instances that run, or of `held` ones.
    None where nobody waits."""
    waits = MessageWait.objects.filter(kind="message", name=name)
    suspended = Q(instance__status=ProcessInstance.Status.SUSPENDED)
    waits = waits.filter(suspended) if held else waits.exclude(suspended)
    if keys:  # who waits for all of them fits best, and is found by the index however many wait
        found = waits.filter(key_digest=digest_of(keys)[1]).order_by("created", "pk").first()
        if found is not None:
            return found
    digests = []
    for names in waits.values_list("key_names", flat=True).distinct():
        wanted = names.split()
        if all(part in keys for part in wanted):
            digests.append((len(wanted), digest_of({part: keys[part] for part in wanted})[1]))
    for _count, digest in sorted(digests, reverse=True):
        found = waits.filter(key_digest=digest).order_by("created", "pk").first()
        if found is not None:
            return found
    return None


def buffered_for(wait: MessageWait, now: datetime) -> MessageBuffer | None:
    """The oldest message on its way that fits a wait; locked for the transaction."""
    names = wait.key_names.split()
    rows = MessageBuffer.objects.filter(kind="message", name=wait.name, taken=None, expires__gt=now)
    for pk, keys in rows.order_by("received", "pk").values_list("pk", "keys").iterator():
        if all(part in keys for part in names) and digest_of({part: keys[part] for part in names})[1] == wait.key_digest:
            row = MessageBuffer.objects.select_for_update(skip_locked=True).filter(pk=pk, taken=None).first()
            if row is not None:
                return row
    return None
