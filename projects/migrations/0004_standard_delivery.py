"""The standard template gets the milestone of the acceptance, where the company left the template as it was shipped before."""

from django.db import migrations

BEFORE = [
    ("Customer's materials are here", "You send us what we need", "customer", "provide_materials", 7, False,
     ["Send logos and texts", "Name a contact for questions"]),
    ("Partner's part is delivered", "Our partner delivers their part", "partner", "partner_delivery", 18, True,
     ["Agree the scope with our project lead", "Deliver and hand over"]),
    ("Delivered and accepted", "We deliver", "internal", "deliver", 28, False,
     ["Plan the work", "Do the work", "Hand over to the customer"]),
]  # fmt: skip
TASKS = ["Try everything out", "Say what is missing, if anything"]


def add_acceptance(apps, schema_editor):
    """Split “Delivered and accepted” in two; anything changed by hand stays as it is. A second run finds nothing to do."""
    milestones = apps.get_model("projects", "TemplateMilestone")
    tasks = apps.get_model("projects", "TemplateTask")
    template = apps.get_model("projects", "ProjectTemplate").objects.filter(key="standard_delivery", duration_days=30).first()
    if template is None:
        return
    rows = list(milestones.objects.filter(template=template).order_by("position"))
    found = [
        (
            row.name, row.public_name, row.audience, row.element_id, row.offset_days, row.only_with_partner,
            list(tasks.objects.filter(milestone=row).order_by("position").values_list("title", flat=True)),
        )
        for row in rows
    ]  # fmt: skip
    if found != BEFORE:
        return
    last = rows[-1]
    last.name, last.offset_days = "Delivered", 24
    last.save(update_fields=["name", "offset_days"])
    accepted = milestones.objects.create(
        template=template,
        position=last.position + 1,
        name="Delivery accepted",
        public_name="You accept the delivery",
        audience="customer",
        element_id="keep_acceptance",
        offset_days=28,
    )
    tasks.objects.bulk_create(tasks(milestone=accepted, position=number, title=title) for number, title in enumerate(TASKS, 1))


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0003_task_answer"),
    ]

    operations = [
        migrations.RunPython(add_acceptance, migrations.RunPython.noop),
    ]
