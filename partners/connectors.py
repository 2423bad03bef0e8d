"""Service tasks of processes."""

from __future__ import annotations

from typing import Any

from partners import services
from workflows.connector_registry import ConnectorStep, connector


@connector("partners.invite")
def invite(step: ConnectorStep, deal_id: int, partner_organisation_id: int) -> dict[str, Any]:
    """Ask a partner to join the deal; gives `joint_deal_id`."""
    return {"joint_deal_id": services.invite_partner(step.actor, deal_id, partner_organisation_id, instance_id=step.instance_id)}


@connector("partners.record_decision")
def record_decision(step: ConnectorStep, deal_id: int, partner_organisation_id: int, accepted: bool, reason: str = "") -> dict[str, Any]:
    """Keep the partner's answer."""
    services.record_decision(step.actor, deal_id, partner_organisation_id, accepted=bool(accepted), reason=reason or "")
    return {"partner_accepted": bool(accepted), "partner_organisation_id": partner_organisation_id}


@connector("partners.check_conflict")
def check_conflict(step: ConnectorStep, registration_id: int) -> dict[str, Any]:
    """See whether the company is somebody else's; gives `conflict` and `conflict_note`."""
    return services.check_conflict(registration_id)


@connector("partners.ask_partner")
def ask_partner(step: ConnectorStep, registration_id: int, question: str) -> dict[str, Any]:
    """Show the partner our question."""
    services.ask_partner(step.actor, registration_id, question)
    return {}


@connector("partners.resume_review")
def resume_review(step: ConnectorStep, registration_id: int) -> dict[str, Any]:
    """The answer is here."""
    services.resume_review(step.actor, registration_id)
    return {}


@connector("partners.decide_registration")
def decide_registration(step: ConnectorStep, registration_id: int, approved: bool, reason: str = "") -> dict[str, Any]:
    """Keep our decision; an approval gives `deal_id`."""
    deal_id = services.decide_registration(step.actor, registration_id, approved=bool(approved), reason=reason or "")
    return {"deal_id": deal_id}
