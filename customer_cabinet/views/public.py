"""The way in for visitors: the public catalogue and a form that starts a request."""

from __future__ import annotations

import secrets
from itertools import groupby
from urllib.parse import urlencode

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import selectors as crm
from crm import services
from customer_cabinet.access import CabinetPermission
from customer_cabinet.forms import PublicRequestForm
from portal.access import Actor, public
from portal.errors import Refused
from portal.offers import described

HOURLY = 20  # requests an hour from one address: a person never needs so many


@require_GET
@public
def catalogue(request: HttpRequest) -> HttpResponse:
    """What a visitor may ask for; a customer who is signed in asks in the cabinet, where we know them."""
    if request.actor.is_customer:  # type: ignore[attr-defined]
        return redirect("customer_cabinet:catalogue")
    cards = sorted(crm.catalogue(Actor.anonymous()), key=lambda c: (c.category, c.name))
    groups = [(category, list(found)) for category, found in groupby(cards, key=lambda c: c.category)]
    return render(request, "customer_cabinet/public/catalogue.html", {"groups": groups})


@require_http_methods(["GET", "POST"])
@public
def start(request: HttpRequest, product_id: int | None = None) -> HttpResponse:
    """The form; once its letter is confirmed it becomes a lead, an account, an invitation and a running process.

    A customer who is signed in asks for a product in the cabinet, with what they chose on the site; who they are is filled in.
    """
    actor = request.actor  # type: ignore[attr-defined]
    fragment = getattr(request, "htmx", False) and not request.htmx.boosted  # type: ignore[attr-defined]
    if product_id and actor.is_customer and request.method == "GET" and not fragment:
        return redirect(f"{reverse('customer_cabinet:product', args=[product_id])}?{request.GET.urlencode()}".rstrip("?"))
    product = crm.product_card(Actor.anonymous(), product_id) if product_id else None
    if product_id and product is None:
        raise Http404
    chosen = described(request.GET.get("from", ""), request.GET)
    initial = {
        "idempotency_key": secrets.token_urlsafe(16),
        "message": f"{chosen.words}\n\n" if chosen else "",
        "name": actor.name if actor.user_id else "",
        "email": actor.email if actor.user_id else "",
        "company": actor.organisation_name if actor.is_customer else "",
    }
    form = PublicRequestForm(request.POST or None, initial=initial)
    extra = services.start_form(Actor.anonymous(), product_id, request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        good = extra is None or extra.is_valid()
        if form.is_valid() and form.cleaned_data["website"]:
            return redirect("public_start:thanks")
        if form.is_valid() and good:
            try:
                again = _take(request, form.cleaned_data, product_id, services.raw_answers(extra, request.POST))
            except Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
            else:
                return redirect(reverse("public_start:thanks") + (f"?{urlencode({'again': again})}" if again else ""))
    template = "customer_cabinet/public/_form.html" if fragment else "customer_cabinet/public/form.html"
    return render(request, template, {"form": form, "extra": extra, "product": product, "chosen": chosen}, status=status)


def _take(request: HttpRequest, data: dict, product_id: int | None, answers: dict) -> str:
    """Keep what was asked until its letter is confirmed, and give what asks for the letter again; empty for a customer who is signed in
    and writes from their own address: nothing has to be confirmed then."""
    _slow_down(request)
    actor = request.actor  # type: ignore[attr-defined]
    wish = services.PublicRequest(
        name=data["name"],
        email=data["email"],
        company=data["company"],
        phone=data["phone"],
        message=data["message"],
        product_id=product_id,
        consent=data["consent"],
        key=data["idempotency_key"],
        answers=answers,
    )
    if not (actor.is_customer and data["email"].strip().lower() == actor.email.lower()):
        return services.begin_public_start(wish)
    if not actor.can(CabinetPermission.START_REQUEST):
        raise Refused(_("Your role doesn't start requests. Ask your administrator for the role of a buyer."))
    services.submit_public_request(wish)
    return ""


def _slow_down(request: HttpRequest) -> None:
    """Raise Refused where one address asks too often."""
    key = f"public-start:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, 3600)
    if cache.incr(key) > HOURLY:
        raise Refused(_("Too many requests came from your address. Try again in an hour, or call us."))


@require_GET
@public
def thanks(request: HttpRequest) -> HttpResponse:
    """What happens next: the letter, and its link."""
    return render(
        request,
        "customer_cabinet/public/thanks.html",
        {"again": request.GET.get("again", "")[:200], "confirmed": "confirmed" in request.GET},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@public
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the letter's link: a button confirms, so that whoever only looks at links starts nothing."""
    try:
        if request.method == "POST":
            done = services.confirm_public_start(token)
            messages.success(request, _("Your address is confirmed and your request is with us."))
            if done.join_token:
                return redirect("join", token=done.join_token)
            if getattr(request.actor, "is_customer", False):  # type: ignore[attr-defined]
                return redirect("customer_cabinet:home")
            return redirect(f"{reverse('public_start:thanks')}?{urlencode({'confirmed': 'yes'})}")
        return _confirm_page(request, token)
    except Refused as refusal:
        return _confirm_page(request, token, refusal)


def _confirm_page(request: HttpRequest, token: str, refusal: Refused | None = None) -> HttpResponse:
    try:
        found = services.read_public_start(token)
    except Refused as unknown:
        context = {"refusal": unknown, "state": "unknown"}
        return render(request, "customer_cabinet/public/confirm.html", context, status=unknown.status)
    words = refusal.message if refusal else "" if found.state == "open" else services.words_of(found.state)
    status = 200 if found.state == "open" and not refusal else 409
    return render(request, "customer_cabinet/public/confirm.html", {"start": found, "state": found.state, "words": words}, status=status)


@require_POST
@public
def again(request: HttpRequest) -> HttpResponse:
    """Mail the letter again."""
    asked = request.POST.get("again", "")[:200]
    try:
        _slow_down(request)
        services.send_start_again(asked)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("A new letter is on its way. Only its link is good now."))
    return redirect(f"{reverse('public_start:thanks')}?{urlencode({'again': asked})}")
