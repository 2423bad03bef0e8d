"""Values that name a record which isn't there as written: proposals are made, and nobody guesses silently."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext as _

from crm.importing.kinds import Kind, plain
from crm.models import Account, Product, SalesTeamMember

SOURCES = {"product": Product, "account": Account, "seller": SalesTeamMember}
LEAVE_OUT = ""
SAME_LETTERS = 1.0
LIKELY = 0.82


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value of a column that names no record: what it may mean, how alike (1 = the same letters) and how many rows have it."""

    field: str
    value: str
    to: str
    likeness: float
    rows: int
    why: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def names_of(lookup: str) -> set[str]:
    """All names that a lookup can match."""
    return set(SOURCES[lookup].objects.values_list("name", flat=True))  # type: ignore[attr-defined]


def proposals(
    kind: Kind, mapping: dict[str, str], columns: list[str], rows: list[list[str]], *, coming: set[str] | None = None
) -> list[Proposal]:
    """What doesn't match in the mapped lookup columns. `coming` are names that the same table brings (an account's parents)."""
    found: list[Proposal] = []
    for field in kind.fields:
        if not field.lookup or field.key not in mapping:
            continue
        at = columns.index(mapping[field.key]) + 1
        counted = Counter(row[at] for row in rows if row[at])
        known = names_of(field.lookup) | (coming or set())
        for value, count in counted.most_common():
            if value not in known:
                found.append(_propose(field.key, value, known, count))
    return found


def _propose(field: str, value: str, known: set[str], count: int) -> Proposal:
    letters = {plain(name): name for name in sorted(known, reverse=True)}
    if plain(value) in letters:
        return Proposal(field, value, letters[plain(value)], SAME_LETTERS, count, _("the same letters, other spacing or case"))
    best = max(known, key=lambda name: SequenceMatcher(None, plain(value), plain(name)).ratio(), default="")
    likeness = round(SequenceMatcher(None, plain(value), plain(best)).ratio(), 2) if best else 0.0
    if likeness >= LIKELY:
        return Proposal(field, value, best, likeness, count, _("looks alike"))
    return Proposal(field, value, LEAVE_OUT, likeness, count, _("nothing alike is there"))
