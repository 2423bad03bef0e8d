"""Who stands in for whom: from absences to the people whose tasks somebody may do.

A substitute who is away passes the work on to their own substitute, as long as there is one: the chain is followed through every
absence of the moment, and a circle ends where it began.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from portal.access import Actor
from portal.cache import Kept
from workflows.models import Absence, HumanTask, TaskCandidate

Cover = tuple[int, str]  # a person who is away, and the process ("" for all)


def _read() -> list[tuple[int, int, str, datetime, datetime]]:
    """What is now and to come: (who is away, substitute, process, from, to)."""
    rows = Absence.objects.filter(ends__gt=timezone.now()).exclude(substitute=None).order_by("pk")
    return list(rows.values_list("user_id", "substitute_id", "process_key", "starts", "ends"))


KEPT = Kept("workflows.absences", _read)


def absences_at(moment: datetime | None = None, *, fresh: bool = False) -> list[tuple[int, int, str]]:
    """Absences with a substitute at a moment (now): (who is away, substitute, process or "" for all).

    Every page of employees asks this, so what is to come is kept; `fresh` reads the rows, for acts that rest on it.
    """
    at, known = moment or timezone.now(), _read() if fresh else KEPT.get()
    return [(absent, substitute, key) for absent, substitute, key, starts, ends in known if starts <= at < ends]


def _both(first: str, second: str) -> str | None:
    """The processes of two absences in a row; None where they have none in common."""
    if not first or not second or first == second:
        return first or second
    return None


def covered_by(user_id: int | None, away: list[tuple[int, int, str]]) -> set[Cover]:
    """Whose tasks a person does at that moment, directly or through others who are away too."""
    found: set[Cover] = set()
    ways: list[Cover] = [(user_id, "")] if user_id else []
    while ways:
        holder, of = ways.pop()
        for absent, substitute, key in away:
            common = _both(of, key)
            if substitute != holder or absent == user_id or common is None or (absent, common) in found:
                continue
            found.add((absent, common))
            ways.append((absent, common))
    return found


def substitutes_of(user_id: int, process_key: str, away: list[tuple[int, int, str]]) -> list[int]:
    """Who does a person's tasks of a process at that moment, nearest first; empty when the person is there or has nobody."""
    line: list[int] = []
    current = user_id
    while True:
        following = next((s for absent, s, key in away if absent == current and key in ("", process_key)), None)
        if following is None or following == user_id or following in line:
            return line
        line.append(following)
        current = following


def theirs_too(actor: Actor) -> Q | None:
    """The open tasks of people for whom the actor stands in; None for nobody, which is the usual case."""
    covers = covered_by(actor.user_id, absences_at())
    if not covers:
        return None
    wanted = Q()
    for absent, key in covers:
        asked = TaskCandidate.objects.filter(task=OuterRef("pk"), user_id=absent)
        one = Q(assignee_id=absent) | Q(Exists(asked), is_shared=False, assignee_id=None)
        wanted |= one & Q(instance__key=key) if key else one
    return wanted & Q(audience="internal")


def questions_to(actor: Actor, *, fresh: bool = False) -> Q:
    """The questions that an employee answers: asked of them, or of somebody for whom they stand in, unless they asked themselves."""
    wanted = Q(to_id=actor.user_id)
    for absent, key in covered_by(actor.user_id, absences_at(fresh=fresh)):
        one = Q(to_id=absent, task__instance__key=key) if key else Q(to_id=absent)
        wanted |= one & ~Q(asked_by_id=actor.user_id)
    return wanted & Q(audience="internal")


def represented(actor: Actor, task: HumanTask, *, fresh: bool = False) -> int | None:
    """The person who is away for whom the actor would do this task, or None."""
    if actor.user_id is None or not actor.is_internal:
        return None
    covers = covered_by(actor.user_id, absences_at(fresh=fresh))
    people = {absent for absent, key in covers if not key or key == task.instance.key}
    if not people:
        return None
    if task.assignee_id is not None:
        return task.assignee_id if task.assignee_id in people else None
    if task.is_shared:
        return None
    asked = TaskCandidate.objects.filter(task=task, user_id__in=people).order_by("pk")
    return asked.values_list("user_id", flat=True).first()


def has_had_a_say(actor: Actor, task: HumanTask) -> bool:
    """Whether the actor did this step already in this round, for themselves or for another: one person decides once."""
    if task.approval_id:
        return HumanTask.objects.filter(approval_id=task.approval_id, done_by_id=actor.user_id, status=HumanTask.Status.DONE).exists()
    if task.loop_item is None:
        return False
    same = HumanTask.objects.filter(instance_id=task.instance_id, element_id=task.element_id, done_by_id=actor.user_id)
    return same.filter(status=HumanTask.Status.DONE, ended__gte=task.created).exists()


def voices_of(approval_id: int) -> set[int]:
    """The people who have decided on a question, or are asked by name to: none of them takes on another's voice."""
    rows = HumanTask.objects.filter(approval_id=approval_id).exclude(status=HumanTask.Status.GONE)
    return {user for pair in rows.values_list("assignee_id", "done_by_id") for user in pair if user}
