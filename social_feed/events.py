"""What happened in messages and the feed."""

from __future__ import annotations

from dataclasses import dataclass

from portal.access import Actor, Audience
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class MessagePosted:
    """Somebody wrote a message on a record."""

    message_id: int
    subject: SubjectRef
    audience: Audience
    organisation_id: int | None
    actor: Actor
    body: str
    mentions: dict[str, str]


@dataclass(frozen=True, slots=True)
class PostWritten:
    """Somebody posted to the feed."""

    post_id: int
    group_id: int | None
    actor: Actor
    body: str
    mentions: dict[str, str]


@dataclass(frozen=True, slots=True)
class CommentWritten:
    """Somebody commented on a post."""

    comment_id: int
    post_id: int
    actor: Actor
    body: str
    mentions: dict[str, str]
