"""What happened, told to whom it concerns: handlers run in the sender's transaction, in the order they were registered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

if TYPE_CHECKING:
    from portal.access import Actor, Audience
    from portal.registry import SubjectRef

_in_bulk: ContextVar[bool] = ContextVar("in_bulk", default=False)
_handlers: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def on(*events: type) -> Callable:
    """Register a function for one or more event classes. It runs inside the sender's transaction: an error undoes everything."""

    def register(handler: Callable[[Any], None]) -> Callable[[Any], None]:
        for event in events:
            if handler not in _handlers[event]:
                _handlers[event].append(handler)
        return handler

    return register


def emit(event: object) -> None:
    """Tell the handlers of an event's class. Must be called inside a transaction, so that story and fact stand or fall together."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"emit({type(event).__name__}) outside a transaction")
    for handler in _handlers[type(event)]:
        handler(event)


@contextmanager
def bulk() -> Iterator[None]:
    """Many records at once, such as an import: handlers that speak to people keep silent; whoever does it tells of the whole."""
    token = _in_bulk.set(True)
    try:
        yield
    finally:
        _in_bulk.reset(token)


def in_bulk() -> bool:
    """Whether the event being told is one of a mass."""
    return _in_bulk.get()


def records_changed(*refs: SubjectRef) -> None:
    """Say, in the caller's transaction, that somebody who looks at these records may see something else now. Pings and audit lines of a
    record say it by themselves; whoever writes without either says it here."""
    if refs:
        with nullcontext() if transaction.get_connection().in_atomic_block else transaction.atomic():
            emit(RecordsChanged(refs))


def after_commit(function: Callable[[], None]) -> None:
    """Run once the transaction has been committed; for pings and task wake-ups only, never for anything that must not be lost."""
    transaction.on_commit(function, robust=True)


@dataclass(frozen=True, slots=True)
class RecordsChanged:
    """These records may be different now; see `records_changed`."""

    refs: tuple[SubjectRef, ...]


@dataclass(frozen=True, slots=True)
class PersonJoined:
    """Somebody accepted an invitation and is a member now."""

    actor: Actor
    user_id: int
    organisation_id: int
    audience: Audience
    invitation_id: int


@dataclass(frozen=True, slots=True)
class RolesChanged:
    """Somebody has other roles in an organisation, or is in or out; a handler that refuses undoes it."""

    actor: Actor
    user_id: int
    name: str
    organisation_id: int
    audience: Audience


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """Somebody agreed to something, or took it back; who has no account is known by the address alone."""

    actor: Actor
    email: str
    purpose: str
    given: bool


@dataclass(frozen=True, slots=True)
class ErasureAsked:
    """Somebody asked that their data be erased."""

    actor: Actor
    erasure_id: int
    number: str
    answer_by: datetime
    audience: Audience
    organisation_id: int | None


@dataclass(frozen=True, slots=True)
class ErasureTakenBack:
    """Who asked to be erased stays after all."""

    actor: Actor
    erasure_id: int
