"""Quotes, as the customer and the employees read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import formats
from django.utils.translation import gettext as _
from djmoney.money import Money

from crm.access import visible_quotes
from crm.models import Quote, QuoteApproval, QuoteLine, QuoteSignature
from portal.access import Actor
from portal.registry import SubjectRef
from portal.rows import PreparedFor


@dataclass(frozen=True, slots=True)
class QuoteLineView:
    """One line of a quote."""

    description: str
    quantity: Decimal
    unit_price: Money
    total: Money


@dataclass(frozen=True, slots=True)
class SignatureView:
    """The evidence of a signature, as both sides read it."""

    signed_name: str
    signer_name: str
    signer_email: str
    signed_at: datetime
    address: str
    browser: str
    is_drawn: bool
    document_sha256: str
    file_id: UUID | None  # None while the sealed document is being made


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A version of a quote, as its customer sees it."""

    id: int
    number: str
    version: int
    state: str
    state_label: str
    lines: tuple[QuoteLineView, ...]
    subtotal: Money
    discount_percent: Decimal
    total: Money
    valid_until: date
    note: str
    prepared_by_name: str
    file_id: UUID | None
    request_id: int | None
    sent_at: datetime | None
    decided_at: datetime | None
    decided_by_name: str
    decision_reason: str
    signature: SignatureView | None = None
    in_approval: bool = False  # the customer's own approver is asked

    @property
    def ref(self) -> SubjectRef:
        """The quote as a subject."""
        return SubjectRef("crm.quote", self.id)

    @property
    def discount(self) -> Money:
        """What the discount takes off."""
        return self.subtotal - self.total

    @property
    def is_open(self) -> bool:
        """Whether the customer's answer is awaited."""
        return self.state == Quote.State.SENT


def _line(row: QuoteLine) -> QuoteLineView:
    return QuoteLineView(row.description, row.quantity, row.unit_price, row.total)


def _views(rows: QuerySet[Quote], *, with_lines: bool = True) -> list[QuoteView]:
    return [_view(row, with_lines=with_lines) for row in _whole(rows.prefetch_related("lines") if with_lines else rows)]


def _whole(rows: QuerySet[Quote]) -> QuerySet[Quote]:
    """With the signature, and whether the customer's own approver is asked."""
    waiting = Exists(QuoteApproval.objects.filter(quote=OuterRef("pk"), state=QuoteApproval.State.WAITING))
    return rows.select_related("signature").defer("signature__drawing").annotate(in_approval=waiting)


def _view(row: Quote, *, with_lines: bool) -> QuoteView:
    return QuoteView(
        row.pk,
        row.number,
        row.version,
        row.state,
        row.get_state_display(),
        tuple(_line(line) for line in row.lines.all()) if with_lines else (),
        row.subtotal,
        row.discount_percent,
        row.total,
        row.valid_until,
        row.note,
        row.prepared_by_name,
        row.file_id,
        row.request_id,
        row.sent_at,
        row.decided_at,
        row.decided_by_name,
        row.decision_reason,
        _signature(row),
        row.in_approval,  # type: ignore[attr-defined]  # added by _whole
    )


def _signature(row: Quote) -> SignatureView | None:
    found: QuoteSignature | None = getattr(row, "signature", None)
    if found is None:
        return None
    return SignatureView(
        found.signed_name,
        found.signer_name,
        found.signer_email,
        found.signed_at,
        found.address or "",
        found.browser,
        found.is_drawn,
        found.document_sha256,
        found.sealed_file_id,
    )


def quotes_of_request(actor: Actor, request_id: int) -> list[QuoteView]:
    """The versions of a request's quote that the actor may see, newest first."""
    rows = _OF_REQUEST.rows(actor, values=[request_id])
    lines: dict[int, list[QuoteLine]] = {row.pk: [] for row in rows}
    for line in _LINES.among(Actor.system(), lines) if rows else ():
        lines[line.quote_id].append(line)
    return [replace(_view(row, with_lines=False), lines=tuple(map(_line, lines[row.pk]))) for row in rows]


_LINES = PreparedFor(lambda _system, *quotes: QuoteLine.objects.filter(quote_id__in=quotes))
_OF_REQUEST = PreparedFor(lambda actor, request: _whole(visible_quotes(actor).filter(request_id=request).order_by("-version")))


def quotes_of_deal(actor: Actor, deal_id: int, *, with_lines: bool = True) -> list[QuoteView]:
    """The versions of a deal's quote that the actor may see, newest first."""
    return _views(visible_quotes(actor).filter(deal_id=deal_id).order_by("-version"), with_lines=with_lines)


def quote_view(actor: Actor, quote_id: int) -> QuoteView | None:
    """One quote, or None where the actor may not see it."""
    return next(iter(_views(visible_quotes(actor).filter(pk=quote_id))), None)


def quotes_for(actor: Actor, *, open_only: bool = False, limit: int = 50) -> list[QuoteView]:
    """The quotes that the actor may see, without their lines: the newest first, or those that wait for an answer, the next to end first."""
    return [_view(row, with_lines=False) for row in _QUOTES.rows(actor, open_only, limit)]


def _quotes(actor: Actor, open_only: bool, limit: int) -> QuerySet[Quote]:
    rows = visible_quotes(actor)
    rows = rows.filter(state=Quote.State.SENT).order_by("valid_until", "pk") if open_only else rows.order_by("-sent_at", "-pk")
    return _whole(rows[:limit])


_QUOTES = PreparedFor(_quotes)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs between two versions of a quote; an amount or words, as each version has it."""

    what: str
    before: Money | str
    after: Money | str


def compare_quotes(before: QuoteView, after: QuoteView) -> list[Difference]:
    """What changed between two versions: lines by their description, then discount, total, date and note."""
    old, new = _by_description(before), _by_description(after)
    found = [
        Difference(name, old.get(name, ""), new.get(name, "")) for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)
    ]
    quantities = {line.description: line.quantity for line in before.lines}
    for line in after.lines:
        known = quantities.get(line.description)
        if known is not None and known != line.quantity:
            label = _("%(what)s: quantity") % {"what": line.description}
            found.append(Difference(label, f"{known.normalize():f}", f"{line.quantity.normalize():f}"))
    pairs: list[tuple[str, Money | str, Money | str]] = [
        (_("Discount"), _percent(before.discount_percent), _percent(after.discount_percent)),
        (_("Total"), before.total, after.total),
        (_("Valid until"), formats.date_format(before.valid_until), formats.date_format(after.valid_until)),
        (_("Note"), before.note, after.note),
    ]
    return found + [Difference(what, one, other) for what, one, other in pairs if one != other]


def _by_description(quote: QuoteView) -> dict[str, Money]:
    found: dict[str, Money] = {}
    for line in quote.lines:
        found[line.description] = found[line.description] + line.total if line.description in found else line.total
    return found


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f} %" if value else ""
