"""Middlewares, each able to run sync and async so that ASGI needs no thread hop for it."""

from __future__ import annotations

import ipaddress
import time
import zoneinfo
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from portal import words
from portal.errors import NotAllowed, Refused
from portal.kept_pages import note_act
from portal.services.devices import note_use
from portal.services.memberships import actor_for_request
from portal.views.errors import ended_session


class _Both:
    """Base of a middleware that serves both worlds."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.before(request)
        return self.get_response(request)

    def before(self, request: HttpRequest) -> None:
        """What happens before the view."""


class ActedMiddleware(_Both):
    """Whoever sends something sees what came of it on the very next page: no page that was kept before is given to them."""

    def __call__(self, request: HttpRequest):
        if iscoroutinefunction(self.get_response):
            return self._acall(request)
        return note_act(request, self.get_response(request))

    async def _acall(self, request: HttpRequest) -> HttpResponse:
        return note_act(request, await self.get_response(request))


class AddressMiddleware(_Both):
    """`REMOTE_ADDR` is the visitor's address, also behind proxies: as many of them as `TRUSTED_PROXIES` says are believed, counted from
    the right of `X-Forwarded-For`, for what stands left of them a visitor may have written. A shorter or odd header is not believed."""

    def before(self, request: HttpRequest) -> None:
        """Put the visitor's address in the place of the nearest proxy's."""
        trusted = settings.TRUSTED_PROXIES
        if not trusted:
            return
        told = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        if len(told) < trusted:
            return
        address = told[-trusted]
        if address.startswith("["):  # [2001:db8::1]:443
            address = address[1:].partition("]")[0]
        elif address.count(":") == 1:  # 203.0.113.7:443
            address = address.partition(":")[0]
        try:
            request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(address))
        except ValueError:
            return


class ActorMiddleware(_Both):
    """Sets `request.actor`, looked up at most once a request, the reader's language and time zone, and `request.began`, in seconds."""

    def __init__(self, get_response: Callable) -> None:
        super().__init__(get_response)
        words.remember()

    def before(self, request: HttpRequest) -> None:
        # No text that people write holds a zero byte, and PostgreSQL takes none.
        request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "")
        request.actor = SimpleLazyObject(lambda: actor_for_request(request))  # type: ignore[attr-defined]
        request.began = time.time()  # type: ignore[attr-defined]

    def process_view(self, request: HttpRequest, view, args, kwargs) -> None:
        """Runs in the view's own thread: put the page into the reader's zone and language."""
        timezone.deactivate()
        if not getattr(request, "user", None) or not request.user.is_authenticated:
            return
        note_use(request.session.session_key)
        actor = request.actor  # type: ignore[attr-defined]
        if isinstance(actor, SimpleLazyObject) and actor.audience:  # looked up by now, so plain: a page asks it hundreds of times
            request.actor = actor = actor._wrapped  # type: ignore[attr-defined]
        if actor.time_zone:
            try:
                timezone.activate(zoneinfo.ZoneInfo(actor.time_zone))
            except (KeyError, ValueError, zoneinfo.ZoneInfoNotFoundError):
                timezone.deactivate()
        if actor.language:
            translation.activate(actor.language)
            request.LANGUAGE_CODE = actor.language


class ViewingMiddleware(_Both):
    """Who looks through an outsider's eyes changes nothing: only the way back and the way out are open to them."""

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        """Refuse every request that could write."""
        if request.method in ("GET", "HEAD", "OPTIONS") or not getattr(request, "user", None) or not request.user.is_authenticated:
            return None
        actor = request.actor  # type: ignore[attr-defined]
        if not actor.viewed_by or (request.resolver_match and request.resolver_match.url_name in ("view-as-end", "account_logout")):
            return None
        told = _("You are looking through the eyes of %(name)s: nothing can be changed or sent. Leave the view first.")
        refusal = NotAllowed(told % {"name": actor.name})
        template = "portal/parts/_refused.html" if request.headers.get("HX-Request") else "portal/refused.html"
        return render(request, template, {"refusal": refusal}, status=refusal.status)


class ReadingMiddleware(_Both):
    """Somebody who may only read changes nothing of their organisation; what is theirs alone (profile, bell, way out) stays open."""

    OWN = frozenset(
        {
            *("switch-organisation", "article-vote", "fitting-articles", "view-as-end", "leave-organisation"),
            *("notifications-read", "notification-choices", "notification", "join"),
        }
    )

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        """Refuse every request that could write for the organisation."""
        if request.method in ("GET", "HEAD", "OPTIONS") or not getattr(request, "user", None) or not request.user.is_authenticated:
            return None
        name = (request.resolver_match.url_name if request.resolver_match else "") or ""
        access = getattr(view, "access", None)
        own = name in self.OWN or request.path.startswith(reverse("profile"))  # everything under one's own administration
        if not request.actor.is_reader or own or access is None or access.is_public:  # type: ignore[attr-defined]
            return None
        refusal = NotAllowed(_("You may look at everything here and change nothing. Ask your administrator for another role."))
        template = "portal/parts/_refused.html" if request.headers.get("HX-Request") else "portal/refused.html"
        return render(request, template, {"refusal": refusal}, status=refusal.status)


class RefusalMiddleware(_Both):
    """Turns a `Refused` that a view let through into a page or fragment that says why, with the right status."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer refusals in words; everything else goes on to Django."""
        if not isinstance(exception, Refused):
            return None
        template = "portal/parts/_refused.html" if getattr(request, "htmx", False) else "portal/refused.html"
        return render(request, template, {"refusal": exception}, status=exception.status)


class SignInMiddleware(LoginRequiredMiddleware):
    """Visitors are led to the sign-in page and back. A form that htmx sends after the session ended is told so: it stays as typed."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable) -> HttpResponse:
        """Say it in words to htmx, else lead to the sign-in page; from there back to the page that held the form, not to its address."""
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        if request.headers.get("HX-Request"):
            return ended_session(request)
        query = urlencode({REDIRECT_FIELD_NAME: _page_of_form(request), "ended": "yes"}, safe="/")
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{query}")


def _page_of_form(request: HttpRequest) -> str:
    """The page of ours that a form was sent from; without a word of it, the start page."""
    sent_from = request.META.get("HTTP_REFERER", "")
    if not sent_from or not url_has_allowed_host_and_scheme(sent_from, {request.get_host()}):
        return "/home/"
    page = urlsplit(sent_from)
    return "/" + page.path.lstrip("/") + (f"?{page.query}" if page.query else "")
