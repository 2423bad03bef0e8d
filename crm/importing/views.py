"""Pages of imports: upload, what a table holds and means, progress, result."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.access import CrmPermission, visible_imports
from crm.importing import services
from crm.importing.kinds import KINDS
from crm.importing.matching import names_of
from crm.importing.models import ImportRun
from crm.importing.starting import open_without_process, start_open_deals
from crm.importing.writers import CREATE
from portal.access import Audience, requires
from portal.errors import Refused

may_import = requires(Audience.INTERNAL, permission=CrmPermission.IMPORT)
MAX_FILES = 20
OFFERED_NAMES = 500


def _run(request: HttpRequest, run_id: int) -> ImportRun:
    run = visible_imports(request.actor).select_related("job").filter(pk=run_id).first()  # type: ignore[attr-defined]
    if run is None:
        raise Http404
    return run


@require_http_methods(["GET", "POST"])
@may_import
def imports(request: HttpRequest) -> HttpResponse:
    """Upload tables; the earlier imports below."""
    refusals: list[str] = []
    if request.method == "POST":
        uploads = request.FILES.getlist("tables")[:MAX_FILES]
        if not uploads:
            refusals.append(_("Choose at least one CSV or XLSX file."))
        runs = []
        for upload in uploads:
            try:
                runs.append(services.draft_run(request.actor, upload.name or "", upload.read()))  # type: ignore[attr-defined]
            except Refused as refusal:
                refusals.append(refusal.message)
        if runs and not refusals:
            return redirect("crm_import:import", run_id=runs[0].pk) if len(runs) == 1 else redirect("crm_import:imports")
    context = {
        "runs": visible_imports(request.actor).select_related("job")[:100],  # type: ignore[attr-defined]
        "refusals": refusals,
        "kinds": KINDS,
        "waiting_deals": open_without_process(request.actor).count(),  # type: ignore[attr-defined]
    }
    return render(request, "crm/imports.html", context, status=400 if refusals else 200)


@require_http_methods(["GET", "POST"])
@may_import
def import_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A draft: what it holds, column by column, with a preview; afterwards: progress and result."""
    run = _run(request, run_id)
    refusal = None
    if request.method == "POST":
        try:
            return _act(request, run)
        except Refused as error:
            refusal = error
            run.refresh_from_db()
    return render(request, "crm/import.html", _context(request, run) | {"refusal": refusal}, status=refusal.status if refusal else 200)


def _act(request: HttpRequest, run: ImportRun) -> HttpResponse:
    actor, posted = request.actor, request.POST  # type: ignore[attr-defined]
    if run.state != ImportRun.State.DRAFT:
        raise Refused(_("This import has been started already."))
    if posted.get("kind", run.kind) != run.kind:
        services.choose_kind(actor, run, posted["kind"])
    elif run.kind:
        services.set_mapping(actor, run, {field.key: posted.get(f"map_{field.key}", "") for field in KINDS[run.kind].fields})
        if posted.get("act") == "start":
            found = services.proposals(run)
            matches: dict[str, dict[str, str]] = {}
            for number, proposal in enumerate(found):
                decision = posted.get(f"match_{number}")
                if decision is None or posted.get(f"value_{number}") != proposal.value:
                    raise Refused(_("Say what the unknown names below mean, then start."), "matches")
                if decision != "?":
                    matches.setdefault(proposal.field, {})[proposal.value] = decision
            services.start_run(actor, run.pk, matches)
    else:
        raise Refused(_("Choose what the table holds."), "kind")
    return redirect("crm_import:import", run_id=run.pk)


def _context(request: HttpRequest, run: ImportRun) -> dict:
    context: dict = {"run": run, "kinds": KINDS, "create": CREATE, "counts": services.counts(run)}
    if run.state == ImportRun.State.DRAFT:
        context["preview"] = services.preview(run)
        if run.kind:
            kind = KINDS[run.kind]
            context["fields"] = [(field, run.mapping.get(field.key, "")) for field in kind.fields]
            context["left_out"] = [column for column in run.columns if column not in run.mapping.values()]
            lookups = {field.key: field.lookup for field in kind.fields if field.lookup}
            found = services.proposals(run)
            offered = {key: sorted(names_of(lookups[key]))[:OFFERED_NAMES] for key in {p.field for p in found}}
            context["proposals"] = [
                (number, proposal, kind.field(proposal.field), offered[proposal.field]) for number, proposal in enumerate(found)
            ]
    else:
        failed = run.waiting_rows.exclude(error="")
        context["failures"] = failed.order_by("position")[:50]
        context["reasons"] = failed.order_by().values_list("error").annotate(n=Count("pk")).order_by("-n", "error")[:8]
        if run.kind == "deals" and run.state == ImportRun.State.DONE:
            context["waiting_deals"] = open_without_process(request.actor).count()  # type: ignore[attr-defined]
    return context


@require_GET
@may_import
def import_state(request: HttpRequest, run_id: int) -> HttpResponse:
    """The progress and result of a running import, re-read live."""
    run = _run(request, run_id)
    return render(request, "crm/parts/_import_state.html", _context(request, run))


@require_GET
@may_import
def import_failures(request: HttpRequest, run_id: int) -> HttpResponse:
    """The failed rows as a file to mend."""
    run = _run(request, run_id)
    response = HttpResponse(services.failed_rows_csv(run), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="failed-{run.pk}.csv"'
    return response


@require_POST
@may_import
def import_discard(request: HttpRequest, run_id: int) -> HttpResponse:
    """Throw a draft away."""
    run = _run(request, run_id)
    if run.state != ImportRun.State.DRAFT:
        raise Refused(_("Only a draft can be thrown away; what was imported stays."))
    name = run.name
    run.delete()
    messages.success(request, _("“%(name)s” was thrown away; nothing was imported from it.") % {"name": name})
    return redirect("crm_import:imports")


@require_POST
@may_import
def start_processes(request: HttpRequest) -> HttpResponse:
    """Give every open deal a running process at its stage."""
    job = start_open_deals(request.actor)  # type: ignore[attr-defined]
    return redirect("job", job_id=job.pk)
