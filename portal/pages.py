"""Wagtail page types of the public site: home, news, knowledge base, landing pages with a form."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page, PageQuerySet
from wagtail.search import index

from portal.blocks import article_blocks, page_blocks
from portal.registry import registry
from portal.site_search import matching
from portal.votes_panel import VotesPanel

if TYPE_CHECKING:
    from portal.access import Actor

__all__ = ["HomePage", "KnowledgeIndexPage", "KnowledgePage", "LandingPage", "NewsIndexPage", "NewsPage"]
A_PAGE = 12


class SitePage:
    """What all pages have in common: a visitor's copy may be kept by caches for a minute, a person's own by nobody."""

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; without a session it is the same for everybody and sets no cookie."""
        response = super().serve(request, *args, **kwargs)  # type: ignore[misc]
        own = reader_of(request).user_id or settings.SESSION_COOKIE_NAME in request.COOKIES
        response["Cache-Control"] = "private, no-cache" if own else "public, max-age=60"
        patch_vary_headers(response, ["Cookie", "Accept-Language", "HX-Request"])
        return response


def reader_of(request: HttpRequest) -> Actor:
    """Who reads; an editor's preview is shown as to a visitor."""
    from portal.access import Actor  # needs the user model, which isn't there yet while this module is read

    return getattr(request, "actor", None) or Actor.anonymous()


class HeroMixin(models.Model):
    """The first words of a page, the one button that goes with them, and beside them a road or a picture."""

    hero_title = models.CharField(_("headline"), max_length=160, blank=True)
    hero_text = models.TextField(_("words under the headline"), blank=True)
    button = models.CharField(_("words on the button"), max_length=60, blank=True)
    button_address = models.CharField(_("where the button leads"), max_length=300, blank=True)
    hero_steps = models.TextField(
        _("road beside the headline"),
        blank=True,
        max_length=400,
        help_text=_("One step a line; two are shown as done, the third as now."),
    )
    hero_picture = models.ForeignKey(
        "wagtailimages.Image",
        verbose_name=_("picture beside the headline"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

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
    names = ("hero_title", "hero_text", "button", "button_address", "hero_steps", "hero_picture")
    return MultiFieldPanel([FieldPanel(name) for name in names], heading=_("Top of the page"))


class HomePage(SitePage, HeroMixin, Page):
    """The company's first page."""

    body = StreamField(page_blocks(), verbose_name=_("content"), blank=True)
    content_panels = [*Page.content_panels, _hero_panel(), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("hero_text"), index.SearchField("body")]
    parent_page_types = ["wagtailcore.Page"]
    max_count = 1
    template = "portal/pages/home.html"

    class Meta:
        verbose_name = _("home page")


class LandingPage(SitePage, HeroMixin, Page):
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

    def readable(self, actor: Actor | None) -> PageQuerySet:
        """The live children that somebody may read."""
        return self.children_type().objects.child_of(self).live().public()  # type: ignore[attr-defined]

    def matching(self, text: str, actor: Actor | None = None) -> PageQuerySet:
        """The readable children that hold all words of a text; all of them for none."""
        return matching(self.readable(actor), text, self.order)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What was asked for, and the page of it."""
        text = request.GET.get("q", "").strip()[:100]
        pages = Paginator(self.matching(text, reader_of(request)), A_PAGE).get_page(request.GET.get("page"))
        return super().get_context(request, *args, **kwargs) | {"q": text, "entries": pages}  # type: ignore[misc]


class NewsIndexPage(SitePage, ListingMixin, Page):
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


class NewsPage(SitePage, ArticleMixin, Page):
    """One piece of news."""

    date = models.DateField(_("date"), default=timezone.localdate)
    content_panels = [*Page.content_panels, FieldPanel("date"), FieldPanel("intro"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("intro"), index.SearchField("body")]
    parent_page_types = ["portal.NewsIndexPage"]
    subpage_types: list[str] = []
    template = "portal/pages/news.html"

    class Meta:
        verbose_name = _("news")


class KnowledgeIndexPage(SitePage, ListingMixin, Page):
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

    def readable(self, actor: Actor | None) -> PageQuerySet:
        """The articles that are for this reader."""
        return super().readable(actor).filter(audience__in=articles_for(actor))

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The topics there are for this reader, and the one that was chosen."""
        context = super().get_context(request, *args, **kwargs)
        topics = list(self.readable(reader_of(request)).order_by("topic").values("topic").annotate(n=models.Count("pk")))
        topic = request.GET.get("topic", "")[:80]
        if topic:
            rows = self.matching(context["q"], reader_of(request)).filter(topic=topic)
            context["entries"] = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
        return context | {"topics": topics, "topic": topic}


ARTICLE_AUDIENCES = [
    ("public", _("Everybody")),
    ("customer", _("Customers and employees")),
    ("partner", _("Partners and employees")),
    ("internal", _("Employees alone")),
]


def articles_for(actor: Actor | None) -> list[str]:
    """The audiences of articles that somebody reads; without an actor, what a visitor reads."""
    match str(actor.audience) if actor else "public":
        case "internal":
            return [key for key, _label in ARTICLE_AUDIENCES]
        case "customer" | "partner" as own:
            return ["public", own]
        case _:
            return ["public"]


class KnowledgePage(SitePage, ArticleMixin, Page):
    """One answer of the knowledge base, for everybody or for one audience."""

    topic = models.CharField(_("topic"), max_length=80)
    audience = models.CharField(
        _("who may read it"),
        max_length=10,
        choices=ARTICLE_AUDIENCES,
        default="public",
        help_text=_("For all others it isn't there at all."),
    )
    content_panels = [
        *Page.content_panels,
        FieldPanel("topic"),
        FieldPanel("audience"),
        FieldPanel("intro"),
        FieldPanel("body"),
        VotesPanel(),
    ]
    search_fields = [
        *Page.search_fields, index.SearchField("intro"), index.SearchField("body"), index.FilterField("audience"),
    ]  # fmt: skip
    parent_page_types = ["portal.KnowledgeIndexPage"]
    subpage_types: list[str] = []
    template = "portal/pages/knowledge.html"

    class Meta:
        verbose_name = _("knowledge article")

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The article for those whom it is for; for all others there is none at this address."""
        if self.audience not in articles_for(reader_of(request)):
            raise Http404
        return super().serve(request, *args, **kwargs)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Other articles of the topic, and the way to its versions for editors."""
        from portal.access import PortalPermission

        reader = reader_of(request)
        others = KnowledgePage.objects.sibling_of(self, inclusive=False).live().public().filter(topic=self.topic)
        others = others.filter(audience__in=articles_for(reader)).order_by("title")[:6]
        may_edit = reader.can(PortalPermission.EDIT_SITE)
        return super().get_context(request, *args, **kwargs) | {"others": others, "may_edit": may_edit}
