"""Stories in their reader's words: text and links to records that the reader may see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from portal.amounts import money_text
from portal.registry import SubjectRef, SubjectView, registry

_place = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `url` makes it a link, `strong` a name."""

    text: str
    url: str | None = None
    strong: bool = False


def pieces_of(
    text: str,
    values: Mapping[str, Any],
    seen: Mapping[SubjectRef, SubjectView],
    *,
    actor: str,
    extra: Mapping[str, str] | None = None,
) -> tuple[Piece, ...]:
    """Translate a story's words and fill its places; a record out of the reader's sight is named by its kind alone."""
    pieces: list[Piece] = []
    # A story's words are marked with gettext_noop where it is registered.
    translated = _(text) if text else ""
    for number, part in enumerate(_place.split(translated)):
        if number % 2 == 0:
            if part:
                pieces.append(Piece(part.replace("%%", "%")))
            continue
        if part == "actor":
            pieces.append(Piece(actor, strong=True))
        elif extra and part in extra:
            pieces.append(Piece(extra[part], strong=True))
        else:
            pieces.append(_value(values.get(part, ""), seen))
    return tuple(pieces)


def _value(value: Any, seen: Mapping[SubjectRef, SubjectView]) -> Piece:
    if not isinstance(value, dict):
        return Piece(str(value), strong=True)
    if "amount" in value:
        return Piece(money_text(Decimal(value["amount"]), value["currency"]), strong=True)
    ref = SubjectRef.parse(value["ref"])
    subject = seen.get(ref)
    if subject is None:
        kind = registry.subjects.get(ref.kind)
        return Piece(str(kind.label).lower() if kind else _("a record"))
    return Piece(subject.title, subject.url, strong=True)
