"""This package's part of the palette's search."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.registry import SearchHit
from workflows import selectors


def tasks(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Open tasks that the actor may do, by name or by what they are about."""
    page = selectors.tasks_for(actor, selectors.InboxFilter(text=text, limit=limit))
    return [SearchHit(row.name, row.title, reverse("workflows:task", args=[row.id]), "checkbox") for row in page.rows]


def processes(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Processes by name, then running ones by title."""
    word = text.lower()
    hits = [
        SearchHit(one.name, _("Process, version %(n)d") % {"n": one.version}, reverse("workflows:definition", args=[one.key]), "hierarchy")
        for one in selectors.process_choices(actor)
        if word in one.name.lower() or word in one.key
    ]
    page = selectors.instances(actor, selectors.InstanceFilter(text=text), limit=limit)
    hits += [SearchHit(row.title, row.waits_on, reverse("workflows:instance", args=[row.id]), "route") for row in page.rows]
    return hits[:limit]
