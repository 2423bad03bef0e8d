"""Lists kept under a name."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.errors import NotAllowed, Refused
from portal.models import SavedView
from portal.querysets import visible_saved_views
from portal.saved_views import EVERYBODY

DROPPED = {"page", "csrfmiddlewaretoken", "view", "did", "cleared"}
LONGEST_QUERY = 1000


def _name(text: str) -> str:
    name = text.replace("\x00", "").strip()[:80]
    if not name:
        raise Refused(_("Give the view a name."), "name")
    return name


def _share(actor: Actor, shared_with: str) -> str:
    """With whom a view may be shared: everybody who sees the list, or a group of one's own."""
    if shared_with and shared_with != EVERYBODY and shared_with not in actor.roles:
        raise Refused(_("Share it with a group of yours, or with everybody."), "shared")
    return shared_with


def save_view(actor: Actor, list_key: str, *, name: str, query: str, shared_with: str = "", is_default: bool = False) -> SavedView:
    """Keep a list's search, filters, sort and columns; the same name again replaces one's own view. Raises Refused for a bad name."""
    if not actor.is_internal or actor.user_id is None:
        raise NotAllowed(_("Only colleagues keep views of lists."))
    kept = urlencode([(key, value) for key, value in parse_qsl(query) if key not in DROPPED])
    if len(kept) > LONGEST_QUERY:
        raise Refused(_("These filters are too many to keep; remove some."), "name")
    values = {"query": kept, "shared_with": _share(actor, shared_with)}
    with transaction.atomic():
        view, _made = SavedView.objects.update_or_create(author_id=actor.user_id, list_key=list_key[:40], name=_name(name), defaults=values)
        if is_default:
            _open_with(view)
    return view


def _own(actor: Actor, view_id: int) -> SavedView:
    view = visible_saved_views(actor).filter(pk=view_id).first()
    if view is None:
        raise Refused(_("This view isn't there any more."))
    if view.author_id != actor.user_id:
        raise Refused(_("Only its author can change or drop a view."))
    return view


def rename_view(actor: Actor, view_id: int, name: str) -> SavedView:
    """Give one's own view another name. Raises Refused where another view of the list has it."""
    view, wanted = _own(actor, view_id), _name(name)
    if SavedView.objects.filter(author_id=actor.user_id, list_key=view.list_key, name=wanted).exclude(pk=view.pk).exists():
        raise Refused(_("You have a view of this name already."), "name")
    view.name = wanted
    view.save(update_fields=["name"])
    return view


def open_with_view(actor: Actor, view_id: int, on: bool) -> SavedView:
    """The list opens with this view of one's own from now on, or with none."""
    with transaction.atomic():
        view = _own(actor, view_id)
        if on:
            _open_with(view)
        else:
            SavedView.objects.filter(pk=view.pk).update(is_default=False)
    return view


def _open_with(view: SavedView) -> None:
    SavedView.objects.filter(author_id=view.author_id, list_key=view.list_key, is_default=True).exclude(pk=view.pk).update(is_default=False)
    SavedView.objects.filter(pk=view.pk).update(is_default=True)


def delete_view(actor: Actor, view_id: int) -> None:
    """Drop one's own view; others' stay."""
    _own(actor, view_id).delete()
