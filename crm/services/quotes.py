"""Quotes: made from a template as PDF, shared with the customer, answered by the customer."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import typst
from django.db import transaction
from django.db.models import Max
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from djmoney.money import Money

from crm.access import CrmPermission, visible_quotes
from crm.events import QuoteDecided, QuoteSent
from crm.models import Deal, Quote, QuoteLine
from crm.selectors.buying import approvers_of
from crm.services.buying import close_questions, needs_approval
from crm.services.common import allow, amount_of, locked, money_of, percent_of
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import emit, records_changed
from portal.files import store_file
from portal.live import ping
from portal.registry import SubjectRef
from portal.selectors import organisation, organisations_of
from workflows.errors import SentBack
from workflows.worth import follow_worth

TEMPLATE = Path(__file__).resolve().parent.parent / "typst" / "quote.typ"
VALID_DAYS = 14


def make_quote(
    actor: Actor, deal_id: int, *, price: object = None, discount_percent: object = None, note: str = "", valid_days: object = None
) -> Quote:
    """Make the next version of a deal's quote, print it, and share it with the customer; earlier open versions are withdrawn."""
    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        deal = locked(Deal.objects.all(), deal_id)
        if deal.outcome:
            raise Conflict(_("This deal is closed."))
        amount = amount_of(price, "price")
        if amount is None:
            base = deal.list_price or deal.amount
            if base is None:
                raise Refused(_("The deal has no price yet: give one."), "price")
            amount = base.amount
        percent = percent_of(deal.discount_percent if discount_percent in (None, "") else discount_percent, "discount_percent")
        days = int(amount_of(valid_days, "valid_days") or VALID_DAYS)
        version = (deal.quotes.aggregate(last=Max("version"))["last"] or 0) + 1
        deal.quotes.filter(state__in=[Quote.State.DRAFT, Quote.State.SENT]).update(state=Quote.State.EXPIRED)
        earlier = list(deal.quotes.values_list("pk", flat=True))
        records_changed(*(SubjectRef("crm.quote", pk) for pk in earlier))
        close_questions(earlier)
        total = (amount * (100 - percent) / 100).quantize(Decimal("0.01"))
        quote = Quote.objects.create(
            deal=deal,
            request_id=deal.request_id,
            customer_organisation_id=deal.customer_organisation_id,
            version=version,
            state=Quote.State.SENT,
            discount_percent=percent,
            subtotal=money_of(amount),
            total=money_of(total),
            valid_until=timezone.localdate() + timedelta(days=min(max(days, 1), 365)),
            note=note.strip(),
            prepared_by_name=actor.name,
            sent_at=timezone.now(),
        )
        line = QuoteLine.objects.create(
            quote=quote,
            position=1,
            product_id=deal.product_id,
            description=deal.product.name if deal.product else deal.title,
            quantity=1,
            unit_price=money_of(amount),
            total=money_of(amount),
        )
        home = SubjectRef("crm.request", deal.request_id) if deal.request_id else SubjectRef("crm.deal", deal.pk)
        file = store_file(
            Actor.system(actor.name),
            home,
            print_quote(quote, deal, [line]),
            {Audience.INTERNAL, Audience.CUSTOMER},
            name=_("Quote %(number)s.pdf") % {"number": quote.number},
            kind="quote",
        )
        quote.file_id = file.id
        quote.save(update_fields=["file"])
        deal.amount, deal.discount_percent, deal.list_price = quote.total, percent, quote.subtotal
        deal.save(update_fields=["amount", "amount_currency", "discount_percent", "list_price", "list_price_currency", "updated_at"])
        follow_worth(SubjectRef("crm.deal", deal.pk))
        record(actor, "quote.sent", SubjectRef("crm.quote", quote.pk), after={"number": quote.number, "total": str(quote.total)})
        emit(
            QuoteSent(
                quote.pk,
                quote.number,
                deal.pk,
                quote.request_id,
                deal.title,
                quote.total.amount,
                str(quote.total.currency),
                quote.customer_organisation_id,
                actor,
            )
        )
        _tell(quote)
    return quote


def print_quote(quote: Quote, deal: Deal, lines: list[QuoteLine]) -> bytes:
    """The quote as PDF, from the template, in the installation's language."""
    own = next(iter(organisations_of(Audience.INTERNAL)), None)

    def shown(amount: Money) -> str:
        return f"{formats.number_format(amount.amount, 2, force_grouping=True)} {amount.currency}"

    def day(value: date) -> str:
        return formats.date_format(value, "DATE_FORMAT")

    data = {
        "language": (translation.get_language() or "en")[:2],
        "company": own.name if own else "",
        "customer": deal.account.name if deal.account else "",
        "contact": deal.contact.name if deal.contact else "",
        "number": quote.number,
        "title": deal.title,
        "date": day(timezone.localdate(quote.sent_at)),
        "valid_until": day(quote.valid_until),
        "prepared_by": quote.prepared_by_name,
        "note": quote.note,
        "lines": [
            {
                "description": line.description,
                "quantity": formats.number_format(line.quantity.normalize() if line.quantity % 1 else int(line.quantity)),
                "unit": shown(line.unit_price),
                "total": shown(line.total),
            }
            for line in lines
        ],
        "subtotal": shown(quote.subtotal),
        "discount": formats.number_format(quote.discount_percent, 2) if quote.discount_percent else "",
        "discount_amount": shown(quote.subtotal - quote.total),
        "total": shown(quote.total),
        "words": {
            "quote": _("Quote"),
            "for": _("For"),
            "from": _("From"),
            "date": _("Date"),
            "valid_until": _("Valid until"),
            "prepared_by": _("Prepared by"),
            "description": _("Description"),
            "quantity": _("Quantity"),
            "unit": _("Unit price"),
            "amount": _("Amount"),
            "subtotal": _("Subtotal"),
            "discount": _("Discount"),
            "total": _("Total"),
            "how": _("Accept this quote, or ask for a change, on the page of your request."),
        },
    }
    return typst.compile(TEMPLATE, root=TEMPLATE.parent, sys_inputs={"data": json.dumps(data)}, ignore_system_fonts=True)


def _tell(quote: Quote) -> None:
    topics = [f"crm.deal:{quote.deal_id}", f"crm.quote:{quote.pk}", "crm.board"]
    if quote.customer_organisation_id:
        topics.append(f"cabinet:{quote.customer_organisation_id}")
    if quote.request_id:
        topics.append(f"crm.request:{quote.request_id}")
    ping(*topics)


def _decide(actor: Actor, quote_id: int, state: Quote.State, reason: str = "") -> Quote:
    """Keep the customer's answer; a quote that is answered, replaced or too old can't be answered again."""
    if not (actor.is_customer or (actor.is_internal and actor.can(CrmPermission.EDIT))):
        raise NotAllowed(_("The customer decides on a quote."))
    with transaction.atomic():
        quote = locked(visible_quotes(actor) if not actor.is_system else Quote.objects.all(), quote_id)
        if quote.state == state:
            return quote
        open_states = [Quote.State.SENT, Quote.State.EXPIRED] if actor.is_internal else [Quote.State.SENT]
        if quote.state not in open_states:
            raise Conflict(_("This quote can't be answered any more: %(state)s.") % {"state": quote.get_state_display()})
        quote.state, quote.decision_reason = state, reason.strip()
        quote.decided_at, quote.decided_by_name = timezone.now(), actor.name
        quote.save(update_fields=["state", "decision_reason", "decided_at", "decided_by_name"])
        close_questions([quote.pk])
        record(actor, f"quote.{state}", SubjectRef("crm.quote", quote.pk), reason=reason)
        emit(
            QuoteDecided(
                quote.pk,
                quote.number,
                quote.deal_id,
                quote.request_id,
                quote.deal.title,
                str(state),
                str(quote.get_state_display()),
                quote.decision_reason,
                quote.customer_organisation_id,
                actor,
            )
        )
        _tell(quote)
    return quote


def accept_quote(actor: Actor, quote_id: int) -> Quote:
    """The customer accepts."""
    return _decide(actor, quote_id, Quote.State.ACCEPTED)


def request_change(actor: Actor, quote_id: int, reason: str) -> Quote:
    """The customer asks for another version; raises Refused without a reason."""
    if not reason.strip():
        raise Refused(_("Say what should change."), "reason")
    return _decide(actor, quote_id, Quote.State.CHANGED, reason)


def decline_quote(actor: Actor, quote_id: int, reason: str = "") -> Quote:
    """The customer declines."""
    return _decide(actor, quote_id, Quote.State.DECLINED, reason)


def expire_quotes(actor: Actor, deal_id: int) -> int:
    """The deadline has passed: open versions of a deal's quote can't be accepted any more; answers how many."""
    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        quotes = list(Quote.objects.select_for_update().filter(deal_id=deal_id, state=Quote.State.SENT))
        for quote in quotes:
            _decide(Actor.system(actor.name), quote.pk, Quote.State.EXPIRED)
    return len(quotes)


def answer_quote(actor: Actor, quote_id: int, action: str, reason: str = "") -> Quote:
    """Keep the answer that a step of the process took: accept, change or decline.

    Raises SentBack where the customer's own rule wants an approval that the quote doesn't have: a yes by telephone isn't one.
    """
    match action:
        case "accept":
            _check_approved(quote_id)
            return accept_quote(actor, quote_id)
        case "change":
            return request_change(actor, quote_id, reason)
        case "decline":
            return decline_quote(actor, quote_id, reason)
        case _:
            raise Refused(_("Accept, change or decline."), "action")


def _check_approved(quote_id: int) -> None:
    quote = quote_of(quote_id)
    if quote.state in (Quote.State.SENT, Quote.State.EXPIRED) and needs_approval(quote):
        names = ", ".join(person.name for person in approvers_of(quote.customer_organisation_id)) or _("nobody yet")
        words = _(
            "%(customer)s has quotes of this amount approved by one of its own people first (%(names)s), so a yes by telephone "
            "isn’t enough. Make a new quote instead: it goes to their cabinet, where they approve and sign it."
        )
        customer = organisation(quote.customer_organisation_id)
        raise SentBack(words % {"customer": customer.name if customer else _("The customer"), "names": names})


def quote_of(quote_id: int) -> Quote:
    """A quote by its id, for the process's own steps."""
    return Quote.objects.get(pk=quote_id)


def quote_words(quote: Quote) -> dict[str, object]:
    """What the process keeps of a quote."""
    return {
        "quote_id": quote.pk,
        "number": quote.number,
        "version": quote.version,
        "total": str(quote.total),
        "valid_until": formats.date_format(quote.valid_until, "DATE_FORMAT"),
        "deadline": f"P{max((quote.valid_until - timezone.localdate()).days, 1)}D",
        "ends_at": (quote.sent_at + timedelta(days=max((quote.valid_until - timezone.localdate(quote.sent_at)).days, 1))).isoformat(),
    }
