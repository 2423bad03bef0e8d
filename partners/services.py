"""Writes of the partner programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from djmoney.money import Money

from crm import services as crm
from partners.access import PartnerPermission, visible_registrations
from partners.conflicts import company_key, find_conflict
from partners.contract import ensure_rules
from partners.events import PartnerDecided, PartnerInvited, RegistrationDecided, RegistrationSubmitted
from partners.models import DealRegistration, JointDeal, PartnerProfile, Programme
from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef
from workflows import services as workflows

REGISTRATION, DEAL = "partners.registration", "crm.deal"
REGISTRATION_PROCESS = "partner_deal_registration"


def _tell(organisation_id: int, *refs: SubjectRef) -> None:
    ping(f"partner:{organisation_id}", *map(str, refs))


# -- joint deals ------------------------------------------------------------------------------------------------------


def invite_partner(actor: Actor, deal_id: int, partner_organisation_id: int, *, instance_id: int | None = None) -> int:
    """Ask a partner to join a deal and give the joint deal's id; asking again after a refusal opens it anew.

    Raises Refused for an organisation outside the programme.
    """
    if not PartnerProfile.objects.filter(organisation_id=partner_organisation_id).exists():
        raise Refused(_("This organisation is not in the partner programme."), "partner")
    with transaction.atomic():
        joint, _made = JointDeal.objects.select_for_update().get_or_create(
            deal_id=deal_id,
            partner_organisation_id=partner_organisation_id,
            defaults={"instance_id": instance_id, "invited_by_id": actor.user_id},
        )
        if joint.state in (JointDeal.State.DECLINED, JointDeal.State.ENDED):
            joint.state, joint.reason, joint.decided = JointDeal.State.INVITED, "", None
            joint.instance_id = instance_id
            joint.save(update_fields=["state", "reason", "decided", "instance_id"])
        crm.set_partner(Actor.system(actor.name), deal_id, organisation_id=partner_organisation_id, state="invited")
        if instance_id is not None:
            workflows.set_instance_organisations(instance_id, partner=partner_organisation_id)
        record(actor, "joint_deal.invited", SubjectRef(DEAL, deal_id), after={"partner": partner_organisation_id})
        emit(PartnerInvited(actor, joint.pk, deal_id, partner_organisation_id))
        _tell(partner_organisation_id, SubjectRef(DEAL, deal_id))
    return joint.pk


def record_decision(actor: Actor, deal_id: int, partner_organisation_id: int, *, accepted: bool, reason: str = "") -> None:
    """Keep a partner's answer. A refusal takes the deal out of the partner's sight again."""
    with transaction.atomic():
        joint = JointDeal.objects.select_for_update().filter(deal_id=deal_id, partner_organisation_id=partner_organisation_id).first()
        if joint is None:
            raise Refused(_("This partner was not asked to join the deal."))
        if joint.state != JointDeal.State.INVITED:
            return
        joint.state = JointDeal.State.ACCEPTED if accepted else JointDeal.State.DECLINED
        joint.decided, joint.decided_by_id, joint.reason = timezone.now(), actor.user_id, reason.strip()
        joint.save(update_fields=["state", "decided", "decided_by", "reason"])
        state = "accepted" if accepted else "declined"
        crm.set_partner(Actor.system(actor.name), deal_id, organisation_id=partner_organisation_id if accepted else None, state=state)
        if not accepted and joint.instance_id is not None:
            workflows.clear_partner_organisation(joint.instance_id)
        verb = "joint_deal.accepted" if accepted else "joint_deal.declined"
        record(actor, verb, SubjectRef(DEAL, deal_id), after={"partner": partner_organisation_id}, reason=reason)
        emit(PartnerDecided(actor, joint.pk, deal_id, partner_organisation_id, accepted, reason))
        _tell(partner_organisation_id, SubjectRef(DEAL, deal_id))


# -- registrations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RegistrationData:
    """What a partner says of a deal that they bring."""

    company: str
    need: str
    contact_name: str = ""
    contact_email: str = ""
    product_id: int | None = None
    amount: Decimal | None = None
    currency: str = "USD"
    expected_close: date | None = None
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the partner gets at once."""

    registration_id: int
    number: str
    decision_due: Any
    conflict_words: str


def submit_registration(actor: Actor, data: RegistrationData) -> Receipt:
    """Take a partner's registration in, start its process, and give the receipt. Sent twice with one key it is taken once.

    Raises Refused for missing words or the partner's own duplicate, NotAllowed outside the programme.
    """
    if not actor.can(PartnerPermission.REGISTER_DEAL) or actor.organisation_id is None:
        raise NotAllowed(_("Your role doesn't register deals."))
    profile = PartnerProfile.objects.select_related("programme").filter(organisation_id=actor.organisation_id).first()
    if profile is None:
        raise NotAllowed(_("Your organisation is not in a partner programme yet. Ask your contact at our company."))
    company, need = data.company.strip(), data.need.strip()
    if not company:
        raise Refused(_("Name the company."), "company")
    if not need:
        raise Refused(_("Say in a sentence or two what the customer needs."), "need")
    if sent := _already_sent(actor, data.idempotency_key):
        return sent
    conflict = find_conflict(actor.organisation_id, company)
    if conflict and conflict.code == "own":
        raise Refused(conflict.words, "company")
    try:
        with transaction.atomic():
            return _submit(actor, profile.programme, data, company, need, conflict)
    except IntegrityError:
        if sent := _already_sent(actor, data.idempotency_key):
            return sent
        raise


def _already_sent(actor: Actor, key: str) -> Receipt | None:
    if not key:
        return None
    row = DealRegistration.objects.filter(submitted_by_id=actor.user_id, idempotency_key=key).first()
    return Receipt(row.pk, row.number, row.decision_due, "") if row else None


def _submit(actor: Actor, programme: Programme, data: RegistrationData, company: str, need: str, conflict) -> Receipt:
    now = timezone.now()
    row = DealRegistration.objects.create(
        number=f"?{actor.user_id}-{now.timestamp():.6f}"[:20],
        partner_organisation_id=actor.organisation_id,
        submitted_by_id=actor.user_id,
        company=company[:200],
        company_key=company_key(company),
        contact_name=data.contact_name.strip()[:150],
        contact_email=data.contact_email.strip(),
        product_id=data.product_id,
        amount=Money(data.amount, data.currency) if data.amount is not None else None,  # type: ignore[misc]
        expected_close=data.expected_close,
        need=need,
        conflict=conflict.code if conflict else "",
        conflict_note=conflict.internal if conflict else "",
        idempotency_key=data.idempotency_key,
        decision_due=now + timedelta(hours=programme.decision_hours),
    )
    row.number = f"R-{now:%y}-{row.pk:05d}"
    ref = SubjectRef(REGISTRATION, row.pk)
    row.save(update_fields=["number"])
    row.instance_id = workflows.start_process(
        actor,
        REGISTRATION_PROCESS,
        subject=ref,
        data={"registration_id": row.pk, "partner_organisation_id": row.partner_organisation_id, "company": row.company},
        title=f"{row.number} {row.company}",
        partner_organisation_id=row.partner_organisation_id,
        idempotency_key=f"registration:{row.pk}",
    )
    row.save(update_fields=["instance_id"])
    record(actor, "registration.submitted", ref, after={"number": row.number, "company": row.company})
    emit(RegistrationSubmitted(actor, row.pk, row.number, row.company, row.partner_organisation_id))
    _tell(row.partner_organisation_id, ref)
    return Receipt(row.pk, row.number, row.decision_due, conflict.words if conflict else "")


def _locked(registration_id: int) -> DealRegistration:
    row = DealRegistration.objects.select_for_update().filter(pk=registration_id).first()
    if row is None:
        raise Refused(_("This registration isn't there any more."))
    return row


def check_conflict(registration_id: int) -> dict[str, Any]:
    """Look again when the process begins; gives `conflict` (a code or "") for its gateways and forms."""
    with transaction.atomic():
        row = _locked(registration_id)
        found = find_conflict(row.partner_organisation_id, row.company, exclude_id=row.pk)
        row.conflict, row.conflict_note = (found.code, found.internal) if found else ("", "")
        row.save(update_fields=["conflict", "conflict_note"])
    return {"conflict": row.conflict, "conflict_note": row.conflict_note or _("Nobody else has this company.")}


def ask_partner(actor: Actor, registration_id: int, question: str) -> None:
    """Show the partner that we wait for an answer."""
    with transaction.atomic():
        row = _locked(registration_id)
        row.state, row.reason = DealRegistration.State.QUESTION, question.strip()
        row.save(update_fields=["state", "reason"])
        record(actor, "registration.asked", SubjectRef(REGISTRATION, row.pk), reason=question)
        _tell(row.partner_organisation_id, SubjectRef(REGISTRATION, row.pk))


def resume_review(actor: Actor, registration_id: int) -> None:
    """The partner answered: it is with us again."""
    with transaction.atomic():
        row = _locked(registration_id)
        row.state = DealRegistration.State.SUBMITTED
        row.save(update_fields=["state"])
        _tell(row.partner_organisation_id, SubjectRef(REGISTRATION, row.pk))


def decide_registration(actor: Actor, registration_id: int, *, approved: bool, reason: str) -> int | None:
    """Approve (a protected joint deal comes of it; its id is given) or refuse, with a reason that the partner reads."""
    with transaction.atomic():
        row = _locked(registration_id)
        if row.decided is not None:
            return row.deal_id
        profile = PartnerProfile.objects.select_related("programme").get(organisation_id=row.partner_organisation_id)
        row.decided, row.decided_by_id, row.reason = timezone.now(), actor.user_id, reason.strip()
        row.state = DealRegistration.State.APPROVED if approved else DealRegistration.State.REJECTED
        if approved:
            row.protected_until = timezone.localdate() + timedelta(days=profile.programme.protection_days)
            row.deal_id = crm.open_registered_deal(
                actor,
                company=row.company,
                contact_name=row.contact_name,
                contact_email=row.contact_email,
                product_id=row.product_id,
                amount=row.amount,
                expected_close=row.expected_close,
                description=row.need,
                partner_organisation_id=row.partner_organisation_id,
            )
            JointDeal.objects.update_or_create(
                deal_id=row.deal_id,
                partner_organisation_id=row.partner_organisation_id,
                defaults={"state": JointDeal.State.ACCEPTED, "decided": row.decided, "invited_by_id": actor.user_id},
            )
        row.save(update_fields=["decided", "decided_by", "reason", "state", "protected_until", "deal"])
        record(
            actor,
            "registration.approved" if approved else "registration.rejected",
            SubjectRef(REGISTRATION, row.pk),
            after={"deal": row.deal_id},
            reason=reason,
        )
        emit(RegistrationDecided(actor, row.pk, row.number, row.company, row.partner_organisation_id, approved, row.reason, row.deal_id))
        _tell(row.partner_organisation_id, SubjectRef(REGISTRATION, row.pk))
    return row.deal_id


def withdraw_registration(actor: Actor, registration_id: int) -> None:
    """The partner takes a registration back before the decision; its process is cancelled."""
    with transaction.atomic():
        row = visible_registrations(actor).select_for_update().filter(pk=registration_id).first()
        if row is None:
            raise Refused(_("This registration isn't there any more."))
        if row.state not in (DealRegistration.State.SUBMITTED, DealRegistration.State.QUESTION):
            raise Refused(_("It has been decided already, so it can't be taken back."))
        workflows.refuse_locked(SubjectRef(REGISTRATION, row.pk), actor=actor)
        row.state, row.decided = DealRegistration.State.WITHDRAWN, timezone.now()
        row.save(update_fields=["state", "decided"])
        if row.instance_id:
            workflows.cancel_instance(Actor.system(actor.name), row.instance_id, _("The partner took the registration back."))
        record(actor, "registration.withdrawn", SubjectRef(REGISTRATION, row.pk))
        _tell(row.partner_organisation_id, SubjectRef(REGISTRATION, row.pk))


# -- programme --------------------------------------------------------------------------------------------------------


def ensure_programme(name: str) -> Programme:
    """The programme of that name with a row for every line of the contract."""
    programme, _made = Programme.objects.get_or_create(name=name)
    ensure_rules(programme)
    return programme


def join_programme(actor: Actor, organisation_id: int, programme: Programme, *, manager_id: int | None = None) -> PartnerProfile:
    """Put a partner organisation under a programme."""
    with transaction.atomic():
        profile, made = PartnerProfile.objects.get_or_create(
            organisation_id=organisation_id, defaults={"programme": programme, "manager_id": manager_id}
        )
        if made:
            record(actor, "partner.joined", SubjectRef("portal.organisation", organisation_id), after={"programme": programme.name})
    return profile
