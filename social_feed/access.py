"""Who sees which messages, posts and notifications: the only way to rows."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q, QuerySet

from portal.access import Actor, Audience
from portal.registry import registry
from social_feed.models import Comment, Group, GroupMember, Message, Notification, Post

MESSAGE, POST = "social_feed.message", "social_feed.post"
OWN_KINDS = {MESSAGE, POST}


class FeedPermission(StrEnum):
    """What the feed guards beyond reading and writing."""

    MODERATE = "social_feed.moderate"
    MANAGE_GROUPS = "social_feed.manage_groups"


def subjects_seen(actor: Actor, kinds: set[str] | None = None) -> Q:
    """Rows whose `subject_kind` and `subject_id` name a record the actor may see; a kind without limits costs no subquery."""
    if actor.is_system:
        return Q()
    seen = Q(pk__in=[])
    free = []
    for key, kind in registry.subjects.items():
        if key in OWN_KINDS or (kinds is not None and key not in kinds):
            continue
        rows = kind.visible(actor)
        if rows.query.is_empty():
            continue
        if not rows.query.where and not rows.query.is_sliced and not rows.query.combinator:
            free.append(key)
        else:
            seen |= Q(subject_kind=key, subject_id__in=rows.order_by().values("pk"))
    return seen | Q(subject_kind__in=free)


def messages_of_audience(actor: Actor) -> QuerySet[Message]:
    """The messages that an actor may read by their audience; the record's own gate comes on top."""
    match actor.audience:
        case Audience.INTERNAL:
            return Message.objects.filter(deleted__isnull=True)
        case Audience.CUSTOMER | Audience.PARTNER:
            return Message.objects.filter(audience=str(actor.audience), organisation_id=actor.organisation_id, deleted__isnull=True)
        case _:
            return Message.objects.none()


def visible_messages(actor: Actor) -> QuerySet[Message]:
    """The messages that an actor may read, on all records that they see."""
    return messages_of_audience(actor).filter(subjects_seen(actor))


def visible_groups(actor: Actor) -> QuerySet[Group]:
    """Employees see open groups and those they belong to."""
    if actor.is_system:
        return Group.objects.all()
    if not actor.is_internal:
        return Group.objects.none()
    return Group.objects.filter(Q(is_open=True) | Q(pk__in=GroupMember.objects.filter(user_id=actor.user_id).values("group_id")))


def visible_posts(actor: Actor) -> QuerySet[Post]:
    """Employees see posts to all, to groups they may read, and stories on records they may see. Outsiders see none, ever."""
    if actor.is_system:
        return Post.objects.filter(deleted__isnull=True)
    if not actor.is_internal:
        return Post.objects.none()
    groups = Q(group__isnull=True) | Q(group__in=visible_groups(actor).values("pk"))
    kinds = set(registry.subjects)
    return Post.objects.filter(groups, deleted__isnull=True).filter(Q(subject_kind="") | subjects_seen(actor, kinds))


def visible_comments(actor: Actor) -> QuerySet[Comment]:
    """The comments on posts that the actor sees."""
    return Comment.objects.filter(post__in=visible_posts(actor).values("pk"), deleted__isnull=True)


def visible_notifications(actor: Actor) -> QuerySet[Notification]:
    """One's own notifications, of the membership one acts in, about records that one may still see."""
    if actor.user_id is None or actor.is_anonymous:
        return Notification.objects.none()
    own = Notification.objects.filter(user_id=actor.user_id, audience=str(actor.audience), organisation_id=actor.organisation_id)
    seen = subjects_seen(actor)
    if actor.is_internal:
        seen |= Q(subject_kind=POST, subject_id__in=visible_posts(actor).order_by().values("pk"))
    return own.filter(seen)
