"""Clocks of service levels: they begin with a process or step, stand still while nobody could do anything, and end with it.

Everything is worked out from the row and the calendar, so that a look that comes late, twice or after a restart finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bpmn.calendars import NoWorkingTime, add_working_time, working_time_between
from bpmn.model import Element, Standing
from bpmn.timers import BadTime, target_in
from workflows.calendars import calendar_of
from workflows.models import HumanTask, ProcessInstance, ServiceClock
from workflows.runtime import Run
from workflows.service_levels import Level, levels_of

HELD, CUSTOMER = "held", "customer"
RUNNING = (ProcessInstance.Status.RUNNING, ProcessInstance.Status.SUSPENDED)
CHANGES = (
    "since",
    "used",
    "stops",
    "risk_at",
    "breach_at",
    "state",
    "look",
    "ended",
    "kept",
    "target",
    "risk_percent",
    "pauses_for_customer",
)
State = ServiceClock.State


# --- one clock ------------------------------------------------------------------------------------------------------


def new_clock(
    instance: ProcessInstance,
    task: HumanTask | None,
    level: Level,
    name: str,
    audience: str,
    started: datetime,
    standing: Standing | None = None,
) -> ServiceClock:
    """A clock that begins to count: of a person's step, of a token that stands at another (`standing`), or of the process. The hours are
    those of whoever does the step; the process's are ours."""
    whose = {"customer": instance.customer_organisation_id, "partner": instance.partner_organisation_id}.get(audience)
    clock = ServiceClock(
        instance=instance,
        task=task,
        process_key=instance.key,
        element_id=task.element_id if task else standing.element_id if standing else "",
        engine_id=standing.id if standing else "",
        name=name[:250],
        organisation_id=whose,
        started=started,
        since=started,
    )
    promise(clock, level)
    return clock


def promise(clock: ServiceClock, level: Level) -> None:
    """Count against this promise from now on."""
    clock.target, clock.risk_percent, clock.pauses_for_customer = level.target, level.risk_percent, level.pauses_for_customer
    foresee(clock)


def foresee(clock: ServiceClock) -> None:
    """Work out when a counting clock will be at risk and breached, and when to look at it again."""
    try:
        length, calendar = target_in(clock.target, calendar_of(clock.organisation_id))
        risk = length * clock.risk_percent / 100
        if clock.since is not None:
            clock.risk_at, clock.breach_at = (
                add_working_time(clock.since, max(timedelta(0), part - clock.used), calendar) for part in (risk, length)
            )
        elif clock.state != State.BREACHED:
            clock.risk_at = clock.breach_at = None
    except (BadTime, NoWorkingTime):  # a calendar that never gets there breaks no promise
        clock.risk_at = clock.breach_at = None
    clock.look = _next_look(clock)


def _next_look(clock: ServiceClock) -> datetime | None:
    if clock.ended is not None or clock.told_breach is not None:
        return None
    return clock.breach_at if clock.told_risk is not None or clock.state == State.BREACHED else clock.risk_at


def state_at(clock: ServiceClock, now: datetime) -> str:
    """How it stands."""
    if clock.since is None:
        return clock.state
    if clock.breach_at is not None and clock.breach_at <= now:
        return State.BREACHED
    return State.AT_RISK if clock.risk_at is not None and clock.risk_at <= now else State.ON_TIME


def used_at(clock: ServiceClock, now: datetime) -> timedelta:
    """How much of its time is used."""
    if clock.since is None or now <= clock.since:
        return clock.used
    _length, calendar = target_in(clock.target, calendar_of(clock.organisation_id))
    return clock.used + working_time_between(clock.since, now, calendar)


def stop(clock: ServiceClock, why: str, now: datetime) -> None:
    """Let it stand still; why several times over is once."""
    if why in clock.stops:
        return
    if clock.since is not None:
        clock.used, clock.state = used_at(clock, now), state_at(clock, now)
        clock.since = None
    clock.stops = [*clock.stops, why]
    untold = (clock.state == State.BREACHED and not clock.told_breach) or (clock.state == State.AT_RISK and not clock.told_risk)
    foresee(clock)
    clock.look = now if untold else None


def go_on(clock: ServiceClock, why: str, now: datetime) -> None:
    """Take away one reason to stand still; without any it counts on."""
    if why not in clock.stops:
        return
    clock.stops = [one for one in clock.stops if one != why]
    if not clock.stops and clock.ended is None:
        clock.since = now
        foresee(clock)


def settle(clock: ServiceClock, now: datetime, *, done: bool) -> None:
    """It is over: done, so that the promise was kept or not, or gone, so that it came to nothing."""
    clock.used, clock.state = used_at(clock, now), state_at(clock, now)
    clock.ended, clock.since, clock.look = now, None, None
    length, _calendar = target_in(clock.target, calendar_of(clock.organisation_id))
    clock.kept = clock.used <= length if done else None


def keep(clocks: Iterable[ServiceClock]) -> None:
    """Write changed clocks down."""
    ServiceClock.objects.bulk_update(clocks, CHANGES)


# --- the clocks of a step -------------------------------------------------------------------------------------------


def follow(runs: list[Run]) -> None:
    """Begin, stop and end the clocks that a step concerns. Costs nothing where nothing was promised, else a read and its writes."""
    promised = [(run, levels) for run in runs if (levels := levels_of(run.instance.key, run.definition))]
    if not promised:
        return
    known: dict[int, list[ServiceClock]] = {}
    for clock in ServiceClock.objects.filter(instance__in=[run.instance.pk for run, _levels in promised]):
        known.setdefault(clock.instance_id, []).append(clock)
    fresh, changed = [], []
    for run, levels in promised:
        clocks = known.get(run.instance.pk, [])
        fresh += _begun(run, levels, clocks)
        changed += [clock for clock in clocks if clock.ended is None and _ended(run, clock)]
        _wait_for_customer(run, fresh, [clock for clock in clocks if clock.ended is None and clock not in changed], changed)
    if fresh:
        ServiceClock.objects.bulk_create(fresh, ignore_conflicts=True)
    if changed:
        keep(changed)


def _begun(run: Run, levels, clocks: list[ServiceClock]) -> list[ServiceClock]:
    instance, begun = run.instance, []
    if "" in levels and not any(clock.is_of_process for clock in clocks) and instance.status in RUNNING:
        started = run.now if instance.version <= 1 else instance.started
        begun.append(new_clock(instance, None, levels[""], run.definition.name, "", started))
    for task in run.new_tasks:
        level = levels.get(task.element_id)
        if level is not None and not any(clock.task_id == task.pk for clock in clocks):
            begun.append(new_clock(instance, task, level, task.name, task.audience, run.now))
    known = {clock.engine_id for clock in clocks}
    for one in run.standing if instance.status in RUNNING else ():
        level, element = levels.get(one.element_id), run.definition.elements.get(one.element_id)
        if level is not None and element is not None and element.may_wait and one.id not in known:
            begun.append(new_clock(instance, None, level, element.name or element.id, element.audience, one.since or run.now, one))
    return begun


def _ended(run: Run, clock: ServiceClock) -> bool:
    """Whether a clock's process or step is over with this run; then it is settled."""
    instance = run.instance
    if clock.engine_id:
        if instance.status in RUNNING and clock.engine_id in {one.id for one in run.standing}:
            return False
        settle(clock, run.now, done=clock.engine_id in run.passed)
        return True
    if clock.task_id is None:
        if instance.status in RUNNING:
            return False
        settle(clock, instance.ended or run.now, done=instance.status == ProcessInstance.Status.COMPLETED)
        return True
    if clock.task_id in instance.waits["tasks"].values():
        return False
    settle(clock, run.now, done=any(one.task.pk == clock.task_id for one in run.by.values()))
    return True


def _wait_for_customer(run: Run, fresh: list[ServiceClock], open_: list[ServiceClock], changed: list[ServiceClock]) -> None:
    """The process's clock stands still while the customer alone has something to do, where the promise says so."""
    waits = waits_for_customer(run.definition.elements.get(element_id) for element_id in run.instance.active)
    for clock in (one for one in fresh if one.instance_id == run.instance.pk and one.is_of_process and one.pauses_for_customer):
        if waits:
            stop(clock, CUSTOMER, run.now)
    for clock in open_:
        if not clock.is_of_process or not clock.pauses_for_customer or (CUSTOMER in clock.stops) == waits:
            continue
        (stop if waits else go_on)(clock, CUSTOMER, run.now)
        changed.append(clock)


def waits_for_customer(active: Iterable[Element | None]) -> bool:
    """Whether the people who have something to do are the customer's alone."""
    return {element.audience for element in active if element is not None and element.is_human} == {"customer"}


def hold(instance_id: int, now: datetime, *, held: bool) -> None:
    """Stop every clock of an instance that is held, or let them go on."""
    clocks = list(ServiceClock.objects.filter(instance_id=instance_id, ended=None))
    for clock in clocks:
        (stop if held else go_on)(clock, HELD, now)
    if clocks:
        keep(clocks)


def pause_task(task_id: int, why: str, now: datetime, *, paused: bool) -> None:
    """Stop the clock of a step, or let it go on: a question is asked."""
    clock = ServiceClock.objects.filter(task_id=task_id, ended=None).first()
    if clock is not None:
        (stop if paused else go_on)(clock, why, now)
        keep([clock])
