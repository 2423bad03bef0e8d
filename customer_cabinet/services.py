"""Writes of the cabinet itself."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm import selectors as crm
from customer_cabinet.access import visible_drafts
from customer_cabinet.models import RequestDraft
from portal.access import Actor
from portal.errors import NotAllowed, Refused

LONGEST = 5000


def keep_draft(actor: Actor, product_id: int, *, title: str = "", description: str = "", answers: dict[str, Any] | None = None) -> None:
    """Keep what was typed so far; an empty form keeps nothing. Raises Refused for a product that isn't offered."""
    if not actor.is_customer:
        raise NotAllowed(_("Requests are made from a customer's cabinet."))
    if crm.product_card(actor, product_id) is None:
        raise Refused(_("This isn't in the catalogue any more. Choose another."), "product")
    if not (title.strip() or description.strip() or answers):
        drop_draft(actor, product_id)
        return
    RequestDraft.objects.update_or_create(
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        product_id=product_id,
        defaults={"title": title[:200], "description": description[:LONGEST], "answers": answers or {}},
    )


def drop_draft(actor: Actor, product_id: int) -> None:
    """Throw a draft away: it was sent, or isn't wanted any more."""
    visible_drafts(actor).filter(product_id=product_id).delete()
