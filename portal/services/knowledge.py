"""Votes on articles of the knowledge base."""

from __future__ import annotations

import secrets

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.errors import Refused
from portal.models import ArticleVote
from portal.querysets import visible_articles

HOURLY = 60  # votes an hour from one address


def voter_of(actor: Actor, mark: str) -> str:
    """Who votes: a person, or the mark that an unnamed browser keeps; empty when there is neither."""
    if actor.user_id:
        return f"user:{actor.user_id}"
    return f"mark:{mark}" if mark else ""


def new_mark() -> str:
    """A mark for a browser that votes for the first time; it says nothing about who it is."""
    return secrets.token_urlsafe(16)


def vote_on_article(actor: Actor, voter: str, page_id: int, *, helped: bool, missing: str = "", address: str = "") -> None:
    """Keep what a reader thinks of an article, or change it; raises Refused for an article they can't read and for floods."""
    if not voter or not visible_articles(actor).filter(pk=page_id).exists():
        raise Refused(_("This article isn't there any more."))
    key = f"article-votes:{address}"
    cache.add(key, 0, 3600)
    if address and cache.incr(key) > HOURLY:
        raise Refused(_("Too many votes came from your address. Try again in an hour."))
    with transaction.atomic():
        ArticleVote.objects.update_or_create(
            page_id=page_id, voter=voter[:80], defaults={"helped": helped, "missing": "" if helped else missing.strip()[:500]}
        )
