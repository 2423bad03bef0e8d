"""Reads of groups."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef

from portal.access import Actor
from portal.selectors import names_of
from social_feed.access import FeedPermission, visible_groups
from social_feed.models import GroupMember


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as shown in a list."""

    id: int
    name: str
    purpose: str
    is_open: bool
    member_count: int
    is_member: bool
    may_manage: bool


def groups_for(actor: Actor) -> list[GroupView]:
    """The groups an employee may read, by name."""
    own = GroupMember.objects.filter(group=OuterRef("pk"), user_id=actor.user_id)
    rows = visible_groups(actor).annotate(
        members=Count("member_rows", distinct=True), is_member=Exists(own), manages=Exists(own.filter(is_admin=True))
    )
    may = actor.can(FeedPermission.MANAGE_GROUPS)
    return [GroupView(g.pk, g.name, g.purpose, g.is_open, g.members, g.is_member, g.manages or may) for g in rows.order_by("name")]


def group(actor: Actor, group_id: int) -> GroupView | None:
    """One group, or None where the actor may not read it."""
    return next((g for g in groups_for(actor) if g.id == group_id), None)


def members_of(actor: Actor, group_id: int) -> list[tuple[int, str]]:
    """The people of a group that the actor may read, by name."""
    if not visible_groups(actor).filter(pk=group_id).exists():
        return []
    ids = GroupMember.objects.filter(group_id=group_id).values_list("user_id", flat=True)
    return sorted(names_of(ids).items(), key=lambda p: p[1])


def may_read_group(actor: Actor, key: str) -> bool:
    """Whether the actor may hear of new posts: `all` is every employee's, a number is a group's."""
    if not actor.is_internal:
        return False
    return key == "all" or (key.isdecimal() and len(key) <= 18 and visible_groups(actor).filter(pk=int(key)).exists())
