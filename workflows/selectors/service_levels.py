"""How promises stand: the chip of a task or process, and the page of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn.timers import BadTime
from portal.access import Actor
from workflows import clocks, definitions
from workflows.access import visible_clocks
from workflows.calendars import length_words
from workflows.models import ProcessDefinition, ServiceClock, ServiceLevel
from workflows.service_levels import Level, drawn_levels, level_of

State = ServiceClock.State
LOOKS_BACK = timedelta(days=90)
SHOWN = 50
TONES = {State.ON_TIME: "good", State.AT_RISK: "warn", State.BREACHED: "bad"}


@dataclass(frozen=True, slots=True)
class ClockView:
    """How one promise stands now. `breach_at`: when it is broken if nothing happens, or when it was; None while it stands still."""

    id: int
    instance_id: int
    task_id: int | None
    name: str
    title: str
    process_key: str
    target: str
    state: str
    tone: str
    breach_at: datetime | None
    paused: str  # why it stands still
    used: str

    @property
    def words(self) -> str:
        """The state in a word or two."""
        if self.state != State.BREACHED and self.paused:
            return self.paused
        return str(State(self.state).label)


def clock_view(clock: ServiceClock, now: datetime, title: str = "") -> ClockView:
    """A running clock as it stands now, also before anybody has looked at it."""
    state = clocks.state_at(clock, now)
    try:
        used = length_words(clocks.used_at(clock, now))
    except BadTime:
        used = ""
    return ClockView(
        id=clock.pk,
        instance_id=clock.instance_id,
        task_id=clock.task_id,
        name=clock.name,
        title=title,
        process_key=clock.process_key,
        target=clock.target,
        state=state,
        tone=TONES[State(state)] if not clock.stops or state == State.BREACHED else "",
        breach_at=clock.breach_at,
        paused=_why_paused(clock.stops),
        used=used,
    )


def _why_paused(stops: list[str]) -> str:
    words = {
        clocks.HELD: _("Held: the clock stands still"),
        clocks.CUSTOMER: _("Waits for the customer: the clock stands still"),
        "question": _("A question is open: the clock stands still"),
    }
    return words.get(stops[0], _("The clock stands still")) if stops else ""


def clocks_of_tasks(task_ids: Iterable[int]) -> dict[int, ClockView]:
    """How the promises of these tasks stand; one query. The caller has made sure that the reader, an employee, sees the tasks."""
    ids, now = list(task_ids), timezone.now()
    rows = ServiceClock.objects.filter(task_id__in=ids, ended=None) if ids else []
    return {row.task_id: clock_view(row, now) for row in rows}


def clocks_of_instance(actor: Actor, instance_id: int) -> list[ClockView]:
    """The running clocks of an instance that the actor sees: the process's own first."""
    now = timezone.now()
    rows = visible_clocks(actor).filter(instance_id=instance_id, ended=None).order_by(F("task").asc(nulls_first=True), "pk")
    return [clock_view(row, now) for row in rows]


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One promise, and how it was kept in the last ninety days. Shares are percent; None where nothing has ended."""

    process_key: str
    process_name: str
    element_id: str
    name: str
    level: Level
    is_set: bool  # by an administrator, else by the diagram
    running: int
    at_risk: int
    breached: int
    ended: int
    kept_share: int | None
    p50: str
    p85: str


def level_rows(actor: Actor) -> list[LevelRow]:
    """Every promise of the current processes, and of others that still count; a fixed number of queries."""
    known = _promises()
    names = dict(ProcessDefinition.objects.filter(is_current=True).values_list("key", "name"))
    seen, since = visible_clocks(actor), timezone.now() - LOOKS_BACK
    counts: dict[tuple[str, str], dict[str, Any]] = {}
    grouped = seen.filter(Q(ended=None) | Q(ended__gte=since)).order_by().values("process_key", "element_id")
    now = timezone.now()
    for row in grouped.annotate(
        running=Count("pk", filter=Q(ended=None)),
        breached=Count("pk", filter=Q(ended=None) & (Q(breach_at__lte=now) | Q(state=State.BREACHED))),
        risky=Count("pk", filter=Q(ended=None, risk_at__lte=now) & (Q(breach_at=None) | Q(breach_at__gt=now)) & ~Q(state=State.BREACHED)),
        ended_=Count("pk", filter=Q(kept__isnull=False)),
        kept_=Count("pk", filter=Q(kept=True)),
    ):
        counts[row["process_key"], row["element_id"]] = dict(row)
    lengths = _percentiles(seen.filter(kept__isnull=False, ended__gte=since))
    found = []
    for (key, element_id), (name, level, is_set) in known.items():
        counted = counts.get((key, element_id), {})
        ended, quantiles = counted.get("ended_", 0), lengths.get((key, element_id), {})
        found.append(
            LevelRow(
                process_key=key,
                process_name=names.get(key, key),
                element_id=element_id,
                name=name,
                level=level,
                is_set=is_set,
                running=counted.get("running", 0),
                at_risk=counted.get("risky", 0),
                breached=counted.get("breached", 0),
                ended=ended,
                kept_share=round(100 * counted["kept_"] / ended) if ended else None,
                p50=length_words(quantiles[50]) if 50 in quantiles else "",
                p85=length_words(quantiles[85]) if 85 in quantiles else "",
            )
        )
    return sorted(found, key=lambda row: (row.process_name.lower(), row.element_id != "", row.name.lower()))


def _promises() -> dict[tuple[str, str], tuple[str, Level, bool]]:
    """Process and step → the step's name, the promise, and whether an administrator made it."""
    found: dict[tuple[str, str], tuple[str, Level, bool]] = {}
    set_here = {(row.process_key, row.element_id): row for row in ServiceLevel.objects.all()}
    for key, digest in ProcessDefinition.objects.filter(is_current=True).values_list("key", "digest"):
        definition = definitions.load(digest)
        for element_id, level in drawn_levels(definition).items():
            found[key, element_id] = (definition.name_of(element_id), level, False)
        for (process, element_id), row in set_here.items():
            if process == key:
                found[key, element_id] = (definition.name_of(element_id), level_of(row), True)
    return found


def _percentiles(rows: QuerySet[ServiceClock]) -> dict[tuple[str, str], dict[int, timedelta]]:
    """How long half of them and 85 in a hundred took at most, by process and step; one query each, and a row a step."""
    group = [F("process_key"), F("element_id")]
    ranked = rows.annotate(
        rank=Window(RowNumber(), partition_by=group, order_by=F("used").asc()), total=Window(Count("pk"), partition_by=group)
    )
    found: dict[tuple[str, str], dict[int, timedelta]] = {}
    for percent in (50, 85):
        last = ranked.annotate(past=F("rank") * 100 - F("total") * percent).filter(past__gte=0, past__lt=100)
        for key, element_id, used in last.values_list("process_key", "element_id", "used"):
            found.setdefault((key, element_id), {})[percent] = used
    return found


def clocks_that(actor: Actor, state: str) -> tuple[list[ClockView], int]:
    """The running ones at risk (soonest broken first) or broken (the longest first), as many as are shown, and how many there are."""
    now = timezone.now()
    rows = visible_clocks(actor).filter(ended=None)
    broken = Q(breach_at__lte=now) | Q(state=State.BREACHED)
    rows = rows.filter(broken) if state == State.BREACHED else rows.filter(risk_at__lte=now).exclude(broken)
    shown = rows.select_related("instance").defer("instance__state", "instance__data", "instance__waits")
    found = list(shown.order_by(F("breach_at").asc(nulls_last=True), "pk")[: SHOWN + 1])
    total = len(found) if len(found) <= SHOWN else rows.count()
    return [clock_view(row, now, row.instance.title) for row in found[:SHOWN]], total


def steps_to_promise(key: str) -> list[tuple[str, str]]:
    """What may be promised of a process: the whole, and each step where something can wait, people's first."""
    row = definitions.current(key)
    if row is None:
        return []
    found = [e for e in definitions.load(row.digest).elements.values() if e.is_human or e.may_wait]
    steps = [(e.id, e.name or e.id) for e in sorted(found, key=lambda e: not e.is_human)]
    return [("", _("The whole process")), *steps]


def level_for(key: str, element_id: str) -> tuple[Level | None, bool]:
    """What is promised of a process or step now, and whether an administrator said so."""
    row = ServiceLevel.objects.filter(process_key=key, element_id=element_id).first()
    if row is not None:
        return level_of(row), True
    current = definitions.current(key)
    return (drawn_levels(definitions.load(current.digest)).get(element_id) if current else None), False
