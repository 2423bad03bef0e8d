"""Quotes and documents: a version, what changed since an earlier one, the signature, and everything on paper in one place."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm import selectors as crm
from crm.access import CrmPermission
from crm.services import GivenSignature, ask_for_approval, check_of, offer_for, sign_quote, take_back_purchase
from customer_cabinet.views.requests import own_steps
from portal.access import Audience, requires
from portal.errors import Refused
from workflows.selectors import open_tasks_for

customer = requires(Audience.CUSTOMER)


@require_GET
@customer
def quote(request: HttpRequest, quote_id: int) -> HttpResponse:
    """A version of a quote, with its answer where it is awaited, beside another version where there is one."""
    return _page(request, quote_id)


@require_POST
@customer
def sign(request: HttpRequest, quote_id: int) -> HttpResponse:
    """Accept by signature; a refusal shows the page again with what was typed."""
    given = GivenSignature(
        request.POST.get("offer", ""),
        request.POST.get("signed_name", ""),
        request.POST.get("signature", ""),
        request.META.get("REMOTE_ADDR") or None,
        request.headers.get("User-Agent", ""),
    )
    if crm.quote_view(request.actor, quote_id) is None:  # type: ignore[attr-defined]
        raise Http404
    try:
        sign_quote(request.actor, quote_id, given)  # type: ignore[attr-defined]
    except Refused as refusal:
        return _page(request, quote_id, status=refusal.status, refusal=refusal, signed_name=given.name[:150])
    messages.success(request, _("You have accepted the quote. The signed document is kept for both of us."))
    return redirect("customer_cabinet:quote", quote_id=quote_id)


@require_POST
@customer
def approval(request: HttpRequest, quote_id: int) -> HttpResponse:
    """Ask the own approver, or take the question back; a refusal shows the page again."""
    actor = request.actor  # type: ignore[attr-defined]
    if crm.quote_view(actor, quote_id) is None:
        raise Http404
    try:
        if "take_back" in request.POST:
            take_back_purchase(actor, quote_id)
            messages.success(request, _("Taken back: the quote waits for your answer again."))
        else:
            ask_for_approval(actor, quote_id, key=request.POST.get("idempotency_key", "")[:80])
            messages.success(request, _("Your approver is asked. When they approve, you can sign."))
    except Refused as refusal:
        return _page(request, quote_id, status=refusal.status, refusal=refusal)
    return redirect("customer_cabinet:quote", quote_id=quote_id)


def _page(request: HttpRequest, quote_id: int, status: int = 200, **more: object) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    view = crm.quote_view(actor, quote_id)
    if view is None:
        raise Http404
    versions = crm.quotes_of_request(actor, view.request_id) if view.request_id else [view]
    chosen = request.GET.get("with", "")
    others = [one for one in versions if one.id != view.id]
    before = next((one for one in others if str(one.id) == chosen), None) or next(
        (one for one in others if one.version < view.version), None
    )
    tasks = [task for task in open_tasks_for(actor, view.ref) if task.audience == Audience.CUSTOMER] if view.is_open else []
    steps = own_steps(actor, tasks)
    decides = any(decides for _task, _form, decides in steps)
    check = check_of(actor, quote_id)
    context = {
        "quote": view,
        "check": check,
        "approvals": crm.approvals_of_quote(actor, quote_id),
        "others": others,
        "before": before,
        "differences": crm.compare_quotes(before, view) if before else [],
        "steps": steps,
        "offer": offer_for(actor, quote_id) if decides and not check.needed else "",
        "key": secrets.token_urlsafe(16),
        "signed_name": actor.name,
        "may_set_rule": actor.can(CrmPermission.SET_APPROVAL_RULE),
    }
    return render(request, "customer_cabinet/quote.html", context | more, status=status)
