"""The public catalogue for visitors and search engines."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from crm import selectors as crm
from portal.access import Actor, public


@require_safe
@public
def product_list(request: HttpRequest) -> HttpResponse:
    """Everything on offer, by category and by words."""
    text, category = request.GET.get("q", "").strip()[:100], request.GET.get("category", "")[:80]
    cards = sorted(crm.catalogue(Actor.anonymous(), text), key=lambda card: (card.category, card.name))
    categories = sorted({card.category for card in crm.catalogue(Actor.anonymous()) if card.category})
    shown = [card for card in cards if not category or card.category == category]
    context = {"cards": shown, "categories": categories, "category": category, "text": text}
    return render(request, "customer_cabinet/public/products.html", context)


@require_safe
@public
def product(request: HttpRequest, product_id: int) -> HttpResponse:
    """One product: what it is, what it costs, how to ask for it."""
    found = crm.product_card(Actor.anonymous(), product_id)
    if found is None:
        raise Http404
    others = [card for card in crm.catalogue(Actor.anonymous()) if card.id != found.id and card.category == found.category][:3]
    facts = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": found.name,
        "description": found.description,
        "category": found.category,
        "url": settings.SITE_URL + reverse("products:product", args=[found.id]),
    }
    if found.list_price:
        facts["offers"] = {"@type": "Offer", "price": found.list_price.amount, "priceCurrency": str(found.list_price.currency)}
    return render(request, "customer_cabinet/public/product.html", {"product": found, "others": others, "facts": facts})
