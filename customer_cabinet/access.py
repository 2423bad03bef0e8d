"""What people of a customer's organisation may do in their cabinet; other packages' rows are gated by those packages."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import QuerySet

from customer_cabinet.models import RequestDraft
from portal.access import Actor


class CabinetPermission(StrEnum):
    """Permissions of the cabinet."""

    START_REQUEST = "customer_cabinet.start_request"


def visible_drafts(actor: Actor) -> QuerySet[RequestDraft]:
    """One's own drafts, in the organisation that one acts in; nobody else's, not even a colleague's."""
    if not actor.is_customer or actor.user_id is None:
        return RequestDraft.objects.none()
    return RequestDraft.objects.filter(user_id=actor.user_id, organisation_id=actor.organisation_id)
