import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Exists, OuterRef, Subquery


def fill(apps, schema_editor):
    """Those asked for tasks that aren't open any more, and who started what the open ones belong to."""
    tasks = apps.get_model("workflows", "HumanTask").objects
    over = tasks.exclude(status="open").filter(pk=OuterRef("task_id"))
    apps.get_model("workflows", "TaskCandidate").objects.filter(Exists(over)).update(is_open=False)
    instances = apps.get_model("workflows", "ProcessInstance").objects.filter(pk=OuterRef("instance_id"))
    tasks.filter(status="open").update(started_by=Subquery(instances.values("started_by")[:1]))


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes no index in a transaction that has changed the table's rows

    dependencies = [
        ("workflows", "0013_lean_task_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="taskcandidate", name="is_open", field=models.BooleanField(default=True)),
        migrations.AddField(
            model_name="humantask",
            name="started_by",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="taskcandidate",
            index=models.Index(condition=models.Q(("is_open", True)), fields=["user", "task"], name="candidate_open"),
        ),
        migrations.AddIndex(
            model_name="humantask",
            index=models.Index(
                condition=models.Q(("started_by__isnull", False), ("status", "open")),
                fields=["started_by", "due", "id"],
                name="task_open_started",
            ),
        ),
    ]
