"""Reads of notifications: the bell's count, the list, a person's choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from portal.access import Actor
from portal.registry import SubjectRef, SubjectView, registry
from social_feed.access import visible_notifications
from social_feed.models import Notification, NotificationChoice
from social_feed.notification_kinds import KINDS, kinds_for
from social_feed.selectors.stories import Piece, pieces_of
from social_feed.stories import refs_in

MOST = 99


@dataclass(frozen=True, slots=True)
class NotificationView:
    """A notification as its reader sees it."""

    id: int
    kind: str
    icon: str
    pieces: tuple[Piece, ...]
    quote: str
    subject: SubjectView | None
    created: datetime
    is_read: bool

    @property
    def plain(self) -> str:
        """The line as text."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """One kind with the reader's choice."""

    key: str
    label: str
    help: str
    on_bell: bool
    by_mail: bool


def line_of(actor: Actor, row: Notification, seen: Mapping[SubjectRef, SubjectView]) -> NotificationView:
    """A row in its reader's words; records they may not see are named by their kind alone."""
    subject = seen.get(SubjectRef(row.subject_kind, row.subject_id))
    values = {name: value for name, value in row.values.items() if name != "quote"}
    title = subject.title if subject else _("a record")
    pieces = pieces_of(row.text, values, seen, actor=row.by_name or "Tandem", extra={"subject": title})
    kind = KINDS.get(row.kind)
    return NotificationView(
        row.pk, row.kind, kind.icon if kind else "bell", pieces, row.values.get("quote", ""), subject, row.created, row.read is not None
    )


def unread_count(actor: Actor) -> int:
    """How many notifications wait; counted up to a hundred."""
    return visible_notifications(actor).filter(read__isnull=True).order_by()[: MOST + 1].count()


def notifications(actor: Actor, *, unread: bool = False, before: int | None = None, limit: int = 30) -> list[NotificationView]:
    """One's notifications, newest first."""
    rows = visible_notifications(actor)
    if unread:
        rows = rows.filter(read__isnull=True)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows.order_by("-pk")[:limit])
    refs = [SubjectRef(row.subject_kind, row.subject_id) for row in page] + [ref for row in page for ref in refs_in(row.values)]
    seen = registry.resolve_many(actor, refs)
    return [line_of(actor, row, seen) for row in page]


def notification(actor: Actor, notification_id: int) -> NotificationView | None:
    """One of one's own notifications."""
    row = visible_notifications(actor).filter(pk=notification_id).first()
    if row is None:
        return None
    return line_of(actor, row, registry.resolve_many(actor, [SubjectRef(row.subject_kind, row.subject_id)]))


def choices_of(actor: Actor) -> list[ChoiceView]:
    """Every kind that concerns the reader, with their choice or its default."""
    rows = {row.kind: row for row in NotificationChoice.objects.filter(user_id=actor.user_id)}
    return [
        ChoiceView(
            kind.key,
            str(kind.label),
            str(kind.help),
            rows[kind.key].on_bell if kind.key in rows else True,
            rows[kind.key].by_mail if kind.key in rows else actor.audience in kind.mailed,
        )
        for kind in kinds_for(actor.audience)
    ]
