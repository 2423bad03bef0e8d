"""A customer's own approval of quotes: the rule of their organisation, the question, the answer, and taking it back.

Who signs: the approver approves, and only then is the signature open to the buyer. Approval and signature are two acts of two people;
the signature stays with whoever buys, and the signed document names both.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import CrmPermission, visible_quotes
from crm.models import ApprovalRule, Quote, QuoteApproval
from crm.selectors.buying import approvers_of, may_take_back
from crm.services.common import amount_of, locked, money_of
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.live import ping
from portal.registry import SubjectRef
from portal.selectors import PersonView, people_with_role
from workflows.forms import task_form
from workflows.selectors import TaskRow, open_tasks_for
from workflows.services import complete_task, tell_waiting

BUYERS = ("customer_admin", "customer_member")
TAKEN_BACK = "purchase.taken_back"
State = QuoteApproval.State


@dataclass(frozen=True, slots=True)
class PurchaseCheck:
    """Whether a quote needs the approval of the customer's own approver, whether it has it, and who could give it to this buyer."""

    needed: bool
    given_by: str = ""
    approvers: tuple[PersonView, ...] = ()

    @property
    def names(self) -> str:
        """Who could approve, in a row."""
        return ", ".join(person.name for person in self.approvers)


def set_approval_rule(actor: Actor, *, is_on: bool, above: object) -> ApprovalRule:
    """Say from which amount on the own organisation's quotes need its approver.

    Raises NotAllowed for anybody but its administrator, Refused for a wrong amount, and where nobody could approve what others ask.
    """
    if not (actor.is_customer and actor.organisation_id and actor.can(CrmPermission.SET_APPROVAL_RULE)):
        raise NotAllowed(_("Only your organisation's administrator may do this."))
    amount = amount_of(above, "above")
    if amount is None:
        if is_on:
            raise Refused(_("Say above which amount a quote needs approval; 0 means every quote."), "above")
        amount = Decimal(0)
    with transaction.atomic():
        if is_on:
            _check_somebody_approves(actor.organisation_id)
        rule = ApprovalRule.objects.select_for_update().filter(organisation_id=actor.organisation_id).first()
        before = {"is_on": rule.is_on, "above": str(rule.above)} if rule else None
        rule = rule or ApprovalRule(organisation_id=actor.organisation_id)
        rule.is_on, rule.above = is_on, money_of(amount)
        rule.changed_by_name, rule.changed_at = actor.name, timezone.now()
        rule.save()
        after = {"is_on": rule.is_on, "above": str(rule.above)}
        record(actor, "approval_rule.changed", SubjectRef("portal.organisation", actor.organisation_id), before=before, after=after)
        ping(f"crm.requests:{actor.organisation_id}")
    return rule


def _check_somebody_approves(organisation_id: int) -> None:
    approvers = {person.id for person in approvers_of(organisation_id)}
    if not approvers:
        raise Refused(_("Nobody is an approver yet. Give a colleague that role first, then switch this on."), "is_on")
    buyers = {person.id for role in BUYERS for person in people_with_role(role, Audience.CUSTOMER, organisation_id)}
    if buyers and buyers <= approvers and len(approvers) == 1:
        raise Refused(
            _("The only approver is also the only one who buys, and nobody approves what they asked for. Make a colleague an approver."),
            "is_on",
        )


def keep_somebody_who_approves(organisation_id: int, name: str) -> None:
    """Raises Refused where the rule is on and nobody is left who could approve; `name` is whose roles were to change."""
    if ApprovalRule.objects.filter(organisation_id=organisation_id, is_on=True).exists() and not approvers_of(organisation_id):
        words = _("%(name)s is the last approver, and your rule wants one. Make a colleague an approver first, or switch the rule off.")
        raise Refused(words % {"name": name}, "roles")


def needs_approval(quote: Quote) -> bool:
    """Whether the customer's own rule asks for an approval that this quote doesn't have yet."""
    rule = ApprovalRule.objects.filter(organisation_id=quote.customer_organisation_id, is_on=True).first()
    if rule is None:
        return False
    # Amounts of two currencies can't be compared here, and it is safer to ask.
    over = quote.total.currency != rule.above.currency or quote.total.amount > rule.above.amount
    return over and not quote.approvals.filter(state=State.APPROVED).exists()


def check_of(actor: Actor, quote_id: int) -> PurchaseCheck:
    """How the organisation's rule stands to a quote that the actor sees."""
    quote = visible_quotes(actor).filter(pk=quote_id).first()
    if quote is None or not actor.is_customer:
        return PurchaseCheck(False)
    given = quote.approvals.filter(state=State.APPROVED).values_list("decided_by_name", flat=True).first()
    if given is not None or not needs_approval(quote):
        return PurchaseCheck(False, given or "")
    return PurchaseCheck(True, "", tuple(approvers_of(actor.organisation_id, without=actor.user_id)))


def ask_for_approval(actor: Actor, quote_id: int, *, key: str = "") -> None:
    """The buyer wants to accept, and the rule asks for an approver first: the process goes to them. Raises Refused where nobody else
    could approve, Conflict where the quote doesn't wait for an answer or needs no approval."""
    quote = visible_quotes(actor).filter(pk=quote_id).first() if actor.is_customer else None
    if quote is None:
        raise Refused(_("This record isn't there any more."))
    if not needs_approval(quote):
        raise Conflict(_("This quote needs no approval any more. Look at it again."))
    if not approvers_of(actor.organisation_id, without=actor.user_id):
        raise Refused(_("Nobody but you could approve this. Ask your administrator to make a colleague an approver."))
    task = accepting_step(actor, quote_id)
    if task is None:
        raise Conflict(_("This quote doesn't wait for an answer any more."))
    complete_task(actor, task.id, {}, action="accept", idempotency_key=key)


def accepting_step(actor: Actor, quote_id: int) -> TaskRow | None:
    """The customer's open step that accepts a quote."""
    for task in open_tasks_for(actor, SubjectRef("crm.quote", quote_id)):
        about_it = task.audience == Audience.CUSTOMER and task.subject is not None and task.subject.ref.kind == "crm.quote"
        if about_it and any(action.id == "accept" for action in task_form(actor, task.id).actions):
            return task
    return None


def take_back_purchase(actor: Actor, quote_id: int) -> None:
    """Take the question to the approver back: whoever asked may, and the organisation's administrators. Raises Conflict where it was
    answered meanwhile."""
    with transaction.atomic():
        quote = visible_quotes(actor).filter(pk=quote_id).first() if actor.is_customer else None
        waiting = quote.approvals.filter(state=State.WAITING).first() if quote else None
        if quote is None or waiting is None:
            raise Conflict(_("This has been decided already."))
        if not may_take_back(actor, waiting.asked_by_id):
            raise NotAllowed(_("Only %(who)s, who asked, or an administrator takes this back.") % {"who": waiting.asked_by_name})
        tell_waiting(actor, TAKEN_BACK, {"instance_id": quote.deal.instance_id})


# --- the process's side ---------------------------------------------------------------------------------------------


def check_purchase(actor: Actor, quote_id: int, action: str) -> bool:
    """The buyer has answered: whether the approver has to be asked first; if so the question is kept."""
    with transaction.atomic():
        quote = locked(Quote.objects.all(), quote_id)
        if action != "accept" or quote.state != Quote.State.SENT or not needs_approval(quote):
            return False
        if not quote.approvals.filter(state=State.WAITING).exists():
            QuoteApproval.objects.create(
                quote=quote,
                customer_organisation_id=quote.customer_organisation_id,
                asked_by_id=actor.user_id,
                asked_by_name=actor.name,
            )
            record(actor, "quote.approval_asked", SubjectRef("crm.quote", quote.pk))
        _tell(quote)
    return True


def answer_purchase(actor: Actor, quote_id: int, action: str, reason: str = "") -> QuoteApproval | None:
    """Keep what the approver says, or that the question was taken back; None where nothing waits any more."""
    state = {"approve": State.APPROVED, "reject": State.REJECTED}.get(action, State.WITHDRAWN)
    with transaction.atomic():
        quote = locked(Quote.objects.all(), quote_id)
        row = quote.approvals.filter(state=State.WAITING).first()
        if row is None:
            return None
        row.state, row.reason, row.decided_at = state, reason.strip(), timezone.now()
        row.decided_by_id, row.decided_by_name = actor.user_id, actor.name
        row.save()
        record(actor, f"quote.approval_{state}", SubjectRef("crm.quote", quote.pk), reason=reason)
        _tell(quote)
    return row


def close_questions(quote_ids: list[int]) -> None:
    """These quotes can't be accepted any more: nobody need approve them."""
    rows = QuoteApproval.objects.filter(quote_id__in=quote_ids, state=State.WAITING)
    rows.update(state=State.WITHDRAWN, decided_at=timezone.now(), decided_by_name=_("The quote ran out or was replaced"))


def _tell(quote: Quote) -> None:
    topics = [f"crm.deal:{quote.deal_id}", f"crm.quote:{quote.pk}"]
    ping(*topics, *([f"crm.request:{quote.request_id}"] if quote.request_id else []))
