"""Who sees what of the partner programme."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import QuerySet

from partners.models import DealRegistration, JointDeal, PartnerProfile, Programme, VisibilityRule
from portal.access import Actor, Audience


class PartnerPermission(StrEnum):
    """What people may do around partners."""

    VIEW = "partners.view"
    REGISTER_DEAL = "partners.register_deal"
    DECIDE_REGISTRATION = "partners.decide_registration"
    EDIT_PROGRAMME = "partners.edit_programme"


def visible_joint_deals(actor: Actor) -> QuerySet[JointDeal]:
    """Employees see all, a partner those they are invited to or work on; what they declined stays in their list, without the deal."""
    match actor.audience:
        case Audience.INTERNAL:
            return JointDeal.objects.all() if actor.can(PartnerPermission.VIEW) else JointDeal.objects.none()
        case Audience.PARTNER:
            return JointDeal.objects.filter(partner_organisation_id=actor.organisation_id)
        case _:
            return JointDeal.objects.none()


def visible_registrations(actor: Actor) -> QuerySet[DealRegistration]:
    """Employees see all registrations, a partner their organisation's."""
    match actor.audience:
        case Audience.INTERNAL:
            return DealRegistration.objects.all() if actor.can(PartnerPermission.VIEW) else DealRegistration.objects.none()
        case Audience.PARTNER:
            return DealRegistration.objects.filter(partner_organisation_id=actor.organisation_id)
        case _:
            return DealRegistration.objects.none()


def visible_profiles(actor: Actor) -> QuerySet[PartnerProfile]:
    """Employees see all partners, a partner their own profile."""
    match actor.audience:
        case Audience.INTERNAL:
            return PartnerProfile.objects.all() if actor.can(PartnerPermission.VIEW) else PartnerProfile.objects.none()
        case Audience.PARTNER:
            return PartnerProfile.objects.filter(organisation_id=actor.organisation_id)
        case _:
            return PartnerProfile.objects.none()


def visible_programmes(actor: Actor) -> QuerySet[Programme]:
    """Employees see all programmes, a partner the one they are in."""
    match actor.audience:
        case Audience.INTERNAL:
            return Programme.objects.all() if actor.can(PartnerPermission.VIEW) else Programme.objects.none()
        case Audience.PARTNER:
            return Programme.objects.filter(profiles__organisation_id=actor.organisation_id)
        case _:
            return Programme.objects.none()


def visible_rules(actor: Actor) -> QuerySet[VisibilityRule]:
    """The contract lines of the programmes that an actor sees."""
    return VisibilityRule.objects.filter(programme__in=visible_programmes(actor))
