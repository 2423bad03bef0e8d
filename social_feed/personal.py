"""What messages, the feed and notifications keep about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.personal import CLEAR, DROP, NAME, Trace, register_traces

LETTERS = _("Messages about a request or a project are business letters: they stay for the time the law sets, without your name.")


def register() -> None:
    """Messages, posts, comments, reactions, follows, notifications."""
    register_traces(
        Trace(
            "messages",
            _("Messages you wrote"),
            "social_feed.Message",
            "author",
            ("subject_kind", "subject_id", "body", "created", "edited"),
            CLEAR,
            {"author_name": NAME},
            LETTERS,
        ),
        Trace("posts", _("Posts you wrote"), "social_feed.Post", "author", ("body", "created", "edited"), CLEAR, {"author_name": NAME}),
        Trace("comments", _("Comments you wrote"), "social_feed.Comment", "author", ("body", "created"), CLEAR, {"author_name": NAME}),
        Trace("reactions", _("Signs you set"), "social_feed.Reaction", "user", ("sign", "created"), DROP),
        Trace("groups", _("Groups you are in"), "social_feed.GroupMember", "user", ("group__name", "joined"), DROP),
        Trace("follows", _("What you follow or muted"), "social_feed.Follow", "user", ("target", "state", "created"), DROP),
        Trace(
            "notifications",
            _("Notifications you got"),
            "social_feed.Notification",
            "user",
            ("kind", "by_name", "text", "values", "created", "read"),
            DROP,
        ),
        Trace(
            "notification-choices",
            _("Which notifications reach you"),
            "social_feed.NotificationChoice",
            "user",
            ("kind", "on_bell", "by_mail"),
            DROP,
        ),
    )
