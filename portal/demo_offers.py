"""The demo company's offers on its site: prices, a calculator, a configurator. All figures are invented, and the pages say so."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from portal.models import HomePage, LandingPage
from portal.registry import registry


def write_offers(home: HomePage) -> None:
    """The page of prices and the page of the configurator."""
    forms = registry.site_forms()
    form = forms[0].key if forms else ""
    home.add_child(
        instance=LandingPage(
            title=_("Prices"),
            slug="prices",
            show_in_menus=True,
            hero_title=_("Prices you can count on"),
            hero_text=_("What most workshops pay, and what it saves them. Your quote says the exact sum before anything is ordered."),
            body=[("pricing", _plans()), ("calculator", _calculator(form)), ("questions", _questions())],
        )
    )
    home.add_child(
        instance=LandingPage(
            title=_("Your solar roof"),
            slug="solar-roof",
            hero_title=_("Put your roof together"),
            hero_text=_("Choose size and parts, see the price at once, and send it to us with one button."),
            body=[("configurator", _configurator(form))],
        )
    )


def _plans() -> dict:
    return {
        "title": _("Service contracts"),
        "text": _("For the machines you have. Cancel any month."),
        "items": [
            {"name": _("Look after"), "price": _("$290 a month"), "text": _("For one workshop"), "points": [_("An answer within a working day"), _("A check once a year"), _("All requests on one page")], "best": False, "button": _("Ask for it"), "address": "/start/"},
            {"name": _("Keep running"), "price": _("$950 a month"), "text": _("When a stop costs money"), "points": [_("An answer within four hours"), _("Somebody comes within a day"), _("A check twice a year")], "best": True, "button": _("Ask for it"), "address": "/start/"},
            {"name": _("Several places"), "price": _("On request"), "text": _("From three workshops on"), "points": [_("One contact for all places"), _("Stock of spare parts with you"), _("A plan for the whole year")], "best": False, "button": _("Talk to us"), "address": "/start/form/"},
        ],
    }  # fmt: skip


def _calculator(form: str) -> dict:
    def question(name: str, label: str, kind: str, start: int, most: int, unit: str = "", answers: tuple = ()) -> dict:
        rows = [{"label": text, "value": Decimal(value)} for text, value in answers]
        return {"name": name, "label": label, "kind": kind, "start": Decimal(start), "least": Decimal(0), "most": Decimal(most), "unit": unit, "answers": rows}  # fmt: skip

    return {
        "title": _("What does a stop cost you?"),
        "text": _("Four answers are enough for a first figure."),
        "inputs": [
            question("people", _("People who wait while a machine stands"), "number", 4, 200),
            question("hours", _("Hours of standing a month"), "number", 6, 300, _("hours")),
            question(
                "wage", _("Who waits?"), "choice", 0, 0, "", ((_("Helpers"), "28"), (_("Skilled workers"), "42"), (_("Engineers"), "65"))
            ),
            question("nights", _("We work at night as well"), "yes", 0, 1),
        ],
        "formula": "people * hours * wage * (if nights then 1.25 else 1)",
        "result": _("A month of standing costs you about"),
        "unit": "",
        "note": _("Demo figures: wages with everything that comes on top, a quarter more at night."),
        "form": form,
    }


def _configurator(form: str) -> dict:
    def option(label: str, price: int, text: str = "") -> dict:
        return {"label": label, "text": text, "price": Decimal(price)}

    return {
        "title": _("Your solar roof"),
        "text": "",
        "base": Decimal(4500),
        "groups": [
            {"label": _("How much roof?"), "many": False, "options": [option(_("Small, 20 panels"), 8200, _("about 40 m²")), option(_("Middle, 60 panels"), 22000, _("about 120 m²")), option(_("Large, 120 panels"), 41500, _("about 240 m²"))]},
            {"label": _("A battery?"), "many": False, "options": [option(_("Without"), 0), option(_("10 kWh"), 5400, _("For the evening")), option(_("30 kWh"), 13900, _("Through the night"))]},
            {"label": _("What else?"), "many": True, "options": [option(_("Two charging points"), 2800), option(_("Paperwork with the grid"), 650), option(_("Care for five years"), 1900)]},
        ],
        "note": _("Demo prices, before tax. The quote follows after a look at your roof."),
        "button": _("Ask for this roof"),
        "form": form,
    }  # fmt: skip


def _questions() -> dict:
    return {
        "title": _("Often asked"),
        "items": [
            {"question": _("When do I pay?"), "answer": f"<p>{_('After the milestone that the quote names, never before you have accepted it.')}</p>"},
            {"question": _("May I cancel?"), "answer": f"<p>{_('A contract ends with the month in which you say so.')}</p>"},
            {"question": _("What if it takes longer?"), "answer": f"<p>{_('You see the new date and the reason on your request’s page as soon as we know it.')}</p>"},
        ],
    }  # fmt: skip
