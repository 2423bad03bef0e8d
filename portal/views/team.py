"""One's colleagues: the page of customers and of partners. Each face says what its people may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.access import Actor, Audience, PortalPermission
from portal.errors import Refused
from portal.forms import ColleagueForm
from portal.selectors import invitations_for, people_of
from portal.services import invitations


@dataclass(frozen=True, slots=True)
class TeamFace:
    """Where the page stands: its audience, the role that everybody has, the roles to choose from, its template and address."""

    audience: Audience
    member_role: str
    roles: Sequence[tuple[str, object]]
    template: str
    url_name: str


def team_page(request: HttpRequest, face: TeamFace) -> HttpResponse:
    """Who is here and who is invited; the organisation's administrator invites."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_invite = actor.can(PortalPermission.INVITE_COLLEAGUES)
    form = ColleagueForm(request.POST or None, roles=face.roles)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            invitations.invite(
                actor,
                organisation_id=actor.organisation_id,
                audience=face.audience,
                email=data["email"],
                name=data["name"],
                roles={face.member_role, data["role"]},
            )
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": data["email"]})
            return redirect(face.url_name)
    context = {
        "people": people_of(actor.organisation_id, face.audience),
        "invitations": invitations_for(actor) if may_invite else [],
        "form": form,
        "may_invite": may_invite,
        "withdraw_url": f"{face.url_name}-withdraw",
    }
    return render(request, face.template, context, status=400 if form.errors else 200)


def withdraw_from_team(request: HttpRequest, face: TeamFace, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    invitations.withdraw_invitation(request.actor, invitation_id)  # type: ignore[attr-defined]
    messages.success(request, _("The invitation is withdrawn."))
    return redirect(face.url_name)
