"""Support: a case from the customer's words to their rating, and opened again where it wasn't solved after all."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import selectors as crm
from crm import services as crm_services
from customer_cabinet.forms_cases import CaseForm
from portal.access import Audience, requires
from portal.errors import Refused
from portal.files import store_file
from workflows.forms import task_form
from workflows.selectors import open_tasks_for, road_for

customer = requires(Audience.CUSTOMER)
MAX_FILES = 10


@require_GET
@customer
def case_list(request: HttpRequest) -> HttpResponse:
    """All cases of the organisation, and the knowledge base first."""
    state = request.GET.get("state", "")
    is_open = {"open": True, "closed": False}.get(state)
    rows = crm.cases_for(request.actor, is_open=is_open)  # type: ignore[attr-defined]
    return render(request, "customer_cabinet/cases/list.html", {"rows": rows, "state": state if is_open is not None else ""})


@require_http_methods(["GET", "POST"])
@customer
def case_new(request: HttpRequest) -> HttpResponse:
    """Tell of a trouble: the case and its files are kept together, and its process starts."""
    actor = request.actor  # type: ignore[attr-defined]
    form = CaseForm(request.POST or None, initial={"idempotency_key": secrets.token_urlsafe(16)})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            data = form.cleaned_data
            try:
                with transaction.atomic():
                    words = (data[name] for name in ("title", "description", "category", "severity", "idempotency_key"))
                    made = crm_services.open_case(actor, crm_services.NewCase(*words))
                    found = crm.case_view(actor, made.pk)
                    for upload in request.FILES.getlist("files")[:MAX_FILES]:
                        store_file(actor, found.ref, upload, {Audience.CUSTOMER})
            except Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
            else:
                messages.success(request, _("We have your case. You can follow it here."))
                return redirect("customer_cabinet:case", case_id=made.pk)
    return render(request, "customer_cabinet/cases/new.html", {"form": form}, status=status)


def _context(request: HttpRequest, case_id: int) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    row = crm.case_view(actor, case_id)
    if row is None:
        raise Http404
    tasks = [task for task in open_tasks_for(actor, row.ref) if task.audience == Audience.CUSTOMER]
    return {"row": row, "road": road_for(actor, row.ref), "steps": [(task, task_form(actor, task.id)) for task in tasks]}


@require_GET
@customer
def case_page(request: HttpRequest, case_id: int) -> HttpResponse:
    """One page for one case."""
    return render(request, "customer_cabinet/cases/case.html", _context(request, case_id))


@require_GET
@customer
def case_body(request: HttpRequest, case_id: int) -> HttpResponse:
    """The part of the case's page that changes live."""
    return render(request, "customer_cabinet/cases/_body.html", _context(request, case_id))


@require_POST
@customer
def reopen(request: HttpRequest, case_id: int) -> HttpResponse:
    """Open a closed case again; what was typed stays where something is wrong."""
    actor = request.actor  # type: ignore[attr-defined]
    if crm.case_view(actor, case_id) is None:
        raise Http404
    reason = request.POST.get("reason", "")
    try:
        crm_services.reopen_case(actor, case_id, reason)
    except Refused as refusal:
        context = _context(request, case_id) | {"problem": refusal.message, "reason": reason[:5000]}
        return render(request, "customer_cabinet/cases/case.html", context, status=400)
    messages.success(request, _("The case is open again. We look at it."))
    return redirect("customer_cabinet:case", case_id=case_id)
