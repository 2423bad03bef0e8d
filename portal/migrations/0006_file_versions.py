"""Files become versions of documents: every file that there is is the first version of its own."""

import uuid

from django.db import migrations, models
from django.db.models import F


def first_versions(apps, schema_editor):
    """Each file its own document; what came with a message or a post stays as it was said."""
    rows = apps.get_model("portal", "StoredFile").objects
    rows.update(document=F("id"))
    rows.filter(subject_kind__in=("social_feed.message", "social_feed.post")).update(kind="message")


class Migration(migrations.Migration):
    """Adds the columns, fills them, then says that they are unique."""

    dependencies = [("portal", "0005_savedview")]

    operations = [
        migrations.AddField("storedfile", "document", models.UUIDField(null=True, editable=False)),
        migrations.AddField("storedfile", "version", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField(
            "storedfile",
            "kind",
            models.CharField(
                blank=True,
                choices=[
                    ("", "File"),
                    ("message", "In a message"),
                    ("quote", "Quote"),
                    ("signed", "Signed"),
                    ("asked", "Asked for"),
                    ("sheet", "Decision"),
                ],
                default="",
                max_length=8,
            ),
        ),
        migrations.RunPython(first_versions, migrations.RunPython.noop),
        migrations.AlterField("storedfile", "document", models.UUIDField(default=uuid.uuid4, editable=False)),
        migrations.AddConstraint("storedfile", models.UniqueConstraint(fields=("document", "version"), name="stored_file_version_once")),
    ]
