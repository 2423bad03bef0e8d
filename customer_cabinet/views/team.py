"""The customer's colleagues, and the organisation's own rule about approvals."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm import selectors as crm
from crm.services import set_approval_rule
from portal.access import Audience, requires
from portal.errors import Refused
from portal.views.team import TeamFace, change_colleague, team_page, withdraw_from_team

customer = requires(Audience.CUSTOMER)
FACE = TeamFace(
    Audience.CUSTOMER,
    [
        ("customer_member", gettext_lazy("Buyer"), gettext_lazy("starts requests, answers quotes, does the steps that are yours")),
        ("customer_approver", gettext_lazy("Approver"), gettext_lazy("approves what a colleague wants to accept")),
        ("customer_viewer", gettext_lazy("Viewer"), gettext_lazy("sees everything, changes nothing")),
        ("customer_admin", gettext_lazy("Administrator"), gettext_lazy("as a buyer, and looks after colleagues and their roles")),
    ],
    "customer_cabinet/team.html",
    "customer_cabinet:team",
)


@require_http_methods(["GET", "POST"])
@customer
def team(request: HttpRequest) -> HttpResponse:
    """Who is here, who is invited; the administrator invites."""
    return team_page(request, FACE, rule=crm.approval_rule(request.actor), currency=settings.DEFAULT_CURRENCY)  # type: ignore[attr-defined]


@require_POST
@customer
def change(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Give a colleague other roles, close the door to them, or open it again."""
    return change_colleague(request, FACE, membership_id)


@require_POST
@customer
def rule(request: HttpRequest) -> HttpResponse:
    """Say from which amount on quotes need the own approver; a refusal shows the page again with what was typed."""
    above, is_on = request.POST.get("above", "").strip()[:40], "is_on" in request.POST
    try:
        set_approval_rule(request.actor, is_on=is_on, above=above)  # type: ignore[attr-defined]
    except Refused as refusal:
        shown = crm.approval_rule(request.actor)  # type: ignore[attr-defined]
        again = {"rule": shown, "refusal": refusal, "typed": {"above": above, "is_on": is_on}, "currency": settings.DEFAULT_CURRENCY}
        return team_page(request, FACE, invites=False, status=refusal.status, **again)
    messages.success(request, _("Your rule is kept."))
    return redirect("customer_cabinet:team")


@require_POST
@customer
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    return withdraw_from_team(request, FACE, invitation_id)
