"""Accounts, for pages and for conflict checks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm.access import CrmPermission
from crm.models import Account, Deal
from portal.access import Actor
from portal.rows import Prepared

COMPANY_WORDS = {
    "ltd", "limited", "inc", "llc", "gmbh", "ag", "co", "corp", "corporation",
    "company", "group", "the", "plc", "sa", "bv", "oy", "ab",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimilarAccount:
    """An account that may be the one somebody types; `has_open_deal` is all that an outsider ever learns through other packages."""

    account_id: int
    name: str
    same: bool
    has_open_deal: bool
    open_product_ids: tuple[int, ...]


def plain_name(name: str) -> str:
    """A company's name without case, punctuation and legal form, for comparing."""
    words = re.findall(r"\w+", name.lower())
    return " ".join(w for w in words if w not in COMPANY_WORDS) or " ".join(words)


def similar_accounts(name: str, limit: int = 5) -> list[SimilarAccount]:
    """Accounts whose name is the same or begins alike, for the conflict check of a registration and for duplicates while typing.

    Not narrowed to an actor: callers decide what of it they show (an outsider is told only whether there is a conflict).
    """
    plain = plain_name(name)
    if len(plain) < 2:
        return []
    found = list(Account.objects.filter(name__icontains=plain.split(" ")[0]).order_by("name")[:200])
    close = [row for row in found if plain_name(row.name) == plain or plain in plain_name(row.name) or plain_name(row.name) in plain]
    close.sort(key=lambda row: (plain_name(row.name) != plain, row.name))
    close = close[:limit]
    products: dict[int, list[int]] = {}
    with_deals = set()
    for account_id, product_id in Deal.objects.filter(account__in=close, outcome=None).values_list("account_id", "product_id"):
        with_deals.add(account_id)
        if product_id:
            products.setdefault(account_id, []).append(product_id)
    return [
        SimilarAccount(row.pk, row.name, plain_name(row.name) == plain, row.pk in with_deals, tuple(sorted(set(products.get(row.pk, ())))))
        for row in close
    ]


def account_of_organisation(organisation_id: int) -> int | None:
    """The account that stands for a portal organisation."""
    return Account.objects.filter(organisation_id=organisation_id).values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True)
class KnownCompany:
    """What a conflict check learns of a company that we know already."""

    account_id: int
    name: str
    open_deals: int


def find_company(actor: Actor, name: str) -> KnownCompany | None:
    """The account of this name, for employees and the system; None where there is none or the actor may not ask."""
    if not (actor.is_internal and actor.can(CrmPermission.VIEW)):
        return None
    same = next((one for one in similar_accounts(name) if one.same), None)
    if same is None:
        return None
    return KnownCompany(same.account_id, same.name, Deal.objects.filter(account_id=same.account_id, outcome=None).count())


@dataclass(frozen=True, slots=True)
class Caretaker:
    """The employee who looks after a customer, as the customer knows them."""

    name: str
    job_title: str
    phone: str


_ACCOUNT_OF = Prepared(
    lambda organisation: Account.objects.select_related("owner__user").filter(organisation_id=organisation).order_by("pk")[:1], 987_654_321
)


def caretaker_of(actor: Actor) -> Caretaker | None:
    """Who looks after the actor's own organisation; None where nobody has been named, or for anybody but a customer."""
    if not (actor.is_customer and actor.organisation_id):
        return None
    account = _ACCOUNT_OF.first(actor.organisation_id)
    user = account.owner.user if account and account.owner else None
    return Caretaker(user.name, user.job_title, user.phone) if user and user.is_active else None
