"""Writing, changing and taking back posts and comments; signs under posts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.events import emit
from portal.files import store_file
from portal.live import ping
from portal.registry import SubjectRef
from social_feed.access import POST, FeedPermission, visible_posts
from social_feed.events import CommentWritten, PostWritten
from social_feed.models import Comment, Post, Reaction
from social_feed.selectors.follows import colleagues
from social_feed.selectors.groups import may_read_group
from social_feed.selectors.posts import SIGNS
from social_feed.services.notifications import withdraw
from social_feed.text import clean_body, find_mentions


def _employee(actor: Actor) -> None:
    if not actor.is_internal or actor.user_id is None:
        raise NotAllowed(_("The feed is for colleagues."))


def _ref(row: Post) -> SubjectRef:
    return SubjectRef(POST, row.pk)


def _topic(row: Post) -> str:
    return f"feed:{row.group_id or 'all'}"


def _mentions(body: str, group_id: int | None) -> dict[str, str]:
    if "@" not in body:
        return {}
    return find_mentions(body, [(a.user_id or 0, a.name) for a in colleagues()])


def write_post(actor: Actor, body: str, *, group_id: int | None = None, files: Iterable[Any] = (), key: UUID | None = None) -> int:
    """Post to all, or to a group that the actor belongs to or that is open; gives the post's id. A repeated `key` posts once."""
    _employee(actor)
    files = list(files)
    body = clean_body(body, may_be_empty=bool(files))
    if group_id is not None and not may_read_group(actor, str(group_id)):
        raise Refused(_("This group isn't there any more."), "group")
    if key is not None and (earlier := Post.objects.filter(key=key, author_id=actor.user_id).first()):
        return earlier.pk
    with transaction.atomic():
        row = Post.objects.create(
            group_id=group_id,
            author_id=actor.user_id,
            author_name=actor.name,
            body=body,
            mentions=_mentions(body, group_id),
            file_count=len(files),
            key=key,
        )
        for upload in files:
            store_file(actor, _ref(row), upload, {Audience.INTERNAL}, kind="message")
        record(actor, "post.written", _ref(row), after={"group": group_id})
        emit(PostWritten(row.pk, group_id, actor, body, row.mentions))
        ping(_topic(row))
    return row.pk


def _own_post(actor: Actor, post_id: int, *, deleted: bool = False, moderating: bool = False) -> Post:
    rows = Post.objects.select_for_update().filter(pk=post_id, story="", deleted__isnull=not deleted)
    if not (moderating and actor.can(FeedPermission.MODERATE)):
        rows = rows.filter(author_id=actor.user_id)
    row = rows.first()
    if row is None or actor.user_id is None or not actor.is_internal:
        raise Refused(_("This post isn't there any more."))
    return row


def edit_post(actor: Actor, post_id: int, body: str) -> None:
    """Change one's own post; readers see that it was edited."""
    with transaction.atomic():
        row = _own_post(actor, post_id)
        body = clean_body(body, may_be_empty=bool(row.file_count))
        if body == row.body:
            return
        before, row.body, row.edited, row.mentions = row.body, body, timezone.now(), _mentions(body, row.group_id)
        row.save(update_fields=["body", "edited", "mentions"])
        record(actor, "post.edited", _ref(row), before={"body": before}, after={"body": body})
        ping(str(_ref(row)))


def delete_post(actor: Actor, post_id: int) -> None:
    """Take back one's own post, or as a moderator anybody's; `restore_post` undoes it."""
    with transaction.atomic():
        row = _own_post(actor, post_id, moderating=True)
        row.deleted = timezone.now()
        row.save(update_fields=["deleted"])
        withdraw(f"post:{row.pk}")
        record(actor, "post.deleted", _ref(row), before={"body": row.body})
        ping(_topic(row), str(_ref(row)))


def restore_post(actor: Actor, post_id: int) -> None:
    """Undo `delete_post`."""
    with transaction.atomic():
        row = _own_post(actor, post_id, deleted=True, moderating=True)
        row.deleted = None
        row.save(update_fields=["deleted"])
        record(actor, "post.restored", _ref(row))
        ping(_topic(row), str(_ref(row)))


def write_comment(actor: Actor, post_id: int, body: str, *, key: UUID | None = None) -> int:
    """Comment on a post that the actor reads; gives the comment's id. A repeated `key` comments once."""
    _employee(actor)
    body = clean_body(body)
    row = visible_posts(actor).filter(pk=post_id).first()
    if row is None:
        raise Refused(_("This post isn't there any more."))
    if key is not None and (earlier := Comment.objects.filter(key=key, author_id=actor.user_id).first()):
        return earlier.pk
    with transaction.atomic():
        comment = Comment.objects.create(
            post=row, author_id=actor.user_id, author_name=actor.name, body=body, mentions=_mentions(body, row.group_id), key=key
        )
        record(actor, "comment.written", _ref(row), after={"comment": comment.pk})
        emit(CommentWritten(comment.pk, row.pk, actor, body, comment.mentions))
        ping(str(_ref(row)))
    return comment.pk


def _own_comment(actor: Actor, comment_id: int, *, deleted: bool = False, moderating: bool = False) -> Comment:
    rows = Comment.objects.select_for_update().filter(pk=comment_id, deleted__isnull=not deleted)
    if not (moderating and actor.can(FeedPermission.MODERATE)):
        rows = rows.filter(author_id=actor.user_id)
    row = rows.first()
    if row is None or actor.user_id is None or not visible_posts(actor).filter(pk=row.post_id).exists():
        raise Refused(_("This comment isn't there any more."))
    return row


def edit_comment(actor: Actor, comment_id: int, body: str) -> int:
    """Change one's own comment; gives its post's id."""
    with transaction.atomic():
        row = _own_comment(actor, comment_id)
        body = clean_body(body)
        if body != row.body:
            before, row.body, row.edited, row.mentions = row.body, body, timezone.now(), _mentions(body, None)
            row.save(update_fields=["body", "edited", "mentions"])
            ref = SubjectRef(POST, row.post_id)
            record(actor, "comment.edited", ref, before={"comment": row.pk, "body": before}, after={"body": body})
            ping(str(ref))
    return row.post_id


def delete_comment(actor: Actor, comment_id: int) -> int:
    """Take back one's own comment; gives its post's id. `restore_comment` undoes it."""
    with transaction.atomic():
        row = _own_comment(actor, comment_id, moderating=True)
        row.deleted = timezone.now()
        row.save(update_fields=["deleted"])
        withdraw(f"comment:{row.pk}")
        ref = SubjectRef(POST, row.post_id)
        record(actor, "comment.deleted", ref, before={"comment": row.pk, "body": row.body})
        ping(str(ref))
    return row.post_id


def restore_comment(actor: Actor, comment_id: int) -> int:
    """Undo `delete_comment`; gives the post's id."""
    with transaction.atomic():
        row = _own_comment(actor, comment_id, deleted=True, moderating=True)
        row.deleted = None
        row.save(update_fields=["deleted"])
        ref = SubjectRef(POST, row.post_id)
        record(actor, "comment.restored", ref, after={"comment": row.pk})
        ping(str(ref))
    return row.post_id


def set_reaction(actor: Actor, post_id: int, sign: str, on: bool) -> None:
    """Give a sign under a post, or take it away; saying the same twice changes nothing."""
    _employee(actor)
    if sign not in SIGNS:
        raise Refused(_("There is no such sign."))
    row = visible_posts(actor).filter(pk=post_id).first()
    if row is None:
        raise Refused(_("This post isn't there any more."))
    with transaction.atomic():
        if on:
            Reaction.objects.get_or_create(post=row, user_id=actor.user_id, sign=sign)
        else:
            Reaction.objects.filter(post=row, user_id=actor.user_id, sign=sign).delete()
        ping(str(_ref(row)))
