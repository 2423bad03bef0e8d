"""Fragments for other packages' cards: a record's processes, and asking for an approval."""

from __future__ import annotations

import secrets

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from portal.access import Audience, requires
from portal.errors import Refused
from portal.registry import registry
from workflows import approvals, selectors
from workflows.definitions import current
from workflows.selectors.approvals import approvals_about
from workflows.views.common import parse_ref


@require_GET
@requires(Audience.INTERNAL)
def about(request: HttpRequest, ref: str) -> HttpResponse:
    """The processes about a record: where each stands, and the reader's own steps."""
    subject = parse_ref(ref)
    if registry.resolve(request.actor, subject) is None:
        raise Http404
    rows = selectors.instances_for_subject(request.actor, subject)
    running = [row for row in rows if row.status == "running"]
    context = {
        "ref": subject,
        "rows": rows,
        "roads": [(row, selectors.road_for_row(request.actor, row.id, subject)) for row in (running or rows)[:3]],
        "approvals": approvals_about(request.actor, subject),
        "can_ask": current(approvals.KEY) is not None,
    }
    return render(request, "workflows/parts/_panel.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def approval(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask colleagues to decide on a record."""
    subject = parse_ref(ref)
    shown = registry.resolve(request.actor, subject)
    if shown is None:
        raise Http404
    form = approvals.ApprovalForm(request.actor, request.POST or None)
    key = request.POST.get("idempotency_key", "")[:80] or secrets.token_urlsafe(16)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            instance_id = approvals.start_approval(
                request.actor,
                subject,
                form.spec(),
                mode=values["mode"],
                needed=values["needed"],
                text=values["text"],
                amount=values["amount"],
                lock=values["lock"],
                key=f"{request.actor.user_id}:{key}",
            )
            return _asked(request, instance_id, shown)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
    chosen = {name: request.POST.getlist(name) for name in ("approvers", "twice", "veto")}
    context = {"form": form, "subject": shown, "key": key, "chosen": chosen}
    template = "workflows/parts/_approval_form.html" if request.htmx else "workflows/approval.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _asked(request: HttpRequest, instance_id: int, shown) -> HttpResponse:
    from django.contrib import messages
    from django.shortcuts import redirect
    from django.utils.translation import gettext as _

    messages.success(request, _("Your colleagues are asked."))
    target = shown.url
    if request.htmx:
        answer = HttpResponse(status=204)
        answer["HX-Redirect" if target else "HX-Refresh"] = target or "true"
        return answer
    return redirect(target) if target else redirect("workflows:instance", instance_id)
