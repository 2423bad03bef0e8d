"""The public site beside its editors' pages: search, offers worked out, the map for search engines, fitting answers, votes."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import selectors_site as selectors
from portal.access import public
from portal.errors import Refused
from portal.offers import find_offer
from portal.querysets import visible_articles
from portal.services.knowledge import new_mark, vote_on_article, voter_of

MARK = "reader"
A_YEAR = 365 * 24 * 3600


@require_safe
@public
def search(request: HttpRequest) -> HttpResponse:
    """Products, answers, pages and news that hold the words."""
    text = request.GET.get("q", "").strip()[:100]
    groups = selectors.search_site(request.actor, text) if len(text) > 1 else []  # type: ignore[attr-defined]
    return render(request, "portal/pages/search.html", {"q": text, "groups": groups})


@require_safe
@public
def offer(request: HttpRequest, page_id: int, block_id: str) -> HttpResponse:
    """The figure of a calculator or configurator for these answers; a page of its own for browsers without scripts."""
    found = find_offer(page_id, str(block_id), request.GET)
    if found is None:
        raise Http404
    template = "portal/blocks/_figure.html" if getattr(request, "htmx", False) else "portal/pages/offer.html"
    return render(request, template, {"offer": found})


@require_safe
@public
@cache_control(public=True, max_age=3600)
def site_map(request: HttpRequest) -> HttpResponse:
    """What search engines may list, in their own format."""
    entries = [(settings.SITE_URL + url, changed) for url, changed in selectors.site_map()]
    return render(request, "portal/pages/sitemap.xml", {"entries": entries}, content_type="application/xml")


@require_safe
@public
@cache_control(public=True, max_age=3600)
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines leave alone: the faces behind the sign-in, and forms."""
    closed = ["/accounts/", "/cabinet/", "/cms/", "/join/", "/me/", "/partner/", "/search/?", "/work/"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), "", f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_POST
@public
def fitting(request: HttpRequest) -> HttpResponse:
    """Articles that may answer what is being typed; what was typed is kept nowhere."""
    text = request.POST.get("message") or request.POST.get("description") or ""
    hits = selectors.fitting_articles(request.actor, text[:2000]) if len(text.strip()) > 3 else []  # type: ignore[attr-defined]
    return render(request, "portal/parts/_fitting.html", {"hits": hits})


@require_http_methods(["GET", "POST"])
@public
def vote(request: HttpRequest, page_id: int) -> HttpResponse:
    """Whether an article helped: asked below it, answered once by each reader, changed as often as they like."""
    actor = request.actor  # type: ignore[attr-defined]
    article = visible_articles(actor).filter(pk=page_id).first()
    if article is None:
        raise Http404
    mark = request.get_signed_cookie(MARK, "", salt=MARK)[:40]
    problem, status = "", 200
    if request.method == "POST":
        mark = mark or ("" if actor.user_id else new_mark())
        try:
            vote_on_article(
                actor,
                voter_of(actor, mark),
                page_id,
                helped=request.POST.get("helped") == "yes",
                missing=request.POST.get("missing", ""),
                address=request.META.get("REMOTE_ADDR", ""),
            )
        except Refused as refusal:
            problem, status = refusal.message, 400
    context = {
        "article": article,
        "mine": selectors.own_vote(page_id, voter_of(actor, mark)),
        "problem": problem,
        "told": bool(request.POST.get("missing", "").strip()) and not problem,
    }
    fragment = getattr(request, "htmx", False)
    response = render(request, "portal/parts/_vote.html" if fragment else "portal/pages/vote.html", context, status=status)
    if request.method == "POST" and mark and not actor.user_id:
        response.set_signed_cookie(MARK, mark, salt=MARK, max_age=A_YEAR, httponly=True, samesite="Lax", secure=settings.BEHIND_TLS)
    response["Cache-Control"] = "private, no-store"
    return response
