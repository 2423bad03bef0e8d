"""The partner's own people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import Audience, requires
from portal.views.team import TeamFace, change_colleague, team_page, withdraw_from_team

partner = requires(Audience.PARTNER)
FACE = TeamFace(
    Audience.PARTNER,
    [
        ("partner_member", _("Colleague"), _("works on deals")),
        ("partner_admin", _("Administrator"), _("works on deals, and looks after colleagues and their roles")),
    ],
    "partners/team.html",
    "partners:team",
)


@require_http_methods(["GET", "POST"])
@partner
def team(request: HttpRequest) -> HttpResponse:
    """Who is here, who is invited; the administrator invites."""
    return team_page(request, FACE)


@require_POST
@partner
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    return withdraw_from_team(request, FACE, invitation_id)


@require_POST
@partner
def change(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Give a colleague other roles, close the door to them, or open it again."""
    return change_colleague(request, FACE, membership_id)
