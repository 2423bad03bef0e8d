"""What happens in the customer base, for whoever listens: the feed's stories, partners' registrations, dashboards."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from portal.access import Actor
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class RequestSubmitted:
    """A customer asked for something."""

    request_id: int
    number: str
    title: str
    account_name: str
    customer_organisation_id: int | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class RequestClosed:
    """A request came to its end; `outcome` says in words how."""

    request_id: int
    title: str
    done: bool
    outcome: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class DealOpened:
    """A deal began."""

    deal_id: int
    number: str
    title: str
    account_name: str
    amount: Decimal | None
    currency: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class DealMoved:
    """A deal went to another stage."""

    deal_id: int
    title: str
    from_stage: str
    to_stage: str
    to_label: str
    reason: str
    customer_organisation_id: int | None
    partner_organisation_id: int | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class QuoteSent:
    """A quote went to the customer."""

    quote_id: int
    number: str
    deal_id: int
    request_id: int | None
    title: str
    total: Decimal
    currency: str
    customer_organisation_id: int | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class QuoteDecided:
    """The customer answered a quote: accepted, changed, declined, or it expired."""

    quote_id: int
    number: str
    deal_id: int
    request_id: int | None
    title: str
    decision: str
    decision_label: str
    reason: str
    customer_organisation_id: int | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class DealWon:
    """A deal was won."""

    deal_id: int
    title: str
    account_name: str
    value: Decimal
    currency: str
    customer_organisation_id: int | None
    partner_organisation_id: int | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class DealLost:
    """A deal was lost, and why."""

    deal_id: int
    title: str
    account_name: str
    reason: str
    customer_organisation_id: int | None
    partner_organisation_id: int | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """A customer told of a trouble."""

    case_id: int
    number: str
    title: str
    account_name: str
    customer_organisation_id: int
    severity_label: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """A case is over; `rating` from 1 to 5 where the customer gave one."""

    case_id: int
    title: str
    rating: int | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class AppointmentChanged:
    """An appointment was offered, asked for at other times, booked, moved, cancelled, or is reminded of (`what`)."""

    actor: Actor
    appointment_id: int
    title: str
    what: str
    subject: SubjectRef
    customer_organisation_id: int
    reason: str
