"""Keeping, renaming and dropping views of any list."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.services import saved_views as services


def _back(request: HttpRequest, query: str | None = None) -> HttpResponse:
    """To the list: with a view's query, or as it was."""
    asked = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()})
    path = urlsplit(asked).path if safe else "/work/"
    if query is None:
        return redirect(asked if safe else path)
    return redirect(f"{path}?{query or 'view=none'}")


@require_POST
@requires(Audience.INTERNAL)
def save(request: HttpRequest) -> HttpResponse:
    """Keep the list as it is shown under a name."""
    post = request.POST
    try:
        view = services.save_view(
            request.actor,  # type: ignore[attr-defined]
            post.get("list", ""),
            name=post.get("name", ""),
            query=post.get("query", ""),
            shared_with=post.get("shared", ""),
            is_default=post.get("default") == "yes",
        )
    except Refused as refused:
        messages.error(request, refused.message)
        return _back(request)
    messages.success(request, _("Saved as “%(name)s”.") % {"name": view.name})
    return _back(request, view.query)


@require_POST
@requires(Audience.INTERNAL)
def change(request: HttpRequest, view_id: int) -> HttpResponse:
    """Rename one's own view (`do` rename), open the list with it or not (default, undefault), or drop it (drop)."""
    actor, act = request.actor, request.POST.get("do", "")  # type: ignore[attr-defined]
    try:
        match act:
            case "rename":
                services.rename_view(actor, view_id, request.POST.get("name", ""))
                messages.success(request, _("Renamed."))
            case "default" | "undefault":
                view = services.open_with_view(actor, view_id, act == "default")
                words = (
                    _("The list opens with “%(name)s” now.") if act == "default" else _("The list opens whole again, not with “%(name)s”.")
                )
                messages.success(request, words % {"name": view.name})
            case "drop":
                services.delete_view(actor, view_id)
                messages.success(request, _("The view is gone."))
            case _:
                raise Refused(_("Choose what to do with this view."))
    except Refused as refused:
        messages.error(request, refused.message)
    return _back(request)
