"""The monitor's list: instances found by process, state, age, money, record and person, a page at a time in constant time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.access import Actor
from portal.numbers import whole_number
from portal.registry import SubjectRef, registry
from workflows.access import visible_instances
from workflows.models import HumanTask, InstanceSubject, ProcessInstance
from workflows.selectors.instances import InstanceRow, rows_of
from workflows.standing import standing_at

PAGE = 50
COUNTED = 1000  # more than this is told as “more than”: counting every row would cost what the page is to save
LIVE = (ProcessInstance.Status.RUNNING, ProcessInstance.Status.SUSPENDED)
SORTS = {"newest": ("started", True), "oldest": ("started", False), "worth": ("worth", True)}


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """What the list shows. `status` may also be `live` or `incident`; `element` is where a token stands; `about` a record (`kind:id`) or
    a kind of record; `person` holds a step or began it; `age`: began at least so many days ago; `worth`: at least so much at stake."""

    key: str = ""
    status: str = ""
    text: str = ""
    element: str = ""
    about: str = ""
    person: int = 0
    age: int = 0
    worth: Decimal = Decimal(0)
    sort: str = "newest"


@dataclass(frozen=True, slots=True)
class InstancePage:
    """A page of instances. `following` and `before` are the places of the pages around it, empty where there is none."""

    rows: list[InstanceRow]
    total: int
    is_more: bool  # there are more than `total`
    following: str = ""
    before: str = ""


def matching(actor: Actor, wanted: InstanceFilter) -> QuerySet[ProcessInstance]:
    """The instances that the actor sees and the filter asks for, in no order."""
    rows = visible_instances(actor)
    if wanted.key:
        rows = rows.filter(key=wanted.key)
    if wanted.status == "incident":
        rows = rows.filter(has_incident=True)
    elif wanted.status == "live":
        rows = rows.filter(status__in=LIVE)
    elif wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.text:
        rows = rows.filter(title__icontains=wanted.text)
    if wanted.element:
        rows = standing_at(rows, wanted.element).filter(status__in=LIVE)
    if wanted.about:
        rows = rows.filter(_about(wanted.about))
    if wanted.person:
        held = HumanTask.objects.filter(assignee_id=wanted.person, status=HumanTask.Status.OPEN).values("instance_id")
        rows = rows.filter(pk__in=held.union(ProcessInstance.objects.filter(started_by_id=wanted.person).values("pk")))
    if wanted.age:
        rows = rows.filter(started__lte=timezone.now() - timedelta(days=wanted.age))
    if wanted.worth:
        rows = rows.filter(worth__gte=wanted.worth)
    return rows


def _about(words: str) -> Q:
    """A record has few instances, so they are looked up first; a kind of record has many, so each row is asked as it comes."""
    try:
        ref = SubjectRef.parse(words)
    except ValueError:
        return Q(Exists(InstanceSubject.objects.filter(instance=OuterRef("pk"), kind=words)))
    return Q(pk__in=InstanceSubject.objects.filter(kind=ref.kind, subject_id=ref.id).values("instance_id"))


def about_words(actor: Actor, words: str) -> str:
    """A filter's record or kind of record in words; a record that the reader doesn't see stays its reference."""
    if words in registry.subjects:
        return str(registry.subjects[words].label)
    try:
        seen = registry.resolve(actor, SubjectRef.parse(words))
    except ValueError:
        return words
    return seen.title if seen else words


def instances(actor: Actor, wanted: InstanceFilter | None = None, *, place: str = "", limit: int = PAGE) -> InstancePage:
    """A page of what the filter finds, from a place that an earlier page gave. The cost doesn't grow with the number of instances."""
    wanted = wanted or InstanceFilter()
    found = matching(actor, wanted)
    total = found.order_by()[: COUNTED + 1].count()
    name, downwards = SORTS.get(wanted.sort, SORTS["newest"])
    backwards, edge = _edge(place, name)
    rows, ahead = found.defer("state", "data", "waits"), downwards != backwards
    if edge is not None:
        rows = rows.filter(_beyond(name, edge, below=ahead))
    sign = "-" if ahead else ""
    page = list(rows.order_by(f"{sign}{name}", f"{sign}pk")[: limit + 1])
    more, page = len(page) > limit, page[:limit]
    if backwards:
        page.reverse()
    has_following, has_before = (True, more) if backwards else (more, edge is not None)
    return InstancePage(
        rows_of(actor, page),
        min(total, COUNTED),
        total > COUNTED,
        _place(page[-1], name, "after") if page and has_following else "",
        _place(page[0], name, "before") if page and has_before else "",
    )


def _beyond(name: str, edge: tuple, *, below: bool) -> Q:
    """Behind a row in the order; the first condition alone lets the index begin there."""
    value, pk = edge
    word = "lt" if below else "gt"
    return Q(**{f"{name}__{word}e": value}) & (Q(**{f"{name}__{word}": value}) | Q(**{name: value, f"pk__{word}": pk}))


def _place(row: ProcessInstance, name: str, side: str) -> str:
    value = getattr(row, name)
    return f"{side}_{value.isoformat() if isinstance(value, datetime) else value}_{row.pk}"


def _edge(place: str, name: str) -> tuple[bool, tuple | None]:
    """Whether a place looks back, and the row it looks from; a place that can't be read is the beginning."""
    side, _line, rest = place.partition("_")
    value, _line, pk = rest.rpartition("_")
    if side not in ("after", "before") or whole_number(pk) is None:
        return False, None
    try:
        edge = parse_datetime(value) if name == "started" else Decimal(value)
    except (ValueError, InvalidOperation):
        return False, None
    if edge is None or (isinstance(edge, datetime) and timezone.is_naive(edge)) or (isinstance(edge, Decimal) and not edge.is_finite()):
        return False, None
    return side == "before", (edge, int(pk))
