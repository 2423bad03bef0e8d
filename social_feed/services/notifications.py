"""Telling people: one row on the bell, a letter where they asked for one, a ping so that the bell moves at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal import rows
from portal.access import Actor, Audience
from portal.errors import Refused
from portal.events import in_bulk
from portal.live import ping
from portal.mail import absolute, send_mail_later
from portal.registry import SubjectRef, registry
from social_feed.access import visible_notifications
from social_feed.models import Follow, Notification, NotificationChoice
from social_feed.notification_kinds import KINDS, kinds_for
from social_feed.stories import kept
from social_feed.text import excerpt

LetterOf = Callable[[Actor], tuple[str, dict[str, Any]] | None] | None


def notify(
    kind: str,
    people: Iterable[Actor],
    subject: SubjectRef,
    text: str,
    *,
    by: Actor | None = None,
    values: Mapping[str, Any] | None = None,
    source: str = "",
    quote: str = "",
    even_muted: bool = False,
    letter: LetterOf = None,
) -> int:
    """Tell people about a record; gives how many were told.

    Whoever did it, whoever may not see the record and whoever muted it is left out. `text` is translated for each reader, with `values`
    and `by` in its places; `quote` is shown as written. A `source` is told once a person and kind. `letter` may give another
    letter's template for a person, and what it says beside the line; it may let somebody in, so it isn't kept once it is sent, unless
    it says `kept`. Its `attachments` go along.
    """
    chosen = {p.user_id: p for p in people if p.user_id and not p.is_anonymous and not (by and p.user_id == by.user_id)}
    if not chosen or in_bulk():
        return 0
    muted: set[int] = set()
    if not even_muted:
        targets = [str(subject), f"person:{by.user_id}"] if by and by.user_id else [str(subject)]
        muted = set(Follow.objects.filter(user_id__in=chosen, target__in=targets, state="mute").values_list("user_id", flat=True))
    choices = {row.user_id: row for row in NotificationChoice.objects.filter(user_id__in=chosen, kind=kind)}
    earlier = (
        set(Notification.objects.filter(user_id__in=chosen, kind=kind, source=source).values_list("user_id", flat=True))
        if source
        else set()
    )
    lines, letters = [], []
    for key, person in chosen.items():
        if key in muted or key in earlier or registry.resolve(person, subject) is None:
            continue
        choice = choices.get(key)
        if choice is None or choice.on_bell:
            lines.append(_row(kind, person, subject, text, by, values or {}, source, quote))
        if choice.by_mail if choice else person.audience in KINDS[kind].mailed:
            letters.append(person)
    with transaction.atomic():
        Notification.objects.bulk_create(lines, ignore_conflicts=True)
        for person in letters:
            _send_letter(kind, person, subject, text, by, values or {}, quote, source, letter)
        if lines:
            ping(*(f"bell:{row.user_id}" for row in lines))
    return len(lines)


def _row(kind, person: Actor, subject: SubjectRef, text, by, values, source, quote) -> Notification:
    return Notification(
        user_id=person.user_id,
        audience=str(person.audience),
        organisation_id=person.organisation_id,
        kind=kind,
        by_name=by.name if by and not by.is_system else "",
        text=text,
        values=kept(values) | ({"quote": excerpt(quote)} if quote else {}),
        subject_kind=subject.kind,
        subject_id=subject.id,
        source=source,
    )


def _send_letter(
    kind: str, person: Actor, subject: SubjectRef, text: str, by, values, quote: str, source: str, letter: LetterOf = None
) -> None:
    from social_feed.selectors.notifications import line_of

    language = person.language or settings.LANGUAGE_CODE
    with translation.override(language):
        row = _row(kind, person, subject, text, by, values, source, "")
        shown = registry.resolve(person, subject)
        line = line_of(person, row, {subject: shown} if shown else {})
        plain: tuple[str, dict[str, Any]] = ("social_feed/mail/notification", {})
        template, more = (letter(person) if letter else None) or plain
        attachments, kept_letter = more.pop("attachments", None), more.pop("kept", False)
        send_mail_later(
            person.email,
            line.plain,
            template,
            {"line": line.plain, "quote": quote, "url": absolute(shown.url) if shown and shown.url else "", "name": person.name, **more},
            idempotency_key=f"notify:{kind}:{person.user_id}:{source or timezone.now().timestamp()}",
            language=language,
            is_secret=bool(more) and not kept_letter,
            attachments=attachments,
        )


def tell_by_letter(kind: str, person: Actor, subject: SubjectRef, text: str, *, by: Actor, source: str, letter: LetterOf) -> None:
    """A letter alone, to whoever did something themselves and needs what goes along, such as an entry for their calendar."""
    choice = NotificationChoice.objects.filter(user_id=person.user_id, kind=kind).first()
    if not in_bulk() and (choice.by_mail if choice else person.audience in KINDS[kind].mailed):
        _send_letter(kind, person, subject, text, by, {}, "", source, letter)


def tell_followers(people: Iterable[Actor], subject: SubjectRef, text: str, *, by: Actor | None, values: Mapping[str, Any]) -> int:
    """News for those who follow a record: one line a record until it is read, always the newest."""
    people = list(people)
    if not people:
        return 0
    Notification.objects.filter(
        user_id__in=[p.user_id for p in people], kind="follow", subject_kind=subject.kind, subject_id=subject.id, read__isnull=True
    ).delete()
    return notify("follow", people, subject, text, by=by, values=values)


def mark_read(actor: Actor, ids: Iterable[int] | None = None) -> int:
    """Mark some of one's notifications as read, or all of them; gives how many were unread. A looker-on reads nothing for another."""
    if actor.viewed_by:
        return 0
    unread = visible_notifications(actor).filter(read__isnull=True)
    if ids is not None:
        unread = unread.filter(pk__in=list(ids))
    with transaction.atomic():
        changed = Notification.objects.filter(pk__in=unread.values("pk")).update(read=timezone.now())
        if changed:
            ping(f"bell:{actor.user_id}")
    return changed


def mark_messages_read(actor: Actor, subjects: Iterable[SubjectRef]) -> int:
    """The reader has the conversation of these records before them: what told of its messages is read."""
    about = Q(pk__in=[])
    for ref in subjects:
        about |= Q(subject_kind=ref.kind, subject_id=ref.id)
    unread = visible_notifications(actor).filter(about, kind__in=("message", "mention"), read__isnull=True)
    ids = list(unread.values_list("pk", flat=True))
    return mark_read(actor, ids) if ids else 0


_UNREAD = rows.Prepared(
    lambda one, other: Notification.objects.filter(source__in=[one, other], read__isnull=True).only("user_id"), "?one?", "?other?"
)


def settle(source: str, other: str = "") -> None:
    """What a notification (or one of two) asked for is done: nobody need read it any more."""
    unread = _UNREAD.rows(source, other or source)
    if unread:
        Notification.objects.filter(pk__in=[row.pk for row in unread]).update(read=timezone.now())
        ping(*(f"bell:{row.user_id}" for row in unread))


def settle_all(sources: list[str]) -> None:
    """What several notifications asked for is done: nobody need read any of them any more."""
    unread = Notification.objects.filter(source__in=sources, read=None)
    users = set(unread.values_list("user_id", flat=True))
    if users:
        unread.update(read=timezone.now())
        ping(*(f"bell:{user}" for user in users))


def unused(sources: list[str]) -> str:
    """The first of these sources that nobody has been told by; the last where all were used."""
    used = set(Notification.objects.filter(source__in=sources).values_list("source", flat=True))
    return next((source for source in sources if source not in used), sources[-1])


def withdraw(source: str) -> None:
    """What a notification told of was taken back."""
    users = list(Notification.objects.filter(source=source).values_list("user_id", flat=True))
    if users:
        Notification.objects.filter(source=source).delete()
        ping(*(f"bell:{user}" for user in users))


def choose_notifications(actor: Actor, choices: Mapping[str, tuple[bool, bool]]) -> None:
    """Keep a person's choices: kind → (on the bell, by mail)."""
    allowed = {kind.key for kind in kinds_for(actor.audience)}
    if actor.user_id is None or not set(choices) <= allowed:
        raise Refused(_("There is no such kind of notification."))
    with transaction.atomic():
        for kind, (on_bell, by_mail) in choices.items():
            NotificationChoice.objects.update_or_create(user_id=actor.user_id, kind=kind, defaults={"on_bell": on_bell, "by_mail": by_mail})


def audience_people(subject: SubjectRef, audience: Audience, organisation_id: int | None = None) -> list[Actor]:
    """The outsiders who take part in a record and may see it; of one organisation where it is named."""
    from social_feed.selectors.messages import organisations_on

    found = organisations_on(subject, audience)
    return [p for key, people in found.items() if organisation_id in (None, key) for p in people]
