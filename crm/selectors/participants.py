"""Which outside organisations take part in a record: whom a message on it may be for."""

from __future__ import annotations

from collections.abc import Callable

from crm.access import JOINT_STATES
from crm.models import Case, Deal, DocumentRequest, Quote, Request
from portal.access import Audience

Pairs = list[tuple[Audience, int]]


def _customer_of(model) -> Callable[[int], Pairs]:
    def organisations(pk: int) -> Pairs:
        keys = model.objects.filter(pk=pk, customer_organisation_id__isnull=False).values_list("customer_organisation_id", flat=True)
        return [(Audience.CUSTOMER, key) for key in keys]

    return organisations


def _partner_of_deal(pk: int) -> Pairs:
    keys = Deal.objects.filter(pk=pk, partner_organisation_id__isnull=False, partner_state__in=JOINT_STATES)
    return [(Audience.PARTNER, key) for key in keys.values_list("partner_organisation_id", flat=True)]


_TAKING_PART = {
    "case": _customer_of(Case),
    "request": _customer_of(Request),
    "quote": _customer_of(Quote),
    "document_request": _customer_of(DocumentRequest),
    "deal": _partner_of_deal,
}


def organisations_on(name: str) -> Callable[[int], Pairs]:
    """The function that names the organisations of a kind of record; most kinds are the company's own."""
    return _TAKING_PART.get(name, lambda pk: [])
