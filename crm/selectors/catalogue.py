"""The service catalogue, as anybody may read it."""

from __future__ import annotations

from dataclasses import dataclass

from djmoney.money import Money

from crm.access import visible_products
from crm.models import Product
from portal.access import Actor


@dataclass(frozen=True, slots=True)
class ProductCard:
    """A product as shown in a catalogue."""

    id: int
    name: str
    series: str
    category: str
    description: str
    list_price: Money | None
    needs_partner: bool
    icon: str
    process_key: str


def _card(row: Product) -> ProductCard:
    return ProductCard(
        row.pk, row.name, row.series, row.category, row.description, row.list_price, row.needs_partner, row.icon, row.process_key
    )


def catalogue(actor: Actor, text: str = "") -> list[ProductCard]:
    """What stands in the public catalogue, by category and name; the same for every audience, employees included."""
    rows = visible_products(actor).filter(is_public=True, is_active=True).order_by("category", "name")
    if text:
        rows = rows.filter(name__icontains=text) | rows.filter(description__icontains=text)
    return [_card(row) for row in rows[:200]]


def product_card(actor: Actor, product_id: int) -> ProductCard | None:
    """One product, or None where the actor may not see it."""
    row = visible_products(actor).filter(pk=product_id).first()
    return _card(row) if row else None
