"""The way in for visitors: the public catalogue and a form that starts a request."""

from __future__ import annotations

import secrets
from itertools import groupby

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from crm import selectors as crm
from crm import services
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
    """The form; a request of it becomes a lead, an account, an invitation and a running process.

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
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid() and form.cleaned_data["website"]:
            return redirect("public_start:thanks")
        if form.is_valid():
            try:
                _take(request, form.cleaned_data, product_id)
            except Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
            else:
                return redirect("public_start:thanks")
    template = "customer_cabinet/public/_form.html" if fragment else "customer_cabinet/public/form.html"
    return render(request, template, {"form": form, "product": product, "chosen": chosen}, status=status)


def _take(request: HttpRequest, data: dict, product_id: int | None) -> None:
    address = request.META.get("REMOTE_ADDR", "")
    key = f"public-start:{address}"
    cache.add(key, 0, 3600)
    if cache.incr(key) > HOURLY:
        raise Refused(_("Too many requests came from your address. Try again in an hour, or call us."))
    services.submit_public_request(
        services.PublicRequest(
            name=data["name"],
            email=data["email"],
            company=data["company"],
            phone=data["phone"],
            message=data["message"],
            product_id=product_id,
            consent=data["consent"],
            key=data["idempotency_key"],
        )
    )


@require_GET
@public
def thanks(request: HttpRequest) -> HttpResponse:
    """What happens next."""
    return render(request, "customer_cabinet/public/thanks.html")
