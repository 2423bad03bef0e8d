"""The site's editor as part of the portal: our colours, our frame, a way back."""

from __future__ import annotations

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem


@hooks.register("insert_global_admin_css")
def theme() -> SafeString:
    """The company's look."""
    return format_html('<link rel="stylesheet" href="{}">', static("portal/cms.css"))


@hooks.register("register_admin_menu_item")
def way_back() -> MenuItem:
    """Back to the workspace."""
    return MenuItem(_("Back to work"), reverse("home"), name="back-to-work", icon_name="arrow-left", order=10)


@hooks.register("construct_main_menu")
def hide_what_lives_elsewhere(request: HttpRequest, menu_items: list[MenuItem]) -> None:
    """People are looked after in the portal's own settings."""
    menu_items[:] = [item for item in menu_items if item.name not in ("help",)]
