"""Writing imported rows: found by key, compared, made or changed in bulk; a row that can't be done says why and stops nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from djmoney.money import Money

from crm.importing.kinds import CellError, Kind
from crm.models import Account, Deal, Product, SalesTeam, SalesTeamMember, Stage, StageChange
from crm.services.common import kind_of
from portal.events import records_changed
from portal.registry import SubjectRef
from workflows.services import locks_on

CREATE = "+"
Values = dict[str, Any]


@dataclass
class Outcome:
    """What became of some rows; `failed` holds the row's index and why."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: dict[int, str] = field(default_factory=dict)


def convert(kind: Kind, mapping: dict[str, str], columns: list[str], cells: list[str]) -> Values:
    """A row's cells as values by field, without empty ones. Raises CellError naming the column."""
    values: Values = {}
    for spec in kind.fields:
        column = mapping.get(spec.key)
        cell = cells[columns.index(column)] if column else ""
        if not cell:
            if spec.required:
                raise CellError(_("“%(column)s” is empty") % {"column": column or spec.label})
            continue
        try:
            values[spec.key] = spec.convert(cell)
        except CellError as error:
            raise CellError(f"{column}: {error}") from None
    return values


def write(kind: Kind, rows: list[tuple[int, Values]], matches: dict[str, dict[str, str]]) -> Outcome:
    """Write converted rows, given with their index; within the caller's transaction."""
    outcome = Outcome()
    seen: dict[str, int] = {}
    fresh = []
    for index, values in rows:
        key = str(values.get("key") or values["name"])
        if key in seen:
            outcome.failed[index] = _("“%(key)s” stands in this table twice") % {"key": key}
            continue
        seen[key] = index
        fresh.append((index, key, _matched(values, matches)))
    WRITERS[kind.key](fresh, outcome)
    return outcome


def _matched(values: Values, matches: dict[str, dict[str, str]]) -> Values:
    """Put what was decided about unknown names in their place; an empty decision leaves the cell out."""
    for name, decided in matches.items():
        value = values.get(name)
        if value in decided:
            to = decided[value]
            if to == "":
                del values[name]
            elif to != CREATE:
                values[name] = to
    return values


def _money(value: Decimal | None) -> Money | None:
    return None if value is None else Money(value, settings.DEFAULT_CURRENCY)


def _save(
    model: type[Model],
    existing: dict[str, Any],
    rows: Iterable[tuple[str, Values]],
    make: Callable[[str, Values], Any],
    outcome: Outcome,
    at: dict[str, int],
) -> list:
    """Make what isn't there, change what differs, in two statements; what waits for a decision that locks it fails at its row (`at`, by
    key) with the reason. Gives the new rows."""
    new, changed, names = [], [], set()
    locks = _locks(existing.values())
    for key, values in rows:
        row = existing.get(key)
        if row is None:
            new.append(make(key, values))
            continue
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        if not differing:
            outcome.unchanged += 1
            continue
        if row.pk in locks:
            outcome.failed[at[key]] = locks[row.pk]
            continue
        for name in differing:
            setattr(row, name, values[name])
        changed.append(row)
        names.update(differing)
    made = model.objects.bulk_create(new)  # type: ignore[attr-defined]
    if changed:
        now = timezone.now()
        for row in changed:
            row.updated_at = now
        columns = set(names) | {f"{n}_currency" for n in names if hasattr(changed[0], f"{n}_currency")}
        stamped = {"updated_at"} if hasattr(model, "updated_at") else set()
        model.objects.bulk_update(changed, sorted(columns | stamped))  # type: ignore[attr-defined]
    records_changed(*(SubjectRef(kind, row.pk) for row in (*made, *changed) if (kind := kind_of(row))))
    outcome.created += len(made)
    outcome.updated += len(changed)
    return made


def _places(rows: list[tuple[int, str, Values]]) -> dict[str, int]:
    """Where each key stands in the table."""
    return {key: index for index, key, _values in rows}


def _locks(rows: Iterable[Model]) -> dict[int, str]:
    """Why rows that are there can't be changed now, by their id."""
    refs = [SubjectRef(kind, row.pk) for row in rows if (kind := kind_of(row))]
    return {ref.id: words for ref, words in locks_on(refs).items()} if refs else {}


def _products(rows: list[tuple[int, str, Values]], outcome: Outcome) -> None:
    existing = {p.name: p for p in Product.objects.select_for_update().filter(name__in=[key for _i, key, _v in rows]).order_by("pk")}
    prepared = []
    for _index, key, values in rows:
        values = {k: v for k, v in values.items() if k != "name"}
        if "list_price" in values:
            values["list_price"] = _money(values["list_price"])
        prepared.append((key, values))
    _save(Product, existing, prepared, lambda key, v: Product(name=key, external_key=key, **v), outcome, _places(rows))


def _sellers(rows: list[tuple[int, str, Values]], outcome: Outcome) -> None:
    teams = {team.manager_name: team for team in SalesTeam.objects.all()}
    for _index, _key, values in rows:
        name, office = values["manager"], values.get("office", "")
        if name not in teams:
            teams[name] = SalesTeam.objects.create(manager_name=name, office=office)
        elif office and teams[name].office != office:
            teams[name].office = office
            teams[name].save(update_fields=["office"])
    existing = {m.name: m for m in SalesTeamMember.objects.filter(name__in=[key for _i, key, _v in rows])}
    prepared = [(key, {"team_id": teams[values["manager"]].pk}) for _i, key, values in rows]
    _save(SalesTeamMember, existing, prepared, lambda key, v: SalesTeamMember(name=key, **v), outcome, _places(rows))


def _accounts(rows: list[tuple[int, str, Values]], outcome: Outcome) -> None:
    parents = {values["parent"] for _i, _k, values in rows if "parent" in values}
    own = {key: values for _i, key, values in rows}
    wanted = [*own, *parents]
    existing = {a.name: a for a in Account.objects.select_for_update().filter(name__in=wanted).order_by("pk")}
    # Parents first: a child's row needs the parent's key.
    waiting = list(rows)
    while waiting:
        ready = [r for r in waiting if r[2].get("parent") not in own or r[2]["parent"] in existing or r[2]["parent"] == r[1]]
        if not ready:  # a ring of parents
            ready = waiting
        waiting = [r for r in waiting if r not in ready]
        prepared = []
        for index, key, values in ready:
            parent = values.pop("parent", None)
            if parent is not None and parent not in existing:
                outcome.failed[index] = _("There is no company “%(name)s” to be a subsidiary of") % {"name": parent}
                continue
            values.pop("name", None)
            if "revenue" in values:
                values["revenue"] = _money(values["revenue"])
            if parent is not None:
                values["parent_id"] = existing[parent].pk
            prepared.append((key, values))
        made = _save(Account, existing, prepared, lambda key, v: Account(name=key, external_key=key, **v), outcome, _places(rows))
        existing.update({account.name: account for account in made})


SOURCE_STAGES = {"prospecting": Stage.QUALIFICATION, "engaging": Stage.PROPOSAL, "won": Stage.WON, "lost": Stage.LOST}
LOOKUPS = {"product": Product, "account": Account, "owner": SalesTeamMember}
NOT_THERE = {
    "product": lambda name: _("There is no product “%(name)s”; match it, make it or leave it out") % {"name": name},
    "account": lambda name: _("There is no company “%(name)s”; match it, make it or leave it out") % {"name": name},
    "owner": lambda name: _("There is no seller “%(name)s”; match it, make it or leave it out") % {"name": name},
}


def _deals(rows: list[tuple[int, str, Values]], outcome: Outcome) -> None:
    found = {
        name: {
            row.name: row
            for row in model.objects.filter(name__in={v[name] for _i, _k, v in rows if name in v})  # type: ignore[attr-defined]
        }
        for name, model in LOOKUPS.items()
    }
    existing = {
        d.external_key: d for d in Deal.objects.select_for_update().filter(external_key__in=[key for _i, key, _v in rows]).order_by("pk")
    }
    prepared, facts = [], {}
    for index, key, values in rows:
        missing = next((name for name in LOOKUPS if name in values and values[name] not in found[name]), None)
        if missing:
            outcome.failed[index] = NOT_THERE[missing](values[missing])
            continue
        related = {name: found[name][values[name]] for name in LOOKUPS if name in values}
        source = values["stage"]
        deal = existing.get(key)
        if deal is not None and deal.instance_id and (deal.outcome or "") != (source if source in ("won", "lost") else ""):
            outcome.failed[index] = _("This deal has a running process, which alone closes or reopens it")
            continue
        if deal is None and (why := _contradiction(values)):
            outcome.failed[index] = why
            continue
        prepared.append((key, _deal_values(key, values, related, source, deal)))
        facts[key] = source
    made = _save(Deal, existing, prepared, lambda key, v: _new_deal(key, v), outcome, _places(rows))
    StageChange.objects.bulk_create(
        StageChange(deal=deal, to_stage=deal.stage, at=deal.stage_since, actor_name=_("Import"), reason=_("as in the imported table"))
        for deal in made
    )


def _contradiction(values: Values) -> str:
    """Why a row can't be true, or nothing."""
    closed = values["stage"] in ("won", "lost")
    if closed and "close_date" not in values:
        return _("A closed deal without the date on which it closed")
    if values["stage"] == "won" and "close_value" not in values:
        return _("A won deal without its value")
    if "engage_date" in values and "close_date" in values and values["close_date"] < values["engage_date"]:
        return _("Closed before it was engaged")
    return ""


def _deal_values(key: str, values: Values, related: dict[str, Any], source: str, deal: Deal | None) -> Values:
    """A row as the deal's columns."""
    product, account, owner = related.get("product"), related.get("account"), related.get("owner")
    wanted: Values = {}
    if product is not None:
        wanted |= {"product_id": product.pk, "list_price": product.list_price}
    if account is not None:
        wanted |= {"account_id": account.pk, "customer_organisation_id": account.organisation_id}
    if owner is not None:
        wanted["owner_id"] = owner.pk
    for name in ("engage_date", "close_date"):
        if name in values:
            wanted[name] = values[name]
    if "close_value" in values:
        wanted["close_value"] = _money(values["close_value"])
    if source in ("won", "lost"):
        wanted["outcome"] = source
    if deal is None or not deal.instance_id:
        wanted["stage"] = str(SOURCE_STAGES[source])
    if deal is None:
        wanted["title"] = " · ".join(part for part in (product.name if product else "", account.name if account else "") if part) or key
        wanted["amount"] = wanted.get("close_value") if source == "won" else (product.list_price if product else None)
    return wanted


def _new_deal(key: str, values: Values) -> Deal:
    """A deal that stands in its stage since the date that the table tells."""
    since = values.get("close_date") or values.get("engage_date")
    at = timezone.make_aware(datetime.combine(since, time(12))) if since else timezone.now()
    return Deal(external_key=key, stage_since=at, **values)


WRITERS: dict[str, Callable[[list[tuple[int, str, Values]], Outcome], None]] = {
    "products": _products,
    "sales_teams": _sellers,
    "accounts": _accounts,
    "deals": _deals,
}
