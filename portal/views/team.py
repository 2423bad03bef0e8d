"""One's colleagues: the page of customers and of partners. Each face says what its people may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.access import Actor, Audience, PortalPermission, requires
from portal.errors import Refused
from portal.forms import ColleagueForm
from portal.selectors import colleagues_of, invitations_for
from portal.services import invitations, people


@dataclass(frozen=True, slots=True)
class TeamFace:
    """Where the page stands: its audience, the roles to choose from (key, word, what they may), its template and address."""

    audience: Audience
    roles: Sequence[tuple[str, object, object]]
    template: str
    url_name: str

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The roles with what they may, to choose from."""
        return [(key, f"{word}: {what}") for key, word, what in self.roles]


def team_page(request: HttpRequest, face: TeamFace, *, invites: bool = True, status: int = 200, **more: object) -> HttpResponse:
    """Who is here and who is invited; the organisation's administrator invites, gives roles, and closes and opens the door.

    `invites`: a form that was sent is an invitation; else it is another of the page's, which is shown again with `more`.
    """
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_invite = actor.can(PortalPermission.INVITE_COLLEAGUES)
    form = ColleagueForm(request.POST if invites and request.method == "POST" else None, roles=face.choices)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            invitations.invite(
                actor,
                organisation_id=actor.organisation_id,
                audience=face.audience,
                email=data["email"],
                name=data["name"],
                roles=data["roles"],
            )
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": data["email"]})
            return redirect(face.url_name)
    context = {
        "people": [(one, [word for key, word, _what in face.roles if key in one.roles]) for one in colleagues_of(actor)],
        "invitations": invitations_for(actor) if may_invite else [],
        "form": form,
        "roles": face.choices,
        "may_invite": may_invite,
        "withdraw_url": f"{face.url_name}-withdraw",
        "change_url": f"{face.url_name}-change",
    }
    return render(request, face.template, context | more, status=400 if form.errors else status)


def change_colleague(request: HttpRequest, face: TeamFace, membership_id: int) -> HttpResponse:
    """Give a colleague other roles, close the door to them, or open it again: as the button says; a refusal is told on the page."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    act = request.POST.get("act", "")
    try:
        if act == "roles":
            people.set_roles(actor, membership_id, request.POST.getlist("roles"))
            messages.success(request, _("The roles are changed."))
        elif act in ("deactivate", "activate"):
            people.set_member_active(actor, membership_id, act == "activate")
            messages.success(request, _("They are in again.") if act == "activate" else _("They can't come in any more."))
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect(face.url_name)


def withdraw_from_team(request: HttpRequest, face: TeamFace, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    invitations.withdraw_invitation(request.actor, invitation_id)  # type: ignore[attr-defined]
    messages.success(request, _("The invitation is withdrawn."))
    return redirect(face.url_name)


@require_POST
@requires(Audience.CUSTOMER, Audience.PARTNER)
def leave(request: HttpRequest) -> HttpResponse:
    """Leave the organisation that one acts for."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    try:
        people.leave(actor)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("home")
    messages.success(request, _("You have left %(name)s.") % {"name": actor.organisation_name})
    return redirect("home")
