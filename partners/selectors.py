"""Reads of the partner programme. What a partner reads of a joint deal is picked by the visibility contract, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import selectors as crm
from partners.access import visible_joint_deals, visible_profiles, visible_registrations
from partners.contract import FIELD, FIELDS, Contract, contract_of_organisation
from partners.models import DealRegistration, JointDeal
from portal.access import Actor, Audience
from portal.registry import SubjectRef
from portal.selectors import names_of, organisations

SHARED_STATES = (JointDeal.State.INVITED, JointDeal.State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class SharedField:
    """A field of a joint deal that the contract shows."""

    key: str
    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class JointDealView:
    """A joint deal as its partner sees it: only what the contract lists is here at all."""

    id: int
    deal_id: int
    number: str
    title: str
    state: str
    state_label: str
    stage: str
    stage_label: str
    outcome: str | None
    invited: datetime
    decided: datetime | None
    reason: str
    partner: str
    partner_organisation_id: int
    instance_id: int | None
    fields: tuple[SharedField, ...]

    @property
    def ref(self) -> SubjectRef:
        """The deal's reference."""
        return SubjectRef("crm.deal", self.deal_id)

    def value(self, key: str) -> Any:
        """A shared field's value, or None."""
        return next((f.value for f in self.fields if f.key == key), None)


def shared_fields(contract: Contract, facts: crm.PartnerFacts) -> tuple[SharedField, ...]:
    """The fields of a deal that a contract shows, in the catalogue's order."""
    shown = contract.keys(FIELD)
    return tuple(SharedField(key, str(label), getattr(facts, key)) for key, (label, _default) in FIELDS.items() if key in shown)


def joint_deals(
    actor: Actor, *, states: tuple[str, ...] = SHARED_STATES, deal_id: int | None = None, limit: int = 200
) -> list[JointDealView]:
    """Joint deals, the newest first; three queries however many there are."""
    rows = visible_joint_deals(actor).filter(state__in=states)
    if deal_id is not None:
        rows = rows.filter(deal_id=deal_id)
    page = list(rows.select_related("partner_organisation").order_by("-invited", "-pk")[:limit])
    facts = crm.partner_facts(actor, [row.deal_id for row in page])
    contracts: dict[int, Contract | None] = {}
    views = []
    for row in page:
        organisation_id = row.partner_organisation_id
        if organisation_id not in contracts:
            contracts[organisation_id] = contract_of_organisation(organisation_id)
        contract, fact = contracts[organisation_id], facts.get(row.deal_id)
        if fact is None or contract is None:
            continue
        views.append(_joint_view(row, fact, contract))
    return views


def _joint_view(row: JointDeal, fact: crm.PartnerFacts, contract: Contract) -> JointDealView:
    shows_stage = contract.shows(FIELD, "stage")
    return JointDealView(
        row.pk,
        row.deal_id,
        fact.number,
        fact.title,
        row.state,
        row.get_state_display(),
        fact.stage_key if shows_stage else "",
        fact.stage if shows_stage else "",
        fact.outcome if shows_stage else None,
        row.invited,
        row.decided,
        row.reason,
        row.partner_organisation.name,
        row.partner_organisation_id,
        row.instance_id,
        shared_fields(contract, fact),
    )


def joint_deal(actor: Actor, deal_id: int) -> JointDealView | None:
    """One joint deal; None where the actor has no part in it."""
    return next(iter(joint_deals(actor, deal_id=deal_id)), None)


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """A registration as its partner sees it: what we know of a conflict is not here."""

    id: int
    number: str
    company: str
    contact_name: str
    contact_email: str
    product: str
    amount: Any
    expected_close: date | None
    need: str
    state: str
    state_label: str
    reason: str
    submitted: datetime
    submitted_by: str
    decision_due: datetime
    decided: datetime | None
    protected_until: date | None
    deal_id: int | None
    instance_id: int | None

    @property
    def ref(self) -> SubjectRef:
        """Its reference."""
        return SubjectRef("partners.registration", self.id)

    @property
    def is_open(self) -> bool:
        """Not decided yet."""
        return self.state in (DealRegistration.State.SUBMITTED, DealRegistration.State.QUESTION)

    @property
    def days_protected(self) -> int | None:
        """Days until the protection ends; None without one."""
        return (self.protected_until - timezone.localdate()).days if self.protected_until else None


@dataclass(frozen=True, slots=True)
class InternalRegistrationView(RegistrationView):
    """A registration as employees see it."""

    partner: str = ""
    partner_organisation_id: int = 0
    conflict: str = ""
    conflict_note: str = ""
    decided_by: str = ""


def registrations(actor: Actor, *, state: str = "", open_only: bool = False, text: str = "", limit: int = 100) -> list[RegistrationView]:
    """Registrations, the newest first."""
    rows = visible_registrations(actor)
    if state:
        rows = rows.filter(state=state)
    if open_only:
        rows = rows.filter(state__in=[DealRegistration.State.SUBMITTED, DealRegistration.State.QUESTION])
    if text:
        rows = rows.filter(Q(company__icontains=text) | Q(number__iexact=text))
    return _registration_views(actor, rows.order_by("-submitted", "-pk")[:limit])


def registration(actor: Actor, registration_id: int) -> RegistrationView | None:
    """One registration; None where the actor may not see it."""
    return next(iter(_registration_views(actor, visible_registrations(actor).filter(pk=registration_id))), None)


def _registration_views(actor: Actor, rows) -> list[RegistrationView]:
    page = list(rows.select_related("product", "partner_organisation"))
    names = names_of([row.submitted_by_id for row in page] + ([row.decided_by_id for row in page] if actor.is_internal else []))
    views: list[RegistrationView] = []
    for row in page:
        common = {
            "id": row.pk,
            "number": row.number,
            "company": row.company,
            "contact_name": row.contact_name,
            "contact_email": row.contact_email,
            "product": row.product.name if row.product else "",
            "amount": row.amount,
            "expected_close": row.expected_close,
            "need": row.need,
            "state": row.state,
            "state_label": row.get_state_display(),
            "reason": row.reason,
            "submitted": row.submitted,
            "submitted_by": names.get(row.submitted_by_id or 0, ""),
            "decision_due": row.decision_due,
            "decided": row.decided,
            "protected_until": row.protected_until,
            "deal_id": row.deal_id,
            "instance_id": row.instance_id,
        }
        if actor.is_internal:
            views.append(
                InternalRegistrationView(
                    **common,
                    partner=row.partner_organisation.name,
                    partner_organisation_id=row.partner_organisation_id,
                    conflict=row.conflict,
                    conflict_note=row.conflict_note,
                    decided_by=names.get(row.decided_by_id or 0, _("Tandem") if row.decided else ""),
                )
            )
        else:
            views.append(RegistrationView(**common))
    return views


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner organisation in the employees' list."""

    organisation_id: int
    name: str
    programme: str
    manager: str
    joint_deals: int
    open_registrations: int
    joined: datetime


def partners(actor: Actor) -> list[PartnerRow]:
    """All partners with what is open with them; four queries."""
    profiles = list(visible_profiles(actor).select_related("programme", "organisation").order_by("organisation__name"))
    ids = [p.organisation_id for p in profiles]
    deals = _counted(visible_joint_deals(actor).filter(partner_organisation__in=ids, state__in=SHARED_STATES))
    opened = _counted(
        visible_registrations(actor).filter(
            partner_organisation__in=ids, state__in=[DealRegistration.State.SUBMITTED, DealRegistration.State.QUESTION]
        )
    )
    names = names_of([p.manager_id for p in profiles])
    return [
        PartnerRow(
            p.organisation_id,
            p.organisation.name,
            p.programme.name,
            names.get(p.manager_id or 0, ""),
            deals.get(p.organisation_id, 0),
            opened.get(p.organisation_id, 0),
            p.joined,
        )
        for p in profiles
    ]


def _counted(rows) -> dict[int, int]:
    return dict(rows.values_list("partner_organisation").annotate(n=Count("pk")).order_by())


def partner_choices(actor: Actor) -> list[tuple[int, str]]:
    """The partners that may be invited to a deal, for forms."""
    profiles = visible_profiles(actor).values_list("organisation_id", flat=True)
    found = organisations(profiles)
    return sorted(((pk, o.name) for pk, o in found.items()), key=lambda pair: pair[1])


def organisations_of_registration(registration_id: int) -> list[tuple[Audience, int]]:
    """The partner who registered a deal: whom a message on the registration may be for."""
    rows = DealRegistration.objects.filter(pk=registration_id).values_list("partner_organisation_id", flat=True)
    return [(Audience.PARTNER, key) for key in rows]
