"""What the engine speaks: definitions and their elements, and what a step hands back. Plain data, no behaviour of SpiffWorkflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

# --- what can go wrong ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a diagram can't run, with the element it is about and what to do."""

    element_id: str | None
    code: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        """The problem as one line."""
        where = f"{self.element_id}: " if self.element_id else ""
        return f"{where}{self.message} {self.remedy}".strip()


class EngineError(Exception):
    """Base of everything the engine raises on purpose."""


class DeployRefused(EngineError):
    """The diagram was refused at the deploy gate; `problems` says why, element by element."""

    def __init__(self, problems: list[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NotWaiting(EngineError):
    """The task, timer or message isn't waiting (any more): done already, cancelled, or never there. Nothing changed."""


class DataRefused(NotWaiting):
    """What was handed in can't be taken: a value or name that a process can't hold. Nothing changed, the task still waits."""


class NotDue(EngineError):
    """A timer was fired before its time, `due`. Nothing changed."""

    def __init__(self, due: datetime) -> None:
        super().__init__(f"The timer is due at {due.isoformat()}.")
        self.due = due


class StartRefused(EngineError):
    """The process can't start at the element asked for."""


class StateRefused(EngineError):
    """A stored state can't be continued with this definition."""


class ProcessError(EngineError):
    """Raised by a host's call: a business error with a code, caught by a boundary error event of the diagram, else an incident."""

    def __init__(self, code: str, message: str = ""):
        self.code, self.message = code, message
        super().__init__(message or code)


class StepFailed(EngineError):
    """A step can't be done (a bad expression, a failed call); it becomes an incident and the step stays to be retried."""

    def __init__(self, code: str, message: str):
        self.code, self.message = code, message
        super().__init__(message)


class _Pending:
    """The answer of a host whose call will be finished later with `engine.finish_service`."""

    def __repr__(self) -> str:
        return "PENDING"


PENDING = _Pending()

ACTIVITIES = frozenset(
    {
        *("userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask", "task"),
        *("subProcess", "callActivity", "transaction", "adHocSubProcess"),
    }
)
INNER_SCOPES = {"subProcess": "sub", "transaction": "transaction", "adHocSubProcess": "adhoc"}

# --- the definition ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a choice field."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a task's form."""

    id: str
    type: str = "text"
    label: str = ""
    required: bool = False
    help: str = ""
    default: str = ""
    options: tuple[Choice, ...] = ()
    min: str = ""
    max: str = ""
    readonly: bool = False
    shown_when: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a user task."""

    fields: tuple[Field, ...] = ()
    submit: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One button under a user task's form; its id lands in the data as `action`. The host finds words where `label` is empty."""

    id: str
    label: str
    style: str = "default"
    requires: str = ""


@dataclass(frozen=True, slots=True)
class Timer:
    """When a timer event is due. `kind` is duration, date or cycle; `expression` is ISO 8601 or `= …`."""

    kind: str
    expression: str


@dataclass(frozen=True, slots=True)
class Loop:
    """A multi-instance marker (over a collection or a count, one after another or all at once), or a standard loop (`repeats`)."""

    sequential: bool
    collection: str = ""
    cardinality: str = ""
    item: str = ""
    output_collection: str = ""
    output_item: str = ""
    completion: str = ""
    repeats: bool = False
    test_before: bool = False
    maximum: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow."""

    id: str
    name: str
    source: str
    target: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane: who does what stands in it."""

    id: str
    name: str
    audience: str = "internal"
    role: str = ""
    elements: tuple[str, ...] = ()


WAITING_KINDS = frozenset(
    {
        "serviceTask", "sendTask", "receiveTask", "businessRuleTask", "scriptTask", "intermediateCatchEvent", "eventBasedGateway",
        "callActivity", "subProcess", "transaction", "adHocSubProcess",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """A token that stands at an element: its id, and since when."""

    id: str
    element_id: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """A flow node of the diagram with everything the engine and the workflows package need to know about it."""

    id: str
    kind: str
    name: str = ""
    process_key: str = ""
    scope: str = ""
    lane: str = ""
    lane_name: str = ""
    audience: str = "internal"
    role: str = ""
    public_label: str = ""
    partner_label: str = ""
    stage: str = ""
    milestone: bool = False
    unannounced: bool = False
    documentation: str = ""
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default_flow: str = ""
    # people
    form: Form | None = None
    actions: tuple[Action, ...] = ()
    due: str = ""
    target: str = ""
    questions_pause: bool = False
    in_person: tuple[str, ...] = ()  # actions that nobody else may do in an outsider's name; “*”: the whole step
    assignee: str = ""
    candidates: str = ""
    organisation: str = ""
    # work
    connector: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    decision: str = ""
    script: str = ""
    # events
    event: str = ""
    timer: Timer | None = None
    message: str = ""
    correlation: tuple[str, ...] = ()
    signal: str = ""
    code: str = ""
    link: str = ""
    condition: str = ""
    watches: str = ""  # of a process's conditional start: the kind of record whose fields the condition reads
    activity_ref: str = ""
    attached_to: str = ""
    interrupting: bool = True
    boundary: tuple[str, ...] = ()
    # compensation: the handler that undoes this step, and whether this step is one
    compensation: str = ""
    undoes: bool = False
    # structure
    loop: Loop | None = None
    called: str = ""
    inner: str = ""
    triggered_by_event: bool = False
    conditional_ways: bool = False
    # ad hoc: one step at a time, when it is over, and whether that stops what is still open
    sequential: bool = False
    completion: str = ""
    cancels_rest: bool = True

    @property
    def may_wait(self) -> bool:
        """Whether a token may stand here for a while without a person: its time can be promised like a person's step's."""
        return not self.is_human and self.kind in WAITING_KINDS

    @property
    def is_human(self) -> bool:
        """A step that a person completes."""
        return self.kind in ("userTask", "manualTask")

    @property
    def is_activity(self) -> bool:
        """A task, subprocess or call activity."""
        return self.kind in ACTIVITIES


@dataclass(frozen=True, slots=True)
class StartEvent:
    """A way to start the process: `event` is none, message, signal, timer or conditional."""

    element_id: str
    name: str
    event: str
    message: str = ""
    correlation: tuple[str, ...] = ()
    signal: str = ""
    timer: Timer | None = None
    condition: str = ""
    watches: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """A process, or a subprocess within it: its nodes, starts (the nodes without a way in where none is drawn) and event subprocesses.

    `kind` is process, sub, event, transaction or adhoc."""

    id: str
    kind: str
    process_key: str
    nodes: tuple[str, ...]
    starts: tuple[str, ...]
    event_subprocesses: tuple[str, ...] = ()


@dataclass(eq=False)
class Definition:
    """An immutable deployed process, addressed by its digest. Elements of called processes are keyed `process:element`."""

    key: str
    name: str
    digest: str
    xml: bytes
    documentation: str = ""
    elements: dict[str, Element] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    lanes: tuple[Lane, ...] = ()
    scopes: dict[str, Scope] = field(default_factory=dict)
    start_events: tuple[StartEvent, ...] = ()
    decisions: dict[str, bytes] = field(default_factory=dict)
    called: dict[str, Definition] = field(default_factory=dict)
    subject: str = ""
    startable_by: tuple[str, ...] = ()
    title: str = ""
    time_zone: str = "UTC"
    target: str = ""
    target_pauses: str = ""
    warnings: tuple[Problem, ...] = ()

    def element(self, element_id: str) -> Element:
        """The element with this id, in this process or in one that it calls."""
        return self.elements[element_id]

    def name_of(self, element_id: str) -> str:
        """What people call an element: its name, or its id where it has none or isn't drawn here."""
        element = self.elements.get(element_id)
        return (element.name if element else "") or element_id


# --- what a step hands back ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActiveTask:
    """A human task that waits for somebody."""

    id: str
    element_id: str
    data: dict[str, Any]
    loop_item: Any = None
    loop_index: int | None = None
    assignee: Any = None
    candidates: Any = None
    organisation: Any = None
    due: datetime | None = None
    entered: datetime | None = None
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceWait:
    """A service task whose call answered PENDING."""

    id: str
    element_id: str
    entered: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimerWait:
    """A timer that waits for its time. `attached_to` is the activity of a boundary timer."""

    id: str
    element_id: str
    due: datetime
    attached_to: str = ""
    interrupting: bool = True


@dataclass(frozen=True, slots=True)
class MessageWait:
    """A message or signal that is waited for; `correlation` holds the values that a message must carry."""

    id: str
    element_id: str
    name: str
    correlation: dict[str, Any] | None = None
    kind: str = "message"


@dataclass(frozen=True, slots=True)
class Thrown:
    """A message or signal thrown by the process, for the host to route."""

    kind: str
    name: str
    payload: dict[str, Any]
    correlation: dict[str, Any]
    element_id: str = ""
    task_id: str = ""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One thing that happened, for the history. `detail` explains it: the flow and condition taken, the rules that matched."""

    element_id: str
    kind: str
    state: str
    started: datetime
    ended: datetime
    task_id: str = ""
    data_delta: dict[str, Any] | None = None
    detail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A step that failed and waits to be retried."""

    element_id: str
    task_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a connector gets to know about the step that calls it. `task_id` is the same at every retry."""

    task_id: str
    element_id: str
    name: str
    process_key: str
    data: Mapping[str, Any]
    now: datetime
    loop_item: Any = None
    loop_index: int | None = None


class Host(Protocol):
    """Who does the service tasks. Raise `ProcessError` for a business error; any other exception becomes an incident.

    A host that has `calendar(element) -> Calendar` says in whose calendar the working time of a step is counted.
    """

    def call(self, connector: str, parameters: dict[str, Any], step: StepContext) -> Any:
        """Do the work; return a dict (or None) or PENDING."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call to the engine left behind: the new state and everything that waits, was thrown and happened."""

    state: bytes
    status: str
    data: dict[str, Any]
    user_tasks: tuple[ActiveTask, ...] = ()
    service_waits: tuple[ServiceWait, ...] = ()
    timers: tuple[TimerWait, ...] = ()
    messages: tuple[MessageWait, ...] = ()
    thrown: tuple[Thrown, ...] = ()
    history: tuple[StepRecord, ...] = ()
    incident: Incident | None = None
    incidents: tuple[Incident, ...] = ()
    more: bool = False
    active: tuple[str, ...] = ()
    standing: tuple[Standing, ...] = ()  # the same tokens, each by itself
    error_code: str = ""
