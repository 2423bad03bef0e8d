"""A case's states are said in the same words to everybody."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0004_saved_views_moved"),
    ]

    operations = [
        migrations.AlterField(
            model_name="case",
            name="state",
            field=models.CharField(
                choices=[("open", "In work"), ("waiting", "Question asked"), ("solved", "Answered, to be confirmed"), ("closed", "Closed")],
                default="open",
                max_length=8,
                verbose_name="state",
            ),
        ),
    ]
