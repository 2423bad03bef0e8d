"""Reactions to what happens: who is told of messages, posts and comments."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from portal.access import Actor, Audience
from portal.events import on
from portal.registry import SubjectRef
from portal.selectors import people_with_role
from social_feed.access import POST
from social_feed.events import CommentWritten, MessagePosted, PostWritten
from social_feed.models import Comment, Message, Post
from social_feed.selectors.follows import colleagues, followers_of
from social_feed.services.follows import follow_by_taking_part
from social_feed.services.notifications import audience_people, notify

MENTIONED = gettext_noop("%(actor)s mentioned you on %(subject)s")
WROTE = gettext_noop("%(actor)s wrote on %(subject)s")
POSTED = gettext_noop("%(actor)s posted")
COMMENTED = gettext_noop("%(actor)s commented on a post")


def _ids(mentions: dict[str, str]) -> set[int]:
    return {int(key) for key in mentions}


@on(MessagePosted)
def tell_of_message(event: MessagePosted) -> None:
    """Mentioned people, the organisation it is for, and the employees who follow or took part; if there are none, all of sales."""
    source = f"message:{event.message_id}"
    mentioned = colleagues(_ids(event.mentions))
    outside: list[Actor] = []
    if event.audience is not Audience.INTERNAL:
        outside = audience_people(event.subject, event.audience, event.organisation_id)
        mentioned += [p for p in outside if p.user_id in _ids(event.mentions)]
    notify("mention", mentioned, event.subject, MENTIONED, by=event.actor, source=source, quote=event.body, even_muted=True)
    told = {p.user_id for p in mentioned}
    notify("message", [p for p in outside if p.user_id not in told], event.subject, WROTE, by=event.actor, source=source, quote=event.body)
    authors = Message.objects.filter(
        subject_kind=event.subject.kind, subject_id=event.subject.id, author_audience="internal", author__isnull=False
    ).values_list("author_id", flat=True)
    inside = {p.user_id: p for p in [*followers_of(str(event.subject)), *colleagues(set(authors.distinct()))]}
    if not inside and not event.actor.is_internal:
        inside = {p.user_id: p for p in colleagues({p.id for p in people_with_role("sales", Audience.INTERNAL)})}
    notify(
        "message",
        [p for key, p in inside.items() if key not in told],
        event.subject,
        WROTE,
        by=event.actor,
        source=source,
        quote=event.body,
    )
    follow_by_taking_part(event.actor, event.subject)


@on(PostWritten)
def tell_of_post(event: PostWritten) -> None:
    """Mentioned people, and those who follow the author or the group."""
    subject = SubjectRef(POST, event.post_id)
    source = f"post:{event.post_id}"
    mentioned = colleagues(_ids(event.mentions))
    notify("mention", mentioned, subject, MENTIONED, by=event.actor, source=source, quote=event.body, even_muted=True)
    targets = [f"person:{event.actor.user_id}"] + ([f"group:{event.group_id}"] if event.group_id else [])
    told = {p.user_id for p in mentioned}
    followers = [p for p in followers_of(*targets) if p.user_id not in told]
    notify("follow", followers, subject, POSTED, by=event.actor, source=source, quote=event.body)


@on(CommentWritten)
def tell_of_comment(event: CommentWritten) -> None:
    """Mentioned people, the post's author and those who commented before."""
    subject = SubjectRef(POST, event.post_id)
    source = f"comment:{event.comment_id}"
    mentioned = colleagues(_ids(event.mentions))
    notify("mention", mentioned, subject, MENTIONED, by=event.actor, source=source, quote=event.body, even_muted=True)
    rows = Comment.objects.filter(post_id=event.post_id, deleted__isnull=True).values_list("author_id", flat=True)
    part = set(rows.distinct()) | set(Post.objects.filter(pk=event.post_id, story="").values_list("author_id", flat=True))
    people = colleagues({key for key in part if key} - {p.user_id or 0 for p in mentioned})
    notify("comment", people, subject, COMMENTED, by=event.actor, source=source, quote=event.body)
