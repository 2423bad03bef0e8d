"""What the public site and the knowledge base show: search, fitting answers, votes, the map of the site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Page

from portal.access import Actor, Audience
from portal.cache import Kept
from portal.models import ArticleVote, KnowledgePage, LandingPage, NewsPage
from portal.querysets import visible_articles
from portal.registry import SearchHit, SearchProvider, registry
from portal.site_search import fitting, matching

MAX_MAP = 5000
MAX_NEWS = 9


@dataclass(frozen=True, slots=True)
class Votes:
    """What readers thought of an article."""

    helped: int
    not_helped: int
    missing: list[str]


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """What a search found of one kind."""

    label: str
    hits: list[SearchHit]


@dataclass(frozen=True, slots=True)
class NewsItem:
    """One piece of news, as a list of a few shows it."""

    title: str
    intro: str
    url: str


def news_pages(count: int) -> list[NewsPage]:
    """The pages of the newest news that everybody may read."""
    return list(NewsPage.objects.live().public().order_by("-date", "-pk")[:count])


def _newest_news() -> tuple[NewsItem, ...]:
    return tuple(NewsItem(page.title, page.intro, page.url or "") for page in news_pages(MAX_NEWS))


NEWS = Kept("portal.news", _newest_news)


def newest_news(count: int) -> tuple[NewsItem, ...]:
    """The newest pieces of news that everybody may read, at most MAX_NEWS."""
    return NEWS.get()[:count]


def votes_of(page_id: int) -> Votes:
    """The votes on an article, and the newest remarks; for its editors."""
    rows = ArticleVote.objects.filter(page_id=page_id)
    sums = rows.aggregate(good=Count("pk", filter=Q(helped=True)), bad=Count("pk", filter=Q(helped=False)))
    return Votes(sums["good"], sums["bad"], list(rows.exclude(missing="").order_by("-voted_at").values_list("missing", flat=True)[:10]))


def own_vote(page_id: int, voter: str) -> bool | None:
    """What a reader said of an article; None when nothing."""
    return ArticleVote.objects.filter(page_id=page_id, voter=voter).values_list("helped", flat=True).first() if voter else None


def find_articles(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Articles that hold all words."""
    rows = matching(visible_articles(actor), text, ("title",))[:limit]
    return [SearchHit(row.title, row.intro, row.get_url() or "#", "book") for row in rows]


def find_news(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """News that holds all words."""
    rows = matching(NewsPage.objects.live().public(), text, ("-date",))[:limit]
    return [SearchHit(row.title, row.intro, row.get_url() or "#", "news") for row in rows]


def find_landing(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Landing pages by their first words."""
    words = Q(title__icontains=text) | Q(hero_title__icontains=text) | Q(hero_text__icontains=text)
    rows = LandingPage.objects.live().public().filter(words).order_by("title")[:limit]
    return [SearchHit(row.title, row.hero_text, row.get_url() or "#", "file-text") for row in rows]


def fitting_articles(actor: Actor, text: str, limit: int = 3) -> list[SearchHit]:
    """Articles that may answer what somebody is describing, before they send it."""
    return [SearchHit(row.title, row.intro, row.get_url() or "#", "book") for row in fitting(visible_articles(actor), text, limit)]


def search_site(actor: Actor, text: str, limit: int = 8) -> list[SearchGroup]:
    """Everything on the site that holds the words: each kind with what it found, empty ones left out."""
    groups = []
    for provider in sorted(registry.providers, key=lambda p: p.order):
        if Audience.PUBLIC in provider.audiences and (hits := provider.search(actor, text, limit)):
            groups.append(SearchGroup(str(provider.label), hits))
    return groups


def site_providers() -> list[SearchProvider]:
    """The site's part of its own search; people who are signed in find articles by the palette as well."""
    everybody = tuple(Audience)
    return [
        SearchProvider("portal.articles", gettext_lazy("Help"), everybody, find_articles, 85),
        SearchProvider("portal.landing", gettext_lazy("Pages of the site"), (Audience.PUBLIC,), find_landing, 86),
        SearchProvider("portal.news", gettext_lazy("News"), (Audience.PUBLIC,), find_news, 87),
    ]


def site_map() -> list[tuple[str, datetime | None]]:
    """Every address that search engines may list, with its last change: what anonymous visitors see, nothing else."""
    open_articles = visible_articles(Actor.anonymous()).values("pk")
    hidden = KnowledgePage.objects.exclude(pk__in=open_articles).values("pk")
    pages = Page.objects.live().public().filter(depth__gte=2).exclude(pk__in=hidden).order_by("path")[:MAX_MAP]
    found = [(url, page.last_published_at) for page in pages if (url := page.get_url())]
    lists = [(reverse(link.url_name), None) for link in registry.site_links]
    return found + lists + [(card.url, card.changed) for card in registry.site_cards()]


def greeting(actor: Actor) -> str:
    """A word for who is signed in."""
    first = actor.name.partition(" ")[0]
    return _("Good to see you, %(name)s") % {"name": first} if actor.user_id and first else ""
