"""Documents that customers are asked for, as both sides read them; an outsider reads nothing of who checked what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from crm.access import visible_document_lines, visible_document_requests
from crm.models import DocumentLine, DocumentRequest
from portal.access import Actor
from portal.file_kinds import KINDS
from portal.files import FileView, files_of_ids
from portal.registry import SubjectRef, SubjectView, registry
from portal.selectors import organisations

L = DocumentLine.State


@dataclass(frozen=True, slots=True)
class DocumentLineView:
    """One document on a list."""

    id: int
    name: str
    hint: str
    is_required: bool
    kind_label: str
    accept: str
    state: str
    state_label: str
    reason: str
    file: FileView | None
    given_by_name: str
    given_at: datetime | None
    checked_by_name: str
    changes: int

    @property
    def is_lacking(self) -> bool:
        """Whether the customer has to do something about it."""
        return self.state in (L.MISSING, L.RETURNED)


@dataclass(frozen=True, slots=True)
class DocumentListView:
    """A list of documents that a customer is asked for."""

    id: int
    title: str
    note: str
    state: str
    state_label: str
    reason: str
    due: datetime
    asked_by_name: str
    created_at: datetime
    closed_at: datetime | None
    about: SubjectView | None
    customer: str
    lines: tuple[DocumentLineView, ...]
    instance_id: int | None

    @property
    def ref(self) -> SubjectRef:
        """The list as a subject."""
        return SubjectRef("crm.document_request", self.id)

    @property
    def is_open(self) -> bool:
        """Whether anything is waited for."""
        return self.state == DocumentRequest.State.OPEN

    @property
    def is_late(self) -> bool:
        """Whether its day is over while the customer still has to give something."""
        return self.is_open and bool(self.missing) and self.due < timezone.now()

    @property
    def required(self) -> int:
        """How many must be there."""
        return sum(line.is_required for line in self.lines)

    @property
    def accepted(self) -> int:
        """How many of those are accepted."""
        return sum(line.is_required and line.state == L.ACCEPTED for line in self.lines)

    @property
    def missing(self) -> list[DocumentLineView]:
        """The required ones that the customer has to give, or to give again."""
        return [line for line in self.lines if line.is_required and line.is_lacking]

    @property
    def to_check(self) -> int:
        """How many wait for a check."""
        return sum(line.state == L.GIVEN for line in self.lines)


def _line(actor: Actor, row: DocumentLine, files: dict) -> DocumentLineView:
    kind = KINDS.get(row.kinds, KINDS["any"])
    return DocumentLineView(
        row.pk,
        row.name,
        row.hint,
        row.is_required,
        str(kind.label) if kind.endings else "",
        kind.accept,
        row.state,
        str(row.get_state_display()),
        row.reason,
        files.get(row.file_id),
        row.given_by_name,
        row.given_at,
        row.checked_by_name if actor.is_internal else "",
        row.changes,
    )


def _views(actor: Actor, rows: Iterable[DocumentRequest]) -> list[DocumentListView]:
    rows = list(rows)
    lines = {row.pk: list(row.lines.all()) for row in rows}
    files = {file.id: file for file in files_of_ids(actor, [line.file_id for some in lines.values() for line in some if line.file_id])}
    about = registry.resolve_many(actor, [SubjectRef(row.subject_kind, row.subject_id) for row in rows])
    names = organisations({row.customer_organisation_id for row in rows}) if rows and actor.is_internal else {}
    return [
        DocumentListView(
            row.pk,
            row.title,
            row.note,
            row.state,
            str(row.get_state_display()),
            row.reason,
            row.due,
            row.asked_by_name,
            row.created_at,
            row.closed_at,
            about.get(SubjectRef(row.subject_kind, row.subject_id)),
            names[row.customer_organisation_id].name if row.customer_organisation_id in names else "",
            tuple(_line(actor, line, files) for line in lines[row.pk]),
            row.instance_id,
        )
        for row in rows
    ]


def document_lists(
    actor: Actor, *, about: SubjectRef | None = None, is_open: bool | None = None, limit: int = 50
) -> list[DocumentListView]:
    """The lists that the actor may see, those that end next first; `about` narrows them to a record."""
    rows = visible_document_requests(actor).prefetch_related("lines")
    if about is not None:
        rows = rows.filter(subject_kind=about.kind, subject_id=about.id)
    if is_open is not None:
        open_ones = {"state": DocumentRequest.State.OPEN}
        rows = rows.filter(**open_ones) if is_open else rows.exclude(**open_ones)
    return _views(actor, rows.order_by("closed_at" if is_open is False else "due", "pk")[:limit])


def document_list(actor: Actor, request_id: int) -> DocumentListView | None:
    """One list, or None where the actor may not see it."""
    return next(iter(_views(actor, visible_document_requests(actor).filter(pk=request_id).prefetch_related("lines"))), None)


def list_of_line(actor: Actor, line_id: int) -> int | None:
    """The list that a line stands on; None where the actor may not see it."""
    return visible_document_lines(actor).filter(pk=line_id).values_list("request_id", flat=True).first()
