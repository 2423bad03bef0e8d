"""Files on records: stored once, reached only through the record's own gate and the file's audiences.

A document is one file or several versions of it, each a row of its own. A reader's newest version is the newest that their audience
may read; a new version reads at most the audiences of the one before it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import CharField, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.file_kinds import is_program
from portal.live import ping
from portal.models import StoredFile
from portal.registry import SubjectRef, registry

# What a browser may show in place; everything else is always downloaded.
SHOWN_IN_PLACE = {"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"}
REFUSED_ENDINGS = {".exe", ".bat", ".cmd", ".com", ".scr", ".msi", ".js", ".vbs", ".jar", ".ps1", ".hta", ".lnk"}
TYPES = {
    ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".webp": "image/webp", ".txt": "text/plain", ".csv": "text/csv", ".bpmn": "application/xml", ".dmn": "application/xml",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".zip": "application/zip",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileView:
    """A version of a document as shown in a list; the newest that the reader may see carries the `earlier` ones, newest first."""

    id: UUID
    name: str
    size: int
    content_type: str
    sha256: str
    uploaded_by: str
    created: datetime
    audiences: frozenset[Audience]
    ref: SubjectRef
    document: UUID
    version: int = 1
    kind: str = ""
    earlier: tuple[FileView, ...] = ()

    @property
    def takes_versions(self) -> bool:
        """Whether it may be followed by a new version: what was said, sent or signed stays as it is."""
        return self.kind == StoredFile.Kind.FILE


def _audiences(row: StoredFile) -> frozenset[Audience]:
    outside = ((row.for_customer, Audience.CUSTOMER), (row.for_partner, Audience.PARTNER))
    return frozenset({Audience.INTERNAL, *(audience for given, audience in outside if given)})


def _view(row: StoredFile) -> FileView:
    return FileView(
        row.pk,
        row.name,
        row.size,
        row.content_type,
        row.sha256,
        row.uploaded_by_name,
        row.created,
        _audiences(row),
        _ref(row),
        row.document,
        row.version,
        row.kind,
    )


def _ref(row: StoredFile) -> SubjectRef:
    return SubjectRef(row.subject_kind, int(row.subject_id))


def documents_of(rows: Iterable[StoredFile]) -> list[FileView]:
    """Versions gathered into documents, in the order of the rows: each document stands where its first row stands."""
    found: dict[UUID, list[FileView]] = {}
    for row in rows:
        found.setdefault(row.document, []).append(_view(row))
    documents = [sorted(views, key=lambda view: view.version, reverse=True) for views in found.values()]
    return [replace(views[0], earlier=tuple(views[1:])) for views in documents]


def clean_name(name: str) -> str:
    """A file name that is safe on any system: no path, no control characters, at most 200 characters."""
    name = unicodedata.normalize("NFC", PurePath(name.replace("\\", "/")).name)
    name = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069<>:\"|?*]", "", name).strip(" .")
    return name[-200:] or "file"


def for_audience(rows: QuerySet, actor: Actor) -> QuerySet:
    """Narrow files to those whose audiences hold the actor's; the record's own gate comes on top."""
    match actor.audience:
        case Audience.INTERNAL:
            return rows
        case Audience.CUSTOMER:
            return rows.filter(for_customer=True)
        case Audience.PARTNER:
            return rows.filter(for_partner=True)
        case _:
            return rows.none()


def store_file(
    actor: Actor,
    ref: SubjectRef,
    upload: UploadedFile | IO[bytes] | bytes,
    audiences: Iterable[Audience],
    *,
    name: str = "",
    kind: str = StoredFile.Kind.FILE,
    after: StoredFile | None = None,
) -> FileView:
    """Keep a file on a record, as a document of its own or as the version `after` a locked one. An outsider's upload is always for the
    company and their own audience.

    Raises Refused for a record out of reach, an empty or too large file, or a kind of file that could run.
    """
    if not actor.is_system and registry.resolve(actor, ref) is None:
        raise Refused(_("This record isn't there any more."))
    name, content = read_upload(upload, name)
    wanted = set(audiences) | ({actor.audience} if not actor.is_internal else set())
    with transaction.atomic():
        row = StoredFile(
            subject_kind=ref.kind,
            subject_id=str(ref.id),
            for_customer=Audience.CUSTOMER in wanted,
            for_partner=Audience.PARTNER in wanted,
            name=name,
            content_type=TYPES.get(PurePath(name).suffix.lower(), "application/octet-stream"),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            uploaded_by_id=actor.user_id,
            uploaded_by_name=actor.name,
            kind=kind,
        )
        row.document, row.version = (after.document, after.version + 1) if after else (row.pk, 1)
        row.content.save(f"{row.pk}{PurePath(name).suffix.lower()}", ContentFile(content), save=False)
        row.save(force_insert=True)
        told = {"file": str(row.pk), "name": name, "audiences": sorted(map(str, wanted)), "version": row.version}
        record(actor, "file.version_added" if after else "file.added", ref, after=told)
        ping(str(ref))
    return _view(row)


def read_upload(upload: UploadedFile | IO[bytes] | bytes, name: str = "") -> tuple[str, bytes]:
    """The safe name and the bytes of an upload. Raises Refused for what is empty, too large, or could run, whatever its name says."""
    name = clean_name(name or getattr(upload, "name", "") or "file")
    ending = PurePath(name).suffix.lower()
    if ending in REFUSED_ENDINGS:
        raise Refused(_("Files ending in “%(ending)s” can't be stored: they could run on a colleague's machine.") % {"ending": ending})
    if getattr(upload, "size", 0) and upload.size > settings.UPLOAD_MAX_BYTES:  # type: ignore[union-attr]
        raise _too_large(name)
    content: bytes = upload if isinstance(upload, bytes) else upload.read()
    if not content:
        raise Refused(_("“%(name)s” is empty.") % {"name": name})
    if len(content) > settings.UPLOAD_MAX_BYTES:
        raise _too_large(name)
    if is_program(content):
        raise Refused(_("“%(name)s” is a program, whatever its name says. Programs can't be stored.") % {"name": name})
    return name, content


def _too_large(name: str) -> Refused:
    limit = filesizeformat(settings.UPLOAD_MAX_BYTES)
    return Refused(_("“%(name)s” is too large: at most %(limit)s.") % {"name": name, "limit": limit})


def _named_like(actor: Actor, ref: SubjectRef, name: str, audiences: frozenset[Audience]) -> StoredFile | None:
    """The newest version of the record's document of this name, where the reader's newest is read by just these audiences."""
    rows = StoredFile.objects.filter(subject_kind=ref.kind, subject_id=str(ref.id), kind=StoredFile.Kind.FILE)
    newest: dict[UUID, StoredFile] = {}
    for row in for_audience(rows, actor).order_by("version", "created"):
        newest[row.document] = row
    fits = [row for row in newest.values() if row.name.lower() == name.lower() and (not actor.is_internal or _audiences(row) == audiences)]
    return max(fits, key=lambda row: row.created, default=None)


def store_named(actor: Actor, ref: SubjectRef, upload: UploadedFile | IO[bytes], audiences: Iterable[Audience]) -> FileView:
    """Keep a file; where the record has a document of that name for just these audiences, as its next version. Raises as `store_file`."""
    wanted = frozenset({Audience.INTERNAL, *audiences})
    known = _named_like(actor, ref, clean_name(getattr(upload, "name", "") or "file"), wanted)
    return add_version(actor, known.pk, upload) if known else store_file(actor, ref, upload, audiences)


def add_version(
    actor: Actor, file_id: UUID, upload: UploadedFile | IO[bytes] | bytes, *, name: str = "", kind: str = StoredFile.Kind.FILE
) -> FileView:
    """Keep the next version of the document that a file belongs to. The very bytes of the newest version change nothing.

    An employee's version reads the audiences of the newest; an outsider's the company and their own audience: it never widens.
    `kind` names a kind of document that takes versions on a page of its own alone. Raises Refused for a file out of reach or one that
    can't be kept, NotAllowed for a document that stays as it is.
    """
    with transaction.atomic():
        seen, newest = _locked_document(actor, file_id)
        if seen.kind != kind:
            raise NotAllowed(_("“%(name)s” stays as it was sent or signed. Add yours as a file of its own.") % {"name": seen.name})
        shown = seen if actor.is_system or actor.is_internal else _newest_seen(actor, seen)
        _name, content = read_upload(upload, name)
        if shown.sha256 == hashlib.sha256(content).hexdigest():
            return _view(shown)
        audiences = _audiences(newest) if actor.is_internal else {actor.audience}
        given = name or getattr(upload, "name", "") or seen.name
        return store_file(actor, _ref(seen), content, audiences, name=given, kind=seen.kind, after=newest)


def keep_apart(actor: Actor, file_id: UUID) -> FileView:
    """Make a document of its own from the newest version of one, by whoever uploaded it: both are kept, as separate files.

    Raises Refused for a file out of reach, NotAllowed for somebody else's, Conflict where it isn't the newest version any more.
    """
    with transaction.atomic():
        row, newest = _locked_document(actor, file_id)
        if row.uploaded_by_id is None or row.uploaded_by_id != actor.user_id:
            raise NotAllowed(_("Only whoever added a version may make a file of its own from it."))
        if row.version == 1:
            return _view(row)
        if row.pk != newest.pk:
            raise Conflict(_("A newer version was added meanwhile, so this one stays where it is."))
        row.document, row.version = row.pk, 1
        row.save(update_fields=["document", "version"])
        record(actor, "file.kept_apart", _ref(row), after={"file": str(row.pk), "name": row.name})
        ping(str(_ref(row)))
    return _view(row)


def _locked_document(actor: Actor, file_id: UUID) -> tuple[StoredFile, StoredFile]:
    """The file that the actor sees and the newest version of its document, with the document locked."""
    seen = open_file(actor, file_id)
    if seen is None:
        raise Refused(_("This file isn't there any more."))
    list(StoredFile.objects.select_for_update().filter(document=seen.document, version=1))  # then every version is there to be read
    rows = list(StoredFile.objects.filter(document=seen.document).order_by("version"))
    found = next((row for row in rows if row.pk == seen.pk), None)
    if found is None:
        raise Conflict(_("Somebody changed this document just now. Look at it again."))
    return found, rows[-1]


def _newest_seen(actor: Actor, row: StoredFile) -> StoredFile:
    return for_audience(StoredFile.objects.filter(document=row.document), actor).order_by("version").last() or row


def files_for(actor: Actor, ref: SubjectRef, limit: int = 200) -> list[FileView]:
    """The documents of a record that the actor may see, newest first; none where the record itself is out of reach."""
    if not actor.is_system and registry.resolve(actor, ref) is None:
        return []
    rows = StoredFile.objects.filter(subject_kind=ref.kind, subject_id=str(ref.id)).order_by("-created", "-pk")
    return documents_of(for_audience(rows, actor)[:limit])


def files_for_many(actor: Actor, refs: Iterable[SubjectRef]) -> dict[SubjectRef, list[FileView]]:
    """The documents of several records that the actor may see, in two queries a kind; records without files are left out."""
    wanted = set(refs)
    seen = wanted if actor.is_system else set(registry.resolve_many(actor, wanted))
    found: dict[SubjectRef, list[FileView]] = {}
    for kind in {ref.kind for ref in seen}:
        keys = [str(ref.id) for ref in seen if ref.kind == kind]
        rows = StoredFile.objects.filter(subject_kind=kind, subject_id__in=keys).order_by("created", "pk")
        for view in documents_of(for_audience(rows, actor)):
            found.setdefault(view.ref, []).append(view)
    return found


def files_of_ids(actor: Actor, ids: Iterable[str | UUID]) -> list[FileView]:
    """Files by id that the actor may see, each checked against its own record."""
    rows = list(for_audience(StoredFile.objects.filter(Q(pk__in=list(ids))), actor))
    refs = {row.pk: _ref(row) for row in rows}
    seen = registry.resolve_many(actor, refs.values())
    return [_view(row) for row in rows if actor.is_system or refs[row.pk] in seen]


def _records_seen(actor: Actor) -> Q:
    """Files on records that the actor may see."""
    seen = Q(pk__in=[])
    for key, kind in registry.subjects.items():
        rows = kind.visible(actor)
        if not rows.query.is_empty():
            seen |= Q(subject_kind=key, subject_id__in=rows.order_by().annotate(key_text=Cast("pk", CharField())).values("key_text"))
    return seen


def _newest(actor: Actor) -> QuerySet[StoredFile]:
    """The newest version that the actor may read of each document on the records that they see."""
    newer = for_audience(StoredFile.objects.filter(document=OuterRef("document"), version__gt=OuterRef("version")), actor)
    return for_audience(StoredFile.objects.filter(_records_seen(actor)), actor).filter(~Exists(newer))


def find_documents(
    actor: Actor, *, text: str = "", kind: str | None = None, refs: Iterable[SubjectRef] | None = None, number: object = 1, size: int = 25
) -> Page:
    """A page of all documents that the actor may read, newest first: by words in name or sender, of one kind, on some records."""
    rows = _newest(actor)
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(uploaded_by_name__icontains=text))
    if kind is not None:
        rows = rows.filter(kind=kind)
    if refs is not None:
        wanted = Q(pk__in=[])
        for ref in refs:
            wanted |= Q(subject_kind=ref.kind, subject_id=str(ref.id))
        rows = rows.filter(wanted)
    page = Paginator(rows.order_by("-created", "-pk"), size).get_page(number)
    shown = list(page.object_list)
    older = for_audience(StoredFile.objects.filter(document__in=[row.document for row in shown if row.version > 1]), actor)
    found = {view.document: view for view in documents_of(older)}
    page.object_list = [found.get(row.document) or _view(row) for row in shown]
    return page


def records_with_documents(actor: Actor, limit: int = 300) -> list[SubjectRef]:
    """The records on which the actor may read any document, those with the newest first."""
    rows = _newest(actor).values("subject_kind", "subject_id").annotate(last=Max("created")).order_by("-last")[:limit]
    return [SubjectRef(row["subject_kind"], int(row["subject_id"])) for row in rows]


def open_file(actor: Actor, file_id: UUID) -> StoredFile | None:
    """The stored row for the download view, or None where the actor may not have it."""
    row = for_audience(StoredFile.objects.filter(pk=file_id), actor).first()
    if row is None:
        return None
    if not actor.is_system and registry.resolve(actor, _ref(row)) is None:
        return None
    return row
