"""Starting a process by hand."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.access import Audience, requires
from portal.errors import Refused
from workflows import starting
from workflows.errors import FormRefused, NotFound


@require_GET
@requires(Audience.INTERNAL)
def index(request: HttpRequest) -> HttpResponse:
    """What the reader may begin."""
    return render(request, "workflows/start.html", {"choices": starting.startables(request.actor)})


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def start(request: HttpRequest, key: str) -> HttpResponse:
    """The form of one process; POST begins it and shows where it stands."""
    once = request.POST.get("idempotency_key", "")[:80] or secrets.token_urlsafe(16)
    error = ""
    try:
        view, form = starting.start_form(request.actor, key, request.POST if request.method == "POST" else None)
        if request.method == "POST":
            instance_id = starting.start_by_form(request.actor, key, request.POST, idempotency_key=once)
            messages.success(request, _("“%(name)s” has begun. Here you see where it stands.") % {"name": view.name})
            return redirect("workflows:instance", instance_id)
    except NotFound:
        raise Http404 from None
    except FormRefused:
        form.is_valid()
    except Refused as refused:
        error = refused.message
    context = {"start": view, "form": form, "key": once, "error": error}
    return render(request, "workflows/start_form.html", context, status=422 if error or form.errors else 200)
