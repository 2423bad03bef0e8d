"""Processes that begin when something becomes true of a record.

The change of a watched record leaves a row in its own transaction (RecordChange); afterwards the record is looked at, and the process
started where the condition holds and didn't before (ConditionMet). Whoever looks holds the condition's row, so that of two looks the later
one sees what the earlier one did and the newer state of the record.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import scripts
from bpmn.model import Definition
from portal.access import Actor, Audience
from portal.cache import Kept
from portal.live import ping
from portal.registry import SubjectRef, registry
from workflows.models import ConditionMet, ProcessDefinition, RecordChange, StartCondition
from workflows.services.instances import start_process

log = logging.getLogger(__name__)
BATCH, PAGE = 100, 500
MAX_ATTEMPTS = 5
# Who changes a record while its kind begins to be watched may not know of it yet, for as long as the cache keeps what it knows. So all
# records are looked through again soon after publishing; and once a day, for what was written past everybody who tells.
SOON, LATER = timedelta(minutes=2), timedelta(days=1)
FINE = {"failed": None, "failed_id": None, "last_error": ""}
WATCHED = Kept("workflows.watched", lambda: frozenset(StartCondition.objects.values_list("kind", flat=True)))


def watch(row: ProcessDefinition, definition: Definition) -> None:
    """Let the conditions of a version that has become the current one start it, and those of the other versions no more.

    What is true of a record already starts nothing. A condition that is the same as before goes on where it was; what it failed at is
    tried again soon, for the new version may have been made for that."""
    before = {one.element_id: one for one in StartCondition.objects.select_for_update().filter(definition__key=row.key).order_by("pk")}
    for start in definition.start_events:
        if start.event != "conditional":
            continue
        same = before.get(start.element_id)
        if same is not None and (same.kind, same.condition) == (start.watches, start.condition):
            del before[start.element_id]
            again = {"look_again": timezone.now() + SOON, "seen_to": 0} | FINE if same.last_error else {}
            StartCondition.objects.filter(pk=same.pk).update(definition=row, **again)
            continue
        fresh = StartCondition.objects.create(
            definition=row,
            element_id=start.element_id,
            kind=start.watches,
            condition=start.condition,
            look_again=timezone.now() + SOON,
        )
        _remember(fresh)
        WATCHED.forget()
    if before:
        StartCondition.objects.filter(pk__in=[one.pk for one in before.values()]).delete()
        WATCHED.forget()


def _remember(start: StartCondition) -> None:
    """Keep of which records a condition holds now."""
    records, failed = registry.read_facts(_actor(), start.kind), None
    while page := list(islice(records, PAGE)):
        met = []
        for pk, facts in page:
            try:
                if holds(start.condition, facts):
                    met.append(ConditionMet(start=start, subject_id=pk))
            except scripts.ScriptError as error:
                failed = failed or (pk, str(error))
        ConditionMet.objects.bulk_create(met)
    if failed:
        _tell_failed(start, *failed)


def holds(condition: str, facts: Mapping[str, Any]) -> bool:
    """Whether a condition is true of a record. Where a field that it asks for is empty, and it can't be worked out without, it isn't.

    Raises ScriptError for a condition that fails otherwise."""
    try:
        return scripts.truth(condition, facts)
    except scripts.ScriptError:
        if any(facts.get(name, "") is None for name in scripts.names_in(condition)):
            return False
        raise


def note_changes(refs: Iterable[SubjectRef]) -> None:
    """Put down, in the caller's transaction, which watched records have changed."""
    watched = WATCHED.get()
    if watched:
        RecordChange.objects.bulk_create([RecordChange(kind=ref.kind, subject_id=ref.id) for ref in refs if ref.kind in watched])


def look_at_changes() -> int:
    """Look at watched records that have changed, and start what begins with it; gives how many changes were looked at. Any number of
    runners may look beside each other. A start that fails is tried again; after the last try its process's page tells."""
    changed: dict[tuple[str, int], list[RecordChange]] = defaultdict(list)
    for change in RecordChange.objects.filter(due__lte=timezone.now()).order_by("pk")[:BATCH]:
        changed[change.kind, change.subject_id].append(change)
    done = 0
    for (kind, subject_id), changes in changed.items():
        errors = {}
        for pk in StartCondition.objects.filter(kind=kind).order_by("pk").values_list("pk", flat=True):
            try:
                _look(pk, subject_id)
            except Exception as error:
                log.exception("the condition %s can't start its process for %s:%s", pk, kind, subject_id)
                errors[pk] = str(error) or type(error).__name__
        _settle(changes, errors)
        done += 0 if errors else len(changes)
    return done


@transaction.atomic
def _look(start_id: int, subject_id: int) -> None:
    """Look at one record with one condition; start the process where it has come true."""
    rows = StartCondition.objects.select_related("definition").defer(
        "definition__xml", "definition__decisions", "definition__documentation"
    )
    start = rows.select_for_update(of=("self",)).filter(pk=start_id).first()
    if start is None:  # another version has become the current one
        return
    facts = dict(registry.read_facts(_actor(), start.kind, pk=subject_id)).get(subject_id)
    try:
        is_true = facts is not None and holds(start.condition, facts)
    except scripts.ScriptError as error:
        _tell_failed(start, subject_id, str(error))
        return
    met = ConditionMet.objects.filter(start=start, subject_id=subject_id)
    if facts is None or not is_true:
        met.delete()
    elif not met.exists():
        ConditionMet.objects.create(start=start, subject_id=subject_id)
        _begin(start, SubjectRef(start.kind, subject_id), facts)


def _begin(start: StartCondition, ref: SubjectRef, facts: dict[str, Any]) -> None:
    start_process(
        _actor(),
        start.definition.key,
        subject=ref,
        data={**facts, f"{ref.kind.rpartition('.')[2]}_id": ref.id},
        customer_organisation_id=facts.get("customer_organisation_id"),
        partner_organisation_id=_partner_in(ref, facts),
        at=start.element_id,
    )


def _partner_in(ref: SubjectRef, facts: dict[str, Any]) -> int | None:
    """The record's partner if they take part in it: one who is only thought of, or has declined, is told of nothing."""
    named, taking_part = facts.get("partner_organisation_id"), registry.subjects[ref.kind].organisations
    return named if named and taking_part and (Audience.PARTNER, named) in taking_part(ref.id) else None


def _settle(changes: list[RecordChange], errors: dict[int, str]) -> None:
    """A record has been looked at: its changes go, or are looked at again where a start failed."""
    mine = RecordChange.objects.filter(pk__in=[change.pk for change in changes])
    attempts = max(change.attempts for change in changes) + 1
    if errors and attempts < MAX_ATTEMPTS:
        mine.update(attempts=attempts, due=timezone.now() + timedelta(seconds=5 * 4**attempts))
        return
    with transaction.atomic():
        for start in StartCondition.objects.filter(pk__in=errors).order_by("pk"):
            _tell_failed(start, changes[0].subject_id, errors[start.pk])
        mine.delete()


def look_again() -> int:
    """Look through the next records of a condition whose time has come, and note those that it has come true or false of unheard; gives
    whether there were any to look through."""
    now = timezone.now()
    due = StartCondition.objects.filter(look_again__lte=now).order_by("look_again", "pk")
    if not due.exists():
        return 0
    with transaction.atomic():
        start = due.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked).first()
        if start is None:
            return 0
        if not start.seen_to:  # what fails still is told anew
            StartCondition.objects.filter(pk=start.pk).update(**FINE)
            start.last_error = ""
        page = list(registry.read_facts(_actor(), start.kind, PAGE, pk__gt=start.seen_to))
        is_last = len(page) < PAGE
        remembered = ConditionMet.objects.filter(start=start, subject_id__gt=start.seen_to)
        met = set((remembered if is_last else remembered.filter(subject_id__lte=page[-1][0])).values_list("subject_id", flat=True))
        different, failed = met - {pk for pk, _facts in page}, None
        for pk, facts in page:
            try:
                if holds(start.condition, facts) != (pk in met):
                    different.add(pk)
            except scripts.ScriptError as error:
                failed = failed or (pk, str(error))
        if failed and not start.last_error:
            _tell_failed(start, *failed)
        RecordChange.objects.bulk_create([RecordChange(kind=start.kind, subject_id=pk) for pk in sorted(different)])
        place = {"seen_to": 0, "look_again": now + LATER} if is_last else {"seen_to": page[-1][0]}
        StartCondition.objects.filter(pk=start.pk).update(**place)
    return 1


def _tell_failed(start: StartCondition, subject_id: int, words: str) -> None:
    """Keep what failed, for the process's page: once, however many records it fails for."""
    if start.last_error == words[:500]:
        return
    start.failed, start.failed_id, start.last_error = timezone.now(), subject_id, words[:500]
    start.save(update_fields=["failed", "failed_id", "last_error"])
    ping("processes:all")


def _actor() -> Actor:
    return Actor.system(_("Condition"))
