"""Where this package's records are shown."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from portal.access import Actor, Audience


def task_url(actor: Actor, pk: int) -> str | None:
    """An employee's page of a task; outsiders do theirs on their own faces."""
    return _internal(actor, "workflows:task", pk)


def instance_url(actor: Actor, pk: int) -> str | None:
    """An employee's page of an instance."""
    return _internal(actor, "workflows:instance", pk)


def question_url(actor: Actor, pk: int) -> str | None:
    """A question in the face of whoever reads it."""
    face = {Audience.INTERNAL: "workflows", Audience.CUSTOMER: "customer_cabinet", Audience.PARTNER: "partners"}.get(actor.audience)
    return reverse(f"{face}:question", args=[pk]) if face else None


def _internal(actor: Actor, name: str, pk: int) -> str | None:
    if not actor.is_internal:
        return None
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return None
