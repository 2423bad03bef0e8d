"""Making groups and saying who belongs to them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.registry import SubjectRef
from social_feed.access import FeedPermission
from social_feed.models import Group, GroupMember
from social_feed.selectors.follows import colleagues
from social_feed.selectors.groups import may_read_group


def _ref(group_id: int) -> SubjectRef:
    return SubjectRef("social_feed.group", group_id)


def create_group(actor: Actor, name: str, *, purpose: str = "", is_open: bool = True, member_ids: Iterable[int] = ()) -> int:
    """Make a group with its maker as administrator; gives its id."""
    name = " ".join(name.split())
    if not actor.is_internal:
        raise NotAllowed(_("The feed is for colleagues."))
    if not name:
        raise Refused(_("Give the group a name."), "name")
    if len(name) > 80:
        raise Refused(_("Choose a shorter name: at most 80 characters."), "name")
    if Group.objects.filter(name__iexact=name).exists():
        raise Refused(_("There is a group of this name already."), "name")
    with transaction.atomic():
        group = Group.objects.create(name=name, purpose=purpose.strip()[:300], is_open=is_open)
        people = {a.user_id for a in colleagues(set(member_ids))} | ({actor.user_id} if actor.user_id else set())
        GroupMember.objects.bulk_create([GroupMember(group=group, user_id=pk, is_admin=pk == actor.user_id) for pk in people if pk])
        record(actor, "group.created", _ref(group.pk), after={"name": name, "is_open": is_open})
    return group.pk


def set_members(actor: Actor, group_id: int, member_ids: Iterable[int]) -> None:
    """Say who belongs to a group; for its administrators and those who manage all groups. Administrators stay."""
    with transaction.atomic():
        group = Group.objects.select_for_update().filter(pk=group_id).first()
        admins = set(GroupMember.objects.filter(group_id=group_id, is_admin=True).values_list("user_id", flat=True))
        if group is None or not actor.is_internal or not (actor.can(FeedPermission.MANAGE_GROUPS) or actor.user_id in admins):
            raise NotAllowed(_("Only the group's administrators say who belongs to it."))
        wanted = {a.user_id for a in colleagues(set(member_ids))} | admins
        before = set(GroupMember.objects.filter(group=group).values_list("user_id", flat=True))
        GroupMember.objects.filter(group=group, user_id__in=before - wanted).delete()
        GroupMember.objects.bulk_create([GroupMember(group=group, user_id=pk) for pk in wanted - before if pk])
        record(actor, "group.members", _ref(group_id), before={"people": sorted(before)}, after={"people": sorted(filter(None, wanted))})


def join_group(actor: Actor, group_id: int, joined: bool = True) -> None:
    """Join or leave a group that the actor may read; a closed one is joined through its administrators."""
    if not may_read_group(actor, str(group_id)):
        raise Refused(_("This group isn't there any more."))
    with transaction.atomic():
        if joined:
            GroupMember.objects.get_or_create(group_id=group_id, user_id=actor.user_id)
        else:
            GroupMember.objects.filter(group_id=group_id, user_id=actor.user_id).delete()
