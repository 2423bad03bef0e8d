"""The page that shows every part of the UI kit, for those who write pages. Its data is made up on the page and stored nowhere."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from portal.access import Audience, requires

COMPONENTS = Path(__file__).resolve().parent.parent / "templates" / "cotton"
COMMENT = re.compile(r"{% comment %}\s*(.*?)\s*{% endcomment %}", re.DOTALL)


class ExampleForm(forms.Form):
    """Every kind of field, to see how the kit dresses it."""

    name = forms.CharField(label=gettext_lazy("Company"), help_text=gettext_lazy("As it stands on the invoice."))
    email = forms.EmailField(label=gettext_lazy("E-mail"))
    size = forms.ChoiceField(label=gettext_lazy("Size"), choices=[("s", "1–10"), ("m", "11–100"), ("l", "101+")])
    due = forms.DateField(label=gettext_lazy("Needed by"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    contact = forms.ChoiceField(
        label=gettext_lazy("How may we reach you?"),
        choices=[("mail", gettext_lazy("E-mail")), ("phone", gettext_lazy("Telephone"))],
        widget=forms.RadioSelect,
    )
    news = forms.BooleanField(label=gettext_lazy("Send me news"), required=False)
    note = forms.CharField(label=gettext_lazy("Anything else"), required=False, widget=forms.Textarea)


class Documented:
    """One component and what its file says of itself."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem.replace("_", "-")
        self.path = path

    @cached_property
    def text(self) -> str:
        """The comment on top of the file."""
        found = COMMENT.search(self.path.read_text(encoding="utf-8"))
        return found.group(1) if found else ""


def components() -> list[Documented]:
    """All components, by name."""
    return [Documented(path) for path in sorted(COMPONENTS.glob("*.html"))]


def icon_names() -> list[str]:
    """The icons of the sprite, as the front end's list has them."""
    listing = settings.BASE_DIR / "frontend" / "src" / "icons.txt"
    if not listing.exists():
        return []
    names = (line.partition("#")[0].strip().partition("/")[0] for line in listing.read_text(encoding="utf-8").splitlines())
    return sorted({name for name in names if name})


def example_road() -> SimpleNamespace:
    """A road in the shape that `workflows.selectors.road_for` gives."""
    now = timezone.now()
    rows = [
        (_("We look at your request"), "done", "internal", "", now - timedelta(days=3), None, False),
        (_("We agree on the discount"), "done", "internal", "", now - timedelta(days=2), None, False),
        (_("You decide on the quote"), "now", "customer", "Cara Customer", now - timedelta(hours=5), now + timedelta(days=2), True),
        (_("Our partner prepares the workshop"), "next", "partner", "", None, None, False),
        (_("We deliver"), "next", "internal", "", None, None, False),
    ]
    keys = ("label", "state", "audience", "waits_on", "since", "due", "mine")
    return SimpleNamespace(steps=[SimpleNamespace(**dict(zip(keys, row, strict=True))) for row in rows])


def example_board() -> list[dict[str, Any]]:
    """Columns and cards."""
    rows = {
        ("qualification", _("Qualification")): [(1, "Acme Bikes: 40 e-bikes", 48200), (2, "Birch Bakery: ovens", 12900)],
        ("proposal", _("Proposal")): [(3, "Cedar Clinic: beds", 86000)],
        ("negotiation", _("Negotiation")): [(4, "Dune Drinks: bottling line", 240000), (5, "Elm Energy: panels", 31500)],
        ("won", _("Won")): [],
    }
    return [{"key": key, "title": title, "cards": cards, "total": sum(card[2] for card in cards)} for (key, title), cards in rows.items()]


@require_GET
@requires(Audience.INTERNAL)
def show(request: HttpRequest) -> HttpResponse:
    """Every part of the kit on one page."""
    if not request.actor.has_role("administrator"):
        raise Http404
    form = ExampleForm({"name": "", "email": "cara@acme", "size": "m", "contact": "mail"})
    form.is_valid()
    now = timezone.now()
    context = {
        "components": components(),
        "icons": icon_names(),
        "form": form,
        "road": example_road(),
        "board": example_board(),
        "points": [4, 6, 5, 9, 8, 12, 11, 15],
        "people": [
            SimpleNamespace(name="Erin Employee", audience="internal"),
            SimpleNamespace(name="Paul Partner", audience="partner"),
            SimpleNamespace(name="Cara Customer", audience="customer"),
        ],
        "steps": [_("Company"), _("What you need"), _("Check and send")],
        "hour_ago": now - timedelta(hours=1),
        "yesterday": now - timedelta(days=1),
        "in_two_days": now + timedelta(days=2),
        "rows": [
            ("Acme Bikes (demo)", _("Proposal"), 48200, now + timedelta(days=9), "Erin Employee"),
            ("Birch Bakery (demo)", _("Qualification"), 12900.5, now + timedelta(days=21), "Mona Manager"),
            ("Cedar Clinic (demo)", _("Won"), 86000, now - timedelta(days=2), "Erin Employee"),
        ],
    }
    return render(request, "portal/ui_kit.html", context)


@require_GET
@requires(Audience.INTERNAL)
def example_data(request: HttpRequest, example: str) -> JsonResponse:
    """Numbers for the charts and answers for the pickers of the page."""
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug"]
    told: dict[str, dict[str, Any]] = {
        "months": {
            "categories": months,
            "unit": "money",
            "currency": "USD",
            "series": [
                {"name": _("Won"), "data": [42000, 51000, 38000, 64000, 71000, 69000, 83000, 91000]},
                {"name": _("Plan"), "data": [45000, 48000, 52000, 56000, 60000, 66000, 72000, 80000], "kind": "line", "dashed": True},
            ],
        },
        "stages": {
            "categories": [_("Request"), _("Qualified"), _("Quote"), _("Won")],
            "unit": "count",
            "series": [{"name": _("Deals"), "data": [120, 74, 41, 23]}],
        },
        "people": {
            "results": [
                {"id": 1, "title": "Erin Employee", "subtitle": _("Sales")},
                {"id": 2, "title": "Mona Manager", "subtitle": _("Manager")},
                {"id": 3, "title": "Paul Partner", "subtitle": "Pine Partners (demo)"},
            ]
        },
    }
    if example not in told:
        raise Http404
    return JsonResponse(told[example])


@require_POST
@requires(Audience.INTERNAL)
def move(request: HttpRequest) -> JsonResponse:
    """Takes every card of the example board but one column's, to show a refusal."""
    if request.POST.get("to") == "won":
        return JsonResponse({"message": _("The customer has not accepted the quote yet.")}, status=409)
    return JsonResponse({"message": _("Moved")})


@require_GET
@requires(Audience.INTERNAL)
def peek(request: HttpRequest) -> HttpResponse:
    """What the drawer shows."""
    return HttpResponse(get_template("portal/parts/_ui_kit_peek.html").render({"road": example_road()}, request))
