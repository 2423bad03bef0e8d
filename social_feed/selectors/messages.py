"""Reads of messages on a record, and whom a message would reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, Q
from django.utils.safestring import SafeString

from portal.access import Actor, Audience
from portal.files import FileView, files_for_many
from portal.registry import SubjectRef, SubjectView, registry
from portal.selectors import OrganisationView, actors_of, employees, organisations, organisations_of
from social_feed.access import MESSAGE, messages_of_audience, visible_notifications
from social_feed.models import Message
from social_feed.text import excerpt, render
from workflows.selectors import linked_subjects

OUTSIDE = (Audience.CUSTOMER, Audience.PARTNER)
MANY = 200


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as its reader sees it."""

    id: int
    ref: SubjectRef
    audience: Audience
    author: str
    author_id: int | None
    author_audience: Audience
    author_organisation: str
    organisation: str
    body: str
    html: SafeString
    created: datetime
    edited: datetime | None
    is_own: bool
    files: tuple[FileView, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganisationRecipients:
    """The people of one outside organisation whom a message would reach."""

    id: int
    name: str
    people: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who would read a message, shown before it is sent."""

    audience: Audience
    company: str
    organisations: tuple[OrganisationRecipients, ...] = ()
    employees: tuple[tuple[int, str], ...] = field(default=(), repr=False)

    @property
    def people(self) -> list[tuple[int, str]]:
        """Everybody who may be mentioned."""
        return [*self.employees, *(person for organisation in self.organisations for person in organisation.people)]

    def of(self, organisation_id: int | None) -> OrganisationRecipients | None:
        """One organisation's people; the only one where none is named."""
        if organisation_id is None:
            return self.organisations[0] if len(self.organisations) == 1 else None
        return next((o for o in self.organisations if o.id == organisation_id), None)


def _own_company() -> str:
    own = organisations_of(Audience.INTERNAL)
    return own[0].name if own else ""


def audiences_for(actor: Actor) -> tuple[Audience, ...]:
    """The audiences that an actor may write for; outsiders write in their own alone."""
    if actor.is_internal:
        return (Audience.INTERNAL, Audience.PARTNER, Audience.CUSTOMER)
    return () if actor.is_anonymous or actor.is_reader else (actor.audience,)


def organisations_on(ref: SubjectRef, audience: Audience) -> dict[int, list[Actor]]:
    """The outside organisations that take part in a record, each with those of its people who may see it."""
    kind = registry.subjects.get(ref.kind)
    if kind is None or audience not in OUTSIDE:
        return {}
    if kind.organisations is not None:
        ids = {organisation_id for side, organisation_id in kind.organisations(ref.id) if side == audience}
    else:
        ids = {o.id for o in organisations_of(audience)[:MANY]}
    found: dict[int, list[Actor]] = {}
    for person in actors_of(ids, audience) if ids else []:
        if registry.resolve(person, ref) is not None:
            found.setdefault(person.organisation_id or 0, []).append(person)
    return found


def conversation_of(ref: SubjectRef) -> list[SubjectRef]:
    """The records that share one conversation: a record and those that its processes joined to it, such as a request and its deal."""
    return [ref, *(other for other in linked_subjects(ref) if other.kind in registry.subjects)]


def seen_conversation(actor: Actor, ref: SubjectRef) -> list[SubjectRef]:
    """The records of a conversation that the actor may see; none where the record itself is out of reach."""
    refs = conversation_of(ref)
    if actor.is_system:
        return refs
    seen = registry.resolve_many(actor, refs)
    return [other for other in refs if other in seen] if ref in seen else []


def place_for(ref: SubjectRef, audience: Audience) -> tuple[SubjectRef, dict[int, list[Actor]]]:
    """On which record of a conversation an audience reads: the record itself where outsiders of it take part, else the nearest one."""
    if audience in OUTSIDE:
        for other in conversation_of(ref):
            if found := organisations_on(other, audience):
                return other, found
    return ref, {}


def _on(refs: Iterable[SubjectRef]) -> Q:
    found = Q(pk__in=[])
    for ref in refs:
        found |= Q(subject_kind=ref.kind, subject_id=ref.id)
    return found


def recipients_of(actor: Actor, ref: SubjectRef, audience: Audience) -> Recipients:
    """Who would read a message of this audience. Employees learn every name; outsiders only those of their own organisation."""
    if audience not in audiences_for(actor):
        return Recipients(audience, _own_company())
    staff = tuple((p.id, p.name) for p in employees()) if actor.is_internal else ()
    if audience is Audience.INTERNAL:
        return Recipients(audience, _own_company(), (), staff)
    _place, found = place_for(ref, audience)
    if not actor.is_internal:
        found = {k: v for k, v in found.items() if k == actor.organisation_id}
    names = {p.organisation_id: p.organisation_name for people in found.values() for p in people}
    groups = tuple(
        OrganisationRecipients(key, names[key], tuple((p.user_id or 0, p.name) for p in people)) for key, people in sorted(found.items())
    )
    return Recipients(audience, _own_company(), groups, staff)


def messages_for(
    actor: Actor, ref: SubjectRef, *, audience: Audience | None = None, before: int | None = None, limit: int = 50
) -> list[MessageView]:
    """The messages of a record's conversation that the actor may read, oldest first; the newest `limit`, or those before a message's id."""
    refs = seen_conversation(actor, ref)
    if not refs:
        return []
    rows = messages_of_audience(actor).filter(_on(refs))
    if audience is not None:
        rows = rows.filter(audience=str(audience))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows.order_by("-pk")[:limit])
    page.reverse()
    return _views(actor, page)


def message(actor: Actor, message_id: int) -> MessageView | None:
    """One message, or None where the actor may not read it."""
    row = messages_of_audience(actor).filter(pk=message_id).first()
    if row is None or registry.resolve(actor, SubjectRef(row.subject_kind, row.subject_id)) is None:
        return None
    return _views(actor, [row])[0]


def _views(actor: Actor, rows: Iterable[Message]) -> list[MessageView]:
    rows = list(rows)
    with_files = [SubjectRef(MESSAGE, row.pk) for row in rows if row.file_count]
    files = files_for_many(actor, with_files) if with_files else {}
    names: dict[int, OrganisationView] = {}
    if actor.is_internal:
        names = organisations({row.organisation_id for row in rows if row.organisation_id})
    return [
        MessageView(
            row.pk,
            SubjectRef(row.subject_kind, row.subject_id),
            Audience(row.audience),
            row.author_name,
            row.author_id,
            Audience(row.author_audience),
            row.author_organisation,
            names[row.organisation_id].name if row.organisation_id in names else "",
            row.body,
            render(row.body, row.mentions),
            row.created,
            row.edited,
            row.author_id is not None and row.author_id == actor.user_id and row.author_audience == actor.audience,
            tuple(files.get(SubjectRef(MESSAGE, row.pk), ())),
        )
        for row in rows
    ]


def all_files_for(actor: Actor, ref: SubjectRef) -> list[FileView]:
    """The files of a record, of those its processes joined to it, and of their messages, newest first; each once."""
    refs = seen_conversation(actor, ref)
    if not refs:
        return []
    ids = messages_of_audience(actor).filter(_on(refs), file_count__gt=0).values_list("pk", flat=True)[:MANY]
    found = files_for_many(actor, [*refs, *(SubjectRef(MESSAGE, pk) for pk in ids)])
    rows = {(f.sha256, f.name, f.audiences): f for files in found.values() for f in files}
    return sorted(rows.values(), key=lambda f: f.created, reverse=True)


def records_of_messages(actor: Actor, ids: Iterable[int]) -> dict[int, SubjectRef]:
    """The records that messages of the actor's audience were written on, by the message."""
    rows = messages_of_audience(actor).filter(pk__in=list(ids)).values_list("pk", "subject_kind", "subject_id")
    return {pk: SubjectRef(kind, subject_id) for pk, kind, subject_id in rows}


def topics_of_conversation(actor: Actor, ref: SubjectRef) -> str:
    """The live topics whose pings mean that the conversation may have changed."""
    return " ".join(str(other) for other in seen_conversation(actor, ref))


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A record on which people have written to each other, with the last words."""

    subject: SubjectView
    author: str
    words: str
    at: datetime
    is_own: bool
    unread: int


def conversations(actor: Actor, limit: int = 50) -> list[ConversationView]:
    """The conversations that the actor may read, the one with the newest message first; the queries don't grow with their number."""
    rows = messages_of_audience(actor).values("subject_kind", "subject_id").annotate(last=Max("pk")).order_by("-last")
    newest = Message.objects.in_bulk([row["last"] for row in rows[:limit]])
    refs = {pk: SubjectRef(row.subject_kind, row.subject_id) for pk, row in newest.items()}
    seen = registry.resolve_many(actor, refs.values())
    waiting: dict[SubjectRef, int] = {}
    unread = visible_notifications(actor).filter(kind__in=("message", "mention"), read__isnull=True).order_by()
    for kind, pk in unread.values_list("subject_kind", "subject_id")[:MANY]:
        waiting[SubjectRef(kind, pk)] = waiting.get(SubjectRef(kind, pk), 0) + 1
    return [
        ConversationView(
            seen[refs[pk]],
            newest[pk].author_name,
            excerpt(newest[pk].body),
            newest[pk].created,
            newest[pk].author_id is not None and newest[pk].author_id == actor.user_id,
            waiting.get(refs[pk], 0),
        )
        for pk in sorted(newest, reverse=True)
        if refs[pk] in seen
    ]
