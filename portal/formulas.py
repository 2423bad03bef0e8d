"""Figures that an editor's formula works out of a visitor's answers. The kernel knows no expression language: whoever does hands it in.

    use_evaluator(check, evaluate, error)            # once, at start
    work_out("rooms * 120 + if express then 300 else 0", {"rooms": Decimal(3), "express": True})  →  Decimal("660")

Formulas are FEEL (DMN 1.3, chapter 10): arithmetic on decimals, `if … then … else`, `min`, `max`, `round up`. There is no way from
them to Python, to files or to the database, and what they may cost is limited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

MAX_FORMULA = 500
LARGEST = Decimal(10) ** 12


class FormulaError(Exception):
    """A formula that can't be read, or that gives no figure for some answers; the message is for its editor."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Somebody's expression language: `check` raises `error` for bad text, `evaluate` gives a value."""

    check: Callable[[str], None]
    evaluate: Callable[[str, Mapping[str, Any]], Any]
    error: type[Exception]


_evaluators: list[Evaluator] = []


def use_evaluator(check: Callable[[str], None], evaluate: Callable[[str, Mapping[str, Any]], Any], error: type[Exception]) -> None:
    """Hand in the expression language that formulas are written in."""
    _evaluators[:] = [Evaluator(check, evaluate, error)]


def work_out(formula: str, values: Mapping[str, Any]) -> Decimal:
    """The figure that a formula gives for these answers; raises FormulaError where it gives none."""
    if len(formula) > MAX_FORMULA:
        raise FormulaError(_("A formula has at most %(n)d characters.") % {"n": MAX_FORMULA})
    if not _evaluators:
        raise FormulaError(_("Nothing that works out formulas is installed."))
    language, text = _evaluators[0], f"feel:{formula}"
    try:
        language.check(text)
        figure = language.evaluate(text, values)
    except language.error as error:
        raise FormulaError(str(error).replace("feel:", "")) from None
    if isinstance(figure, bool) or not isinstance(figure, Decimal | int):
        raise FormulaError(_("The formula gives no number. Does it use only the names of the questions?"))
    figure = Decimal(figure)
    if not figure.is_finite() or abs(figure) > LARGEST:
        raise FormulaError(_("The formula gives a number beyond all measure."))
    return figure
