"""What every page's frame needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from portal.access import Actor
from portal.registry import MenuItem, registry
from portal.services.memberships import places_of


def shell(request: HttpRequest) -> dict[str, Any]:
    """The actor, their navigation and the organisations they may switch to; lazily, so that fragments don't pay for it."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        return {}
    return {
        "actor": actor,
        "navigation": lambda: navigation(request),
        "places": lambda: places_of(request),
        "read_at": f"{request.began:.3f}",  # type: ignore[attr-defined]
        "demo": settings.DEMO,
        "site_name": settings.WAGTAIL_SITE_NAME,
        "site_url": settings.SITE_URL,
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The entries of the actor's face; `badge` is counted only here, for full pages."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    entries = []
    for item in registry.menu_for(actor):
        try:
            url = reverse(item.url_name)
        except NoReverseMatch:
            continue
        current = request.path == url or (url.count("/") > 2 and request.path.startswith(url))
        entries.append(
            {"label": item.label, "url": url, "icon": item.icon, "section": item.section, "current": current, **count_of(actor, item)}
        )
    return entries


def count_of(actor: Actor, item: MenuItem) -> dict[str, Any]:
    """The number beside an entry, and the live topic after whose ping it is read again."""
    return {
        "key": item.url_name,
        "badge": item.badge(actor) if item.badge else None,
        "topic": item.topic(actor) if item.badge and item.topic else "",
    }
