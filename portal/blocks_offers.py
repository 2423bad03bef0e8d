"""Blocks that sell: prices side by side, a calculator, a configurator. What they work out is in `portal/offers.py`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError

from portal.formulas import FormulaError, work_out
from portal.registry import registry

NAME = RegexValidator(r"^[a-z][a-z0-9_]{0,30}$", _("A short name of small letters, digits and “_”, such as “rooms”."))


KINDS = [("number", _("A number")), ("choice", _("One of some answers")), ("yes", _("Yes or no"))]


def form_choices() -> list[tuple[str, str]]:
    """The forms that the packages offer at the moment."""
    return [("", str(_("No form"))), *((form.key, str(form.label)) for form in registry.site_forms())]


class PlanBlock(blocks.StructBlock):
    """One offer with its price."""

    name = blocks.CharBlock(max_length=60, label=_("name"))
    price = blocks.CharBlock(max_length=40, label=_("price"), help_text=_("In words: “$950 a month”, “On request”"))
    text = blocks.CharBlock(max_length=160, required=False, label=_("for whom"))
    points = blocks.ListBlock(blocks.CharBlock(max_length=120), min_num=1, max_num=10, label=_("what is in it"))
    best = blocks.BooleanBlock(required=False, label=_("the one to begin with"))
    button = blocks.CharBlock(max_length=60, label=_("words on the button"))
    address = blocks.CharBlock(max_length=300, label=_("where it leads"), help_text=_("For example /start/"))


class PricingBlock(blocks.StructBlock):
    """One to four offers side by side."""

    title = blocks.CharBlock(required=False, max_length=120, label=_("title"))
    text = blocks.TextBlock(required=False, label=_("text"))
    items = blocks.ListBlock(PlanBlock(), min_num=1, max_num=4, label=_("offers"))

    class Meta:
        template = "portal/blocks/pricing.html"
        icon = "list-ul"
        label = _("Prices")


class AnswerBlock(blocks.StructBlock):
    """A choice of a question, and the number it stands for."""

    label = blocks.CharBlock(max_length=80, label=_("answer"))
    value = blocks.DecimalBlock(label=_("stands for"))


class InputBlock(blocks.StructBlock):
    """A question of a calculator."""

    name = blocks.CharBlock(max_length=31, validators=[NAME], label=_("name in the formula"))
    label = blocks.CharBlock(max_length=80, label=_("question"))
    kind = blocks.ChoiceBlock(choices=KINDS, default="number", label=_("kind"))
    start = blocks.DecimalBlock(default=1, label=_("to begin with"))
    least = blocks.DecimalBlock(default=0, label=_("at least"))
    most = blocks.DecimalBlock(default=100, label=_("at most"))
    unit = blocks.CharBlock(required=False, max_length=20, label=_("unit"))
    answers = blocks.ListBlock(AnswerBlock(), min_num=0, max_num=12, default=[], label=_("answers"))

    def clean(self, value: Any) -> Any:
        """A choice needs answers, a number its limits in order."""
        result = super().clean(value)
        if result["kind"] == "choice" and len(result["answers"]) < 2:
            raise StructBlockValidationError({"answers": ValidationError(_now("Give at least two answers."))})
        if result["kind"] == "number" and not result["least"] <= result["start"] <= result["most"]:
            raise StructBlockValidationError({"start": ValidationError(_now("It has to lie between “at least” and “at most”."))})
        return result


class CalculatorBlock(blocks.StructBlock):
    """Questions, a formula, a figure; the figure goes along with the form."""

    title = blocks.CharBlock(max_length=120, label=_("title"))
    text = blocks.TextBlock(required=False, label=_("text"))
    inputs = blocks.ListBlock(InputBlock(), min_num=1, max_num=12, label=_("questions"))
    formula = blocks.CharBlock(
        max_length=500, label=_("formula"), help_text=_("FEEL with the names above: rooms * 120 + if express then 300 else 0")
    )
    result = blocks.CharBlock(max_length=80, label=_("what the figure is"), help_text=_("For example “You save about”"))
    unit = blocks.CharBlock(required=False, max_length=20, label=_("unit of the figure"), help_text=_("Empty: money"))
    note = blocks.CharBlock(required=False, max_length=200, label=_("small print"))
    form = blocks.ChoiceBlock(choices=form_choices, required=False, label=_("form to ask with"))

    class Meta:
        template = "portal/blocks/calculator.html"
        icon = "form"
        label = _("Calculator")

    def clean(self, value: Any) -> Any:
        """Every name once, and a formula that gives a figure from the first and from the largest answers."""
        result = super().clean(value)
        names = [one["name"] for one in result["inputs"]]
        if len(set(names)) < len(names):
            raise StructBlockValidationError({"inputs": ValidationError(_now("Two questions have the same name in the formula."))})
        try:
            for end in ("start", "most"):
                work_out(result["formula"], {one["name"]: trial_answer(one, end) for one in result["inputs"]})
        except FormulaError as error:
            raise StructBlockValidationError({"formula": ValidationError(str(error))}) from None
        return result


def trial_answer(question: Any, end: str) -> Any:
    """What a question gives at the beginning (`start`) or at its upper end (`most`)."""
    if question["kind"] == "yes":
        return end == "most" or bool(question["start"])
    if question["kind"] == "choice":
        return Decimal(question["answers"][0 if end == "start" else -1]["value"])
    return Decimal(question[end])


class OptionBlock(blocks.StructBlock):
    """Something to choose, and what it adds to the price."""

    label = blocks.CharBlock(max_length=80, label=_("option"))
    text = blocks.CharBlock(required=False, max_length=160, label=_("in short"))
    price = blocks.DecimalBlock(default=0, min_value=-1_000_000, max_value=10_000_000, decimal_places=2, label=_("adds to the price"))


class GroupBlock(blocks.StructBlock):
    """A question of the configurator."""

    label = blocks.CharBlock(max_length=80, label=_("question"))
    many = blocks.BooleanBlock(required=False, label=_("several may be chosen"))
    options = blocks.ListBlock(OptionBlock(), min_num=1, max_num=12, label=_("options"))


class ConfiguratorBlock(blocks.StructBlock):
    """Options that add up to a price, and a form that knows what was chosen."""

    title = blocks.CharBlock(max_length=120, label=_("title"))
    text = blocks.TextBlock(required=False, label=_("text"))
    base = blocks.DecimalBlock(default=0, min_value=0, max_value=10_000_000, decimal_places=2, label=_("price without options"))
    groups = blocks.ListBlock(GroupBlock(), min_num=1, max_num=12, label=_("questions"))
    note = blocks.CharBlock(required=False, max_length=200, label=_("small print"))
    button = blocks.CharBlock(max_length=60, label=_("words on the button"))
    form = blocks.ChoiceBlock(choices=form_choices, label=_("form to ask with"))

    class Meta:
        template = "portal/blocks/configurator.html"
        icon = "sliders"
        label = _("Configurator")


def offer_blocks() -> list[tuple[str, blocks.Block]]:
    """What a page may hold besides words and pictures."""
    return [("pricing", PricingBlock()), ("calculator", CalculatorBlock()), ("configurator", ConfiguratorBlock())]
