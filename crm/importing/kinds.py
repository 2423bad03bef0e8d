"""What can be imported: the kinds of table, their fields, and how a cell becomes a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class CellError(ValueError):
    """A cell that can't be read, in words."""


def text(limit: int) -> Callable[[str], str]:
    """A text of at most so many characters."""

    def convert(cell: str) -> str:
        if len(cell) > limit:
            raise CellError(_("longer than %(n)d characters") % {"n": limit})
        return cell

    return convert


def whole(cell: str) -> int:
    """A whole number of zero or more."""
    plain = re.sub(r"[\s\u00a0']", "", cell)
    if re.fullmatch(r"\d+([.,]0+)?", plain):
        return int(re.split(r"[.,]", plain)[0])
    raise CellError(_("“%(cell)s” isn't a whole number") % {"cell": cell[:40]})


def amount(cell: str) -> Decimal:
    """An amount of money: 1234.56, 1,234.56, 1 234,56 or $1,234."""
    plain = re.sub(r"[\s\u00a0'$€£₽]", "", cell)
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"-?\d{1,3}(\.\d{3})+,\d+", plain) or re.fullmatch(r"-?\d+,\d{1,2}", plain):
        plain = plain.replace(".", "").replace(",", ".")
    try:
        value = Decimal(plain).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise CellError(_("“%(cell)s” isn't an amount of money") % {"cell": cell[:40]}) from None
    if abs(value) >= Decimal(10) ** 12:
        raise CellError(_("“%(cell)s” is too large") % {"cell": cell[:40]})
    return value


def day(cell: str) -> date:
    """A date: 2017-03-01, 01.03.2017, or an ISO date with time. Dates with slashes are refused: nobody can tell month from day."""
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(cell, pattern).date()  # noqa: DTZ007  a date alone has no zone
        except ValueError:
            continue
    raise CellError(_("“%(cell)s” isn't a date like 2017-03-01") % {"cell": cell[:40]})


STAGES = {
    "prospecting": "prospecting", "new": "prospecting", "qualification": "prospecting", "lead": "prospecting",
    "engaging": "engaging", "proposal": "engaging", "negotiation": "engaging",
    "won": "won", "closed won": "won", "lost": "lost", "closed lost": "lost",
}  # fmt: skip


def stage(cell: str) -> str:
    """A deal's stage in the source's word: prospecting, engaging, won or lost."""
    try:
        return STAGES[cell.casefold()]
    except KeyError:
        raise CellError(_("“%(cell)s” isn't a stage we know: Prospecting, Engaging, Won or Lost") % {"cell": cell[:40]}) from None


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a column can fill. `lookup` names the kind of record that the cell must match."""

    key: str
    label: Any
    convert: Callable[[str], Any] = text(200)
    required: bool = False
    also: tuple[str, ...] = ()
    lookup: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of table."""

    key: str
    label: Any
    fields: tuple[Field, ...]
    order: int

    @property
    def required(self) -> tuple[Field, ...]:
        """What every row must have."""
        return tuple(field for field in self.fields if field.required)

    def field(self, key: str) -> Field | None:
        """The field of this key."""
        return next((field for field in self.fields if field.key == key), None)


_l = gettext_lazy
KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "products",
            _l("Products"),
            (
                Field("name", _l("Name"), text(150), True, ("product", "product name")),
                Field("series", _l("Series"), text(80)),
                Field("list_price", _l("List price"), amount, False, ("sales_price", "price")),
            ),
            1,
        ),
        Kind(
            "sales_teams",
            _l("Sales teams"),
            (
                Field("name", _l("Seller"), text(150), True, ("sales_agent", "agent", "sales rep")),
                Field("manager", _l("Manager"), text(150), True),
                Field("office", _l("Regional office"), text(100), False, ("regional_office", "region")),
            ),
            2,
        ),
        Kind(
            "accounts",
            _l("Accounts"),
            (
                Field("name", _l("Company"), text(200), True, ("account", "company name", "account name")),
                Field("sector", _l("Sector"), text(80), False, ("industry",)),
                Field("year_established", _l("Founded in"), whole, False, ("founded", "year")),
                Field("revenue", _l("Yearly revenue, millions"), amount),
                Field("employees", _l("Employees"), whole),
                Field("office_location", _l("Office"), text(120), False, ("country", "location")),
                Field("parent", _l("Subsidiary of"), text(200), False, ("subsidiary_of", "parent company"), "account"),
            ),
            3,
        ),
        Kind(
            "deals",
            _l("Deals"),
            (
                Field("key", _l("Number in the source"), text(80), True, ("opportunity_id", "deal_id", "id")),
                Field("owner", _l("Seller"), text(150), False, ("sales_agent", "agent", "owner"), "seller"),
                Field("product", _l("Product"), text(150), False, (), "product"),
                Field("account", _l("Company"), text(200), False, ("account", "company"), "account"),
                Field("stage", _l("Stage"), stage, True, ("deal_stage", "status")),
                Field("engage_date", _l("Engaged on"), day, False, ("opened",)),
                Field("close_date", _l("Closed on"), day, False, ("closed",)),
                Field("close_value", _l("Closed at"), amount, False, ("value", "amount")),
            ),
            4,
        ),
    )
}


def plain(word: str) -> str:
    """Letters and digits alone, small: how column names and values are compared."""
    return re.sub(r"[\W_]+", "", word.casefold())


def propose_mapping(kind: Kind, columns: list[str]) -> dict[str, str]:
    """Field to column, by name or by a name in use elsewhere; each column once."""
    left = {plain(column): column for column in columns}
    mapping: dict[str, str] = {}
    for field in kind.fields:
        for word in (field.key, str(field.label), *field.also):
            if plain(word) in left:
                mapping[field.key] = left.pop(plain(word))
                break
    return mapping


def detect_kind(columns: list[str]) -> str:
    """The kind of table that most columns fit; deals and sellers before accounts, as they name accounts too. Empty where none fits."""

    def quality(kind: Kind) -> tuple[int, float]:
        mapping = propose_mapping(kind, columns)
        complete = all(field.key in mapping for field in kind.required)
        return (int(complete), len(mapping) / max(len(columns), len(kind.fields)))

    best = max(KINDS.values(), key=quality)
    return best.key if quality(best)[0] else ""
