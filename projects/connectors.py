"""Service tasks of processes."""

from __future__ import annotations

from typing import Any

from portal.registry import SubjectRef
from projects import services
from workflows import services as workflows
from workflows.connector_registry import ConnectorStep, connector


@connector("projects.create_from_template")
def create_from_template(
    step: ConnectorStep,
    template: str,
    title: str,
    deal_id: int | None = None,
    customer_organisation_id: int | None = None,
    partner_organisation_id: int | None = None,
    manager_id: int | None = None,
) -> dict[str, Any]:
    """Make the project of a won deal; gives `project_id`."""
    project_id = services.create_from_template(
        step.actor,
        template,
        title,
        source=SubjectRef("crm.deal", deal_id) if deal_id else step.subject,
        customer_organisation_id=customer_organisation_id,
        partner_organisation_id=partner_organisation_id,
        manager_id=manager_id,
        instance_id=step.instance_id,
    )
    workflows.link_subject(step.instance_id, services.ref_of(project_id), role="project")
    return {"project_id": project_id}


@connector("projects.complete")
def complete(step: ConnectorStep, project_id: int) -> dict[str, Any]:
    """Complete the project once all milestones are reached."""
    services.end_project(step.actor, project_id)
    return {}


@connector("projects.keep_acceptance")
def keep_acceptance(
    step: ConnectorStep, project_id: int, action: str, reason: str | None = None, rating: Any = None, words: str | None = None
) -> dict[str, Any]:
    """Keep what the customer says to the delivery: accepted with a rating, where they give one, or what is missing."""
    accepted = action != "defects"
    services.keep_acceptance(
        step.actor, project_id, step.element_id, accepted=accepted, reason=reason or "", rating=rating, words=words or ""
    )
    return {}
