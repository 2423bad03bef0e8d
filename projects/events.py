"""What happens to projects."""

from __future__ import annotations

from dataclasses import dataclass

from portal.access import Actor
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class ProjectStarted:
    """A project was made; `source` is the record it comes from."""

    actor: Actor
    project_id: int
    name: str
    source: SubjectRef | None
    customer_organisation_id: int | None
    partner_organisation_id: int | None


@dataclass(frozen=True, slots=True)
class MilestoneReached:
    """An audience reached its milestone."""

    actor: Actor
    project_id: int
    project_name: str
    milestone_id: int
    milestone_name: str
    audience: str


@dataclass(frozen=True, slots=True)
class ProjectEnded:
    """A project was completed or cancelled."""

    actor: Actor
    project_id: int
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class DeliveryAnswered:
    """The customer accepted a delivery, or said what was missing."""

    actor: Actor
    project_id: int
    name: str
    accepted: bool
    rating: int | None
