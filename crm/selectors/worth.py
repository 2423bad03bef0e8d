"""What deals are worth, for whoever adds up the money at stake; the figures are shown to employees alone."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from crm.models import Deal


def worth_of_deals(ids: Collection[int]) -> dict[int, tuple[Decimal, str]]:
    """Amount and currency by id; a deal without an amount is left out."""
    rows = Deal.objects.filter(pk__in=ids).exclude(amount=None).values_list("pk", "amount", "amount_currency")
    return {pk: (amount, currency) for pk, amount, currency in rows}
