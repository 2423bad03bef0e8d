"""What the feed's views share."""

from __future__ import annotations

import json
from uuid import UUID, uuid4, uuid5

from django.http import Http404, HttpRequest, HttpResponse

from portal.access import Actor
from portal.registry import SubjectRef, SubjectView, registry


def subject_or_404(actor: Actor, text: str) -> SubjectView:
    """The record an address names; one out of reach is as absent as one that never was."""
    try:
        ref = SubjectRef.parse(text)
    except ValueError as error:
        raise Http404 from error
    subject = registry.resolve(actor, ref)
    if subject is None:
        raise Http404
    return subject


def key_of(request: HttpRequest) -> UUID | None:
    """The form's key, by which a second sending is known."""
    try:
        # A list of boxes shares one key; each adds the number of its record.
        base, _dash, mark = request.POST.get("idempotency_key", "").partition(".")
        return uuid5(UUID(base), mark) if mark else UUID(base)
    except ValueError:
        return None


def new_key() -> str:
    """A key for a fresh form."""
    return str(uuid4())


def number(text: str | None) -> int | None:
    """A whole number from an address or a form, None for anything else."""
    return int(text) if text and text.isdecimal() and len(text) <= 18 else None


def with_toast(response: HttpResponse, text: str, *, undo_url: str = "", kind: str = "good") -> HttpResponse:
    """Let the page show a short message, with undo where there is one."""
    toast = {"text": text, "kind": kind} | ({"undo_url": undo_url} if undo_url else {})
    response["HX-Trigger"] = json.dumps({"toast": toast})
    return response
