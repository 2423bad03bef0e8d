"""Who sees and may change projects."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q, QuerySet

from portal.access import Actor, Audience
from projects.models import Acceptance, Milestone, Project, ProjectTask


class ProjectPermission(StrEnum):
    """What employees may do with projects."""

    VIEW = "projects.view"
    EDIT = "projects.edit"


def visible_projects(actor: Actor) -> QuerySet[Project]:
    """Employees see projects by permission, outsiders those of their own organisation."""
    match actor.audience:
        case Audience.INTERNAL:
            return Project.objects.all() if actor.can(ProjectPermission.VIEW) else Project.objects.none()
        case Audience.CUSTOMER:
            return Project.objects.filter(customer_organisation_id=actor.organisation_id)
        case Audience.PARTNER:
            return Project.objects.filter(partner_organisation_id=actor.organisation_id)
        case _:
            return Project.objects.none()


def visible_milestones(actor: Actor) -> QuerySet[Milestone]:
    """Outsiders see the milestones that are theirs or that carry a public name."""
    rows = Milestone.objects.filter(project__in=visible_projects(actor))
    if actor.is_internal:
        return rows
    return rows.filter(Q(audience=str(actor.audience)) | ~Q(public_name=""))


def visible_project_tasks(actor: Actor) -> QuerySet[ProjectTask]:
    """Outsiders see the tasks of their own audience alone."""
    rows = ProjectTask.objects.filter(project__in=visible_projects(actor))
    return rows if actor.is_internal else rows.filter(audience=str(actor.audience))


def visible_acceptances(actor: Actor) -> QuerySet[Acceptance]:
    """What customers said to deliveries: for employees and for the customer's own people, never for partners."""
    if actor.is_internal or actor.is_customer:
        return Acceptance.objects.filter(project__in=visible_projects(actor))
    return Acceptance.objects.none()
