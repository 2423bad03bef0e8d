"""What happens with partners."""

from __future__ import annotations

from dataclasses import dataclass

from portal.access import Actor


@dataclass(frozen=True, slots=True)
class PartnerInvited:
    """A partner was asked to join a deal."""

    actor: Actor
    joint_deal_id: int
    deal_id: int
    partner_organisation_id: int


@dataclass(frozen=True, slots=True)
class PartnerDecided:
    """A partner accepted or declined a joint deal."""

    actor: Actor
    joint_deal_id: int
    deal_id: int
    partner_organisation_id: int
    accepted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RegistrationSubmitted:
    """A partner registered a deal."""

    actor: Actor
    registration_id: int
    number: str
    company: str
    partner_organisation_id: int


@dataclass(frozen=True, slots=True)
class RegistrationDecided:
    """A registration was approved or not."""

    actor: Actor
    registration_id: int
    number: str
    company: str
    partner_organisation_id: int
    approved: bool
    reason: str
    deal_id: int | None
