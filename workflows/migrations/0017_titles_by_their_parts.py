from django.db import DatabaseError, migrations, transaction

NAME = "instance_title_parts"


def index_titles(apps, schema_editor):
    """PostgreSQL finds words in titles off an index of their three-letter parts, where the extension for it is to be had.

    Where it isn't, all titles are read. The index also lets the planner guess right how many titles hold a word.
    """
    line = schema_editor.connection
    if line.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=line.alias), line.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {NAME} ON workflows_processinstance USING gin (UPPER(title::text) gin_trgm_ops)")
    except DatabaseError:
        print(f"\n  pg_trgm isn't available here: searching titles among very many processes will be slower ({NAME}).")


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX IF EXISTS {NAME}")


class Migration(migrations.Migration):
    dependencies = [("workflows", "0016_instances_of_a_version")]

    operations = [migrations.RunPython(index_titles, drop_index)]
