"""Projects of both customers and both partners; what outsiders must not read says so."""

from __future__ import annotations

from portal import demo
from portal.access import Actor
from projects.demo import ensure_templates
from projects.models import Milestone, Project
from projects.services import create_from_template, set_note


def build(world) -> None:
    """One project a customer, each with a partner of its own."""
    ensure_templates()
    system = Actor.system("LEAK:internal")
    for customer, partner, owner, helper in ((demo.ACME, demo.PINE, "acme", "pine"), (demo.BIRCH, demo.QUILL, "birch", "quill")):
        project_id = create_from_template(
            system,
            "standard_delivery",
            f"Delivery LEAK:{owner}+{helper}",
            customer_organisation_id=world.organisations[customer].pk,
            partner_organisation_id=world.organisations[partner].pk,
            manager_id=world.users["dan@northwind.example"].pk,
        )
        set_note(system, project_id, "LEAK:internal")
        project = Project.objects.get(pk=project_id)
        Milestone.objects.create(project=project, position=9, name="Margin checked LEAK:internal", audience="internal")
        for audience, whose in (("internal", "internal"), ("customer", owner), ("partner", helper)):
            project.tasks.create(title=f"Task LEAK:{whose}", audience=audience, position=99)
        project.acceptances.create(accepted=False, reason=f"Missing LEAK:{owner}", said_by_name=f"LEAK:{owner}")
        world.rows[f"project_{owner}"] = project
