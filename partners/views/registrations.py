"""A partner's registrations: new, receipt, decision."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from partners import selectors, services
from partners.conflicts import find_conflict
from partners.contract import contract_of_organisation
from partners.forms import RegistrationForm
from portal.access import Audience, requires
from portal.errors import Refused
from workflows.selectors import open_tasks_for, road_for

partner = requires(Audience.PARTNER)


@require_GET
@partner
def registration_list(request: HttpRequest) -> HttpResponse:
    """All registrations of the partner's organisation."""
    text = request.GET.get("q", "").strip()[:100]
    rows = selectors.registrations(request.actor, text=text)  # type: ignore[attr-defined]
    return render(request, "partners/registrations.html", {"rows": rows, "text": text})


@require_http_methods(["GET", "POST"])
@partner
def registration_new(request: HttpRequest) -> HttpResponse:
    """Register a deal; the receipt comes at once."""
    actor = request.actor  # type: ignore[attr-defined]
    form = RegistrationForm(actor, request.POST or None, initial={"idempotency_key": secrets.token_urlsafe(16)})
    status = 200
    if request.method == "POST":
        if form.is_valid():
            data = form.cleaned_data
            try:
                receipt = services.submit_registration(
                    actor,
                    services.RegistrationData(
                        company=data["company"],
                        need=data["need"],
                        contact_name=data["contact_name"],
                        contact_email=data["contact_email"],
                        product_id=data["product"],
                        amount=data["amount"],
                        expected_close=data["expected_close"],
                        idempotency_key=data["idempotency_key"],
                    ),
                )
            except Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
            else:
                messages.success(request, _("Received as %(number)s.") % {"number": receipt.number})
                return redirect("partners:registration", registration_id=receipt.registration_id)
        status = 400
    contract = contract_of_organisation(actor.organisation_id)
    return render(request, "partners/registration_new.html", {"form": form, "contract": contract}, status=status)


@require_GET
@partner
def check(request: HttpRequest) -> HttpResponse:
    """While typing a company: is it registered already? Tells nothing of others."""
    company = request.GET.get("company", "").strip()[:200]
    conflict = find_conflict(request.actor.organisation_id, company) if len(company) >= 3 else None  # type: ignore[attr-defined]
    return render(request, "partners/parts/_conflict.html", {"conflict": conflict, "company": company})


@require_GET
@partner
def registration(request: HttpRequest, registration_id: int) -> HttpResponse:
    """The receipt, the road, the decision and its reason."""
    actor = request.actor  # type: ignore[attr-defined]
    row = selectors.registration(actor, registration_id)
    if row is None:
        raise Http404
    tasks = [t for t in open_tasks_for(actor, row.ref) if t.audience == Audience.PARTNER]
    return render(request, "partners/registration.html", {"row": row, "road": road_for(actor, row.ref), "tasks": tasks})


@require_POST
@partner
def withdraw(request: HttpRequest, registration_id: int) -> HttpResponse:
    """Take it back before the decision."""
    services.withdraw_registration(request.actor, registration_id)  # type: ignore[attr-defined]
    messages.success(request, _("The registration is taken back."))
    return redirect("partners:registration", registration_id=registration_id)
