"""All conversations of a customer in one place, and the one with the company as a whole."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm import selectors as crm
from portal.access import Actor, Audience, requires
from portal.registry import SubjectRef
from social_feed.selectors.messages import ConversationView
from social_feed.selectors.messages import conversations as conversations_of

customer = requires(Audience.CUSTOMER)


def _rows(actor: Actor) -> list[ConversationView]:
    """The conversations in the customer's words: the one on their organisation is the one with us."""
    words = _("With us, about everything else")
    return [
        replace(row, subject=replace(row.subject, title=words)) if row.subject.ref.kind == "portal.organisation" else row
        for row in conversations_of(actor)
    ]


@require_GET
@customer
def conversations(request: HttpRequest) -> HttpResponse:
    """Where people have written, the newest first; and the way to write to the company."""
    return render(request, "customer_cabinet/messages.html", {"rows": _rows(request.actor)})  # type: ignore[attr-defined]


@require_GET
@customer
def conversation_list(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes live."""
    return render(request, "customer_cabinet/parts/_conversations.html", {"rows": _rows(request.actor)})  # type: ignore[attr-defined]


@require_GET
@customer
def with_company(request: HttpRequest) -> HttpResponse:
    """The conversation that is about no request in particular."""
    actor = request.actor  # type: ignore[attr-defined]
    context = {"ref": SubjectRef("portal.organisation", actor.organisation_id), "caretaker": crm.caretaker_of(actor)}
    return render(request, "customer_cabinet/conversation.html", context)
