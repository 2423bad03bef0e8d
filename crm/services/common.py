"""What every service here needs: the permission check, reading a row to write it, plain amounts, the stale check."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from djmoney.money import Money

from crm.access import CrmPermission
from crm.models import SalesTeamMember
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.registry import SubjectRef, registry
from workflows.services import refuse_locked

Row = TypeVar("Row", bound=Model)


def allow(actor: Actor, permission: CrmPermission) -> None:
    """Raise NotAllowed unless the actor is an employee who holds the permission."""
    if not (actor.is_internal and actor.can(permission)):
        raise NotAllowed(_("Your role doesn't allow this. Ask a manager or an administrator."))


def locked(rows: QuerySet[Row], pk: int, *, actor: Actor | None = None, free: bool = False) -> Row:
    """Read one row for writing; raises Refused for a row that isn't there or is out of reach, and Conflict for a record that waits for a
    decision which locks it. `free` leaves that to the caller."""
    row = rows.select_for_update().filter(pk=pk).first()
    if row is None:
        raise Refused(_("This record isn't there any more."))
    if not free and (kind := kind_of(row)):
        refuse_locked(SubjectRef(kind, pk), actor=actor)
    return row


def kind_of(row: Model) -> str:
    """What the registry calls a row's kind of record; empty for a row that is none."""
    return next((kind.key for kind in registry.subjects.values() if kind.model == row._meta.label), "")


def check_fresh(row: Any, seen_at: str | datetime | None) -> None:
    """Raise Conflict where the row was saved after the person read it; `seen_at` None skips the check."""
    if not seen_at:
        return
    seen = parse_datetime(seen_at) if isinstance(seen_at, str) else seen_at
    if seen is None or row.updated_at != seen:
        raise Conflict(_("Somebody changed this record while you were editing it. Your words are kept below: compare, then save again."))


def amount_of(value: Any, field: str, *, required: bool = False) -> Decimal | None:
    """Read an amount that was typed or comes from a process; raises Refused for what isn't one."""
    if isinstance(value, Money):
        value = value.amount
    if value is None or value == "":
        if required:
            raise Refused(_("Give an amount."), field)
        return None
    try:
        number = Decimal(str(value).replace(" ", "").replace("\u00a0", "").replace(",", "."))
    except InvalidOperation:
        raise Refused(_("“%(value)s” isn't an amount.") % {"value": value}, field) from None
    if not number.is_finite() or number < 0 or number >= Decimal("1e12"):
        raise Refused(_("“%(value)s” isn't an amount that can be kept.") % {"value": value}, field)
    return number.quantize(Decimal("0.01"))


def percent_of(value: Any, field: str) -> Decimal:
    """Read a percentage from 0 to 100."""
    number = amount_of(value, field) or Decimal(0)
    if number > 100:
        raise Refused(_("A discount lies between 0 and 100 %."), field)
    return number


def money_of(amount: Decimal | None, currency: str = "") -> Money | None:
    """An amount in the installation's currency unless another is said."""
    return None if amount is None else Money(amount, currency or settings.DEFAULT_CURRENCY)


def change_fields(actor: Actor, row: Any, ref: SubjectRef, values: dict[str, Any], allowed: Iterable[str], verb: str) -> dict[str, Any]:
    """Set the fields that differ, save and audit them; answers what changed (empty: nothing was written). The row was read by `locked`."""
    allowed = set(allowed)
    before, after = {}, {}
    for name, value in values.items():
        if name not in allowed:
            raise Refused(_("“%(field)s” can't be changed here.") % {"field": name}, name)
        old = getattr(row, name)
        if old != value:
            before[name], after[name] = plain(old), plain(value)
            setattr(row, name, value)
    if after:
        row.save()
        record(actor, verb, ref, before=before, after=after)
    return after


def plain(value: Any) -> Any:
    """A value as JSON keeps it in the audit."""
    if isinstance(value, Model):
        return str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def seller_for(actor: Actor) -> SalesTeamMember | None:
    """The seller that an employee is, made at the first deal; none for the system."""
    if actor.user_id is None or not actor.is_internal:
        return None
    found = SalesTeamMember.objects.filter(user_id=actor.user_id).first()
    if found is not None:
        return found
    namesake = SalesTeamMember.objects.filter(name=actor.name).first()
    name = actor.name if namesake is None else f"{actor.name} ({actor.email})"
    return SalesTeamMember.objects.create(name=name, user_id=actor.user_id)
