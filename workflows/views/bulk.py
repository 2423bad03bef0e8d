"""One act on many instances: the chosen ones are shown with what would become of each, then a job does it and tells each result."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from workflows import selectors, services
from workflows.access import WorkflowPermission
from workflows.errors import NotFound
from workflows.selectors.bulk import bulk_result, choices_for, chosen_ids
from workflows.selectors.incidents import IncidentFilter, failing_ids
from workflows.services.bulk import ACTS, MOST, Act
from workflows.services.operations import MAX_PREVIEW
from workflows.views.instances import wanted_of

SHOWN = 100


def _ids(request: HttpRequest) -> list[int]:
    """The chosen instances: those ticked, or the frozen set that an earlier page of this act carried."""
    raw = request.POST.getlist("id") + request.POST.get("ids", "").split(",")
    return [pk for one in raw if (pk := whole_number(one)) is not None][: MOST + 1]


def _act(request: HttpRequest) -> Act:
    definition = request.POST.get("definition", "")
    return Act(
        request.POST.get("act", "")[:20],
        request.POST.get("source", "")[:150],
        request.POST.get("target", "")[:150],
        whole_number(definition) or 0,
        {name[4:]: value[:150] for name, value in request.POST.items() if name.startswith("map_") and value},  # type: ignore[misc]
    )


@require_POST
@requires(Audience.INTERNAL, permission=WorkflowPermission.OPERATE)
def bulk(request: HttpRequest) -> HttpResponse:
    """Show what an act would do to the chosen instances; with `apply` start it."""
    actor, act = request.actor, _act(request)  # type: ignore[attr-defined]
    if act.kind not in ACTS:
        messages.error(request, _("Choose what is to be done with them."))
        return redirect("workflows:instances")
    ids = _ids(request)
    if request.POST.get("everything") == "yes" and "ids" not in request.POST:
        if request.POST.get("failing"):
            ids = failing_ids(actor, IncidentFilter(*(request.POST.get(name, "") for name in ("process", "source", "cause"))), MOST + 1)
        else:
            ids = chosen_ids(actor, wanted_of(request.POST), MOST + 1)
    if len(ids) > MOST:
        messages.error(request, _("That is more than %(most)s at once: narrow the list by its filters first.") % {"most": MOST})
        return redirect("workflows:instances")
    if not ids:
        messages.info(request, _("Choose at least one."))
        return redirect("workflows:instances")
    refused = None
    try:
        if request.POST.get("apply"):
            job = services.start_bulk(actor, act, ids, request.POST.get("reason", "")[:500])
            return redirect("job", job.pk)
    except NotFound:
        raise Http404 from None
    except Refused as found:
        refused = found
    return render(request, "workflows/bulk.html", _context(request, act, ids, refused), status=422 if refused else 200)


def _context(request: HttpRequest, act: Act, ids: list[int], refused: Refused | None) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    choices = choices_for(actor, ids) if act.kind in ("change", "version") else None
    previews, lost, suggested = [], {}, {}
    try:
        previews = services.preview_bulk(actor, act, ids)
    except NotFound:
        raise Http404 from None
    except Refused as found:
        refused = refused or (found if request.POST.get("again") else None)
    for one in previews:
        suggested |= one.suggested
        lost |= dict.fromkeys(one.lost)
    names = dict(choices.here) if choices else {}
    places = selectors.places_of(act.definition) if act.kind == "version" and previews else []
    label, effect = ACTS[act.kind]
    return {
        "act": act,
        "label": label,
        "effect": effect,
        "ids": ",".join(map(str, sorted(set(ids)))),
        "count": len(set(ids)),
        "previews": previews[:SHOWN],
        "more": max(0, len(set(ids)) - SHOWN),
        "unchecked": max(0, len(set(ids)) - MAX_PREVIEW),
        "fit": sum(one.verdict == "safe" for one in previews),
        "stay": sum(one.verdict != "safe" for one in previews),
        "choices": choices,
        "mapping": [
            (key, names.get(key, key), act.mapping.get(key) or suggested.get(key, "")) for key in dict.fromkeys((*lost, *act.mapping))
        ],
        "places": places,
        "typed": request.POST,
        "refused": refused,
    }


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.OPERATE)
def result(request: HttpRequest, job_id: int) -> HttpResponse:
    """What became of each instance of a bulk act."""
    found = bulk_result(request.actor, job_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return render(request, "workflows/bulk_result.html", {"result": found})
