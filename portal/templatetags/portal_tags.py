"""Template tags of the kernel."""

from __future__ import annotations

from django import template

from portal.registry import SubjectRef, registry

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
    """The public site's navigation: pages under the home page that editors put into the menu."""
    from wagtail.models import Site

    request = context.get("request")
    site = Site.find_for_request(request) if request else None
    if site is None:
        return []
    pages = site.root_page.get_children().live().public().in_menu()
    return [
        {"title": page.title, "url": page.get_url(request), "current": request.path.startswith(page.get_url(request))} for page in pages
    ]


@register.simple_tag
def latest_news(count: int) -> list[object]:
    """The newest pieces of news."""
    from portal.pages import NewsPage

    return list(NewsPage.objects.live().public().order_by("-date", "-pk")[:count])
