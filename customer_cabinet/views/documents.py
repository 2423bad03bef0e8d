"""Documents: all of them in one place, and those that we ask the customer for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm import selectors as crm
from crm.services import give_from_form
from customer_cabinet.selectors_documents import KINDS, documents_page, lists_about
from portal.access import Audience, requires
from portal.errors import Refused
from portal.registry import SubjectRef, registry

customer = requires(Audience.CUSTOMER)
LINES = "crm/parts/_document_lines.html"


@require_GET
@customer
def documents(request: HttpRequest) -> HttpResponse:
    """All documents of the organisation, searched and filtered, and what we still need."""
    context = {"documents": documents_page(request.actor, request.GET), "kinds": KINDS}  # type: ignore[attr-defined]
    return render(request, "customer_cabinet/documents/page.html", context)


def _shown(request: HttpRequest, request_id: int, **more: Any) -> dict[str, Any]:
    found = crm.document_list(request.actor, request_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return {"list": found, "may_give": found.is_open, "give_name": "customer_cabinet:document-give", **more}


@require_GET
@customer
def asked(request: HttpRequest, request_id: int) -> HttpResponse:
    """What we ask for, line by line."""
    return render(request, "customer_cabinet/documents/asked.html", _shown(request, request_id))


@require_GET
@customer
def lines(request: HttpRequest, request_id: int) -> HttpResponse:
    """The part of it that changes live."""
    return render(request, LINES, _shown(request, request_id))


@require_GET
@customer
def panel(request: HttpRequest, ref: str) -> HttpResponse:
    """What we ask for on the page of a record; nothing at all where we asked for nothing."""
    actor = request.actor  # type: ignore[attr-defined]
    try:
        subject = registry.resolve(actor, SubjectRef.parse(ref))
    except ValueError:
        subject = None
    if subject is None:
        raise Http404
    context = {"lists": lists_about(actor, subject.ref), "ref": ref, "give_name": "customer_cabinet:document-give"}
    return render(request, "customer_cabinet/documents/_panel.html", context)


@require_POST
@customer
def give(request: HttpRequest, line_id: int) -> HttpResponse:
    """Take the document of one line in; a refusal stands at the line, and everything else stays."""
    actor = request.actor  # type: ignore[attr-defined]
    request_id = crm.list_of_line(actor, line_id)
    if request_id is None:
        raise Http404
    more: dict[str, Any] = {}
    status = 200
    try:
        line = give_from_form(actor, line_id, request.POST, request.FILES)
    except Refused as refusal:
        more, status = {"problem_at": line_id, "problem": refusal.message}, refusal.status
    if getattr(request, "htmx", None):
        return render(request, LINES, _shown(request, request_id, **more), status=status)
    if more:
        return render(request, "customer_cabinet/documents/asked.html", _shown(request, request_id, **more), status=status)
    messages.success(request, _("We have “%(line)s”. Thank you.") % {"line": line.name})
    return redirect("customer_cabinet:documents-asked", request_id=request_id)
