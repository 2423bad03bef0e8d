"""The partner's home, and the contract that both sides read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from partners import selectors
from partners.contract import KINDS, contracts
from portal.access import Audience, requires
from portal.kept_pages import kept
from workflows.selectors import first_tasks
from workflows.selectors.questions import questions_to

partner = requires(Audience.PARTNER)
ENDS_SOON = 30


def _context(request: HttpRequest) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    joint = selectors.joint_deals(actor)
    registered = selectors.registrations(actor, limit=50)
    ending = [r for r in registered if r.days_protected is not None and 0 <= r.days_protected <= ENDS_SOON]
    return {
        "tasks": first_tasks(actor),
        "questions": questions_to(actor),
        "invited": [d for d in joint if d.state == "invited"],
        "active": [d for d in joint if d.state == "accepted" and not d.outcome],
        "won": [d for d in joint if d.state == "accepted" and d.outcome == "won"],
        "open_registrations": [r for r in registered if r.is_open],
        "ending": sorted(ending, key=lambda r: r.days_protected or 0),
    }


@require_GET
@partner
@kept
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me, what ends soon, how it stands."""
    return render(request, "partners/home.html", _context(request))


@require_GET
@partner
def body(request: HttpRequest) -> HttpResponse:
    """The part of the home that changes live."""
    return render(request, "partners/parts/_home.html", _context(request))


@require_GET
@partner
def contract(request: HttpRequest) -> HttpResponse:
    """What we share with the partner, line by line."""
    found = contracts(request.actor)  # type: ignore[attr-defined]
    shown = [(c, [(label, c.of_kind(kind)) for kind, label in KINDS.items()]) for c in found]
    return render(request, "partners/contract.html", {"contracts": shown})
