"""The few pages that belong to no face: the way home, files, search, the organisation switch, the demo's page of people."""

from __future__ import annotations

from uuid import UUID

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import files
from portal.access import SIGNED_IN, Audience, public, requires
from portal.numbers import whole_number
from portal.registry import registry
from portal.services.memberships import switch_membership

HOMES = {Audience.INTERNAL: "/work/", Audience.CUSTOMER: "/cabinet/", Audience.PARTNER: "/partner/"}


@public
def home(request: HttpRequest) -> HttpResponse:
    """Send everybody to their own face's home."""
    if not request.user.is_authenticated:
        return redirect_to_login("/home/")
    address = HOMES.get(request.actor.audience)
    if address is None:
        return render(request, "portal/no_membership.html", status=200)
    return redirect(address)


@requires(Audience.INTERNAL)
def work_home(request: HttpRequest) -> HttpResponse:
    """An employee's day begins in the inbox."""
    return redirect("/work/inbox/")


@require_GET
@requires(*SIGNED_IN)
def download(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The only download view. Shown in place only where a browser can't be made to run it."""
    row = files.open_file(request.actor, file_id)
    if row is None:
        raise Http404
    inline = row.content_type in files.SHOWN_IN_PLACE and "download" not in request.GET
    response = FileResponse(row.content.open("rb"), as_attachment=not inline, filename=row.name, content_type=row.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return response


@require_GET
@requires(*SIGNED_IN)
def nav_count(request: HttpRequest) -> HttpResponse:
    """The number beside one entry of the navigation, re-read when its topic is pinged."""
    from portal.context_processors import count_of

    key = request.GET.get("entry", "")
    item = next((item for item in registry.menu_for(request.actor) if item.url_name == key and item.topic), None)
    if item is None:
        return HttpResponse("")
    return render(request, "portal/shell/_count.html", {"entry": count_of(request.actor, item), "hot": "hot" in request.GET})


@require_GET
@requires(*SIGNED_IN)
def palette(request: HttpRequest) -> JsonResponse:
    """The palette's answer: pages, then records of every package, as JSON for the palette alone."""
    from portal.context_processors import navigation

    text = request.GET.get("q", "").strip()[:100]
    pages = [
        {"title": str(entry["label"]), "url": entry["url"], "icon": entry["icon"], "subtitle": ""}
        for entry in navigation(request)
        if text.lower() in str(entry["label"]).lower()
    ]
    groups = [{"label": _("Pages"), "hits": pages[:8]}] if pages else []
    if len(text) >= 2:
        for provider in sorted(registry.providers, key=lambda p: p.order):
            if request.actor.audience not in provider.audiences:
                continue
            hits = provider.search(request.actor, text, 6)
            if hits:
                groups.append(
                    {
                        "label": str(provider.label),
                        "hits": [{"title": h.title, "subtitle": h.subtitle, "url": h.url, "icon": h.icon} for h in hits],
                    }
                )
    return JsonResponse({"groups": groups})


@require_POST
@requires(*SIGNED_IN)
def switch(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organisations."""
    raw = request.POST.get("membership", "")
    actor = switch_membership(request, whole_number(raw) or 0)
    return redirect(HOMES.get(actor.audience, "/"))


@require_http_methods(["GET", "POST"])
@public
def demo_people(request: HttpRequest) -> HttpResponse:
    """Who to sign in as, by one click; only where the demo company runs."""
    if not settings.DEMO:
        raise Http404
    from portal.demo import PASSWORD, PEOPLE

    problem = ""
    if request.method == "POST":
        email = request.POST.get("email", "")
        user = authenticate(request, email=email, password=PASSWORD) if any(p.email == email for p in PEOPLE) else None
        if user is not None:
            logout(request)
            return perform_login(request, user, email_verification="none", redirect_url="/home/")
        problem = _("This person isn't there, or has another password by now.")
    groups = [
        {"audience": str(audience), "people": [p for p in PEOPLE if p.audience == audience]}
        for audience in (Audience.CUSTOMER, Audience.INTERNAL, Audience.PARTNER)
    ]
    page = {"groups": groups, "password": PASSWORD, "problem": problem}
    return render(request, "portal/demo_people.html", page, status=400 if problem else 200)


@require_GET
@public
def health(request: HttpRequest) -> JsonResponse:
    """Answers when the process can reach its database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
