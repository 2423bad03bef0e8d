"""Writes on products and the price list."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.access import CrmPermission, visible_products
from crm.models import Product
from crm.services.common import allow, change_fields, check_fresh, locked
from portal.access import Actor
from portal.audit import record
from portal.errors import Refused
from portal.live import ping
from portal.registry import SubjectRef

PRODUCT_FIELDS = [
    "name",
    "series",
    "category",
    "description",
    "list_price",
    "is_public",
    "is_active",
    "needs_partner",
    "process_key",
    "project_template",
]


def create_product(actor: Actor, *, name: str, **fields: Any) -> Product:
    """Add a product; raises Refused without a name."""
    allow(actor, CrmPermission.MANAGE_PRODUCTS)
    name = name.strip()
    if not name:
        raise Refused(_("Give the product a name."), "name")
    with transaction.atomic():
        product = Product.objects.create(name=name, **fields)
        record(actor, "product.created", SubjectRef("crm.product", product.pk), after={"name": name})
    return product


def update_product(actor: Actor, product_id: int, values: dict[str, Any], *, seen_at: str | None = None) -> Product:
    """Change a product's fields; deals and quotes keep the price they were made with."""
    allow(actor, CrmPermission.MANAGE_PRODUCTS)
    with transaction.atomic():
        product = locked(visible_products(actor), product_id)
        check_fresh(product, seen_at)
        if "name" in values and not str(values["name"]).strip():
            raise Refused(_("Give the product a name."), "name")
        ref = SubjectRef("crm.product", product.pk)
        if change_fields(actor, product, ref, values, PRODUCT_FIELDS, "product.changed"):
            ping(str(ref))
    return product
