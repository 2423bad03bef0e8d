"""The shipped project template; the demo's projects come from its processes."""

from __future__ import annotations

from portal.demo import World
from projects.models import ProjectTemplate, TemplateMilestone, TemplateTask

# name, name for outsiders, audience, the process step that closes it, days, tasks
STANDARD = [
    ("Customer's materials are here", "You send us what we need", "customer", "provide_materials", 7,
     ["Send logos and texts", "Name a contact for questions"]),
    ("Partner's part is delivered", "Our partner delivers their part", "partner", "partner_delivery", 18,
     ["Agree the scope with our project lead", "Deliver and hand over"]),
    ("Delivered", "We deliver", "internal", "deliver", 24,
     ["Plan the work", "Do the work", "Hand over to the customer"]),
    ("Delivery accepted", "You accept the delivery", "customer", "keep_acceptance", 28,
     ["Try everything out", "Say what is missing, if anything"]),
]  # fmt: skip


def ensure_templates() -> None:
    """Make the standard template; running it again changes nothing."""
    template, made = ProjectTemplate.objects.get_or_create(
        key="standard_delivery",
        defaults={
            "name": "Standard delivery",
            "description": "From the customer's materials to the accepted delivery.",
            "duration_days": 30,
        },
    )
    if not made:
        return
    for position, (name, public, audience, element, days, tasks) in enumerate(STANDARD, 1):
        milestone = TemplateMilestone.objects.create(
            template=template,
            position=position,
            name=name,
            public_name=public,
            audience=audience,
            element_id=element,
            offset_days=days,
            only_with_partner=audience == "partner",
        )
        TemplateTask.objects.bulk_create(TemplateTask(milestone=milestone, position=n, title=title) for n, title in enumerate(tasks, 1))


def seed(world: World) -> None:
    """Make the template that the shipped processes name."""
    ensure_templates()
