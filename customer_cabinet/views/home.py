"""The cabinet's home."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from customer_cabinet import selectors
from customer_cabinet.access import CabinetPermission
from portal.access import Audience, requires
from portal.kept_pages import kept
from workflows.selectors.questions import questions_to

customer = requires(Audience.CUSTOMER)


@require_GET
@customer
@kept
def home(request: HttpRequest) -> HttpResponse:
    """Needs you, in progress, done."""
    return render(request, "customer_cabinet/home.html", _home(request))


@require_GET
@customer
def body(request: HttpRequest) -> HttpResponse:
    """The part of the home that changes live."""
    return render(request, "customer_cabinet/parts/_home.html", _home(request))


def _home(request: HttpRequest) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    may_request = actor.can(CabinetPermission.START_REQUEST)
    return {"home": selectors.home(actor), "questions": questions_to(actor), "may_request": may_request}
