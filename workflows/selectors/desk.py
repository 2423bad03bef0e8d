"""What lies on a person's desk: the boxes of the inbox as queries that stay fast however many tasks are open or were ever done.

A box is a list of *branches*: sets of tasks that don't overlap, each read off an index of its own (see the indexes of HumanTask). A page
takes the first rows of every branch and merges them; a count stops at `CAP`. So neither grows with what lies behind the first page.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.utils import timezone

from portal.access import Actor
from portal.registry import registry
from portal.rows import PreparedFor
from workflows.access import WorkflowPermission, doable_tasks, visible_instances, visible_tasks
from workflows.models import HumanTask, InstanceSubject, TaskCandidate, TaskSnooze
from workflows.substitution import Cover, absences_at, covered_by

PAGE = 50
CAP = 1000  # a list is counted so far: "999+"
BADGE_CAP = 100  # a tab or the navigation: "99+"
BOXES = ("todo", "mine", "group", "delegated", "received", "waiting", "snoozed", "done", "all")
SORTS = ("due", "money", "new")
DUES = ("late", "today", "week", "none")
Branches = list[QuerySet[HumanTask]]


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What the list shows: one of BOXES, in one of SORTS, narrowed by words, process, step, kind of record, date, person, group."""

    box: str = "todo"
    text: str = ""
    sort: str = "due"
    process: str = ""
    step: str = ""
    about: str = ""
    due: str = ""
    person: int = 0
    group: str = ""
    offset: int = 0
    limit: int = PAGE

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the box and the order is asked."""
        return bool(self.text or self.process or self.step or self.about or self.due or self.person or self.group)

    @property
    def whole(self) -> InboxFilter:
        """The same box and order with nothing left out."""
        return InboxFilter(box=self.box, sort=self.sort)


@dataclass(frozen=True)
class Desk:
    """One reader's boxes, asked in one request: who asked them by name, what they put to sleep, for whom they stand in."""

    actor: Actor
    now: datetime = field(default_factory=timezone.now)

    @cached_property
    def covers(self) -> set[Cover]:
        """Whose tasks the reader does while they are away."""
        return covered_by(self.actor.user_id, absences_at()) if self.actor.is_internal else set()

    @cached_property
    def asleep(self) -> list[int]:
        """What the reader has put out of their own sight for now."""
        rows = TaskSnooze.objects.filter(user_id=self.actor.user_id or 0, until__gt=self.now)
        return list(rows.values_list("task_id", flat=True)[:CAP])

    @cached_property
    def asked(self) -> QuerySet[TaskCandidate, Any]:
        """Free tasks that the reader, or somebody for whom they stand in, was asked to do by name."""
        who = Q(user_id=self.actor.user_id)
        for absent, key in self.covers:
            who |= Q(user_id=absent, task__instance__key=key) if key else Q(user_id=absent)
        free = {"task__assignee": None, "task__is_shared": False, "task__audience": "internal", "task__status": "open"}
        return TaskCandidate.objects.filter(who, is_open=True, **free).values("task")

    @cached_property
    def _internal(self) -> QuerySet[HumanTask]:
        return HumanTask.objects.filter(status=HumanTask.Status.OPEN, audience="internal")

    @cached_property
    def own(self) -> QuerySet[HumanTask]:
        """Given to the reader, or taken by them."""
        return self._internal.filter(assignee_id=self.actor.user_id)

    @cached_property
    def free(self) -> Branches:
        """What nobody has taken yet: of the reader's roles, one branch a role, and asked of them by name."""
        shared = self._internal.filter(assignee=None, is_shared=True)
        named = HumanTask.objects.filter(pk__in=self.asked)  # nothing else asked of it, or an index on all that is open is read through
        return [*(shared.filter(role=role) for role in ("", *sorted(self.actor.roles))), named]

    @cached_property
    def covered(self) -> Branches:
        """In the hands of people for whom the reader stands in."""
        return [self._internal.filter(assignee_id=absent, **({"instance__key": key} if key else {})) for absent, key in self._held]

    @cached_property
    def _held(self) -> list[Cover]:
        """Whose tasks are covered, without the processes of people who are covered in all."""
        whole = {absent for absent, key in self.covers if not key}
        return sorted(cover for cover in self.covers if not cover[1] or cover[0] not in whole)

    def awake(self, branches: Branches) -> Branches:
        """Without what the reader has put to sleep."""
        return [rows.exclude(pk__in=self.asleep) for rows in branches] if self.asleep else branches

    def box(self, name: str) -> Branches:
        """The branches of a box; of an outsider, what they could do now."""
        actor = self.actor
        if not actor.is_internal:
            return [doable_tasks(actor)]
        is_open = HumanTask.objects.filter(status=HumanTask.Status.OPEN)
        match name:
            case "mine":
                return self.awake([self.own])
            case "group":
                return self.awake(self.free)
            case "delegated":
                return [is_open.filter(delegated_by_id=actor.user_id).exclude(assignee_id=actor.user_id)]
            case "received":
                return self.awake([self.own.filter(delegated_by__isnull=False).exclude(delegated_by_id=actor.user_id)])
            case "waiting":
                return self.waiting
            case "snoozed":
                return [visible_tasks(actor).filter(status=HumanTask.Status.OPEN, pk__in=self.asleep)]
            case "done":
                return [visible_tasks(actor).filter(status=HumanTask.Status.DONE, done_by_id=actor.user_id)]
            case "all":
                return [visible_tasks(actor).filter(status=HumanTask.Status.OPEN)]
            case _:
                return self.awake([self.own, *self.free, *self.covered])

    @cached_property
    def waiting(self) -> Branches:
        """Others' steps in processes that the reader started or follows: what they wait for."""
        is_open = HumanTask.objects.filter(status=HumanTask.Status.OPEN)
        mine = Q(audience="internal", assignee=None, is_shared=True, role__in=["", *sorted(self.actor.roles)])
        others = is_open.exclude(assignee_id=self.actor.user_id).exclude(mine).exclude(pk__in=self.asked)
        if held := [absent for absent, key in self._held if not key]:
            others = others.exclude(assignee_id__in=held)
        branches = [others.filter(started_by_id=self.actor.user_id)]
        if followed := registry.followed(self.actor, "workflows.instance"):
            seen = visible_instances(self.actor).filter(pk__in=followed, ended=None).exclude(started_by_id=self.actor.user_id)
            branches.append(others.filter(instance_id__in=list(seen.values_list("pk", flat=True))))
        return branches

    def find(self, wanted: InboxFilter) -> Branches:
        """A box, narrowed."""
        condition = narrowing(self.actor, wanted, self.now)
        return [rows.filter(condition) for rows in self.box(wanted.box)] if condition else self.box(wanted.box)


def narrowing(actor: Actor, wanted: InboxFilter, now: datetime) -> Q:
    """What a filter asks of a task."""
    asked = Q()
    if wanted.text:
        asked &= Q(name__icontains=wanted.text) | Q(instance__title__icontains=wanted.text)
    if wanted.process:
        asked &= Q(instance__key=wanted.process)
    if wanted.step:
        asked &= Q(element_id=wanted.step)
    if wanted.about:
        asked &= Q(Exists(InstanceSubject.objects.filter(instance_id=OuterRef("instance_id"), kind=wanted.about)))
    if wanted.person:
        asked &= Q(assignee_id=wanted.person)
    if wanted.group:
        asked &= Q(role=wanted.group)
    match wanted.due:
        case "late":
            asked &= Q(due__lt=now)
        case "today" | "week":
            start, end = _days(actor, now, 1 if wanted.due == "today" else 7)
            asked &= Q(due__gte=start, due__lt=end)
        case "none":
            asked &= Q(due=None)
    return asked


def _days(actor: Actor, now: datetime, days: int) -> tuple[datetime, datetime]:
    """From this morning over so many days, where the reader lives."""
    zone = zoneinfo.ZoneInfo(actor.time_zone) if actor.time_zone else timezone.get_default_timezone()
    today = now.astimezone(zone).date()
    return datetime.combine(today, time(), tzinfo=zone), datetime.combine(today + timedelta(days), time(), tzinfo=zone)


def order_of(wanted: InboxFilter) -> list[OrderBy]:
    """The order of a list; the key makes it total, so that pages never overlap."""
    if wanted.box == "done":
        return [F("ended").desc(), F("pk").desc()]
    match wanted.sort:
        case "money":
            return [F("stake").desc(), F("pk").asc()]
        case "new" if wanted.box == "group":  # by the key PostgreSQL would read through all that were ever done for a few old ones
            return [F("created").desc(), F("pk").desc()]
        case "new":
            return [F("pk").desc()]
        case _:
            return [F("due").asc(nulls_last=True), F("pk").asc()]


def first_ids(branches: Branches, order: list[OrderBy], most: int) -> list[int]:
    """The ids of the first rows of every branch, in no order: the first `most` of all are among them. One statement."""
    tops = [rows.order_by(*order).values("pk")[:most] for rows in branches]
    if len(tops) == 1:
        return [row["pk"] for row in tops[0]]
    each = [HumanTask.objects.filter(pk__in=top).order_by().values("pk") for top in tops]  # SQLite takes no LIMIT right inside a union
    return [row["pk"] for row in each[0].union(*each[1:], all=True)]


def ids_in_order(branches: Branches, wanted: InboxFilter, most: int) -> list[int]:
    """The ids of a list's first rows, in its order."""
    order = order_of(wanted)
    if len(branches) == 1:
        return list(branches[0].order_by(*order).values_list("pk", flat=True)[:most])
    found = first_ids(branches, order, most)
    return list(HumanTask.objects.filter(pk__in=found).order_by(*order).values_list("pk", flat=True)[:most])


def counted(sets: dict[str, Branches], cap: int = CAP) -> dict[str, int]:
    """How many tasks each of these holds, none counted beyond `cap`; one statement for all."""
    names, parts, values = [], [], []
    for name, branches in sets.items():
        for rows in branches:
            try:
                sql, params = rows.order_by().values("pk")[:cap].query.get_compiler(connection=connection).as_sql()
            except EmptyResultSet:
                continue
            parts.append(f"(SELECT COUNT(*) FROM ({sql}) capped)")  # noqa: S608  a statement of the ORM, values apart
            values.extend(params)
            names.append(name)
    totals = dict.fromkeys(sets, 0)
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(parts)}", values)  # noqa: S608  statements of the ORM, values apart
            for name, count in zip(names, cursor.fetchone(), strict=True):
                totals[name] = min(cap, totals[name] + count)
    return totals


def waiting_count(actor: Actor) -> int:
    """How many tasks the actor could do now, up to BADGE_CAP."""
    if not actor.is_internal:
        return len(_DOABLE.rows(actor))
    return counted({"todo": Desk(actor).box("todo")}, BADGE_CAP)["todo"]


_DOABLE = PreparedFor(lambda actor: doable_tasks(actor).order_by().values_list("pk")[:BADGE_CAP], personal=True)


def waiting_badge(actor: Actor) -> int | str | None:
    """The same as the navigation shows it: nothing for none, "99+" where nobody counts on."""
    count = waiting_count(actor)
    return count if 0 < count < BADGE_CAP else f"{BADGE_CAP - 1}+" if count else None


def box_counts(actor: Actor, desk: Desk | None = None) -> dict[str, int]:
    """What each box of an employee's inbox holds, and what is late or soon due, up to BADGE_CAP; for its tabs. One statement for all."""
    desk = desk or Desk(actor)
    todo, day = desk.box("todo"), desk.now + timedelta(days=1)
    sets = {name: desk.box(name) for name in BOXES if name not in ("todo", "done", "all")}
    if actor.can(WorkflowPermission.VIEW_ALL):
        sets["all"] = desk.box("all")
    sets["rest"] = desk.covered if not desk.asleep else desk.awake(desk.covered)
    sets["late"] = [rows.filter(due__lt=desk.now) for rows in todo]
    sets["soon"] = [rows.filter(due__gte=desk.now, due__lt=day) for rows in todo]
    counts = counted(sets, BADGE_CAP)
    counts["todo"] = min(BADGE_CAP, counts["mine"] + counts["group"] + counts.pop("rest"))
    return counts


def queue(actor: Actor, wanted: InboxFilter, most: int = 200) -> list[int]:
    """The ids of a list's first tasks in its order: what somebody who works through it does next."""
    desk = Desk(actor)
    return ids_in_order(desk.find(replace(wanted, offset=0)), wanted, most)
