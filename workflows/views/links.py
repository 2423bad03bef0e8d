"""The page behind a letter's Approve and Reject."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.access import public
from portal.errors import Refused
from workflows.errors import FormRefused
from workflows.services import links


@never_cache
@require_http_methods(["GET", "POST"])
def _decide(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link decides; only what is sent from here decides it."""
    visitor = request.user.pk if request.user.is_authenticated else None
    comment = request.POST.get("reason", "")[:4000]
    context, status = {"comment": comment}, 200
    try:
        if request.method == "POST":
            context["done"] = links.use_link(token, comment, visitor)
        else:
            context["offer"] = links.read_link(token, visitor)
    except FormRefused as refused:
        context |= {"offer": links.read_link(token, visitor), "error": refused.message}
        status = 422
    except Refused as refused:
        context["problem"], status = refused.message, refused.status
    return render(request, "workflows/decide.html", context, status=status)


decide = public(_decide)
