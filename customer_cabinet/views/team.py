"""The customer's colleagues."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import Audience, requires
from portal.views.team import TeamFace, team_page, withdraw_from_team

customer = requires(Audience.CUSTOMER)
FACE = TeamFace(
    Audience.CUSTOMER,
    "customer_member",
    [("customer_member", _("Start and follow requests")), ("customer_admin", _("The same, and invite colleagues"))],
    "customer_cabinet/team.html",
    "customer_cabinet:team",
)


@require_http_methods(["GET", "POST"])
@customer
def team(request: HttpRequest) -> HttpResponse:
    """Who is here, who is invited; the administrator invites."""
    return team_page(request, FACE)


@require_POST
@customer
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    return withdraw_from_team(request, FACE, invitation_id)
