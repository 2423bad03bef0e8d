"""Wagtail page types of the public site: home, news, knowledge base, landing pages with a form."""

from __future__ import annotations

from html import unescape
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from portal.blocks import article_blocks, page_blocks
from portal.registry import registry

__all__ = ["HomePage", "KnowledgeIndexPage", "KnowledgePage", "LandingPage", "NewsIndexPage", "NewsPage"]
A_PAGE = 12


class HeroMixin(models.Model):
    """The first words of a page, and the one button that goes with them."""

    hero_title = models.CharField(_("headline"), max_length=160, blank=True)
    hero_text = models.TextField(_("words under the headline"), blank=True)
    button = models.CharField(_("words on the button"), max_length=60, blank=True)
    button_address = models.CharField(_("where the button leads"), max_length=300, blank=True)

    class Meta:
        abstract = True


class SiteFormSelect(forms.Select):
    """Chooses among the forms that the packages offer at the moment."""

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Asked for anew each time it is drawn."""
        return [("", _("No form")), *((form.key, str(form.label)) for form in registry.site_forms())]

    @choices.setter
    def choices(self, value: object) -> None:
        """The form field has none to give."""


def _hero_panel() -> MultiFieldPanel:
    return MultiFieldPanel(
        [FieldPanel(name) for name in ("hero_title", "hero_text", "button", "button_address")], heading=_("Top of the page")
    )


class HomePage(HeroMixin, Page):
    """The company's first page."""

    body = StreamField(page_blocks(), verbose_name=_("content"), blank=True)
    content_panels = [*Page.content_panels, _hero_panel(), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("hero_text"), index.SearchField("body")]
    parent_page_types = ["wagtailcore.Page"]
    max_count = 1
    template = "portal/pages/home.html"

    class Meta:
        verbose_name = _("home page")


class LandingPage(HeroMixin, Page):
    """A page for one offer, with the form that starts its process."""

    body = StreamField(page_blocks(), verbose_name=_("content"), blank=True)
    form = models.CharField(
        _("form"), max_length=100, blank=True, help_text=_("What a visitor sends starts the process that belongs to this form.")
    )
    content_panels = [
        *Page.content_panels,
        _hero_panel(),
        FieldPanel("form", widget=SiteFormSelect),
        FieldPanel("body"),
    ]
    search_fields = [*Page.search_fields, index.SearchField("hero_text"), index.SearchField("body")]
    template = "portal/pages/landing.html"

    class Meta:
        verbose_name = _("landing page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The form's address, where the form is still offered."""
        form = registry.site_form(self.form) if self.form else None
        return super().get_context(request, *args, **kwargs) | {"form_offer": form}


class ArticleMixin(models.Model):
    """A page with a first sentence and content, found by any of its words."""

    intro = models.TextField(_("in short"), max_length=400)
    body = StreamField(article_blocks(), verbose_name=_("content"), blank=True)
    words = models.TextField(editable=False, default="")

    class Meta:
        abstract = True

    def full_clean(self, *args: Any, **kwargs: Any) -> None:
        """Keep the words that the search looks through, in lower case for every alphabet."""
        text = " ".join(str(part) for block in self.body for part in block.block.get_searchable_content(block.value))
        self.words = " ".join(unescape(strip_tags(f"{self.title} {self.intro} {text}")).casefold().split())
        super().full_clean(*args, **kwargs)


class ListingMixin:
    """An index page: its children by page, narrowed by `?q=`."""

    order: tuple[str, ...] = ()

    def matching(self, text: str):
        """The live children that hold all words of a text."""
        rows = self.children_type().objects.child_of(self).live().public()  # type: ignore[attr-defined]
        for word in text.casefold().split()[:8]:
            rows = rows.filter(words__contains=word)
        return rows.order_by(*self.order)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What was asked for, and the page of it."""
        text = request.GET.get("q", "").strip()[:100]
        pages = Paginator(self.matching(text), A_PAGE).get_page(request.GET.get("page"))
        return super().get_context(request, *args, **kwargs) | {"q": text, "entries": pages}  # type: ignore[misc]


class NewsIndexPage(ListingMixin, Page):
    """All news, newest first."""

    intro = models.TextField(_("introduction"), blank=True)
    content_panels = [*Page.content_panels, FieldPanel("intro")]
    subpage_types = ["portal.NewsPage"]
    parent_page_types = ["portal.HomePage"]
    template = "portal/pages/news_index.html"
    order = ("-date", "-pk")

    class Meta:
        verbose_name = _("news list")

    @staticmethod
    def children_type() -> type[Page]:
        """What it lists."""
        return NewsPage


class NewsPage(ArticleMixin, Page):
    """One piece of news."""

    date = models.DateField(_("date"), default=timezone.localdate)
    content_panels = [*Page.content_panels, FieldPanel("date"), FieldPanel("intro"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("intro"), index.SearchField("body")]
    parent_page_types = ["portal.NewsIndexPage"]
    subpage_types: list[str] = []
    template = "portal/pages/news.html"

    class Meta:
        verbose_name = _("news")


class KnowledgeIndexPage(ListingMixin, Page):
    """The knowledge base: articles by topic, and a search over all of them."""

    intro = models.TextField(_("introduction"), blank=True)
    content_panels = [*Page.content_panels, FieldPanel("intro")]
    subpage_types = ["portal.KnowledgePage"]
    parent_page_types = ["portal.HomePage"]
    template = "portal/pages/knowledge_index.html"
    order = ("topic", "title")

    class Meta:
        verbose_name = _("knowledge base")

    @staticmethod
    def children_type() -> type[Page]:
        """What it lists."""
        return KnowledgePage


class KnowledgePage(ArticleMixin, Page):
    """One answer of the knowledge base."""

    topic = models.CharField(_("topic"), max_length=80)
    content_panels = [*Page.content_panels, FieldPanel("topic"), FieldPanel("intro"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("intro"), index.SearchField("body")]
    parent_page_types = ["portal.KnowledgeIndexPage"]
    subpage_types: list[str] = []
    template = "portal/pages/knowledge.html"

    class Meta:
        verbose_name = _("knowledge article")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Other articles of the topic."""
        others = KnowledgePage.objects.sibling_of(self, inclusive=False).live().public().filter(topic=self.topic).order_by("title")[:6]
        return super().get_context(request, *args, **kwargs) | {"others": others}
