"""Reads of the kernel for pages and other packages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from portal.access import Actor, Audience, PortalPermission
from portal.models import Invitation, Membership, MembershipRole, Organisation, User
from portal.querysets import visible_invitations


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as others see them."""

    id: int
    name: str
    email: str
    organisation_id: int
    organisation_name: str
    audience: Audience


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation as others see it."""

    id: int
    name: str
    is_own: bool
    is_customer: bool
    is_partner: bool


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation as its senders see it. `state` is open, expired, accepted or withdrawn."""

    id: int
    organisation_id: int
    organisation_name: str
    audience: Audience
    email: str
    name: str
    roles: tuple[str, ...]
    invited_by: str
    created: datetime
    expires: datetime
    state: str


def invitation_view(row: Invitation) -> InvitationView:
    """Show one row."""
    if row.accepted:
        state = "accepted"
    elif row.withdrawn:
        state = "withdrawn"
    else:
        state = "open" if row.expires > timezone.now() else "expired"
    return InvitationView(
        row.pk,
        row.organisation_id,
        row.organisation.name,
        Audience(row.audience),
        row.email,
        row.name,
        tuple(row.roles),
        row.invited_by.name if row.invited_by else "",
        row.created,
        row.expires,
        state,
    )


def invitations_for(
    actor: Actor, *, organisation_id: int | None = None, audience: Audience | None = None, waiting_only: bool = True, limit: int = 200
) -> list[InvitationView]:
    """The invitations that the actor looks after, newest first; by default those nobody has answered or withdrawn yet."""
    rows = visible_invitations(actor).select_related("organisation", "invited_by").order_by("-created", "-pk")
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    if audience is not None:
        rows = rows.filter(audience=str(audience))
    if waiting_only:
        rows = rows.filter(accepted=None, withdrawn=None)
    return [invitation_view(row) for row in rows[:limit]]


def people_with_role(role: str, audience: Audience | None = None, organisation_id: int | None = None) -> list[PersonView]:
    """The active people who carry a role, by name."""
    rows = MembershipRole.objects.filter(role=role, membership__is_active=True, membership__user__is_active=True)
    if audience is not None:
        rows = rows.filter(membership__audience=str(audience))
    return _people(rows, organisation_id)


def roles_with_people(audience: Audience = Audience.INTERNAL) -> set[str]:
    """The roles of an audience that at least one active person carries."""
    rows = MembershipRole.objects.filter(membership__audience=str(audience), membership__is_active=True, membership__user__is_active=True)
    return set(rows.values_list("role", flat=True).distinct())


def people_of(organisation_id: int, audience: Audience) -> list[PersonView]:
    """The active people of an organisation in one audience, by name."""
    return _people(MembershipRole.objects.filter(membership__audience=str(audience), membership__is_active=True), organisation_id)


@dataclass(frozen=True, slots=True)
class MemberView:
    """A person of an outside organisation, as the employees who serve it know them."""

    membership_id: int
    name: str
    email: str
    last_visit: datetime | None


@dataclass(frozen=True, slots=True)
class ColleagueView:
    """A person of one's own organisation, as its people see them."""

    membership_id: int
    user_id: int
    name: str
    email: str
    job_title: str
    roles: tuple[str, ...]
    is_active: bool


def colleagues_of(actor: Actor) -> list[ColleagueView]:
    """The people of an outsider's own organisation, by name; those who are let in no more only for its administrators, at the end."""
    if not (actor.is_customer or actor.is_partner) or actor.organisation_id is None:
        return []
    rows = Membership.objects.filter(organisation_id=actor.organisation_id, audience=str(actor.audience))
    if not actor.can(PortalPermission.INVITE_COLLEAGUES):
        rows = rows.filter(is_active=True)
    rows = rows.select_related("user").prefetch_related("role_rows").order_by("-is_active", "user__name", "pk")
    return [
        ColleagueView(
            row.pk,
            row.user_id,
            row.user.name,
            row.user.email,
            row.user.job_title,
            tuple(sorted(role.role for role in row.role_rows.all())),
            row.is_active,
        )
        for row in rows[:500]
    ]


def members_of(actor: Actor, organisation_id: int, audience: Audience) -> list[MemberView]:
    """The active people of an outside organisation with their last sign-in, by name; for employees alone."""
    if not actor.is_internal:
        return []
    rows = Membership.objects.filter(organisation_id=organisation_id, audience=str(audience), is_active=True, user__is_active=True)
    rows = rows.select_related("user").order_by("user__name", "pk")
    return [MemberView(row.pk, row.user.name, row.user.email, row.user.last_login) for row in rows[:100]]


def employees() -> list[PersonView]:
    """Everybody who works here, by name."""
    return _people(MembershipRole.objects.filter(membership__audience="internal", membership__is_active=True), None)


def _people(rows, organisation_id: int | None) -> list[PersonView]:
    if organisation_id is not None:
        rows = rows.filter(membership__organisation_id=organisation_id)
    rows = rows.select_related("membership__user", "membership__organisation").order_by("membership__user__name", "membership_id")
    seen: dict[int, PersonView] = {}
    for row in rows:
        member = row.membership
        seen.setdefault(
            member.user_id,
            PersonView(
                member.user_id,
                member.user.name,
                member.user.email,
                member.organisation_id,
                member.organisation.name,
                Audience(member.audience),
            ),
        )
    return list(seen.values())


def manager_of(user_id: int) -> int | None:
    """Whom an employee answers to; None where nobody is named, or the named one no longer works here."""
    rows = Membership.objects.filter(user_id=user_id, audience="internal", is_active=True, manager__is_active=True)
    named = rows.exclude(manager_id=user_id).order_by("pk").values_list("manager_id", flat=True).first()
    works_here = Membership.objects.filter(user_id=named, audience="internal", is_active=True).exists() if named else False
    return named if works_here else None


def names_of(user_ids: Iterable[int | None]) -> dict[int, str]:
    """Names by id, in one query."""
    ids = {i for i in user_ids if i}
    if not ids:
        return {}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "name"))


def phone_of(user_id: int) -> str:
    """The telephone number that a person has given in their profile."""
    return User.objects.filter(pk=user_id).values_list("phone", flat=True).first() or ""


def organisation(organisation_id: int) -> OrganisationView | None:
    """One organisation by id."""
    return next(iter(organisations([organisation_id]).values()), None)


def organisations(ids: Iterable[int]) -> dict[int, OrganisationView]:
    """Organisations by id, in one query."""
    rows = Organisation.objects.filter(pk__in=set(ids))
    return {o.pk: OrganisationView(o.pk, o.name, o.is_own, o.is_customer, o.is_partner) for o in rows}


def organisations_of(audience: Audience) -> list[OrganisationView]:
    """All active customer or partner organisations, by name."""
    flag = {Audience.CUSTOMER: "is_customer", Audience.PARTNER: "is_partner", Audience.INTERNAL: "is_own"}[audience]
    rows = Organisation.objects.filter(is_active=True, **{flag: True}).order_by("name")
    return [OrganisationView(o.pk, o.name, o.is_own, o.is_customer, o.is_partner) for o in rows]


def actors_of(organisation_ids: Iterable[int], audience: Audience) -> list[Actor]:
    """The actors that the active people of some organisations make in one audience, by name; one query."""
    rows = (
        MembershipRole.objects.filter(
            membership__organisation_id__in=set(organisation_ids),
            membership__audience=str(audience),
            membership__is_active=True,
            membership__organisation__is_active=True,
            membership__user__is_active=True,
        )
        .select_related("membership__user", "membership__organisation")
        .order_by("membership__user__name", "membership_id")
    )
    found: dict[int, tuple[Membership, set[str]]] = {}
    for row in rows:
        found.setdefault(row.membership_id, (row.membership, set()))[1].add(row.role)
    return [Actor.for_membership(membership, roles) for membership, roles in found.values()]
