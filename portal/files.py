"""Files on records: stored once, reached only through the record's own gate and the file's audiences."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Refused
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
    """A file as shown in a list."""

    id: UUID
    name: str
    size: int
    content_type: str
    sha256: str
    uploaded_by: str
    created: datetime
    audiences: frozenset[Audience]


def _view(row: StoredFile) -> FileView:
    audiences = {Audience.INTERNAL}
    if row.for_customer:
        audiences.add(Audience.CUSTOMER)
    if row.for_partner:
        audiences.add(Audience.PARTNER)
    return FileView(row.pk, row.name, row.size, row.content_type, row.sha256, row.uploaded_by_name, row.created, frozenset(audiences))


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
    actor: Actor, ref: SubjectRef, upload: UploadedFile | IO[bytes] | bytes, audiences: Iterable[Audience], *, name: str = ""
) -> FileView:
    """Keep a file on a record. An outsider's upload is always for the company and their own audience.

    Raises Refused for a record out of reach, an empty or too large file, or a kind of file that could run.
    """
    if not actor.is_system and registry.resolve(actor, ref) is None:
        raise Refused(_("This record isn't there any more."))
    name = clean_name(name or getattr(upload, "name", "") or "file")
    ending = PurePath(name).suffix.lower()
    if ending in REFUSED_ENDINGS:
        raise Refused(_("Files ending in “%(ending)s” can't be stored: they could run on a colleague's machine.") % {"ending": ending})
    content: Any = upload if isinstance(upload, bytes) else upload.read()
    if not content:
        raise Refused(_("“%(name)s” is empty.") % {"name": name})
    if len(content) > settings.UPLOAD_MAX_BYTES:
        limit = filesizeformat(settings.UPLOAD_MAX_BYTES)
        raise Refused(_("“%(name)s” is too large: at most %(limit)s.") % {"name": name, "limit": limit})
    wanted = set(audiences) | ({actor.audience} if not actor.is_internal else set())
    with transaction.atomic():
        row = StoredFile(
            subject_kind=ref.kind,
            subject_id=str(ref.id),
            for_customer=Audience.CUSTOMER in wanted,
            for_partner=Audience.PARTNER in wanted,
            name=name,
            content_type=TYPES.get(ending, "application/octet-stream"),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            uploaded_by_id=actor.user_id,
            uploaded_by_name=actor.name,
        )
        row.content.save(f"{row.pk}{ending}", ContentFile(content), save=False)
        row.save(force_insert=True)
        record(actor, "file.added", ref, after={"file": str(row.pk), "name": name, "audiences": sorted(map(str, wanted))})
        ping(str(ref))
    return _view(row)


def files_for(actor: Actor, ref: SubjectRef, limit: int = 200) -> list[FileView]:
    """The files of a record that the actor may see, newest first; none where the record itself is out of reach."""
    if not actor.is_system and registry.resolve(actor, ref) is None:
        return []
    rows = StoredFile.objects.filter(subject_kind=ref.kind, subject_id=str(ref.id)).order_by("-created", "-pk")
    return [_view(row) for row in for_audience(rows, actor)[:limit]]


def files_for_many(actor: Actor, refs: Iterable[SubjectRef]) -> dict[SubjectRef, list[FileView]]:
    """The files of several records that the actor may see, in two queries a kind; records without files are left out."""
    wanted = set(refs)
    seen = wanted if actor.is_system else set(registry.resolve_many(actor, wanted))
    found: dict[SubjectRef, list[FileView]] = {}
    for kind in {ref.kind for ref in seen}:
        keys = [str(ref.id) for ref in seen if ref.kind == kind]
        rows = StoredFile.objects.filter(subject_kind=kind, subject_id__in=keys).order_by("created", "pk")
        for row in for_audience(rows, actor):
            found.setdefault(SubjectRef(kind, int(row.subject_id)), []).append(_view(row))
    return found


def files_of_ids(actor: Actor, ids: Iterable[str | UUID]) -> list[FileView]:
    """Files by id that the actor may see, each checked against its own record."""
    rows = list(for_audience(StoredFile.objects.filter(Q(pk__in=list(ids))), actor))
    refs = {row.pk: SubjectRef(row.subject_kind, int(row.subject_id)) for row in rows}
    seen = registry.resolve_many(actor, refs.values())
    return [_view(row) for row in rows if actor.is_system or refs[row.pk] in seen]


def open_file(actor: Actor, file_id: UUID) -> StoredFile | None:
    """The stored row for the download view, or None where the actor may not have it."""
    row = for_audience(StoredFile.objects.filter(pk=file_id), actor).first()
    if row is None:
        return None
    if not actor.is_system and registry.resolve(actor, SubjectRef(row.subject_kind, int(row.subject_id))) is None:
        return None
    return row
