"""The cabinet's home."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from customer_cabinet import selectors
from portal.access import Audience, requires
from workflows.selectors.questions import questions_to

customer = requires(Audience.CUSTOMER)


@require_GET
@customer
def home(request: HttpRequest) -> HttpResponse:
    """Needs you, in progress, done."""
    return render(request, "customer_cabinet/home.html", {"home": selectors.home(request.actor), "questions": questions_to(request.actor)})  # type: ignore[attr-defined]


@require_GET
@customer
def body(request: HttpRequest) -> HttpResponse:
    """The part of the home that changes live."""
    return render(
        request, "customer_cabinet/parts/_home.html", {"home": selectors.home(request.actor), "questions": questions_to(request.actor)}
    )  # type: ignore[attr-defined]
