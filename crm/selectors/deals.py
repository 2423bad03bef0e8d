"""Deals, as employees and, on joint ones, the partner read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet
from djmoney.money import Money

from crm.access import visible_deals
from crm.models import Deal, Stage
from portal.access import Actor
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class DealFacts:
    """A deal as employees see it."""

    id: int
    number: str
    title: str
    account_id: int | None
    account_name: str
    product_id: int | None
    product_name: str
    owner_name: str
    owner_user_id: int | None
    stage: str
    stage_label: str
    stage_since: datetime
    amount: Money | None
    list_price: Money | None
    discount_percent: Decimal
    outcome: str | None
    close_value: Money | None
    lost_reason: str
    customer_organisation_id: int | None
    partner_organisation_id: int | None
    partner_state: str
    request_id: int | None
    instance_id: int | None
    updated_at: datetime

    @property
    def ref(self) -> SubjectRef:
        """The deal as a subject."""
        return SubjectRef("crm.deal", self.id)


@dataclass(frozen=True, slots=True)
class JointDealFacts:
    """A joint deal's facts that may be shared with its partner; the visibility contract picks which of them are."""

    id: int
    number: str
    title: str
    customer_name: str
    product_name: str
    product_description: str
    stage: str
    stage_label: str
    stage_since: datetime
    amount: Money | None
    expected_close: date | None
    outcome: str | None
    close_value: Money | None
    contact_name: str
    contact_user_id: int | None
    partner_state: str
    opened_at: datetime
    updated_at: datetime

    @property
    def ref(self) -> SubjectRef:
        """The deal as a subject."""
        return SubjectRef("crm.deal", self.id)


RELATED = ("account", "product", "owner")


def stage_labels() -> dict[str, str]:
    """The stages of a deal in their order, with their words."""
    return {str(value): str(label) for value, label in Stage.choices}


def _facts(row: Deal) -> DealFacts:
    return DealFacts(
        row.pk,
        row.number,
        row.title,
        row.account_id,
        row.account.name if row.account else "",
        row.product_id,
        row.product.name if row.product else "",
        row.owner.name if row.owner else "",
        row.owner.user_id if row.owner else None,
        row.stage,
        row.get_stage_display(),
        row.stage_since,
        row.amount,
        row.list_price,
        row.discount_percent,
        row.outcome,
        row.close_value,
        row.lost_reason,
        row.customer_organisation_id,
        row.partner_organisation_id,
        row.partner_state,
        row.request_id,
        row.instance_id,
        row.updated_at,
    )


def deal_facts(actor: Actor, deal_id: int) -> DealFacts | None:
    """One deal for an employee (or the system), or None."""
    if not actor.is_internal:
        return None
    rows = Deal.objects.all() if actor.is_system else visible_deals(actor)
    row = rows.select_related(*RELATED).filter(pk=deal_id).first()
    return _facts(row) if row else None


def deals_of_request(actor: Actor, request_id: int) -> list[DealFacts]:
    """The deals of a request, for employees."""
    if not actor.is_internal:
        return []
    return [_facts(row) for row in visible_deals(actor).select_related(*RELATED).filter(request_id=request_id).order_by("pk")]


def _joint(rows: QuerySet[Deal]) -> list[JointDealFacts]:
    return [
        JointDealFacts(
            row.pk,
            row.number,
            row.title,
            row.account.name if row.account else "",
            row.product.name if row.product else "",
            row.product.description if row.product else "",
            row.stage,
            row.get_stage_display(),
            row.stage_since,
            row.amount,
            row.expected_close,
            row.outcome,
            row.close_value,
            row.owner.name if row.owner else "",
            row.owner.user_id if row.owner else None,
            row.partner_state,
            row.created_at,
            row.updated_at,
        )
        for row in rows.select_related(*RELATED)
    ]


def joint_deals(actor: Actor, limit: int = 200) -> list[JointDealFacts]:
    """The joint deals of a partner's person, latest change first."""
    return _joint(visible_deals(actor).order_by("-updated_at", "-pk")[:limit]) if actor.is_partner else []


def joint_deal(actor: Actor, deal_id: int) -> JointDealFacts | None:
    """One joint deal of a partner's person, or None."""
    return next(iter(_joint(visible_deals(actor).filter(pk=deal_id))), None) if actor.is_partner else None


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """Everything of a deal that a visibility contract can name, keyed as the contract keys it. Never given to a page whole."""

    number: str
    title: str
    account: str
    product: str
    stage: str
    stage_key: str
    amount: Money | None
    expected_close: date | None
    owner: str
    contact: str
    description: str
    discount: str
    list_price: Money | None
    lost_reason: str
    outcome: str | None


def partner_facts(actor: Actor, deal_ids: Iterable[int]) -> dict[int, PartnerFacts]:
    """The facts of deals that the actor has a part in, in one query; the caller shows what the contract allows."""
    rows = visible_deals(actor).select_related("account", "product", "owner", "contact", "request").filter(pk__in=set(deal_ids))
    return {
        row.pk: PartnerFacts(
            row.number,
            row.title,
            row.account.name if row.account else "",
            row.product.name if row.product else "",
            str(row.get_stage_display()),
            row.stage,
            row.amount,
            row.expected_close,
            row.owner.name if row.owner else "",
            f"{row.contact.name} {row.contact.email}".strip() if row.contact else "",
            row.request.description if row.request else "",
            f"{row.discount_percent.normalize():f} %" if row.discount_percent else "",
            row.list_price,
            row.lost_reason,
            row.outcome,
        )
        for row in rows
    }


def deal_ids_of_request(request_id: int) -> list[int]:
    """Which deals a request led to; ids alone, for whoever may see the request but not the deals."""
    return list(Deal.objects.filter(request_id=request_id).values_list("pk", flat=True))
