"""The money at stake in an instance: a package says what its records are worth, the instances about them keep the figure to sort and add.

worth_of("crm.deal", lambda ids: {12: (Decimal(500), "EUR")})   # in apps.py
follow_worth(SubjectRef("crm.deal", 12))                        # whenever the amount has changed
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from decimal import Decimal

from django.db import transaction

from portal.events import after_commit
from portal.registry import SubjectRef
from workflows.assignment import stake_fields
from workflows.models import HumanTask, InstanceSubject, ProcessInstance
from workflows.runtime import running

Worth = tuple[Decimal, str]
NOTHING: Worth = (Decimal(0), "")
_sources: dict[str, Callable[[Collection[int]], dict[int, Worth]]] = {}


def worth_of(kind: str, source: Callable[[Collection[int]], dict[int, Worth]]) -> None:
    """Say how much records of a kind are worth: amount and currency by id."""
    _sources[kind] = source


def worths(refs: Iterable[SubjectRef | None]) -> dict[SubjectRef, Worth]:
    """What records are worth; one query a kind that has a worth, none for others."""
    wanted: dict[str, set[int]] = {}
    for ref in refs:
        if ref is not None and ref.kind in _sources:
            wanted.setdefault(ref.kind, set()).add(ref.id)
    return {SubjectRef(kind, key): worth for kind, ids in wanted.items() for key, worth in _sources[kind](ids).items()}


def take_worth(instance: ProcessInstance, ref: SubjectRef) -> None:
    """A record was linked to an instance whose row is held: the instance is worth what the record is."""
    worth = worths([ref]).get(ref)
    if worth is not None:
        instance.worth, instance.worth_currency = worth
        _keep([instance.pk], worth)


def _keep(ids: list[int], worth: Worth) -> None:
    """Write a worth on instances and on their open tasks, and into the runs that stand in the middle of a step."""
    amount, currency = worth
    ProcessInstance.objects.filter(pk__in=ids).update(worth=amount, worth_currency=currency)
    HumanTask.objects.filter(instance_id__in=ids, status=HumanTask.Status.OPEN).update(**stake_fields(amount, currency))
    for run in filter(None, map(running, ids)):
        run.instance.worth, run.instance.worth_currency = worth


def follow_worth(ref: SubjectRef) -> None:
    """A record's worth has changed: its instances take it. Other instances than the one in whose step this happens take it after the
    commit, for a step never holds two of them."""
    ids = list(
        InstanceSubject.objects.filter(kind=ref.kind, subject_id=ref.id).order_by("instance_id").values_list("instance_id", flat=True)
    )
    own = [pk for pk in ids if running(pk)]
    if own:
        _write(ref, own)
    if len(own) < len(ids):
        others = [pk for pk in ids if pk not in own]
        after_commit(lambda: _write(ref, others))


def _write(ref: SubjectRef, ids: list[int]) -> None:
    amount, currency = worths([ref]).get(ref, NOTHING)
    with transaction.atomic():
        rows = ProcessInstance.objects.filter(pk__in=ids).exclude(worth=amount, worth_currency=currency).order_by("pk")
        stale = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
        if stale:
            _keep(stale, (amount, currency))
