"""What the pages share: the list's declaration by its address, a visible row or 404."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest

from crm.lists import LISTS, ListSpec
from portal.access import Actor
from portal.registry import SubjectRef


def spec_of(key: str) -> ListSpec:
    """The list of this address; 404 where there is none."""
    spec = LISTS.get(key)
    if spec is None:
        raise Http404
    return spec


def row_of(actor: Actor, spec: ListSpec, pk: int) -> Any:
    """A record that the actor sees; the same 404 for one that isn't there."""
    row = spec.visible(actor).select_related(*spec.related, *spec.card_related).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def ref_of(spec: ListSpec, pk: int) -> SubjectRef:
    """The record as a subject."""
    return SubjectRef(spec.kind, pk)


def is_fragment(request: HttpRequest, target: str) -> bool:
    """Whether htmx asks for this part of the page alone."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and htmx.target == target
