"""Quotes and signed documents stay as they were sent and signed: they take no new versions."""

from django.db import migrations


def tell_kinds(apps, schema_editor):
    """Mark the files that quotes and signatures hold."""
    files = apps.get_model("portal", "StoredFile").objects
    quotes, signatures = apps.get_model("crm", "Quote").objects, apps.get_model("crm", "QuoteSignature").objects
    files.filter(pk__in=quotes.exclude(file=None).values("file")).update(kind="quote")
    files.filter(pk__in=signatures.values("sealed_file")).update(kind="signed")


class Migration(migrations.Migration):
    """Fills what the kernel's migration added."""

    dependencies = [("crm", "0005_case_words"), ("portal", "0006_file_versions")]

    operations = [migrations.RunPython(tell_kinds, migrations.RunPython.noop)]
