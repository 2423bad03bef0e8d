"""Cards: fields at the left, what happened at the right, the process between them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import cards, services
from crm.access import CrmPermission, visible_leads
from crm.forms import FORMS, NEW_FORMS, ActivityForm
from crm.lists import DEALS, LISTS, ListSpec
from crm.models import Stage
from crm.selectors import account_of_organisation, similar_accounts
from crm.selectors.timeline import timeline, why
from crm.views.common import is_fragment, ref_of, row_of, spec_of
from portal.access import Actor, Audience, PortalPermission, requires
from portal.errors import Conflict, Refused
from portal.registry import registry
from portal.selectors import invitations_for, members_of
from workflows import approvals
from workflows.definitions import current
from workflows.selectors import open_tasks_for, road_for, stage_moves, steps_waiting_for

NOTED = {"deals", "accounts", "contacts", "leads", "requests"}
WITH_PROCESS = {"deals", "requests", "cases"}
UPDATES = {
    "deals": services.update_deal,
    "accounts": services.update_account,
    "contacts": services.update_contact,
    "leads": services.update_lead,
    "products": services.update_product,
}
CREATES = {
    "deals": services.create_deal,
    "accounts": services.create_account,
    "contacts": services.create_contact,
    "leads": services.create_lead,
    "products": services.create_product,
}


def may_edit(actor: Actor, spec: ListSpec) -> bool:
    """Whether the actor may change records of this list."""
    return spec.key in UPDATES and bool(spec.can_create) and actor.can(spec.can_create)


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def card(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """A record's page, or the part of it that is re-read when something happened."""
    spec = spec_of(key)
    row = row_of(request.actor, spec, pk)
    ref = ref_of(spec, pk)
    context: dict[str, Any] = {
        "card": cards.card_of(request.actor, spec, row),
        "spec": spec,
        "can_edit": may_edit(request.actor, spec),
        "can_note": spec.key in NOTED and request.actor.can(CrmPermission.EDIT),
        "happenings": timeline(request.actor, ref),
        "activity": ActivityForm(),
        "has_process": spec.key in WITH_PROCESS,
    }
    if context["has_process"]:
        context["road"] = road_for(request.actor, ref)
        context["tasks"] = open_tasks_for(request.actor, ref)
    if spec.key == "accounts" and row.organisation_id:
        context |= {
            "organisation_ref": f"portal.organisation:{row.organisation_id}",
            "members": members_of(request.actor, row.organisation_id, Audience.CUSTOMER),
            "invitations": invitations_for(request.actor, organisation_id=row.organisation_id, audience=Audience.CUSTOMER),
            "waiting": steps_waiting_for(request.actor, row.organisation_id, Audience.CUSTOMER),
            "can_view_as": request.actor.can(PortalPermission.VIEW_AS),
        }
    if spec.key == "deals":
        context["request_ref"] = f"crm.request:{row.request_id}" if row.request_id else ""
        context["can_ask"] = not row.outcome and current(approvals.KEY) is not None
        context["can_move"] = not row.outcome and request.actor.can(CrmPermission.EDIT)
    return render(request, "crm/parts/_card_body.html" if is_fragment(request, "card-body") else "crm/card.html", context)


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def of_organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """The card of the account that stands for an organisation: where its conversation with the company is."""
    account_id = account_of_organisation(organisation_id)
    if account_id is None:
        raise Http404
    return redirect(f"{reverse('crm:card', args=['accounts', account_id])}#conversation")


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.EDIT)
def moves(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a deal may go now, and why not elsewhere."""
    row_of(request.actor, DEALS, pk)
    found = [(move, Stage(move.stage).label) for move in stage_moves(request.actor, ref_of(DEALS, pk)) if move.stage in Stage.values]
    return render(request, "crm/parts/_moves.html", {"moves": found, "pk": pk})


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def peek(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """A record in the drawer, without leaving the list."""
    spec = spec_of(key)
    row = row_of(request.actor, spec, pk)
    ref = ref_of(spec, pk)
    context = {
        "card": cards.card_of(request.actor, spec, row),
        "spec": spec,
        "road": road_for(request.actor, ref) if spec.key in WITH_PROCESS else None,
        "happenings": timeline(request.actor, ref, 6),
        "url": registry.subjects[spec.kind].url(request.actor, pk),
    }
    return render(request, "crm/parts/_peek.html", context)


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def card_panel(request: HttpRequest, ref: str) -> HttpResponse:
    """What a record is, in short, for other packages' pages: its state and its facts."""
    kind, _colon, key = ref.partition(":")
    spec = next((one for one in LISTS.values() if one.kind == kind), None)
    if spec is None or not key.isdecimal() or len(key) > 18:
        raise Http404
    row = row_of(request.actor, spec, int(key))
    url = registry.subjects[spec.kind].url(request.actor, row.pk)
    return render(request, "crm/parts/_card_panel.html", {"card": cards.card_of(request.actor, spec, row), "spec": spec, "url": url})


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def reasons(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """“Why is it here?”: the persons, gateways and rules behind the present step."""
    spec = spec_of(key)
    row_of(request.actor, spec, pk)
    return render(request, "crm/parts/_why.html", {"reasons": why(request.actor, ref_of(spec, pk))})


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL, permission=CrmPermission.EDIT)
def edit(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """The fields of a card as a form in place; a stale save shows what the other wrote and keeps what was typed."""
    spec = spec_of(key)
    row = row_of(request.actor, spec, pk)
    if not may_edit(request.actor, spec):
        raise Http404
    if request.method == "GET":
        if "cancel" in request.GET:
            return _facts(request, spec, row)
        form = FORMS[key](instance=row, initial={"seen_at": row.updated_at.isoformat()})
        return render(request, "crm/parts/_edit.html", {"form": form, "spec": spec, "pk": pk, "title": str(row)})
    form = FORMS[key](request.POST, instance=row)
    if form.is_valid():
        try:
            UPDATES[key](request.actor, pk, form.values(), seen_at=form.cleaned_data["seen_at"] or None)
            return _facts(request, spec, row_of(request.actor, spec, pk))
        except Conflict as conflict:
            now = row_of(request.actor, spec, pk)
            form.data = form.data.copy()
            form.data["seen_at"] = now.updated_at.isoformat()
            context = {
                "form": form,
                "spec": spec,
                "pk": pk,
                "conflict": conflict.message,
                "theirs": cards.card_of(request.actor, spec, now),
            }
            return render(request, "crm/parts/_edit.html", context, status=409)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
    return render(request, "crm/parts/_edit.html", {"form": form, "spec": spec, "pk": pk, "title": str(row)}, status=400)


def _facts(request: HttpRequest, spec: ListSpec, row: Any) -> HttpResponse:
    context = {"card": cards.card_of(request.actor, spec, row), "spec": spec, "can_edit": may_edit(request.actor, spec)}
    return render(request, "crm/parts/_facts.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL, permission=CrmPermission.EDIT)
def create(request: HttpRequest, key: str) -> HttpResponse:
    """Quick create."""
    spec = spec_of(key)
    if key not in CREATES or not may_edit(request.actor, spec):
        raise Http404
    form = NEW_FORMS[key](request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        if key == "contacts":
            account = values.pop("account", None)
            values["account_id"] = account.pk if account else None
        try:
            row = CREATES[key](request.actor, **values)
            messages.success(request, _("“%(name)s” was added.") % {"name": row})
            return redirect("crm:card", key, row.pk)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
    status = 400 if request.method == "POST" else 200
    return render(request, "crm/create.html", {"form": form, "spec": spec}, status=status)


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.EDIT)
def similar(request: HttpRequest) -> HttpResponse:
    """Accounts that may be the one whose name is being typed."""
    return render(request, "crm/parts/_similar.html", {"found": similar_accounts(request.GET.get("name", "")[:200])})


@require_POST
@requires(Audience.INTERNAL, permission=CrmPermission.EDIT)
def note(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Keep a call, meeting, mail or note; internal always."""
    spec = spec_of(key)
    row_of(request.actor, spec, pk)
    form = ActivityForm(request.POST)
    if not form.is_valid():
        raise Refused(_("Write what happened."), "text")
    services.log_activity(request.actor, ref_of(spec, pk), kind=form.cleaned_data["kind"], text=form.cleaned_data["text"])
    if getattr(request, "htmx", False):
        return render(request, "crm/parts/_timeline.html", {"happenings": timeline(request.actor, ref_of(spec, pk))})
    return redirect("crm:card", key, pk)


@require_POST
@requires(Audience.INTERNAL, permission=CrmPermission.EDIT)
def lead_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Convert a lead into a deal, or put it aside with a reason."""
    if not visible_leads(request.actor).filter(pk=pk).exists():
        raise Http404
    try:
        if request.POST.get("decision") == "convert":
            deal = services.convert_lead(request.actor, pk)
            messages.success(request, _("The lead is a deal now."))
            return redirect("crm:card", "deals", deal.pk)
        services.disqualify_lead(request.actor, pk, request.POST.get("reason", ""))
        messages.success(request, _("The lead was put aside."))
    except Refused as refused:
        messages.warning(request, refused.message)
    return redirect("crm:card", "leads", pk)


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def quote(request: HttpRequest, pk: int) -> HttpResponse:
    """A version of a quote."""
    found = cards.quote_of(request.actor, pk)
    if found is None:
        raise Http404
    return render(request, "crm/quote.html", {"quote": found[0], "deal": found[1], "ref": str(found[0].ref)})
