"""Pages that are kept for their reader: what a page follows live says when it is out of date.

Every page names, in `data-live`, the topics after whose pings it reads itself anew. So the same page may be given to the same reader again
as long as none of them was pinged and the reader themselves did nothing; for LONGEST at most, for what no topic tells of (a colleague's
telephone number, news of the site). A ping that comes between is heard as on any page that is open: its `data-read-at` is the time of its
reading, and what was pinged since is told to it as soon as it listens.

Nobody's page is given to another: the key holds the whole actor with all rights, address, host, browser's CSRF secret and colours.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from html import unescape
from typing import NamedTuple

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token

from portal.live import hub

LONGEST = 30.0  # seconds
MOST = 300  # pages a process
ACTED = "acted"  # the cookie: when the browser last sent something that may have changed anything
_FOLLOWS = re.compile(rb'data-live="([^"]*)"')


class _Page(NamedTuple):
    read: float  # seconds since 1970
    topics: frozenset[str]
    content: bytes
    headers: dict[str, str]


_pages: OrderedDict[Hashable, _Page] = OrderedDict()  # the one used last at the end
_lock = threading.Lock()


def kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For a view, under `requires`, whose page follows live what it shows, that writes nothing and holds no draft of another device."""

    @functools.wraps(view)
    def give(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        key = _key(request)
        if key is None:
            return view(request, *args, **kwargs)
        page = _found(key)
        if page and _is_fresh(page, request):
            get_token(request)  # the browser's secret goes on living
            return HttpResponse(page.content, headers=page.headers)
        response = view(request, *args, **kwargs)
        if response.status_code == 200:
            _keep(key, request, response)
        return response

    return give


def forget_all() -> None:
    """Keep nothing."""
    with _lock:
        _pages.clear()


def _key(request: HttpRequest) -> Hashable | None:
    """Whose page this is; None where it is read now: a fragment, words to be shown once, an employee who looks through others' eyes."""
    actor, secret = request.actor, request.META.get("CSRF_COOKIE")  # type: ignore[attr-defined]
    if not (hub.is_listening and actor.user_id and secret) or actor.viewed_by or request.headers.get("HX-Request"):
        return None
    if len(get_messages(request)):
        return None
    # A lazy actor is another object in every request, so its fields stand for it.
    who = (actor.user_id, actor.membership_id, actor.name, actor.organisation_name, actor.email, actor.roles, actor.permissions)
    how = (actor.language, actor.time_zone, request.COOKIES.get("theme"), request.get_host(), request.is_secure())
    return request.get_full_path(), secret, who, how


def _found(key: Hashable) -> _Page | None:
    with _lock:
        if key in _pages:
            _pages.move_to_end(key)
        return _pages.get(key)


def _is_fresh(page: _Page, request: HttpRequest) -> bool:
    try:
        acted = float(request.COOKIES.get(ACTED) or 0)
    except ValueError:
        return False
    now = time.time()
    return page.read > acted and now - LONGEST < page.read <= now and not hub.missed(page.topics, page.read)


def _keep(key: Hashable, request: HttpRequest, response: HttpResponse) -> None:
    topics = {topic for words in _FOLLOWS.findall(response.content) for topic in unescape(words.decode()).split()}
    if not topics:
        return
    began = request.began  # type: ignore[attr-defined]
    with _lock:
        _pages[key] = _Page(began, frozenset(topics), response.content, dict(response.headers))
        _pages.move_to_end(key)
        while len(_pages) > MOST:
            _pages.popitem(last=False)


def note_act(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let the browser remember that it sent something: it sees what came of it at once, whichever process gives it the next page."""
    if request.method not in ("GET", "HEAD", "OPTIONS") and settings.SESSION_COOKIE_NAME in request.COOKIES:
        response.set_cookie(
            ACTED,
            f"{time.time():.3f}",
            max_age=int(LONGEST) * 2,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
