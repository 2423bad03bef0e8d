"""People's profiles, roles and places; the last administrator can't lock the company out."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from portal.access import Actor, Audience, PortalPermission
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import RolesChanged, emit
from portal.live import ping
from portal.models import Membership, MembershipRole, Organisation, User
from portal.registry import SubjectRef, registry
from portal.selectors import employees, manager_of
from portal.services.site import sync_editor


def update_profile(actor: Actor, *, name: str, job_title: str = "", phone: str = "", language: str = "", time_zone: str = "") -> None:
    """Change one's own name, job, phone, language and zone. Raises Refused with the field."""
    name = name.strip()[:150]
    if not name:
        raise Refused(_("Tell us your name."), "name")
    if language and language not in dict(settings.LANGUAGES):
        raise Refused(_("This language isn't offered."), "language")
    if time_zone and time_zone not in zoneinfo.available_timezones():
        raise Refused(_("There is no such time zone."), "time_zone")
    User.objects.filter(pk=actor.user_id).update(
        name=name, job_title=job_title.strip()[:120], phone=phone.strip()[:40], language=language, time_zone=time_zone
    )


def set_roles(actor: Actor, membership_id: int, roles: Iterable[str]) -> None:
    """Give a membership exactly these roles. Raises Refused for a role of another audience, none at all, or the last administrator."""
    wanted = set(roles)
    with transaction.atomic():
        place = _lock(actor, membership_id)
        known = {key for key, role in registry.roles.items() if role.audience == place.audience}
        if not wanted or wanted - known:
            raise Refused(_("Choose at least one role of this kind of people."), "roles")
        rows = MembershipRole.objects.filter(membership=place)
        before = set(rows.values_list("role", flat=True))
        if wanted == before:
            return
        rows.exclude(role__in=wanted).delete()
        MembershipRole.objects.bulk_create([MembershipRole(membership=place, role=role) for role in sorted(wanted - before)])
        _keep_an_administrator(actor, place)
        _tell_of_roles(actor, place)
        record(actor, "membership.roles_set", _ref(place), before={"roles": sorted(before)}, after=_what(place, sorted(wanted)))
        sync_editor(place.user)
        ping(str(_ref(place)))


def set_manager(actor: Actor, membership_id: int, user_id: int | None) -> None:
    """Say whom an employee answers to, or nobody. Raises Refused for somebody who doesn't work here, and where it would go in a circle."""
    with transaction.atomic():
        place = _lock(actor, membership_id)
        if place.audience != Audience.INTERNAL:
            raise Refused(_("Only employees have a manager here."), "manager")
        if user_id is not None and user_id not in {person.id for person in employees()}:
            raise Refused(_("Choose a colleague."), "manager")
        above, seen = user_id, set()
        while above is not None and above not in seen:
            if above == place.user_id:
                raise Refused(_("In the end this person would be their own manager. Choose somebody else."), "manager")
            seen.add(above)
            above = manager_of(above)
        if place.manager_id == user_id:
            return
        before, place.manager_id = place.manager_id, user_id
        place.save(update_fields=["manager"])
        told = {"user": place.user_id, "manager": user_id}
        record(actor, "membership.manager_set", _ref(place), before={"manager": before}, after=told)


def remove_member(actor: Actor, membership_id: int, reason: str = "") -> None:
    """End a membership at once; what the person did stays in their name."""
    with transaction.atomic():
        place = _lock(actor, membership_id)
        if place.user_id == actor.user_id:
            raise Refused(_("You can't remove yourself. Ask another administrator."))
        before = sorted(place.role_rows.values_list("role", flat=True))
        place.role_rows.all().delete()
        place.is_active = False
        place.save(update_fields=["is_active"])
        _keep_an_administrator(actor, place)
        _tell_of_roles(actor, place)
        record(actor, "membership.removed", _ref(place), before=_what(place, before), reason=reason.strip())
        sync_editor(place.user)
        ping(str(_ref(place)))


def set_member_active(actor: Actor, membership_id: int, active: bool) -> None:
    """Let a colleague from outside in no more, or in again with the roles they had; sessions end with the next click.

    Raises Refused for oneself (see `leave`) and for the last administrator, NotAllowed for anybody but an administrator of the place.
    """
    with transaction.atomic():
        place = _lock(actor, membership_id, active=None)
        if place.audience == Audience.INTERNAL:
            raise NotAllowed(_("Our own people are looked after in the settings."))
        if place.user_id == actor.user_id:
            raise Refused(_("You can't deactivate yourself. Leave instead, or ask another administrator."))
        if place.is_active == active:
            return
        place.is_active = active
        place.save(update_fields=["is_active"])
        if active and not place.role_rows.exists():
            least = "customer_viewer" if place.audience == Audience.CUSTOMER else "partner_member"
            MembershipRole.objects.create(membership=place, role=least)
        _keep_an_administrator(actor, place)
        _tell_of_roles(actor, place)
        roles = sorted(place.role_rows.values_list("role", flat=True))
        record(actor, "membership.activated" if active else "membership.deactivated", _ref(place), after=_what(place, roles))
        ping(str(_ref(place)))


def leave(actor: Actor) -> None:
    """End one's own membership of an outside organisation. Raises Refused for its last administrator."""
    if actor.is_internal or actor.membership_id is None:
        raise NotAllowed(_("Only an administrator may do this."))
    with transaction.atomic():
        place = _locked_place(actor.membership_id)
        if place is None or place.user_id != actor.user_id or not place.is_active:
            raise Conflict(_("This person isn't a member there any more."))
        place.is_active = False
        place.save(update_fields=["is_active"])
        _keep_an_administrator(actor, place)
        _tell_of_roles(actor, place)
        record(actor, "membership.left", _ref(place), before=_what(place, sorted(actor.roles)))
        ping(str(_ref(place)))


def set_person_active(actor: Actor, user_id: int, active: bool) -> None:
    """Lock a person out of everything, or let them in again; sessions end with the next click."""
    if not actor.can(PortalPermission.ADMINISTER):
        raise NotAllowed(_("Only an administrator may do this."))
    if user_id == actor.user_id:
        raise Refused(_("You can't lock yourself out. Ask another administrator."))
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise Refused(_("This person isn't there any more."))
        if user.is_active == active:
            return
        user.is_active = active
        user.save(update_fields=["is_active"])
        _keep_an_administrator(actor)
        place = Membership.objects.filter(user=user).order_by("pk").first()
        if place is not None:
            record(actor, "person.let_in" if active else "person.locked_out", _ref(place), after={"user": user.pk})
        sync_editor(user)


def update_organisation(
    actor: Actor, organisation_id: int, *, name: str, is_customer: bool, is_partner: bool, is_active: bool
) -> Organisation:
    """Change an organisation's name and kinds; one that is inactive lets none of its people in."""
    if not actor.can(PortalPermission.ADMINISTER):
        raise NotAllowed(_("Only an administrator may do this."))
    name = name.strip()[:200]
    if not name:
        raise Refused(_("Give the organisation a name."), "name")
    with transaction.atomic():
        row = Organisation.objects.select_for_update().filter(pk=organisation_id).first()
        if row is None:
            raise Refused(_("This organisation isn't there any more."))
        if row.is_own and not is_active:
            raise Refused(_("Our own company stays active."), "is_active")
        if not (row.is_own or is_customer or is_partner):
            raise Refused(_("Say whether it is a customer, a partner or both."), "is_customer")
        fields = ("name", "is_customer", "is_partner", "is_active")
        before = {field: getattr(row, field) for field in fields}
        row.name, row.is_customer, row.is_partner, row.is_active = name, is_customer, is_partner, is_active
        after = {field: getattr(row, field) for field in fields}
        if before != after:
            row.save(update_fields=fields)
            record(actor, "organisation.changed", SubjectRef("portal.organisation", row.pk), before=before, after=after)
            ping(f"portal.organisation:{row.pk}")
    return row


def _locked_place(membership_id: int) -> Membership | None:
    """Lock a membership after its organisation: two administrators who take each other's role come one after the other."""
    organisation_id = Membership.objects.filter(pk=membership_id).values_list("organisation_id", flat=True).first()
    if organisation_id is None:
        return None
    Organisation.objects.select_for_update().get(pk=organisation_id)
    return Membership.objects.select_related("user").select_for_update(of=("self",)).filter(pk=membership_id).first()


def _lock(actor: Actor, membership_id: int, active: bool | None = True) -> Membership:
    place = _locked_place(membership_id)
    if place is None or (active is not None and place.is_active != active):
        raise Conflict(_("This person isn't a member there any more."))
    own = actor.organisation_id == place.organisation_id and actor.audience == place.audience
    if not (actor.can(PortalPermission.ADMINISTER) or (own and not actor.is_internal and actor.can(PortalPermission.INVITE_COLLEAGUES))):
        raise NotAllowed(_("Only an administrator may do this."))
    return place


def _keep_an_administrator(actor: Actor, place: Membership | None = None) -> None:
    """Our company always keeps one; an outside organisation does not lose its last by its own hand (ours may close it down)."""
    rows = MembershipRole.objects.filter(
        membership__is_active=True, membership__user__is_active=True, membership__organisation__is_active=True
    )
    if not rows.filter(role="administrator").exists():
        raise Refused(_("Somebody must remain administrator."), "roles")
    if place is None or place.audience == Audience.INTERNAL or actor.is_internal:
        return
    if not rows.filter(role=f"{place.audience}_admin", membership__organisation_id=place.organisation_id).exists():
        raise Refused(
            _("%(name)s is the last administrator. Make a colleague an administrator first.") % {"name": place.user.name}, "roles"
        )


def _tell_of_roles(actor: Actor, place: Membership) -> None:
    """Others may refuse it: what they built on the roles of an organisation must not fall in."""
    emit(RolesChanged(actor, place.user_id, place.user.name, place.organisation_id, Audience(place.audience)))


def _ref(place: Membership) -> SubjectRef:
    return SubjectRef("portal.organisation", place.organisation_id)


def _what(place: Membership, roles: list[str]) -> dict[str, object]:
    return {"user": place.user_id, "audience": str(Audience(place.audience)), "roles": roles}
