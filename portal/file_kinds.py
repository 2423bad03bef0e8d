"""What a file really is: its first bytes tell more than its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.errors import Refused

PROGRAMS = (b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"#!/", b"#! /")
ZIPPED, OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif")


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that may be asked for: its endings (none: any) and what a browser's file box is told to offer."""

    key: str
    label: Any
    endings: tuple[str, ...] = ()
    accept: str = ""


KINDS = {
    kind.key: kind
    for kind in (
        FileKind("any", gettext_lazy("Any file")),
        FileKind("pdf", gettext_lazy("PDF"), (".pdf",), ".pdf,application/pdf"),
        FileKind("scan", gettext_lazy("Photo, scan or PDF"), (*PICTURES, ".pdf"), "image/*,.pdf,application/pdf"),
        FileKind("picture", gettext_lazy("Photo"), PICTURES, "image/*"),
        FileKind("text", gettext_lazy("Text document or PDF"), (".pdf", ".docx", ".doc", ".odt", ".rtf"), ".pdf,.docx,.doc,.odt,.rtf"),
        FileKind("table", gettext_lazy("Table"), (".xlsx", ".xls", ".ods", ".csv"), ".xlsx,.xls,.ods,.csv"),
    )
}


def is_program(content: bytes) -> bool:
    """Whether bytes could run on somebody's machine, whatever the file is called."""
    return content.startswith(PROGRAMS) or (content[:2] == b"MZ" and b"\0" in content[:64])


def _begins_like(ending: str, content: bytes) -> bool:
    """Whether the first bytes are those of files with this ending; endings without a mark are taken as they are."""
    head = content[:1024]
    match ending:
        case ".pdf":
            return b"%PDF-" in head
        case ".jpg" | ".jpeg":
            return head.startswith(b"\xff\xd8\xff")
        case ".png":
            return head.startswith(b"\x89PNG\r\n\x1a\n")
        case ".webp":
            return head[:4] == b"RIFF" and head[8:12] == b"WEBP"
        case ".heic" | ".heif":
            return head[4:8] == b"ftyp"
        case ".docx" | ".xlsx" | ".odt" | ".ods":
            return head.startswith(ZIPPED)
        case ".doc" | ".xls":
            return head.startswith((OLD_OFFICE, ZIPPED))
        case ".rtf":
            return head.startswith(b"{\\rtf")
        case ".csv":
            return b"\0" not in head
        case _:
            return True


def check_kind(key: str, name: str, content: bytes) -> None:
    """Raise Refused, in words, for a file that isn't of the kind that was asked for."""
    kind = KINDS.get(key, KINDS["any"])
    if not kind.endings:
        return
    ending = PurePath(name).suffix.lower()
    if ending not in kind.endings:
        allowed = ", ".join(one.removeprefix(".").upper() for one in kind.endings)
        raise Refused(_("“%(name)s” isn't of the kind that is asked for here: %(allowed)s.") % {"name": name, "allowed": allowed})
    if not _begins_like(ending, content):
        words = _("“%(name)s” is called %(kind)s but isn't one. Open it, save it as %(kind)s and try again.")
        raise Refused(words % {"name": name, "kind": ending.removeprefix(".").upper()})
