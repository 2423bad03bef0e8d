"""Everything on paper in one place: the documents of all records of one customer organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm import selectors as crm
from portal.access import Actor
from portal.files import FileView, find_documents, records_with_documents
from portal.registry import SubjectRef, SubjectView, registry
from social_feed.access import MESSAGE
from social_feed.selectors.messages import records_of_messages

PAGE = 25
# The chips, by the kinds of files that portal keeps.
KINDS = {"quote": _("Quotes"), "signed": _("Signed"), "asked": _("Asked of you"), "message": _("In messages"), "file": _("Other files")}
ICONS = {"quote": "file-invoice", "signed": "signature", "asked": "clipboard-check", "message": "message"}


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document, and the record that it belongs to."""

    file: FileView
    record: SubjectView | None
    icon: str


@dataclass(frozen=True, slots=True)
class DocumentsPage:
    """What the documents page shows."""

    rows: list[DocumentRow]
    page: Any
    asked: list[crm.DocumentListView]
    records: list[SubjectView]
    text: str
    kind: str
    record: str
    topics: str

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.text or self.kind or self.record)


def documents_page(actor: Actor, query: Mapping[str, str]) -> DocumentsPage:
    """The page that a query asks for; the number of statements doesn't grow with documents or records."""
    text, kind = query.get("q", "").strip()[:100], query.get("kind", "")
    kind = kind if kind in KINDS else ""
    belongs = _records_of(actor, records_with_documents(actor))
    record = query.get("record", "")[:80]
    wanted = [ref for ref, target in belongs.items() if str(target) == record] if record else None
    page = find_documents(
        actor, text=text, kind="" if kind == "file" else kind or None, refs=wanted, number=query.get("page", 1), size=PAGE
    )
    choices = dict.fromkeys(belongs.values())
    belongs |= _records_of(actor, {file.ref for file in page.object_list} - belongs.keys())  # of more records than can be chosen from
    seen = registry.resolve_many(actor, belongs.values())
    rows = [DocumentRow(file, seen.get(belongs[file.ref]), ICONS.get(file.kind, "file-text")) for file in page.object_list]
    topics = {str(row.file.ref) for row in rows} | {f"cabinet:{actor.organisation_id}"}
    records = [seen[ref] for ref in choices if ref in seen]
    asked = crm.document_lists(actor, is_open=True)
    return DocumentsPage(rows, page, asked, records, text, kind, record, _joined(topics))


def _records_of(actor: Actor, refs: Iterable[SubjectRef]) -> dict[SubjectRef, SubjectRef]:
    """The record that each belongs to: a message's is the one that it was written on."""
    refs = list(refs)
    ids = [ref.id for ref in refs if ref.kind == MESSAGE]
    home = records_of_messages(actor, ids) if ids else {}
    return {ref: home.get(ref.id, ref) if ref.kind == MESSAGE else ref for ref in refs}


def _joined(topics: set[str]) -> str:
    return " ".join(sorted(topics))


def lists_about(actor: Actor, ref: SubjectRef) -> list[crm.DocumentListView]:
    """What the organisation is asked for on a record: what is open, and what was complete."""
    return crm.document_lists(actor, about=ref)
