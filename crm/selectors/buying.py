"""The customer's own approval of quotes, as each side may read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from djmoney.money import Money

from crm.access import CrmPermission, visible_approval_rules, visible_quote_approvals
from crm.models import QuoteApproval
from portal.access import Actor, Audience
from portal.selectors import PersonView, people_with_role

APPROVER = "customer_approver"


@dataclass(frozen=True, slots=True)
class RuleView:
    """An organisation's own rule, for its people. `approvers`: the names of those who may approve."""

    is_on: bool
    above: Money | None
    changed_by_name: str
    changed_at: datetime | None
    approvers: tuple[str, ...]

    @property
    def above_text(self) -> str:
        """The amount as a person types it, without its currency."""
        return f"{self.above.amount.normalize():f}" if self.above else ""


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A question to the customer's own approver, for the customer's people."""

    state: str
    state_label: str
    asked_by_name: str
    asked_at: datetime
    decided_by_name: str
    decided_at: datetime | None
    reason: str
    may_take_back: bool
    approvers: tuple[str, ...]  # who could answer it now; only while it waits

    @property
    def names(self) -> str:
        """Who could answer it, in a row."""
        return ", ".join(self.approvers)

    @property
    def is_waiting(self) -> bool:
        """Nobody has answered yet."""
        return self.state == QuoteApproval.State.WAITING


def approvers_of(organisation_id: int | None, *, without: int | None = None) -> list[PersonView]:
    """The people of a customer's organisation who may approve, but for whoever asks."""
    people = people_with_role(APPROVER, Audience.CUSTOMER, organisation_id) if organisation_id else []
    return [person for person in people if person.id != without]


def may_take_back(actor: Actor, asked_by_id: int | None) -> bool:
    """Whether the actor may take a question to the approver back."""
    return actor.can(CrmPermission.SET_APPROVAL_RULE) or (asked_by_id is not None and asked_by_id == actor.user_id)


def approval_rule(actor: Actor) -> RuleView:
    """The rule of the actor's own organisation; switched off where none was ever set."""
    row = visible_approval_rules(actor).first()
    names = tuple(person.name for person in approvers_of(actor.organisation_id)) if actor.is_customer else ()
    if row is None:
        return RuleView(False, None, "", None, names)
    return RuleView(row.is_on, row.above, row.changed_by_name, row.changed_at, names)


def approvals_of_quote(actor: Actor, quote_id: int) -> list[ApprovalView]:
    """What was asked and answered about a quote, newest first; for the customer's own people alone."""
    found = []
    for row in visible_quote_approvals(actor).filter(quote_id=quote_id):
        waits = row.state == QuoteApproval.State.WAITING
        could = tuple(p.name for p in approvers_of(row.customer_organisation_id, without=row.asked_by_id)) if waits else ()
        found.append(
            ApprovalView(
                row.state,
                row.get_state_display(),
                row.asked_by_name,
                row.asked_at,
                row.decided_by_name,
                row.decided_at,
                row.reason,
                waits and may_take_back(actor, row.asked_by_id),
                could,
            )
        )
    return found
