"""Quotes, as the customer and the employees read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet
from djmoney.money import Money

from crm.access import visible_quotes
from crm.models import Quote, QuoteLine
from portal.access import Actor
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class QuoteLineView:
    """One line of a quote."""

    description: str
    quantity: Decimal
    unit_price: Money
    total: Money


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
    return [
        QuoteView(
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
        )
        for row in (rows.prefetch_related("lines") if with_lines else rows)
    ]


def quotes_of_request(actor: Actor, request_id: int) -> list[QuoteView]:
    """The versions of a request's quote that the actor may see, newest first."""
    return _views(visible_quotes(actor).filter(request_id=request_id).order_by("-version"))


def quotes_of_deal(actor: Actor, deal_id: int, *, with_lines: bool = True) -> list[QuoteView]:
    """The versions of a deal's quote that the actor may see, newest first."""
    return _views(visible_quotes(actor).filter(deal_id=deal_id).order_by("-version"), with_lines=with_lines)


def quote_view(actor: Actor, quote_id: int) -> QuoteView | None:
    """One quote, or None where the actor may not see it."""
    return next(iter(_views(visible_quotes(actor).filter(pk=quote_id))), None)


def quotes_for(actor: Actor, *, open_only: bool = False, limit: int = 50) -> list[QuoteView]:
    """The quotes that the actor may see, without their lines: the newest first, or those that wait for an answer, the next to end first."""
    rows = visible_quotes(actor)
    rows = rows.filter(state=Quote.State.SENT).order_by("valid_until", "pk") if open_only else rows.order_by("-sent_at", "-pk")
    return _views(rows[:limit], with_lines=False)
