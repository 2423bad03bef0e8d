"""What happens in processes, told inside the transaction in which it happens. Nothing below says who listens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.access import Actor
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    """What every event tells: the instance, the record it was started for, and every record it is about by now."""

    instance_id: int
    process_key: str
    subject: SubjectRef | None
    subjects: tuple[SubjectRef, ...]
    actor: Actor
    customer_organisation_id: int | None
    partner_organisation_id: int | None
    is_followed: bool  # somebody wants to hear of every step: who, only `social_feed` knows

    def subject_of(self, kind: str) -> SubjectRef | None:
        """The newest linked record of a kind, such as the deal of a request's process."""
        return next((ref for ref in reversed(self.subjects) if ref.kind == kind), None)


@dataclass(frozen=True, slots=True)
class ProcessStarted(ProcessEvent):
    """A process began."""

    title: str


@dataclass(frozen=True, slots=True)
class TaskCreated(ProcessEvent):
    """A step waits for a person."""

    task_id: int
    element_id: str
    name: str
    audience: str
    role: str
    organisation_id: int | None
    assignee_id: int | None
    candidate_ids: tuple[int, ...]
    due: datetime | None
    title: str
    decides: bool = False  # it is answered with yes or no
    excluded_ids: tuple[int, ...] = ()  # people who may not do it, because they asked for it (four eyes)


@dataclass(frozen=True, slots=True)
class TaskReminded(ProcessEvent):
    """An employee asks whoever has a step not to forget it."""

    task_id: int
    name: str
    audience: str
    organisation_id: int | None
    assignee_id: int | None
    title: str
    role: str = ""
    excluded_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskAssigned(ProcessEvent):
    """A step was handed to a person by another."""

    task_id: int
    element_id: str
    name: str
    assignee_id: int
    note: str
    title: str
    decides: bool = False


@dataclass(frozen=True, slots=True)
class TaskCompleted(ProcessEvent):
    """A person did a step."""

    task_id: int
    element_id: str
    name: str
    audience: str
    action: str
    action_label: str
    reason: str
    public_label: str
    partner_label: str
    milestone: bool
    announced: bool = True  # somebody was told by name that it waits; a role's queue is seen in the inbox alone
    told_by_id: int | None = None  # the outsider in whose name an employee did it
    organisation_id: int | None = None


@dataclass(frozen=True, slots=True)
class ApprovalClosed(ProcessEvent):
    """A question was decided, or taken back: `state` is approved, rejected or withdrawn."""

    approval_id: int
    state: str
    title: str
    asked_by_id: int | None


@dataclass(frozen=True, slots=True)
class StageEntered(ProcessEvent):
    """A token came to an element that carries a stage."""

    stage: str
    previous: str
    element_id: str
    label: str


@dataclass(frozen=True, slots=True)
class ProcessEnded(ProcessEvent):
    """A process is over: completed, failed or cancelled."""

    outcome: str
    title: str


@dataclass(frozen=True, slots=True)
class IncidentRaised(ProcessEvent):
    """A step failed and waits for an employee."""

    incident_id: int
    element_id: str
    message: str
    title: str
    owner_id: int | None = None  # who started the process


@dataclass(frozen=True, slots=True)
class IncidentResolved:
    """A failure is over: it went well at another try, or nobody needs the step any more."""

    incident_id: int


@dataclass(frozen=True, slots=True)
class ServiceLevelReached(ProcessEvent):
    """A promise is at risk, or broken (`state`: at_risk, breached). `people` are those who have to know."""

    clock_id: int
    task_id: int | None
    element_id: str
    name: str
    state: str
    target: str
    breach_at: datetime | None
    people: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QuestionAsked(ProcessEvent):
    """Somebody was asked about a step."""

    question_id: int
    task_id: int
    name: str
    asked_id: int
    audience: str
    organisation_id: int | None
    text: str


@dataclass(frozen=True, slots=True)
class QuestionClosed(ProcessEvent):
    """A question was answered, or withdrawn (`answer` is empty then)."""

    question_id: int
    task_id: int
    name: str
    asked_by_id: int | None
    answer: str
