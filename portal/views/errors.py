"""Error pages in words; they must work when much else doesn't."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.access import public


def ended_session(request: HttpRequest) -> HttpResponse:
    """Tell a page that sent a form by htmx: nothing was changed, sign in in another tab and send again."""
    toast = {
        "text": _("Your session has ended. Sign in in another tab, then send again: what you typed stays here."),
        "kind": "warn",
        "href": f"{reverse('account_login')}?next=/home/",
        "link": _("Sign in"),
        "new_tab": True,
    }
    return HttpResponse(toast["text"], status=401, headers={"HX-Trigger": json.dumps({"toast": toast})})


@public
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The session ended, or the form is from another one: say so, with a way back; nothing was changed."""
    if request.headers.get("HX-Request"):
        return ended_session(request)
    return render(request, "session_ended.html", {"back": request.META.get("HTTP_REFERER", "/")}, status=403)
