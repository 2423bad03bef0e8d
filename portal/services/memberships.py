"""Organisations, memberships and the choice of the one a person acts in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Refused
from portal.models import Membership, MembershipRole, Organisation, User
from portal.registry import SubjectRef, registry
from portal.rows import Prepared
from portal.services.site import sync_editor
from portal.services.viewing import viewed_actor

SESSION_KEY = "membership_id"


@dataclass(frozen=True, slots=True)
class Place:
    """One of a person's memberships, for the switch."""

    membership_id: int
    organisation_name: str
    audience: Audience
    roles: frozenset[str]
    is_current: bool


_ROLES_OF = Prepared(
    lambda user: (
        MembershipRole.objects.filter(membership__user_id=user, membership__is_active=True, membership__organisation__is_active=True)
        .select_related("membership__organisation", "membership__user")
        .order_by("membership_id")
    ),
    987_654_321,
)


def _memberships(user_id: int) -> dict[int, tuple[Membership, set[str]]]:
    """A person's active memberships with their roles, in one query."""
    found: dict[int, tuple[Membership, set[str]]] = {}
    for row in _ROLES_OF.rows(user_id):
        found.setdefault(row.membership_id, (row.membership, set()))[1].add(row.role)
    return found


def actor_for_request(request: HttpRequest) -> Actor:
    """The actor of a request: the chosen membership, else the first; a signed-in person without any is a visitor."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Actor.anonymous()
    found = _memberships(user.pk)
    if not found:
        return Actor(user.pk, user.name, Audience.PUBLIC, email=user.email)
    chosen = found.get(request.session.get(SESSION_KEY, 0)) or next(iter(found.values()))
    request.memberships = found  # type: ignore[attr-defined]
    return viewed_actor(request, Actor.for_membership(chosen[0], chosen[1]))


def actor_for_user(user_id: int, membership_id: int | None = None) -> Actor:
    """The actor of a person outside a request (sockets, mailed links); anonymous where there is no membership."""
    found = _memberships(user_id)
    if not found:
        return Actor.anonymous()
    chosen = found.get(membership_id or 0) or next(iter(found.values()))
    return Actor.for_membership(chosen[0], chosen[1])


def places_of(request: HttpRequest) -> list[Place]:
    """The memberships a person may switch between."""
    current = request.actor.membership_id  # type: ignore[attr-defined]
    found = getattr(request, "memberships", {})
    return [
        Place(pk, membership.organisation.name, Audience(membership.audience), frozenset(roles), pk == current)
        for pk, (membership, roles) in found.items()
    ]


def switch_membership(request: HttpRequest, membership_id: int) -> Actor:
    """Act in another of one's own memberships; raises Refused for any other."""
    found = _memberships(request.user.pk)
    if membership_id not in found:
        raise Refused(_("You are not a member there any more."))
    request.session[SESSION_KEY] = membership_id
    membership, roles = found[membership_id]
    return Actor.for_membership(membership, roles)


def create_organisation(actor: Actor, name: str, *, is_customer: bool = False, is_partner: bool = False) -> Organisation:
    """Make a customer or partner organisation; raises Refused without a name."""
    name = name.strip()
    if not name:
        raise Refused(_("Give the organisation a name."), "name")
    with transaction.atomic():
        organisation = Organisation.objects.create(name=name, is_customer=is_customer, is_partner=is_partner)
        record(actor, "organisation.created", SubjectRef("portal.organisation", organisation.pk), after={"name": name})
    return organisation


def add_member(actor: Actor, user: User, organisation_id: int, audience: Audience, roles: Iterable[str]) -> Membership:
    """Put a person into an organisation with roles of that audience; adding twice only adds missing roles."""
    roles = list(roles)
    for role in roles:
        known = registry.roles.get(role)
        if known is None or known.audience != audience:
            raise Refused(_("There is no role “%(role)s” here.") % {"role": role}, "roles")
    if not roles:
        raise Refused(_("Choose at least one role."), "roles")
    with transaction.atomic():
        membership, _made = Membership.objects.get_or_create(
            user=user, organisation_id=organisation_id, audience=str(audience), defaults={"is_active": True}
        )
        MembershipRole.objects.bulk_create([MembershipRole(membership=membership, role=role) for role in roles], ignore_conflicts=True)
        record(
            actor,
            "membership.added",
            SubjectRef("portal.organisation", organisation_id),
            after={"user": user.pk, "audience": str(audience), "roles": roles},
        )
        sync_editor(user)
    return membership


def confirm_address(user: User) -> None:
    """Note that a person's address is their own, as known from a mailed link."""
    EmailAddress.objects.filter(user=user, primary=True).exclude(email=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"primary": True, "verified": True})
