"""Service tasks of the customer base: each a few lines over `crm.services`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm import services
from crm.access import CrmPermission
from crm.services.process import remind_approvers
from portal.access import Actor
from portal.registry import SubjectRef
from workflows.connector_registry import ConnectorStep, connector
from workflows.services import link_subject


def acting(step: ConnectorStep) -> Actor:
    """Who does it: the employee who caused the step, else the system in the name of the customer, partner or timer that did."""
    actor = step.actor
    return actor if actor.is_internal and actor.can(CrmPermission.EDIT) else Actor.system(actor.name)


@connector("crm.open_deal")
def open_deal(
    step: ConnectorStep,
    request_id: int | None = None,
    deal_id: int | None = None,
    product_id: int | None = None,
    price: Any = None,
    discount: Any = 0,
    partner: int | None = None,
) -> dict[str, Any]:
    """Open the request's deal, or give it the new figures; gives `deal_id`, `price`, `discount`, `family` and words for forms."""
    deal = services.open_deal(
        acting(step),
        request_id=request_id,
        deal_id=deal_id,
        product_id=product_id,
        price=price,
        discount_percent=discount or 0,
        partner_organisation_id=partner,
        instance_id=step.instance_id,
    )
    link_subject(step.instance_id, SubjectRef("crm.deal", deal.pk), role="deal")
    return services.deal_words(deal)


@connector("crm.make_quote")
def make_quote(step: ConnectorStep, deal_id: int, price: Any = None, note: str = "", valid_days: Any = None) -> dict[str, Any]:
    """Make and send the next version of the quote; gives `quote_id`, `number`, `total`, `valid_until` and `deadline`."""
    quote = services.make_quote(acting(step), deal_id, price=price, note=note or "", valid_days=valid_days)
    link_subject(step.instance_id, SubjectRef("crm.quote", quote.pk), role="quote")
    return services.quote_words(quote)


@connector("crm.record_quote_answer")
def record_quote_answer(step: ConnectorStep, quote_id: int, action: str, reason: str = "") -> dict[str, Any]:
    """Keep the customer's answer: accept, change or decline."""
    services.answer_quote(step.actor, quote_id, action, reason or "")
    return {"action": action, "reason": reason or ""}


@connector("crm.check_purchase")
def check_purchase(step: ConnectorStep, quote_id: int, action: str) -> dict[str, Any]:
    """Whether the customer's own approver has to be asked before this answer counts; gives the quote's words with `needs_approval`."""
    needed = services.check_purchase(step.actor, quote_id, action)
    return services.quote_words(services.quote_of(quote_id)) | {"needs_approval": needed}


@connector("crm.answer_purchase")
def answer_purchase(step: ConnectorStep, quote_id: int, action: str, reason: str = "") -> dict[str, Any]:
    """Keep the answer of the customer's approver (approve, reject) or that it was taken back; gives the quote's words with `approved`,
    `approved_by` and `approver_said`."""
    row = services.answer_purchase(step.actor, quote_id, action, reason or "")
    said = {
        "approved": bool(row and row.state == "approved"),
        "approved_by": row.decided_by_name if row else "",
        "approver_said": row.reason if row else "",
    }
    return services.quote_words(services.quote_of(quote_id)) | said


@connector("crm.expire_quote")
def expire_quote(step: ConnectorStep, deal_id: int) -> dict[str, Any]:
    """The quote's time is over."""
    return {"expired": services.expire_quotes(acting(step), deal_id)}


@connector("crm.win_deal")
def win_deal(step: ConnectorStep, deal_id: int, quote_id: int | None = None) -> dict[str, Any]:
    """Win the deal at the quote's total."""
    services.win_deal(acting(step), deal_id, quote_id=quote_id)
    return {}


@connector("crm.lose_deal")
def lose_deal(step: ConnectorStep, request_id: int | None = None, deal_id: int | None = None, reason: str = "") -> dict[str, Any]:
    """Record why nothing came of a request or a deal."""
    services.drop(acting(step), request_id=request_id, deal_id=deal_id, reason=reason or "")
    return {}


@connector("crm.remind")
def remind(step: ConnectorStep, element_ids: list[str]) -> dict[str, Any]:
    """Write to those whom these steps wait for."""
    return {"letters": remind_approvers(step.instance_id, element_ids, key=step.idempotency_key)}


@connector("crm.answer_case")
def answer_case(step: ConnectorStep, case_id: int, action: str, words: str, severity: str | None = None) -> dict[str, Any]:
    """Send an employee's answer or question to the customer; gives the case's words and the new promise."""
    return services.answer_case(step.actor, case_id, action=action, words=words, severity=severity or "")


@connector("crm.reply_to_case")
def reply_to_case(step: ConnectorStep, case_id: int, words: str) -> dict[str, Any]:
    """Keep the customer's answer to our question."""
    return services.reply_to_case(step.actor, case_id, words or "")


@connector("crm.settle_case")
def settle_case(
    step: ConnectorStep, case_id: int, action: str, rating: str | None = None, words: str | None = None, reason: str | None = None
) -> dict[str, Any]:
    """Keep what the customer says to the solution: solved with a rating, or not yet; silence closes the case."""
    return services.settle_case(step.actor, case_id, action=action, rating=rating, words=words or "", reason=reason or "")


@connector("crm.ask_for_documents")
def ask_for_documents(
    step: ConnectorStep,
    document_request_id: int | None = None,
    lines: list[Any] | None = None,
    title: str = "",
    note: str = "",
    days: int = 7,
) -> dict[str, Any]:
    """Begin a list of documents: one that is there, or a new one for the process's record from `lines` (names, or dicts with name, hint,
    required and kinds), to be given within `days`; gives `document_request_id`, `due`, `remind_at` and `asked_by`."""
    data = None
    if document_request_id is None and step.subject is not None:
        asked = tuple(new_line(one) for one in lines or ())
        due = timezone.localdate(step.now) + timedelta(days=int(days))
        data = services.NewDocumentRequest(step.subject, asked, due, title or "", note or "")
    words = services.begin_list(acting(step), step.instance_id, document_request_id, data)
    link_subject(step.instance_id, SubjectRef("crm.document_request", words["document_request_id"]), role="documents")
    return words


def new_line(one: Any) -> services.NewLine:
    """A line from what a diagram says of it."""
    if not isinstance(one, dict):
        return services.NewLine(str(one))
    return services.NewLine(
        str(one.get("name", "")), str(one.get("hint", "")), bool(one.get("required", True)), str(one.get("kinds", "any"))
    )


@connector("crm.count_documents")
def count_documents(step: ConnectorStep, document_request_id: int, after: str) -> dict[str, Any]:
    """Where to go after the step `provide` or `check`; gives `next` (check, provide or over), and the names of what is missing or given."""
    return services.count_documents(step.actor, document_request_id, after)


@connector("crm.remind_of_documents")
def remind_of_documents(step: ConnectorStep, document_request_id: int, late: bool = False) -> dict[str, Any]:
    """Tell the customer that documents are still missing; `late` tells whoever asked as well."""
    return services.remind_of_documents(step.actor, document_request_id, late=bool(late))
