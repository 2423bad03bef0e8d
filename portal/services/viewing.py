"""Looking at the product as somebody from outside sees it: read only, told on every page, and written into the audit."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.access import Actor, Audience, PortalPermission
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.models import Membership, MembershipRole
from portal.registry import SubjectRef

SESSION_KEY = "viewed_membership_id"


def start_viewing(request: HttpRequest, membership_id: int) -> Actor:
    """See from now on what a customer's or partner's person sees. Raises NotAllowed, or Refused for anybody else than an outsider."""
    own: Actor = request.actor  # type: ignore[attr-defined]
    if not (own.is_internal and own.can(PortalPermission.VIEW_AS)):
        raise NotAllowed(_("Your role doesn't allow this. Ask a manager or an administrator."))
    found = _outsider(membership_id)
    if found is None:
        raise Refused(_("Only active people of customers and partners can be viewed as."))
    membership, roles = found
    record(own, "viewing.started", SubjectRef("portal.organisation", membership.organisation_id), on_behalf_of=membership.user.name)
    request.session[SESSION_KEY] = membership.pk
    return Actor.for_membership(membership, roles)


def end_viewing(request: HttpRequest) -> int | None:
    """Be oneself again; gives the organisation that was looked at, or None where nothing was."""
    membership_id = request.session.pop(SESSION_KEY, None)
    viewed: Actor = request.actor  # type: ignore[attr-defined]
    if membership_id is None or not viewed.viewed_by:
        return None
    own = Actor(request.user.pk, viewed.viewed_by, Audience.INTERNAL)
    record(own, "viewing.ended", SubjectRef("portal.organisation", viewed.organisation_id or 0), on_behalf_of=viewed.name)
    return viewed.organisation_id


def viewed_actor(request: HttpRequest, own: Actor) -> Actor:
    """The outsider whose eyes an employee has borrowed, else the employee; a permission that was taken away ends it at once."""
    membership_id = request.session.get(SESSION_KEY)
    if not membership_id or not (own.is_internal and own.can(PortalPermission.VIEW_AS)):
        return own
    found = _outsider(membership_id)
    if found is None:
        return own
    membership, roles = found
    request.memberships = {membership.pk: found}  # type: ignore[attr-defined]
    return replace(Actor.for_membership(membership, roles), viewed_by=own.name)


def _outsider(membership_id: int) -> tuple[Membership, set[str]] | None:
    rows = list(
        MembershipRole.objects.filter(
            membership_id=membership_id,
            membership__is_active=True,
            membership__organisation__is_active=True,
            membership__user__is_active=True,
            membership__audience__in=[str(Audience.CUSTOMER), str(Audience.PARTNER)],
        ).select_related("membership__organisation", "membership__user")
    )
    return (rows[0].membership, {row.role for row in rows}) if rows else None
