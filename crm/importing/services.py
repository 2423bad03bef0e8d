"""An import from the upload to the result: draft, mapping and matches, a job in chunks, the rows that failed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import CrmPermission
from crm.importing import matching
from crm.importing.kinds import KINDS, CellError, Kind, detect_kind, propose_mapping
from crm.importing.models import ImportRow, ImportRun
from crm.importing.reading import Table, read_table
from crm.importing.writers import CREATE, LOOKUPS, convert, write
from portal import jobs
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.jobs import Job
from portal.live import ping
from portal.registry import SubjectRef

CHUNK = 500
PREVIEW_ROWS = 20
JOB = "crm.import"


def may_import(actor: Actor) -> None:
    """Raises NotAllowed for those who may not import."""
    if not actor.can(CrmPermission.IMPORT):
        raise NotAllowed(_("Your role doesn't import tables. Ask a manager or an administrator."))


def draft_run(actor: Actor, name: str, content: bytes, *, kind: str = "") -> ImportRun:
    """Read a table and keep it as a draft with a proposed mapping; nothing is imported yet.

    Raises Refused with the place and the remedy for what isn't a table.
    """
    may_import(actor)
    table = read_table(name, content)
    kind = kind or detect_kind(table.columns)
    with transaction.atomic():
        run = ImportRun.objects.create(
            name=name[-255:],
            kind=kind,
            encoding=table.encoding,
            delimiter=table.delimiter,
            columns=table.columns,
            mapping=propose_mapping(KINDS[kind], table.columns) if kind else {},
            total=len(table.rows),
            started_by_id=actor.user_id,
            started_by_name=actor.name,
        )
        _keep_rows(run, table)
        record(actor, "import.uploaded", SubjectRef("crm.import", run.pk), after={"file": run.name, "rows": run.total})
    return run


def _keep_rows(run: ImportRun, table: Table) -> None:
    broken = dict(table.broken)
    rows = (
        ImportRow(run=run, position=n, line=int(row[0]), cells=row[1:], error=broken.get(int(row[0]), ""))
        for n, row in enumerate(table.rows)
    )
    ImportRow.objects.bulk_create(rows, batch_size=2000)


def choose_kind(actor: Actor, run: ImportRun, kind: str) -> None:
    """Say what a draft holds, which proposes its mapping anew."""
    may_import(actor)
    if kind not in KINDS:
        raise Refused(_("Choose what the table holds."), "kind")
    run.kind, run.mapping, run.matches = kind, propose_mapping(KINDS[kind], run.columns), {}
    run.save(update_fields=["kind", "mapping", "matches"])


def set_mapping(actor: Actor, run: ImportRun, mapping: dict[str, str]) -> None:
    """Keep which column fills which field. Raises Refused for a missing or doubled one."""
    may_import(actor)
    kind = KINDS[run.kind]
    mapping = {key: column for key, column in mapping.items() if column in run.columns and kind.field(key)}
    missing = [str(field.label) for field in kind.required if field.key not in mapping]
    if missing:
        raise Refused(_("Say which column holds: %(fields)s.") % {"fields": ", ".join(missing)}, "mapping")
    twice = [column for column in mapping.values() if list(mapping.values()).count(column) > 1]
    if twice:
        raise Refused(_("“%(column)s” is chosen twice.") % {"column": twice[0]}, "mapping")
    run.mapping = mapping
    run.save(update_fields=["mapping"])


def proposals(run: ImportRun) -> list[matching.Proposal]:
    """What the draft names that isn't there, with what each may mean."""
    kind = KINDS[run.kind]
    rows = [[str(line), *cells] for line, cells in run.waiting_rows.filter(error="").values_list("line", "cells")]
    coming: set[str] = set()
    if run.kind == "accounts" and "name" in run.mapping:
        coming = {row[run.columns.index(run.mapping["name"]) + 1] for row in rows}
    return matching.proposals(kind, run.mapping, run.columns, rows, coming=coming)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it would be imported."""

    line: int
    cells: list[str]
    problem: str


def preview(run: ImportRun, limit: int = PREVIEW_ROWS) -> list[PreviewRow]:
    """The first rows, each with what is wrong with it."""
    kind = KINDS[run.kind]
    return [
        PreviewRow(row.line, row.cells, row.error or _problem(kind, run, row.cells))
        for row in run.waiting_rows.order_by("position")[:limit]
    ]


def _problem(kind: Kind, run: ImportRun, cells: list[str]) -> str:
    try:
        convert(kind, run.mapping, run.columns, cells)
    except CellError as error:
        return str(error)
    return ""


def start_run(actor: Actor, run_id: int, matches: dict[str, dict[str, str]]) -> Job:
    """Begin the import of a draft with the decisions about unknown names. A double click starts it once; raises Conflict then."""
    may_import(actor)
    with transaction.atomic():
        run = ImportRun.objects.select_for_update().get(pk=run_id)
        if run.state != ImportRun.State.DRAFT:
            raise Conflict(_("This import has been started already."))
        _make_wanted(run, matches)
        run.matches, run.state = matches, ImportRun.State.RUNNING
        run.job = jobs.enqueue(actor, JOB, _("Import of %(name)s") % {"name": run.name}, total=run.total, params={"run": run.pk})
        run.save(update_fields=["matches", "state", "job"])
        record(actor, "import.started", SubjectRef("crm.import", run.pk), after={"file": run.name, "rows": run.total, "matches": matches})
    return run.job


def _make_wanted(run: ImportRun, matches: dict[str, dict[str, str]]) -> None:
    """Make the records that were decided to be made."""
    for field, decided in matches.items():
        model = LOOKUPS.get(field)
        wanted = [value for value, to in decided.items() if to == CREATE]
        if model is not None and wanted:
            model.objects.bulk_create([model(name=value[:150]) for value in wanted])  # type: ignore[attr-defined]


@jobs.job_kind(JOB)
def import_chunk(job: Job) -> None:
    """Import the next rows of a run."""
    run = ImportRun.objects.select_for_update().get(pk=job.params["run"])
    rows = list(run.waiting_rows.filter(position__gte=job.done).order_by("position")[:CHUNK])
    if rows:
        _import_rows(run, rows)
        job.done = rows[-1].position + 1
        job.failed = run.failed_count
    if len(rows) < CHUNK:
        job.done, job.state = job.total, Job.State.DONE
        run.state, run.ended = ImportRun.State.DONE, timezone.now()
        job.message = result_words(run)
        job.result = {"url": reverse("crm_import:import", args=[run.pk]), **counts(run)}
        record(jobs.actor_of(job), "import.done", SubjectRef("crm.import", run.pk), after=counts(run))
        ping("crm.board")
    run.save()
    ping(f"crm.import:{run.pk}")


def _import_rows(run: ImportRun, rows: list[ImportRow]) -> None:
    kind = KINDS[run.kind]
    ready: list[tuple[int, dict[str, Any]]] = []
    by_position = {row.position: row for row in rows}
    for row in rows:
        if not row.error:
            try:
                ready.append((row.position, convert(kind, run.mapping, run.columns, row.cells)))
            except CellError as error:
                row.error = str(error)
    outcome = write(kind, ready, run.matches)
    for position, why in outcome.failed.items():
        by_position[position].error = why
    failed = [row for row in rows if row.error]
    ImportRow.objects.bulk_update(failed, ["error"])
    ImportRow.objects.filter(pk__in=[row.pk for row in rows if not row.error]).delete()
    run.created_count += outcome.created
    run.updated_count += outcome.updated
    run.unchanged_count += outcome.unchanged
    run.failed_count += len(failed)


def counts(run: ImportRun) -> dict[str, int]:
    """What became of the rows."""
    return {
        "created": run.created_count,
        "updated": run.updated_count,
        "unchanged": run.unchanged_count,
        "failed": run.failed_count,
        "total": run.total,
    }


def result_words(run: ImportRun) -> str:
    """The result in a sentence."""
    return _("%(created)d new, %(updated)d changed, %(unchanged)d as they were, %(failed)d failed.") % counts(run)


def failed_rows_csv(run: ImportRun) -> str:
    """The rows that failed, as they came, with line and reason: to be mended and imported again."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*run.columns, _("line"), _("why it failed")])
    for row in run.waiting_rows.exclude(error="").order_by("position").iterator():
        writer.writerow([*map(_harmless, row.cells), row.line, row.error])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet won't take for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not cell[1:2].isdigit() else cell


def run_now(job: Job, progress: Callable[[Job], None] | None = None) -> Job:
    """Do a job's chunks here and now, for the command line."""
    while True:
        more = jobs.run_chunk(job.pk)
        job.refresh_from_db()
        if progress:
            progress(job)
        if not more:
            return job
