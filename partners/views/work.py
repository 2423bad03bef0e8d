"""Employees' pages about partners."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from partners import selectors
from partners.access import PartnerPermission
from partners.contract import CATALOGUE, KINDS, change_contract, contracts
from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from workflows.selectors import open_tasks_for, road_for

viewer = requires(Audience.INTERNAL, permission=PartnerPermission.VIEW)


@require_GET
@viewer
def partner_list(request: HttpRequest) -> HttpResponse:
    """Partners and what is open with them, their registrations, the programmes."""
    actor = request.actor  # type: ignore[attr-defined]
    context = {"rows": selectors.partners(actor), "registrations": selectors.registrations(actor), "contracts": contracts(actor)}
    return render(request, "partners/work/partners.html", context)


@require_GET
@viewer
def registration(request: HttpRequest, registration_id: int) -> HttpResponse:
    """A registration with what we know of a conflict."""
    actor = request.actor  # type: ignore[attr-defined]
    row = selectors.registration(actor, registration_id)
    if row is None:
        raise Http404
    context = {"row": row, "road": road_for(actor, row.ref), "tasks": open_tasks_for(actor, row.ref)}
    return render(request, "partners/work/registration.html", context)


@require_http_methods(["GET", "POST"])
@viewer
def programme(request: HttpRequest, programme_id: int) -> HttpResponse:
    """The contract, for reading by all and changing by those who look after the programme."""
    actor = request.actor  # type: ignore[attr-defined]
    found = next((c for c in contracts(actor) if c.programme_id == programme_id), None)
    if found is None:
        raise Http404
    refusal = None
    if request.method == "POST":
        shown = {(kind, key): f"{kind}:{key}" in request.POST.getlist("shown") for kind, keys in CATALOGUE.items() for key in keys}
        version = request.POST.get("version", "")
        try:
            change_contract(actor, programme_id, shown, version=whole_number(version) or 0)
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _("Kept. Partners see it so from their next page on."))
            return redirect("partners_work:programme", programme_id=programme_id)
    context = {
        "contract": found,
        "kinds": [(label, found.of_kind(kind)) for kind, label in KINDS.items()],
        "may_edit": actor.can(PartnerPermission.EDIT_PROGRAMME),
        "refusal": refusal,
    }
    return render(request, "partners/work/programme.html", context, status=refusal.status if refusal else 200)
