"""The palette's search over the customer base; each reads through its gate."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.access import visible_accounts, visible_cases, visible_contacts, visible_deals, visible_leads, visible_products, visible_requests
from portal.access import Actor, Audience
from portal.numbers import whole_number
from portal.registry import SearchHit, SearchProvider, registry


def _url(actor: Actor, kind: str, pk: int) -> str:
    return registry.subjects[kind].url(actor, pk) or "#"


def search_deals(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Deals by title, account or number."""
    rows = visible_deals(actor).filter(deal_words(text)).select_related("account").order_by("-updated_at")[:limit]
    if not actor.is_internal:
        return [SearchHit(row.title, row.get_stage_display(), _url(actor, "crm.deal", row.pk), "briefcase") for row in rows]
    return [
        SearchHit(
            row.title,
            " · ".join(filter(None, [row.number, row.account.name if row.account else "", row.get_stage_display()])),
            _url(actor, "crm.deal", row.pk),
            "briefcase",
        )
        for row in rows
    ]


def deal_words(text: str) -> Q:
    """What finds a deal among those that one sees."""
    found = Q(title__icontains=text) | Q(account__name__icontains=text) | Q(external_key__istartswith=text)
    number = whole_number(text.upper().removeprefix("D-"))
    return found if number is None else found | Q(pk=number)


def search_accounts(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Accounts by name."""
    rows = visible_accounts(actor).filter(name__icontains=text).order_by("name")[:limit]
    return [SearchHit(row.name, row.sector, _url(actor, "crm.account", row.pk), "building") for row in rows]


def search_contacts(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Contacts by name or address."""
    rows = visible_contacts(actor).filter(Q(name__icontains=text) | Q(email__icontains=text)).select_related("account").order_by("name")
    return [SearchHit(r.name, r.account.name if r.account else r.email, _url(actor, "crm.contact", r.pk), "user") for r in rows[:limit]]


def search_leads(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Leads by name, company or address."""
    words = Q(name__icontains=text) | Q(company__icontains=text) | Q(email__icontains=text)
    rows = visible_leads(actor).filter(words).order_by("-created_at")[:limit]
    return [SearchHit(row.name, row.company, _url(actor, "crm.lead", row.pk), "user-plus") for row in rows]


def search_requests(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Requests by title, words or number."""
    words = Q(title__icontains=text) | Q(description__icontains=text)
    number = whole_number(text.upper().removeprefix("R-"))
    if number is not None:
        words |= Q(pk=number)
    rows = visible_requests(actor).filter(words).select_related("account").order_by("-created_at")[:limit]
    return [SearchHit(r.title, f"{r.number} · {r.account.name}", _url(actor, "crm.request", r.pk), "message-circle") for r in rows]


def search_cases(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Cases by title, words or number."""
    words = Q(title__icontains=text) | Q(description__icontains=text)
    number = whole_number(text.upper().removeprefix("C-"))
    if number is not None:
        words |= Q(pk=number)
    rows = visible_cases(actor).filter(words).select_related("account").order_by("-created_at")[:limit]
    return [SearchHit(r.title, f"{r.number} · {r.account.name}", _url(actor, "crm.case", r.pk), "lifebuoy") for r in rows]


def search_products(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Products by name or series."""
    rows = visible_products(actor).filter(Q(name__icontains=text) | Q(series__icontains=text)).order_by("name")[:limit]
    return [SearchHit(row.name, row.category, registry.subjects["crm.product"].url(actor, row.pk) or "#", "package") for row in rows]


def providers() -> list[SearchProvider]:
    """All of them, in the palette's order."""
    internal, customer, partner = Audience.INTERNAL, Audience.CUSTOMER, Audience.PARTNER
    return [
        SearchProvider("crm.deals", _("Deals"), (internal, partner), search_deals, 10),
        SearchProvider("crm.accounts", _("Accounts"), (internal,), search_accounts, 20),
        SearchProvider("crm.contacts", _("Contacts"), (internal,), search_contacts, 30),
        SearchProvider("crm.requests", _("Requests"), (internal, customer), search_requests, 40),
        SearchProvider("crm.cases", _("Cases"), (internal, customer), search_cases, 45),
        SearchProvider("crm.leads", _("Leads"), (internal,), search_leads, 50),
        SearchProvider("crm.products", _("Products"), (internal, customer), search_products, 60),
    ]
