"""Writes on deals. The stage belongs to the deal's process: people ask it by `move_deal`, the process answers by `enter_stage`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import CrmPermission, visible_deals
from crm.events import DealLost, DealMoved, DealOpened, DealWon
from crm.models import Account, Deal, Product, Quote, Request, SalesTeamMember, Stage, StageChange
from crm.selectors.accounts import similar_accounts
from crm.services.accounts import contact_for_person, create_account
from crm.services.common import allow, amount_of, change_fields, check_fresh, locked, money_of, percent_of, seller_for
from crm.services.leads import settle_leads_of
from crm.services.process import PROCESS, deal_start
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, Refused
from portal.events import emit, records_changed
from portal.live import ping
from portal.registry import SubjectRef
from workflows.errors import FormRefused
from workflows.forms import task_form
from workflows.selectors import stage_moves
from workflows.services import CompletionResult, complete_task, refuse_locked, refuse_locked_among, start_process
from workflows.worth import follow_worth

DEAL_FIELDS = ["title", "account", "contact", "product", "owner", "amount", "expected_close", "next_step"]


class StepNeeded(Refused):
    """The move leads through a step whose form wants more than is known; `task_id` is where to fill it in."""

    status = 409

    def __init__(self, task_id: int, label: str, words: str) -> None:
        super().__init__(_("“%(step)s” needs more: %(words)s") % {"step": label, "words": words})
        self.task_id = task_id


def ref_of(deal: Deal) -> SubjectRef:
    """The deal as a subject."""
    return SubjectRef("crm.deal", deal.pk)


def _tell(deal: Deal) -> None:
    """Everybody who looks at the deal, the board, or the customer's request reads again."""
    topics = [f"crm.deal:{deal.pk}", "crm.board"]
    if deal.request_id:
        topics.append(f"crm.request:{deal.request_id}")
    if deal.partner_organisation_id:
        topics.append(f"crm.joint:{deal.partner_organisation_id}")
    ping(*topics)
    follow_worth(ref_of(deal))


def after_discount(price: Decimal | None, percent: Decimal) -> Decimal | None:
    """What is left of a price."""
    return None if price is None else (price * (100 - percent) / 100).quantize(Decimal("0.01"))


def create_deal(actor: Actor, *, title: str, amount: Any = None, **fields: Any) -> Deal:
    """A colleague opens a deal by hand; its process starts at qualification."""
    allow(actor, CrmPermission.EDIT)
    title = title.strip()
    if not title:
        raise Refused(_("Give the deal a title."), "title")
    product, account = fields.get("product"), fields.get("account")
    price = amount_of(amount, "amount")
    if price is None and product is not None and product.list_price is not None:
        price = product.list_price.amount
    with transaction.atomic():
        deal = Deal.objects.create(
            title=title[:200],
            amount=money_of(price),
            list_price=money_of(price),
            owner=fields.pop("owner", None) or seller_for(actor),
            customer_organisation_id=account.organisation_id if account else None,
            engage_date=timezone.localdate(),
            **fields,
        )
        _opened(actor, deal)
        deal.instance_id = start_deal_process(actor, deal)
    return deal


def start_deal_process(actor: Actor, deal: Deal) -> int:
    """Start the process of a deal that has none, at its stage; the same deal twice gives the same instance."""
    start = deal_start(deal)
    deal.instance_id = start_process(
        actor,
        PROCESS,
        subject=start.subject,
        data=start.data,
        idempotency_key=start.idempotency_key,
        title=start.title,
        customer_organisation_id=start.customer_organisation_id,
        partner_organisation_id=start.partner_organisation_id,
    )
    Deal.objects.filter(pk=deal.pk).update(instance_id=deal.instance_id)
    deal.refresh_from_db()
    return deal.instance_id


def open_registered_deal(
    actor: Actor,
    *,
    company: str,
    contact_name: str,
    contact_email: str,
    product_id: int | None,
    amount: Any,
    expected_close: date | None,
    description: str,
    partner_organisation_id: int,
) -> int:
    """A partner's registration was approved: its joint deal begins, the partner on board; gives the deal's id."""
    system = Actor.system(actor.name)
    with transaction.atomic():
        same = next((one for one in similar_accounts(company) if one.same), None)
        account = Account.objects.get(pk=same.account_id) if same else create_account(system, name=company)
        contact = contact_for_person(account, name=contact_name, email=contact_email) if contact_name or contact_email else None
        product = Product.objects.filter(pk=product_id).first()
        price = amount_of(amount, "amount")
        if price is None and product is not None and product.list_price is not None:
            price = product.list_price.amount
        deal = Deal.objects.create(
            title=product.name if product else _("Deal of a partner"),
            account=account,
            contact=contact,
            product=product,
            owner=seller_for(actor),
            amount=money_of(price),
            list_price=money_of(price),
            expected_close=expected_close,
            next_step=description.strip()[:200],
            customer_organisation_id=account.organisation_id,
            partner_organisation_id=partner_organisation_id,
            partner_state=Deal.PartnerState.ACCEPTED,
            engage_date=timezone.localdate(),
        )
        _opened(actor, deal)
        start_deal_process(system, deal)
    return deal.pk


def _opened(actor: Actor, deal: Deal) -> None:
    record(actor, "deal.opened", ref_of(deal), after={"title": deal.title, "amount": str(deal.amount or "")})
    emit(
        DealOpened(
            deal.pk,
            deal.number,
            deal.title,
            deal.account.name if deal.account else "",
            deal.amount.amount if deal.amount else None,
            str(deal.amount.currency) if deal.amount else "",
            actor,
        )
    )
    _tell(deal)


def open_deal(
    actor: Actor,
    *,
    request_id: int | None = None,
    deal_id: int | None = None,
    product_id: int | None = None,
    price: Any = None,
    discount_percent: Any = 0,
    partner_organisation_id: int | None = None,
    owner: SalesTeamMember | None = None,
    instance_id: int | None = None,
) -> Deal:
    """Sales has qualified: the request's deal appears, or takes the new figures when it is there already (after a rejection)."""
    allow(actor, CrmPermission.EDIT)
    percent = percent_of(discount_percent, "discount")
    with transaction.atomic():
        deal = None
        if deal_id:
            deal = locked(Deal.objects.all(), deal_id)
        elif request_id:
            deal = Deal.objects.select_for_update().filter(request_id=request_id).order_by("pk").first()
        is_new = deal is None
        if deal is None:
            request = Request.objects.select_related("account", "product").filter(pk=request_id).first()
            if request is None:
                raise Refused(_("This request isn't there any more."))
            deal = Deal(
                title=request.title,
                account=request.account,
                contact_id=request.contact_id,
                product=request.product,
                request=request,
                customer_organisation_id=request.customer_organisation_id,
                engage_date=timezone.localdate(),
                stage=Stage.QUALIFICATION,
            )
        if product_id and product_id != deal.product_id:
            deal.product_id = product_id
        amount = amount_of(price, "amount")
        if amount is None and deal.list_price is not None:
            amount = deal.list_price.amount
        if amount is None and deal.product is not None and deal.product.list_price is not None:
            amount = deal.product.list_price.amount
        deal.list_price = money_of(amount)
        deal.discount_percent = percent
        deal.amount = money_of(after_discount(amount, percent))
        deal.owner = deal.owner or owner or seller_for(actor)
        deal.instance_id = instance_id or deal.instance_id
        if partner_organisation_id and deal.partner_state in ("", Deal.PartnerState.PLANNED, Deal.PartnerState.DECLINED):
            deal.partner_organisation_id, deal.partner_state = partner_organisation_id, Deal.PartnerState.PLANNED
        deal.save()
        if is_new:
            StageChange.objects.create(deal=deal, to_stage=deal.stage, actor_id=actor.user_id, actor_name=actor.name)
            _opened(actor, deal)
            settle_leads_of(deal.request_id, converted=True)
        else:
            record(actor, "deal.requalified", ref_of(deal), after={"price": str(amount), "discount": str(percent)})
            _tell(deal)
    return deal


def set_discount(actor: Actor, deal_id: int, percent: Any) -> Deal:
    """Change the discount of a deal that has no quote out; over the limit the process asks for approval."""
    allow(actor, CrmPermission.EDIT)
    value = percent_of(percent, "discount_percent")
    with transaction.atomic():
        deal = locked(visible_deals(actor), deal_id)
        if deal.outcome:
            raise Conflict(_("This deal is closed."))
        if value > deal.discount_percent and deal.stage not in (Stage.NEW, Stage.QUALIFICATION):
            raise Refused(_("A higher discount needs approval: send the deal back to qualification."), "discount_percent")
        before, deal.discount_percent = deal.discount_percent, value
        price = deal.list_price or deal.amount
        deal.amount = money_of(after_discount(price.amount if price else None, value), str(price.currency) if price else "")
        deal.save()
        record(actor, "deal.discount_changed", ref_of(deal), before={"discount": str(before)}, after={"discount": str(value)})
        _tell(deal)
    return deal


def update_deal(actor: Actor, deal_id: int, values: dict[str, Any], *, seen_at: str | None = None) -> Deal:
    """Change a deal's fields; raises Conflict where somebody else was faster."""
    allow(actor, CrmPermission.EDIT)
    if "discount_percent" in values:
        values = dict(values)
        set_discount(actor, deal_id, values.pop("discount_percent"))
    with transaction.atomic():
        deal = locked(visible_deals(actor), deal_id)
        check_fresh(deal, seen_at)
        if "title" in values and not str(values["title"]).strip():
            raise Refused(_("Give the deal a title."), "title")
        if deal.outcome and set(values) - {"next_step", "contact", "owner"}:
            raise Conflict(_("This deal is closed; its figures stay as they were."))
        if change_fields(actor, deal, ref_of(deal), values, DEAL_FIELDS, "deal.changed"):
            _tell(deal)
    return deal


def assign_owner(actor: Actor, deal_ids: Iterable[int], owner_id: int | None) -> int:
    """Give deals to a seller; answers how many changed hands. Raises Conflict where one of them waits for a decision that locks it."""
    allow(actor, CrmPermission.ASSIGN)
    owner = SalesTeamMember.objects.filter(pk=owner_id, is_active=True).first()
    if owner is None:
        raise Refused(_("Choose a seller."), "owner")
    with transaction.atomic():
        chosen = visible_deals(actor).filter(pk__in=list(deal_ids)).exclude(owner=owner).select_related("owner").order_by("pk")
        deals = list(chosen.select_for_update(of=("self",)))
        refuse_locked_among(ref_of(deal) for deal in deals)
        for deal in deals:
            record(
                actor, "deal.assigned", ref_of(deal), before={"owner": deal.owner.name if deal.owner else None}, after={"owner": owner.name}
            )
        Deal.objects.filter(pk__in=[deal.pk for deal in deals]).update(owner=owner, updated_at=timezone.now())
        ping("crm.board", *(f"crm.deal:{deal.pk}" for deal in deals[:100]))  # and the audit has told of all
    return len(deals)


def move_deal(actor: Actor, deal_id: int, stage: str, data: dict[str, Any] | None = None, *, key: str = "") -> CompletionResult:
    """Ask the deal's process to go to a stage: completes the step that leads there, or refuses with the process's reason."""
    allow(actor, CrmPermission.EDIT)
    deal = visible_deals(actor).filter(pk=deal_id).first()
    if deal is None:
        raise Refused(_("This record isn't there any more."))
    if stage not in Stage.values:
        raise Refused(_("There is no such stage."), "stage")
    if deal.stage == stage:
        raise Conflict(_("The deal is at this stage already."))
    if deal.outcome:
        raise Refused(_("This deal is closed."))
    refuse_locked(ref_of(deal), besides=deal.instance_id)
    moves = [move for move in stage_moves(actor, ref_of(deal)) if move.stage == stage]
    chosen = next((move for move in moves if move.allowed), None)
    if chosen is None:
        why = next((move.why_not for move in moves if move.why_not), "")
        label = Stage(stage).label
        raise Refused(str(why) or _("From here the process doesn't lead to “%(stage)s”.") % {"stage": label}, "stage")
    known = task_form(actor, chosen.task_id).form
    given = {name: field.initial for name, field in known.fields.items() if field.initial is not None} | (data or {})
    try:
        return complete_task(actor, chosen.task_id, given, action=chosen.action, idempotency_key=key)
    except FormRefused as refused:
        words = "; ".join(f"{known.fields[name].label}: {errors[0]}" for name, errors in refused.errors.items() if name in known.fields)
        raise StepNeeded(chosen.task_id, chosen.label or str(Stage(stage).label), words) from refused


def enter_stage(actor: Actor, deal_id: int, stage: str, *, reason: str = "", instance_id: int | None = None) -> None:
    """The process has reached a stage: keep it, with the change in the deal's history. Entering the same stage again is nothing.

    Raises Conflict where an employee's step would move a deal that another process's decision locks; what happens by itself goes on.
    """
    with transaction.atomic():
        deal = locked(Deal.objects.all(), deal_id, free=True)
        if stage not in Stage.values or deal.stage == stage:
            return
        if actor.is_internal and not actor.is_system:
            refuse_locked(ref_of(deal), besides=instance_id)
        before, deal.stage, deal.stage_since = deal.stage, stage, timezone.now()
        deal.save(update_fields=["stage", "stage_since", "updated_at"])
        StageChange.objects.create(
            deal=deal, from_stage=before, to_stage=stage, actor_id=actor.user_id, actor_name=actor.name or "Tandem", reason=reason[:300]
        )
        emit(
            DealMoved(
                deal.pk,
                deal.title,
                before,
                stage,
                str(Stage(stage).label),
                reason,
                deal.customer_organisation_id,
                deal.partner_organisation_id,
                actor,
            )
        )
        _tell(deal)


def set_partner(actor: Actor, deal_id: int, *, organisation_id: int | None, state: str) -> Deal:
    """Keep which partner a deal is shared with and how far that is; only an invited or accepting partner sees the deal."""
    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        deal = locked(Deal.objects.all(), deal_id)
        before = {"partner": deal.partner_organisation_id, "state": deal.partner_state}
        deal.partner_organisation_id, deal.partner_state = organisation_id, Deal.PartnerState(state)
        deal.save(update_fields=["partner_organisation", "partner_state", "updated_at"])
        record(actor, "deal.partner_changed", ref_of(deal), before=before, after={"partner": organisation_id, "state": state})
        _tell(deal)
    return deal


def win_deal(actor: Actor, deal_id: int, *, quote_id: int | None = None, on: date | None = None) -> Deal:
    """The customer has accepted: the deal is won at the quote's total. Winning twice changes nothing."""
    allow(actor, CrmPermission.EDIT)
    quote = Quote.objects.filter(pk=quote_id, deal_id=deal_id).first() if quote_id else None
    with transaction.atomic():
        deal = locked(Deal.objects.all(), deal_id)
        if deal.outcome == Deal.Outcome.WON:
            return deal
        if deal.outcome:
            raise Conflict(_("This deal is closed."))
        deal.outcome, deal.close_date = Deal.Outcome.WON, on or timezone.localdate()
        deal.close_value = (quote.total if quote else None) or deal.amount or deal.list_price or money_of(Decimal(0))
        deal.amount = deal.close_value
        deal.save()
        record(actor, "deal.won", ref_of(deal), after={"value": str(deal.close_value)})
        emit(
            DealWon(
                deal.pk,
                deal.title,
                deal.account.name if deal.account else "",
                deal.close_value.amount,
                str(deal.close_value.currency),
                deal.customer_organisation_id,
                deal.partner_organisation_id,
                actor,
            )
        )
        _tell(deal)
    return deal


def lose_deal(actor: Actor, deal_id: int, reason: str, *, on: date | None = None) -> Deal:
    """The deal is lost, and why. Losing twice changes nothing."""
    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        deal = locked(Deal.objects.all(), deal_id)
        if deal.outcome == Deal.Outcome.LOST:
            return deal
        if deal.outcome:
            raise Conflict(_("This deal is closed."))
        deal.outcome, deal.close_date, deal.lost_reason = (
            Deal.Outcome.LOST,
            on or timezone.localdate(),
            (reason or _("No reason given"))[:300],
        )
        deal.save()
        record(actor, "deal.lost", ref_of(deal), reason=deal.lost_reason)
        emit(
            DealLost(
                deal.pk,
                deal.title,
                deal.account.name if deal.account else "",
                deal.lost_reason,
                deal.customer_organisation_id,
                deal.partner_organisation_id,
                actor,
            )
        )
        enter_stage(actor, deal.pk, Stage.LOST, reason=deal.lost_reason)
        _tell(deal)
    deal.refresh_from_db()
    return deal


def drop(actor: Actor, *, request_id: int | None = None, deal_id: int | None = None, reason: str = "") -> None:
    """Nothing comes of it: the deal is lost, or the request wasn't pursued; its lead follows."""
    with transaction.atomic():
        if deal_id:
            lose_deal(actor, deal_id, reason)
        if request_id:
            Request.objects.filter(pk=request_id).update(outcome=reason[:200])
            records_changed(SubjectRef("crm.request", request_id))
            settle_leads_of(request_id, converted=False, reason=reason)
