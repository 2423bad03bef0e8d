"""The public site's frame: every installation has a home page, news and a knowledge base, and the people who may edit them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.models import Page, Site

from portal.access import PortalPermission
from portal.models import HomePage, KnowledgeIndexPage, MembershipRole, NewsIndexPage, User
from portal.registry import registry

EDITORS = "Moderators"  # Wagtail's own group: may write and publish every page, add pictures and documents


def ensure_site() -> HomePage:
    """Give the site a home page with news and knowledge under it where it has none; what is there already stays as it is."""
    with transaction.atomic():
        home = HomePage.objects.first()
        if home is None:
            root = Page.get_first_root_node()
            Page.objects.filter(depth=2, slug="home", content_type__model="page").delete()  # Wagtail's own greeting
            root.refresh_from_db()
            home = HomePage(
                title=settings.WAGTAIL_SITE_NAME,
                slug="home",
                hero_title=_("Work with us in one place"),
                hero_text=_("Follow your requests, decide on offers and talk to the people who work for you."),
                button=_("Sign in"),
                button_address="/home/",
            )
            root.add_child(instance=home)
        _ensure_root(home)
        if not NewsIndexPage.objects.child_of(home).exists():
            home.add_child(instance=NewsIndexPage(title=_("News"), slug="news", show_in_menus=True))
        if not KnowledgeIndexPage.objects.child_of(home).exists():
            home.add_child(instance=KnowledgeIndexPage(title=_("Help"), slug="help", show_in_menus=True))
    return home


def _ensure_root(home: HomePage) -> None:
    site = Site.objects.filter(is_default_site=True).first()
    if site is None:
        address = urlsplit(settings.SITE_URL)
        site = Site(hostname=address.hostname or "localhost", port=address.port or 80, is_default_site=True)
    elif isinstance(site.root_page.specific, HomePage):
        return
    site.root_page = home
    site.site_name = site.site_name or settings.WAGTAIL_SITE_NAME
    site.save()


def sync_editor(user: User) -> None:
    """Let a person into the site's editor exactly while one of their roles allows it."""
    group = Group.objects.filter(name=EDITORS).first()
    if group is None:
        return
    roles = MembershipRole.objects.filter(
        membership__user=user, membership__is_active=True, membership__organisation__is_active=True, membership__audience="internal"
    ).values_list("role", flat=True)
    if user.is_active and PortalPermission.EDIT_SITE in registry.permissions_of(roles):
        user.groups.add(group)
    else:
        user.groups.remove(group)
