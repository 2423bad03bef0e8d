"""All conversations of a customer in one place, and the one with the company as a whole."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm import selectors as crm
from portal.access import Audience, requires
from portal.registry import SubjectRef
from social_feed.selectors.messages import conversations as conversations_of

customer = requires(Audience.CUSTOMER)


@require_GET
@customer
def conversations(request: HttpRequest) -> HttpResponse:
    """Where people have written, the newest first; and the way to write to the company."""
    return render(request, "customer_cabinet/messages.html", {"rows": conversations_of(request.actor)})  # type: ignore[attr-defined]


@require_GET
@customer
def conversation_list(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes live."""
    return render(request, "customer_cabinet/parts/_conversations.html", {"rows": conversations_of(request.actor)})  # type: ignore[attr-defined]


@require_GET
@customer
def with_company(request: HttpRequest) -> HttpResponse:
    """The conversation that is about no request in particular."""
    actor = request.actor  # type: ignore[attr-defined]
    context = {"ref": SubjectRef("portal.organisation", actor.organisation_id), "caretaker": crm.caretaker_of(actor)}
    return render(request, "customer_cabinet/conversation.html", context)
