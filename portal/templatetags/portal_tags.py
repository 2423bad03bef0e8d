"""Template tags of the kernel."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from portal.offers import Offer, offer_of
from portal.registry import SiteCard, SubjectRef, registry

register = template.Library()


@register.simple_tag(takes_context=True)
def subject_panels(context, slot: str, ref: SubjectRef | str) -> list[dict[str, object]]:
    """The panels other packages offer for a record's slot: `{% subject_panels "subject.messages" ref as panels %}` → label, url."""
    if isinstance(ref, str):
        ref = SubjectRef.parse(ref)
    actor = context["actor"]
    return [{"label": p.label, "url": registry.panel_url(p, ref)} for p in registry.panels_for(actor, slot, ref.kind)]


@register.simple_tag(takes_context=True)
def site_menu(context) -> list[dict[str, object]]:
    """The public site's navigation: what the packages offer, then pages under the home page that editors put into the menu."""
    from wagtail.models import Site

    request = context.get("request")
    site = Site.find_for_request(request) if request else None
    if site is None:
        return []
    if not hasattr(request, "site_menu"):  # bar, phone's menu and foot show the same
        pages = site.root_page.get_children().live().public().in_menu()
        entries = [(str(link.label), reverse(link.url_name)) for link in registry.site_links]
        entries += [(page.title, page.get_url(request)) for page in pages]
        request.site_menu = [{"title": title, "url": url, "current": request.path.startswith(url)} for title, url in entries]
    return request.site_menu


@register.simple_tag
def site_cards(count: int) -> list[SiteCard]:
    """What the packages offer on the site."""
    return registry.site_cards()[:count]


@register.simple_tag(takes_context=True)
def site_offer(context, block) -> Offer:
    """A calculator or configurator of the page as it begins."""
    return offer_of(context["page"].pk, block, {})


@register.simple_tag
def faq_data(blocks) -> SafeString:
    """The questions and answers of a page for search engines, as schema.org has them; nothing where there are none."""
    items = [item for block in blocks or () if block.block_type == "questions" for item in block.value["items"]]
    if not items:
        return SafeString("")
    answers = [(item["question"], " ".join(strip_tags(item["answer"].source).split())) for item in items]
    entities = [{"@type": "Question", "name": q, "acceptedAnswer": {"@type": "Answer", "text": a}} for q, a in answers]
    return linked_data({"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": entities})


@register.simple_tag
def linked_data(value: dict) -> SafeString:
    """Facts for search engines; a script tag in them can't end ours."""
    text = json.dumps(value, cls=DjangoJSONEncoder).translate({ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"})
    return SafeString(f'<script type="application/ld+json">{text}</script>')


@register.simple_tag(takes_context=True)
def page_greeting(context) -> str:
    """A word for who is signed in; empty for visitors."""
    from portal.selectors_site import greeting

    actor = context.get("actor")
    return greeting(actor) if actor and actor.user_id else ""


@register.simple_tag
def kept_news(count: int) -> Sequence[object]:
    """The newest pieces of news as title, intro and address: kept, because a cabinet shows them on every visit."""
    from portal.selectors_site import newest_news

    return newest_news(count)


@register.simple_tag
def latest_news(count: int) -> list[object]:
    """The pages of the newest news."""
    from portal.selectors_site import news_pages

    return list(news_pages(count))
