"""One step of one instance: the engine runs it in memory, then everything it left is written in few statements.

A `Run` belongs to one transaction that holds the instance's row. Connectors run inside it, each in a savepoint. `Writes` gathers the
rows of one run, or of many at a bulk start, and writes them together.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn.calendars import Calendar
from bpmn.model import DataRefused, Definition, Element, Outcome, ProcessError, Standing, StepContext, StepFailed, StepRecord
from portal import rows
from portal.access import Actor
from portal.errors import Conflict, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef
from workflows import correlation, definitions, events
from workflows.assignment import decides, new_task, topics_of
from workflows.calendars import calendar_of
from workflows.causes import trace_of, words_of
from workflows.connector_registry import ConnectorStep, find_connector
from workflows.errors import NotFound, SentBack
from workflows.models import (
    HistoryEvent,
    HumanTask,
    Incident,
    MessageBuffer,
    MessageWait,
    ProcessInstance,
    TaskCandidate,
    Timer,
)
from workflows.plain import in_words

log = logging.getLogger(__name__)
MESSAGE_TTL = timedelta(hours=1)
TRIES = [
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
]  # after which a failed step is tried again
_running: ContextVar[tuple[Run, ...]] = ContextVar("workflows_running", default=())


def running(instance_id: int) -> Run | None:
    """The run of this instance in which the caller (a connector) stands."""
    return next((run for run in _running.get() if run.instance.pk == instance_id), None)


def is_inside_a_run() -> bool:
    """Whether the caller stands in any run: then no second instance's row may be locked."""
    return bool(_running.get())


# What no step reads is read when somebody asks for it; `data` is written by every step from the state.
_UNREAD = ("data", "started", "started_by_name", "start_key")
_UNREAD_OF_TASK = (
    "loop_item",
    "created",
    "due",
    "claimed",
    "delegated_by_name",
    "note",
    *(f"instance__{n}" for n in _UNREAD),
)
_LOCKED = rows.Prepared(lambda pk: ProcessInstance.objects.select_for_update(of=("self",)).defer(*_UNREAD).filter(pk=pk), 987_654_321)
_LOCKED_BY_TASK = rows.Prepared(
    lambda pk: (
        HumanTask.objects.select_for_update(of=("instance", "self")).select_related("instance").defer(*_UNREAD_OF_TASK).filter(pk=pk)
    ),
    987_654_321,
)


def lock_instance(pk: int) -> ProcessInstance:
    """Lock an instance's row for the rest of the transaction; raises NotFound."""
    return _free(_LOCKED.first(pk))


def lock_task(pk: int) -> tuple[ProcessInstance, HumanTask]:
    """Lock a task's instance, then the task, in one statement and in the order in which every step locks them; raises NotFound."""
    task = _LOCKED_BY_TASK.first(pk)
    return _free(task.instance if task else None), task  # type: ignore[return-value]


def _free(row: ProcessInstance | None) -> ProcessInstance:
    if row is None:
        raise NotFound
    if running(row.pk):
        raise Conflict(_("This process is in the middle of a step."))
    return row


@dataclass(frozen=True, slots=True)
class Done:
    """A person's act that a step begins with."""

    task: HumanTask
    action: str = ""
    reason: str = ""
    on_behalf_of: str = ""
    told: str = ""  # how an outsider said it, where an employee did it for them


@dataclass
class Writes:
    """Rows to be written together; `flush` writes them and then tells the events."""

    runs: list[Run] = field(default_factory=list)
    tasks: list[HumanTask] = field(default_factory=list)
    candidates: list[tuple[HumanTask, list[int]]] = field(default_factory=list)
    gone_tasks: list[int] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    gone_timers: list[tuple[int, str]] = field(default_factory=list)
    waits: list[MessageWait] = field(default_factory=list)
    gone_waits: list[tuple[int, str]] = field(default_factory=list)
    thrown: list[MessageBuffer] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    over_incidents: list[int] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)  # columns of HistoryEvent
    topics: set[str] = field(default_factory=set)
    later: list[Callable[[], object]] = field(default_factory=list)  # events, in order
    together: rows.Together = field(default_factory=rows.Together)  # said together with the instance's own update

    def flush(self) -> None:
        """Write everything, the instances last, then tell what happened."""
        now = timezone.now()
        if self.gone_tasks:
            HumanTask.objects.filter(pk__in=self.gone_tasks, status=HumanTask.Status.OPEN).update(status=HumanTask.Status.GONE, ended=now)
            TaskCandidate.objects.filter(task__in=self.gone_tasks, is_open=True).update(is_open=False)
        rows.insert(self.tasks)
        rows.write_down(
            TaskCandidate, [{"task_id": task.pk, "user_id": user, "is_open": True} for task, users in self.candidates for user in users]
        )
        for model, gone in ((Timer, self.gone_timers), (MessageWait, self.gone_waits)):
            for instance_id, engine_id in gone:
                self.together.delete(model, instance_id=instance_id, engine_id=engine_id)
        if self.timers or self.waits:
            self.together.flush()  # a timer that is set anew keeps its name: the old row goes first
        for new in (self.timers, self.waits, self.thrown, self.incidents):
            rows.insert(new)  # type: ignore[arg-type]
        if self.over_incidents:
            Incident.objects.filter(pk__in=self.over_incidents, resolved=None).update(resolved=now, next_try=None)
            self.later.extend(lambda pk=pk: events.IncidentResolved(pk) for pk in self.over_incidents)
        self.together.write_down(HistoryEvent, self.history)
        for run in self.runs:
            run.remember_rows()
        self._save_instances()
        follow_clocks(self.runs)
        for tell in self.later:
            emit(tell())
        if self.topics:
            ping(*self.topics)

    def _save_instances(self) -> None:
        if len(self.runs) == 1:
            instance = self.runs[0].instance
            before = self.runs[0].before
            fields = {name: getattr(instance, name) for name in STATE_FIELDS}
            fields |= {name: now for name in RARE_FIELDS if (now := getattr(instance, name)) != before[name]}
            fields["version"] = instance.version + 1
            self.together.update(ProcessInstance, fields, id=instance.pk, version=instance.version)
            if not self.together.flush():
                raise Conflict(_("Somebody was faster: this process has moved on. Look at it again."))
            instance.version += 1
        else:
            self.together.flush()
            for run in self.runs:
                run.instance.version += 1
            if self.runs:
                ProcessInstance.objects.bulk_update([run.instance for run in self.runs], [*STEP_FIELDS, "version"])


def follow_clocks(runs: list[Run]) -> None:
    """Service levels count what has begun and ended."""
    from workflows.clocks import follow

    follow(runs)


STATE_FIELDS = ("state", "data", "waits", "active")
RARE_FIELDS = ("status", "stage", "ended", "end_reason", "has_incident", "more")  # set only when they change: indexes hang on them
STEP_FIELDS = STATE_FIELDS + RARE_FIELDS


class Run:
    """A step in progress, and the engine's host."""

    def __init__(self, instance: ProcessInstance, actor: Actor, now: datetime, *, definition: Definition | None = None) -> None:
        self.instance = instance
        self.definition = definition or definitions.load(instance.digest)
        self.actor = actor
        self.now = now
        self.before = {name: getattr(instance, name) for name in RARE_FIELDS}
        self.new_tasks: list[HumanTask] = []
        self.new_incidents: list[Incident] = []
        self.broken: BaseException | None = None
        self.failures: dict[str, str] = {}  # engine id of a step that failed unexpectedly → where
        self.standing: tuple[Standing, ...] = ()  # the tokens as the last outcome left them
        self.passed: set[str] = set()  # engine ids of the steps that are behind them
        self.by: dict[str, Done] = {}  # engine id → what a person has just done

    # --- the engine's host ---

    def call(self, connector: str, parameters: dict[str, Any], step: StepContext) -> Any:
        """Do a service task through its connector, in a savepoint. A lost database breaks the whole step instead of making an incident."""
        known = find_connector(connector)
        if known is None:
            raise Refused(_("Nothing here is called “%(name)s”: the step names a connector that doesn't exist.") % {"name": connector})
        missing = [name for name in known.required if name not in parameters]
        surplus = [] if known.takes_any else [name for name in parameters if name not in known.parameters]
        if missing or surplus:
            raise Refused(
                _("“%(name)s” wants %(wanted)s; the step gives %(given)s.")
                % {"name": connector, "wanted": ", ".join(known.parameters) or "—", "given": ", ".join(parameters) or "—"}
            )
        instance = self.instance
        told = ConnectorStep(
            instance_id=instance.pk,
            process_key=instance.key,
            element_id=step.element_id,
            name=step.name,
            task_id=step.task_id,
            subject=subject_of(instance),
            subjects=subjects_of(instance),
            actor=self.actor,
            data=step.data,
            now=self.now,
            customer_organisation_id=instance.customer_organisation_id,
            partner_organisation_id=instance.partner_organisation_id,
            loop_item=step.loop_item,
        )
        token = _running.set((*_running.get(), self))
        try:
            with transaction.atomic():
                return known.function(told, **parameters)
        except ProcessError:
            raise
        except Refused as refused:
            if isinstance(refused, SentBack) and self.by:
                self.broken = refused
            raise Refused(refused.message) from refused
        except Exception as error:
            if isinstance(error, (DatabaseError, InterfaceError)) and _is_lost(error):
                self.broken = error
            log.exception("connector %s failed", connector)
            self.failures[step.task_id] = trace_of(error)
            raise StepFailed(getattr(error, "code", None) or "service.failed", words_of(error)) from error
        finally:
            _running.reset(token)

    def calendar(self, element: Element) -> Calendar:
        """Whose hours count at a step: the customer's or partner's in their lane, where they have a calendar, else ours."""
        who = {"customer": self.instance.customer_organisation_id, "partner": self.instance.partner_organisation_id}
        return calendar_of(who.get(element.audience))

    # --- what the engine left ---

    def take(self, outcome: Outcome, writes: Writes) -> None:
        """Gather the rows that an outcome asks for. May be called again for a further outcome of the same run."""
        if self.broken is not None:
            raise self.broken
        instance = self.instance
        instance.waits = {"tasks": {}, "timers": {}, "messages": [], "incidents": {}, **instance.waits}
        self._take_tasks(outcome, writes)
        self._take_timers(outcome, writes)
        new_waits = self._take_messages(outcome, writes)
        self._take_incidents(outcome, writes)
        self._take_history(outcome, writes)
        self._take_stages(outcome, writes)
        for thrown in outcome.thrown:
            writes.thrown.append(
                MessageBuffer(
                    kind=thrown.kind,
                    name=thrown.name,
                    keys=thrown.correlation or {},
                    payload=thrown.payload or {},
                    received=self.now,
                    expires=self.now + MESSAGE_TTL,
                    idempotency_key=f"{instance.pk}:{thrown.task_id}:{thrown.element_id}"[:200] if thrown.task_id else None,
                )
            )
        instance.state = outcome.state
        instance.data = outcome.data
        instance.active = list(outcome.active)
        self.standing = outcome.standing
        self.passed |= {record.task_id for record in outcome.history if record.state == "completed"}
        instance.more = outcome.more
        held = instance.status == ProcessInstance.Status.SUSPENDED and outcome.status == ProcessInstance.Status.RUNNING
        if outcome.status != instance.status and not held:  # a person holds it, and a person lets it go on
            instance.status = outcome.status
            instance.ended = self.now
            if outcome.error_code:
                instance.end_reason = outcome.error_code[:300]
            writes.later.append(lambda: events.ProcessEnded(**self.told(), outcome=outcome.status, title=instance.title))
        if self.before["has_incident"] or instance.has_incident:
            writes.topics.add("processes:incidents")
        if self not in writes.runs:
            writes.runs.append(self)
        writes.topics |= {f"process:{instance.pk}", f"processes:{instance.key}", *instance.subjects}
        if new_waits and instance.status == ProcessInstance.Status.RUNNING:
            self._take_buffered(new_waits, writes)

    def _take_tasks(self, outcome: Outcome, writes: Writes) -> None:
        known: dict[str, int] = self.instance.waits["tasks"]
        waiting = {active.id for active in outcome.user_tasks}
        for engine_id in [key for key in known if key not in waiting]:
            pk = known.pop(engine_id)
            if engine_id not in self.by:
                writes.gone_tasks.append(pk)
        pending = {task.engine_id for task in self.new_tasks}
        for task in [t for t in self.new_tasks if t.engine_id not in waiting]:  # made and left within this very run
            self.new_tasks.remove(task)
            writes.tasks.remove(task)
        for active in outcome.user_tasks:
            if active.id in known or active.id in pending:
                continue
            element = self.definition.element(active.element_id)
            task, candidates = new_task(self.instance, element, active)
            self.new_tasks.append(task)
            writes.tasks.append(task)
            if candidates:
                writes.candidates.append((task, candidates))
            writes.topics |= topics_of(task, candidates)
            writes.later.append(lambda task=task, candidates=candidates: self._task_created(task, candidates))

    def _task_created(self, task: HumanTask, candidates: list[int]) -> events.TaskCreated:
        return events.TaskCreated(
            **self.told(),
            task_id=task.pk,
            element_id=task.element_id,
            name=task.name,
            audience=task.audience,
            role=task.role,
            organisation_id=task.organisation_id,
            assignee_id=task.assignee_id,
            candidate_ids=tuple(candidates),
            due=task.due,
            title=self.instance.title,
            decides=decides(self.definition.element(task.element_id)),
            excluded_ids=tuple(task.excluded),
        )

    def _take_timers(self, outcome: Outcome, writes: Writes) -> None:
        known: dict[str, str] = self.instance.waits["timers"]
        waiting = {timer.id: timer for timer in outcome.timers}
        for engine_id in list(known):
            timer = waiting.get(engine_id)
            if timer is None or timer.due.isoformat() != known[engine_id]:
                del known[engine_id]
                fresh = [t for t in writes.timers if t.instance_id == self.instance.pk and t.engine_id == engine_id]
                for row in fresh:
                    writes.timers.remove(row)
                if not fresh:
                    writes.gone_timers.append((self.instance.pk, engine_id))
        for timer in outcome.timers:
            if timer.id not in known:
                known[timer.id] = timer.due.isoformat()
                writes.timers.append(Timer(instance=self.instance, engine_id=timer.id, element_id=timer.element_id, due=timer.due))

    def _take_messages(self, outcome: Outcome, writes: Writes) -> list[MessageWait]:
        known: list[str] = self.instance.waits["messages"]
        waiting = {wait.id for wait in outcome.messages}
        for engine_id in [key for key in known if key not in waiting]:
            known.remove(engine_id)
            fresh = [w for w in writes.waits if w.instance_id == self.instance.pk and w.engine_id == engine_id]
            for row in fresh:
                writes.waits.remove(row)
            if not fresh:
                writes.gone_waits.append((self.instance.pk, engine_id))
        new = []
        for wait in outcome.messages:
            if wait.id in known:
                continue
            known.append(wait.id)
            names, digest = correlation.digest_of(wait.correlation or {})
            row = MessageWait(
                instance=self.instance,
                engine_id=wait.id,
                element_id=wait.element_id,
                kind=wait.kind,
                name=wait.name,
                key_names=names,
                key_digest=digest,
                created=self.now,
            )
            new.append(row)
        writes.waits.extend(new)
        return [row for row in new if row.kind == "message"]

    def _take_buffered(self, waits: list[MessageWait], writes: Writes) -> None:
        """Hand over a message that came before its wait."""
        from bpmn import engine

        for wait in waits:
            if wait not in writes.waits:
                continue
            message = correlation.buffered_for(wait, self.now)
            if message is None:
                continue
            state = bytes(self.instance.state)
            try:
                outcome = engine.deliver(self.definition, state, wait.engine_id, message.payload, host=self, now=self.now)
            except DataRefused:
                continue  # it stays for the router, which tells people; what is done here has nothing to do with it
            message.taken, message.taken_by_id = self.now, self.instance.pk
            message.save(update_fields=["taken", "taken_by"])
            self.take(outcome, writes)

    def _take_incidents(self, outcome: Outcome, writes: Writes) -> None:
        known: dict[str, int] = self.instance.waits["incidents"]
        waiting = {incident.task_id: incident for incident in outcome.incidents}
        for engine_id in [key for key in known if key not in waiting]:
            writes.over_incidents.append(known.pop(engine_id))
        fresh = {row.engine_id for row in self.new_incidents}
        for engine_id, incident in waiting.items():
            if engine_id in known or engine_id in fresh:
                continue
            row = Incident(
                instance=self.instance,
                engine_id=engine_id,
                element_id=incident.element_id,
                code=incident.code[:80],
                message=incident.message,
                raised=self.now,
                trace=self.failures.get(engine_id, ""),
                next_try=self.now + TRIES[0] if engine_id in self.failures else None,
            )
            self.new_incidents.append(row)
            writes.incidents.append(row)
            if row.next_try is None:  # else people hear of it when trying again by itself hasn't helped
                writes.later.append(lambda row=row: self.incident_raised(row))
        self.instance.has_incident = bool(waiting) or bool(self.instance.waits.get("other_incidents"))

    def incident_raised(self, row: Incident) -> events.IncidentRaised:
        """The event of an incident's row."""
        return events.IncidentRaised(
            **self.told(),
            incident_id=row.pk,
            element_id=row.element_id,
            message=in_words(row.code, row.message, self.definition.name_of(row.element_id)).words,
            title=self.instance.title,
            owner_id=self.instance.started_by_id,
        )

    def _take_history(self, outcome: Outcome, writes: Writes) -> None:
        for record in outcome.history:
            element = self.definition.elements.get(record.element_id)
            writes.history.append(self._history_row(record, element))

    def _history_row(self, record: StepRecord, element: Element | None) -> dict[str, Any]:
        done = self.by.get(record.task_id)
        return {
            "instance_id": self.instance.pk,
            "element_id": record.element_id,
            "kind": record.kind,
            "state": record.state,
            "name": (element.name if element else "")[:250],
            "engine_id": record.task_id,
            "started": record.started,
            "ended": record.ended,
            "actor_id": self.actor.user_id if done else None,
            "actor_name": self.actor.name if done else "",
            "on_behalf_of": done.on_behalf_of[:150] if done else "",
            "audience": element.audience if element and element.is_human else "",
            "action": done.action if done else "",
            "reason": done.reason if done else "",
            "data_delta": record.data_delta or None,
            "detail": {**(record.detail or {}), "told": done.told} if done and done.told else record.detail or None,
        }

    def _take_stages(self, outcome: Outcome, writes: Writes) -> None:
        """A stage is entered where a token came to in this step, whether it still stands there or has passed on."""
        instance = self.instance
        passed = [r.element_id for r in outcome.history if r.started >= self.now and r.state == "completed"]
        came = [element_id for element_id in outcome.active if element_id not in instance.active]
        for element_id in [*passed, *came]:
            element = self.definition.elements.get(element_id)
            if element is None or not element.stage or element.stage == instance.stage:
                continue
            previous, instance.stage = instance.stage, element.stage
            writes.later.append(
                lambda stage=element.stage, previous=previous, element=element: events.StageEntered(
                    **self.told(), stage=stage, previous=previous, element_id=element.id, label=element.name
                )
            )

    def remember_rows(self) -> None:
        """Keep the new rows' ids beside the state, so that the next step finds them without a read."""
        self.instance.waits["tasks"].update({task.engine_id: task.pk for task in self.new_tasks})
        self.instance.waits["incidents"].update({row.engine_id: row.pk for row in self.new_incidents})

    def told(self) -> dict[str, Any]:
        """What every event of this run tells; read when it is told, so links made by a connector are in it."""
        return told_of(self.instance, self.actor)


def told_of(instance: ProcessInstance, actor: Actor) -> dict[str, Any]:
    """The common part of an instance's events."""
    return {
        "instance_id": instance.pk,
        "process_key": instance.key,
        "subject": subject_of(instance),
        "subjects": subjects_of(instance),
        "actor": actor,
        "customer_organisation_id": instance.customer_organisation_id,
        "partner_organisation_id": instance.partner_organisation_id,
        "is_followed": instance.is_followed,
    }


def subject_of(instance: ProcessInstance) -> SubjectRef | None:
    """The record that an instance was started for."""
    if not instance.subject_kind or instance.subject_id is None:
        return None
    return SubjectRef(instance.subject_kind, instance.subject_id)


def subjects_of(instance: ProcessInstance) -> tuple[SubjectRef, ...]:
    """Every record that an instance is about."""
    return tuple(SubjectRef.parse(text) for text in instance.subjects)


def _is_lost(error: Exception) -> bool:
    """Whether the database itself failed (lost, locked, deadlocked) rather than a row's rule."""
    from django.db import IntegrityError
    from django.db.utils import DataError, ProgrammingError

    return not isinstance(error, (IntegrityError, DataError, ProgrammingError))


@contextmanager
def one_step(instance: ProcessInstance, actor: Actor, now: datetime | None = None):
    """Run one step of a locked instance and write what it left: `with one_step(...) as (run, writes): run.take(engine.…, writes)`."""
    run, writes = Run(instance, actor, now or timezone.now()), Writes()
    yield run, writes
    writes.flush()
