"""Lists kept under a name."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.utils.translation import gettext as _

from crm.access import CrmPermission
from crm.models import SavedView
from crm.services.common import allow
from portal.access import Actor
from portal.errors import Refused

DROPPED = {"page", "csrfmiddlewaretoken", "view"}


def save_view(actor: Actor, list_key: str, *, name: str, query: str, shared: bool = False) -> SavedView:
    """Keep a list's search, filters, sort and columns; the same name again replaces one's own view."""
    allow(actor, CrmPermission.VIEW)
    name = name.strip()[:80]
    if not name:
        raise Refused(_("Give the view a name."), "name")
    kept = urlencode([(key, value) for key, value in parse_qsl(query) if key not in DROPPED])[:1000]
    with transaction.atomic():
        view, _made = SavedView.objects.update_or_create(
            author_id=actor.user_id, list_key=list_key, name=name, defaults={"query": kept, "is_shared": shared}
        )
    return view


def delete_view(actor: Actor, view_id: int) -> None:
    """Drop one's own view; others' stay."""
    if not SavedView.objects.filter(pk=view_id, author_id=actor.user_id).delete()[0]:
        raise Refused(_("Only its author can drop a view."))
