"""Writing, changing and taking back messages on a record."""

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
from portal.files import FileView, store_file, store_named
from portal.live import ping
from portal.registry import SubjectRef, registry
from social_feed.access import MESSAGE
from social_feed.events import MessagePosted
from social_feed.models import Message
from social_feed.selectors.messages import audiences_for, place_for, recipients_of
from social_feed.text import clean_body, find_mentions


def post_message(
    actor: Actor,
    ref: SubjectRef,
    audience: Audience,
    body: str,
    files: Iterable[Any] = (),
    *,
    organisation_id: int | None = None,
    key: UUID | None = None,
) -> int:
    """Write a message on a record for one audience; gives its id. A repeated `key` gives the first message again.

    A message that leaves the company is for one organisation, which must take part in the record or in one that a process joined to it:
    the only one that does, or the one named. It is kept on the record that this organisation sees. Raises Refused for an empty text, a
    record out of reach, an audience the actor may not write for, or nobody to read it.
    """
    files = list(files)
    body = clean_body(body, may_be_empty=bool(files))
    audience = Audience(audience)
    if not actor.is_system and registry.resolve(actor, ref) is None:
        raise Refused(_("This record isn't there any more."))
    if audience not in audiences_for(actor):
        raise NotAllowed(_("You write to us in your own conversation."), "audience")
    if key is not None and (earlier := Message.objects.filter(key=key, author_id=actor.user_id).first()):
        return earlier.pk
    reach = recipients_of(actor, ref, audience)
    if actor.is_internal:
        ref, _people = place_for(ref, audience)
    if not actor.is_internal:
        organisation_id = actor.organisation_id
    elif audience is Audience.INTERNAL:
        organisation_id = None
    else:
        if not reach.organisations:
            raise Refused(_("Nobody outside takes part in this record yet, so there is no one to write to."), "audience")
        chosen = reach.of(organisation_id)
        if chosen is None:
            raise Refused(_("Several organisations take part: choose which one you write to."), "organisation")
        organisation_id = chosen.id
    with transaction.atomic():
        row = Message.objects.create(
            subject_kind=ref.kind,
            subject_id=ref.id,
            audience=str(audience),
            organisation_id=organisation_id,
            author_id=actor.user_id,
            author_name=actor.name,
            author_audience=str(actor.audience),
            author_organisation=actor.organisation_name,
            body=body,
            mentions=find_mentions(body, _addressable(reach.employees, reach, organisation_id)),
            file_count=len(files),
            key=key,
        )
        for upload in files:
            store_file(actor, SubjectRef(MESSAGE, row.pk), upload, {audience}, kind="message")
        record(actor, "message.posted", ref, after={"message": row.pk, "audience": str(audience), "organisation": organisation_id})
        emit(MessagePosted(row.pk, ref, audience, organisation_id, actor, body, row.mentions))
        ping(str(ref))
    return row.pk


def _addressable(staff, reach, organisation_id: int | None) -> list[tuple[int, str]]:
    chosen = reach.of(organisation_id)
    return [*staff, *(chosen.people if chosen else ())]


def _own(actor: Actor, message_id: int, *, deleted: bool = False) -> Message:
    """The actor's own message, locked; refuses anybody else's as if it weren't there."""
    row = (
        Message.objects.select_for_update()
        .filter(pk=message_id, author_id=actor.user_id, author_audience=str(actor.audience), deleted__isnull=not deleted)
        .first()
    )
    if row is None or actor.user_id is None or registry.resolve(actor, SubjectRef(row.subject_kind, row.subject_id)) is None:
        raise Refused(_("This message isn't there any more."))
    return row


def edit_message(actor: Actor, message_id: int, body: str) -> None:
    """Change one's own message; readers see that it was edited. The audience never changes."""
    with transaction.atomic():
        row = _own(actor, message_id)
        ref = SubjectRef(row.subject_kind, row.subject_id)
        body = clean_body(body, may_be_empty=bool(row.file_count))
        if body == row.body:
            return
        before, row.body, row.edited = row.body, body, timezone.now()
        reach = recipients_of(actor, ref, Audience(row.audience))
        row.mentions = find_mentions(body, _addressable(reach.employees, reach, row.organisation_id))
        row.save(update_fields=["body", "edited", "mentions"])
        record(actor, "message.edited", ref, before={"message": row.pk, "body": before}, after={"body": body})
        ping(str(ref))


def delete_message(actor: Actor, message_id: int) -> SubjectRef:
    """Take one's own message back; `restore_message` undoes it."""
    with transaction.atomic():
        row = _own(actor, message_id)
        row.deleted = timezone.now()
        row.save(update_fields=["deleted"])
        ref = SubjectRef(row.subject_kind, row.subject_id)
        record(actor, "message.deleted", ref, before={"message": row.pk})
        ping(str(ref))
    return ref


def restore_message(actor: Actor, message_id: int) -> SubjectRef:
    """Undo `delete_message`."""
    with transaction.atomic():
        row = _own(actor, message_id, deleted=True)
        row.deleted = None
        row.save(update_fields=["deleted"])
        ref = SubjectRef(row.subject_kind, row.subject_id)
        record(actor, "message.restored", ref, after={"message": row.pk})
        ping(str(ref))
    return ref


def add_files(actor: Actor, ref: SubjectRef, uploads: Iterable[Any], audiences: Iterable[Audience]) -> list[FileView]:
    """Put files on a record, for colleagues and the chosen audiences; each audience finds them on the record of the conversation that it
    sees. One that is called like a document there, for the same audiences, becomes its next version. Gives them as they are kept.
    Raises Refused for a file that can't be kept; those before it stay."""
    chosen = [a for a in audiences if a is not Audience.INTERNAL and a in audiences_for(actor)]
    targets: dict[SubjectRef, set[Audience]] = {}
    for audience in chosen if actor.is_internal else ():
        targets.setdefault(place_for(ref, audience)[0], set()).add(audience)
    kept = []
    for upload in uploads:
        for target, readers in (targets or {ref: set(chosen)}).items():
            upload.seek(0)
            kept.append(store_named(actor, target, upload, readers))
    return kept
