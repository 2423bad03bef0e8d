"""Saved views belong to every package's lists now: they move to the kernel. Deals tell their processes what they are worth."""

from django.conf import settings
from django.db import migrations


def move_views(apps, schema_editor):
    """Copy each view; a team's view is everybody's."""
    new = apps.get_model("portal", "SavedView")
    rows = apps.get_model("crm", "SavedView").objects.order_by("pk")
    new.objects.bulk_create(
        new(
            list_key=r.list_key,
            name=r.name,
            query=r.query,
            author_id=r.author_id,
            shared_with="*" if r.is_shared else "",
            created=r.created_at,
        )
        for r in rows
    )


def tell_stakes(apps, schema_editor):
    """What open deals are worth, on their running processes and open tasks."""
    instances, tasks = apps.get_model("workflows", "ProcessInstance").objects, apps.get_model("workflows", "HumanTask").objects
    deals = apps.get_model("crm", "Deal").objects.exclude(instance_id=None).exclude(amount=None).filter(outcome=None)
    for instance_id, amount, currency in deals.values_list("instance_id", "amount", "amount_currency").iterator():
        own = currency == settings.DEFAULT_CURRENCY
        fields = {"stake": amount, "stake_text": ""} if own else {"stake": 0, "stake_text": f"{currency} {amount:.2f}"}
        instances.filter(pk=instance_id).update(worth=amount, worth_currency=currency)
        tasks.filter(instance_id=instance_id, status="open").update(**fields)


class Migration(migrations.Migration):
    """Moves rows, then drops the table that they came from."""

    dependencies = [
        ("crm", "0003_quote_signature"),
        ("portal", "0005_savedview"),
        ("workflows", "0012_inbox_at_scale"),
    ]

    operations = [
        migrations.RunPython(move_views, migrations.RunPython.noop),
        migrations.RunPython(tell_stakes, migrations.RunPython.noop),
        migrations.DeleteModel(name="SavedView"),
    ]
