"""Where a person is signed in: each browser with its place and time, and the way to sign out of it from here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from portal.access import Actor
from portal.audit import record
from portal.registry import SubjectRef

HOUR = timedelta(hours=1)
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Device:
    """One open sign-in; `id` is None for one that was begun in another way than the sign-in page."""

    id: int | None
    user_agent: str
    address: str
    since: datetime
    used: datetime  # to the hour
    is_this: bool

    @property
    def is_small(self) -> bool:
        """A telephone or a tablet."""
        return any(mark in self.user_agent for mark in ("Mobile", "Android", "iPhone", "iPad"))


def devices_of(request: HttpRequest) -> list[Device]:
    """The open sign-ins of whoever asks, this one first, then the newest; ended ones are cleared away."""
    rows = UserSession.objects.purge_and_list(request.user)
    found = [
        Device(row.pk, row.user_agent, row.ip, row.created_at, row.last_seen_at, row.session_key == request.session.session_key)
        for row in rows
    ]
    if not any(one.is_this for one in found):
        began = getattr(request.user, "last_login", None) or timezone.now()
        found.append(
            Device(None, request.META.get("HTTP_USER_AGENT", ""), request.META.get("REMOTE_ADDR", ""), began, timezone.now(), True)
        )
    return sorted(found, key=lambda one: (not one.is_this, -one.used.timestamp()))


_seen: dict[str, float] = {}  # what this process has written, or found written: session key → when


def note_use(session_key: str | None) -> None:
    """Keep that a sign-in is in use, at most once an hour; any other request costs a look into this process's memory."""
    now = time.monotonic()
    if not session_key or now - _seen.get(session_key, -HOUR.total_seconds()) < HOUR.total_seconds():
        return
    if len(_seen) >= MOST_REMEMBERED:
        _seen.clear()
    _seen[session_key] = now
    moment = timezone.now()
    UserSession.objects.filter(session_key=session_key, last_seen_at__lt=moment - HOUR).update(last_seen_at=moment)


def begun(session_key: str | None) -> None:
    """A sign-in has just begun: its first pages have nothing to write."""
    if session_key:
        _seen[session_key] = time.monotonic()


def sign_out_devices(actor: Actor, session_key: str, device_id: int | None = None) -> int:
    """End one of the actor's other sign-ins, or all but this one; gives how many were ended, which may be none the second time."""
    if actor.user_id is None or actor.viewed_by:
        return 0
    with transaction.atomic():
        rows = UserSession.objects.select_for_update().filter(user_id=actor.user_id).exclude(session_key=session_key)
        if device_id is not None:
            rows = rows.filter(pk=device_id)
        ended = list(rows)
        for row in ended:
            row.end()
        if ended:
            told = [{"browser": row.user_agent[:120], "address": row.ip} for row in ended]
            record(actor, "devices.signed_out", SubjectRef("portal.user", actor.user_id), after={"devices": told})
    return len(ended)
