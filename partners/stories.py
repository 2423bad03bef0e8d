"""What happens with partners, as stories of the feed."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from partners.events import PartnerDecided, PartnerInvited, RegistrationDecided, RegistrationSubmitted
from portal.access import Audience
from portal.registry import SubjectRef
from portal.selectors import organisation
from social_feed.stories import Story, register_story

INVITED = gettext_noop("%(partner)s was invited to %(deal)s")
INVITED_PARTNER = gettext_noop("You are invited to the joint deal %(deal)s")
ACCEPTED = gettext_noop("%(actor)s of %(partner)s joined %(deal)s")
DECLINED = gettext_noop("%(actor)s of %(partner)s declined %(deal)s: %(reason)s")
SUBMITTED = gettext_noop("%(partner)s registered a deal with %(company)s: %(registration)s")
APPROVED = gettext_noop("%(actor)s approved the registration %(registration)s of %(partner)s")
REFUSED = gettext_noop("%(actor)s turned down the registration %(registration)s of %(partner)s: %(reason)s")
APPROVED_PARTNER = gettext_noop("Your registration %(registration)s is approved")
REFUSED_PARTNER = gettext_noop("Your registration %(registration)s was turned down: %(reason)s")


def _name(organisation_id: int) -> str:
    found = organisation(organisation_id)
    return found.name if found else ""


def invited(event: PartnerInvited) -> Story:
    """A partner was asked to join a deal."""
    ref = SubjectRef("crm.deal", event.deal_id)
    values = {"deal": ref, "partner": _name(event.partner_organisation_id)}
    return Story(INVITED, values, ref, event.actor, icon="heart-handshake", outside={Audience.PARTNER: INVITED_PARTNER})


def decided(event: PartnerDecided) -> Story:
    """A partner answered."""
    ref = SubjectRef("crm.deal", event.deal_id)
    values = {"deal": ref, "partner": _name(event.partner_organisation_id), "reason": event.reason}
    return Story(ACCEPTED if event.accepted else DECLINED, values, ref, event.actor, icon="heart-handshake")


def submitted(event: RegistrationSubmitted) -> Story:
    """A partner registered a deal."""
    ref = SubjectRef("partners.registration", event.registration_id)
    values = {"registration": ref, "partner": _name(event.partner_organisation_id), "company": event.company}
    return Story(SUBMITTED, values, ref, event.actor, icon="file-text")


def registration_decided(event: RegistrationDecided) -> Story:
    """A registration was decided on; the partner hears it with the reason."""
    ref = SubjectRef("partners.registration", event.registration_id)
    values = {"registration": ref, "partner": _name(event.partner_organisation_id), "reason": event.reason}
    words, outside = (APPROVED, APPROVED_PARTNER) if event.approved else (REFUSED, REFUSED_PARTNER)
    return Story(words, values, ref, event.actor, icon="file-check", outside={Audience.PARTNER: outside})


def register_partner_stories() -> None:
    """Give the words for the package's events."""
    register_story(PartnerInvited, invited)
    register_story(PartnerDecided, decided)
    register_story(RegistrationSubmitted, submitted)
    register_story(RegistrationDecided, registration_decided)
