"""What calculators and configurators of the site work out from a visitor's answers, always here and never in the browser.

A link to a form carries `from=<page>.<block>` and the answers; `described` turns it back into words, so that nobody can make
a form say a price that the site wouldn't.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.models import Page

from portal.amounts import money_text
from portal.formulas import FormulaError, work_out
from portal.numbers import whole_number
from portal.registry import registry

KINDS = ("calculator", "configurator")


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that may be chosen."""

    value: str
    label: str
    text: str = ""
    price: str = ""
    is_on: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is drawn, with what was answered."""

    name: str
    label: str
    kind: str  # number, choice, yes, one, many
    value: str = ""
    least: str = ""
    most: str = ""
    unit: str = ""
    choices: list[Choice] = field(default_factory=list)
    error: str = ""

    @property
    def said(self) -> str:
        """The answer in words."""
        if self.kind == "number":
            return f"{self.value} {self.unit}".strip()
        if self.kind == "yes":
            return _("yes") if self.value else _("no")
        return ", ".join(choice.label for choice in self.choices if choice.is_on)


@dataclass(frozen=True, slots=True)
class Offer:
    """A calculator or configurator with its answers and its figure; `figure` is empty where there is none."""

    kind: str
    block_id: str
    title: str
    questions: list[Question]
    figure: str
    label: str
    note: str
    address: str  # where the figure is worked out
    form_url: str  # the form that knows the answers; empty without one
    button: str
    problem: str = ""

    @property
    def words(self) -> str:
        """All of it as plain text, for the request."""
        lines = [f"{question.label}: {question.said}" for question in self.questions if question.said]
        if self.figure:
            lines.append(f"{self.label}: {self.figure}")
        return "\n".join([self.title, *lines])


def find_offer(page_id: int, block_id: str, answers: Mapping[str, Any]) -> Offer | None:
    """A block of a page that everybody sees, with these answers; None where there is none."""
    page = Page.objects.live().public().filter(pk=page_id).first()
    body = getattr(page.specific, "body", None) if page else None
    block = next((one for one in body or () if str(one.id) == block_id and one.block_type in KINDS), None)
    return offer_of(page_id, block, answers) if block else None


def described(source: str, answers: Mapping[str, Any]) -> Offer | None:
    """The offer that a form's address names as `from=<page>.<block>`; None for anything else."""
    page, _dot, block = source.partition(".")
    return find_offer(number, block, answers) if (number := whole_number(page)) is not None else None


def offer_of(page_id: int, block: Any, answers: Mapping[str, Any]) -> Offer:
    """A block with its answers; what wasn't answered stands as its editor set it."""
    value, calculates = block.value, block.block_type == "calculator"
    questions = [_asked(one, answers) for one in value["inputs"]] if calculates else _groups(value, answers)
    problem, figure = "", ""
    if calculates and not any(question.error for question in questions):
        try:
            numbers = {q.name: _number_of(one, q) for one, q in zip(value["inputs"], questions, strict=True)}
            figure = _shown(work_out(value["formula"], numbers), value["unit"])
        except FormulaError:
            problem = _("There is no figure for these answers. Ask us: we work it out for you.")
    elif not calculates:
        figure = _shown(_total(value, answers), "")
    form = registry.site_form(value["form"]) if value["form"] else None
    query = [(q.name, c.value) for q in questions for c in q.choices if c.is_on]
    query += [(q.name, q.value) for q in questions if not q.choices and q.value]
    source = f"{page_id}.{block.id}"
    return Offer(
        block.block_type,
        str(block.id),
        value["title"],
        questions,
        figure,
        value["result"] if calculates else _("Your price"),
        value["note"],
        reverse("site-offer", args=[page_id, block.id]),
        f"{form.url}?{urlencode([('from', source), *query])}" if form else "",
        _("Ask for it") if calculates else value["button"],
        problem,
    )


def _shown(figure: Decimal, unit: str) -> str:
    rounded = figure.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if not unit:
        return money_text(rounded)
    return f"{rounded.normalize():,f} {unit}"


def _list(answers: Mapping[str, Any], name: str) -> list[str]:
    if hasattr(answers, "getlist"):
        return [str(one)[:40] for one in answers.getlist(name)]
    return [str(answers[name])[:40]] if name in answers else []


def _asked(one: Any, answers: Mapping[str, Any]) -> Question:
    """A calculator's question. A box that isn't ticked isn't sent: `asked` says that the form was."""
    name, kind, given = one["name"], one["kind"], _list(answers, one["name"])
    if kind == "yes":
        on = bool(given and given[0]) if "asked" in answers or given else bool(one["start"])
        return Question(name, one["label"], kind, "1" if on else "")
    if kind == "choice":
        number = whole_number(given[0]) if given else None
        chosen = str(number) if number is not None and number < len(one["answers"]) else "0"
        choices = [Choice(str(n), answer["label"], is_on=str(n) == chosen) for n, answer in enumerate(one["answers"])]
        return Question(name, one["label"], kind, chosen, choices=choices)
    text = given[0].strip() if given else _plain(one["start"])
    return Question(name, one["label"], kind, text, _plain(one["least"]), _plain(one["most"]), one["unit"], error=_wrong(text, one))


def _wrong(text: str, one: Any) -> str:
    limits = {"least": _plain(one["least"]), "most": _plain(one["most"])}
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return _("Give a number from %(least)s to %(most)s.") % limits
    return "" if number.is_finite() and one["least"] <= number <= one["most"] else _("Give a number from %(least)s to %(most)s.") % limits


def _number_of(one: Any, question: Question) -> Any:
    if question.kind == "yes":
        return bool(question.value)
    if question.kind == "choice":
        return Decimal(one["answers"][int(question.value)]["value"])
    return Decimal(question.value.replace(",", "."))


def _plain(number: Any) -> str:
    return f"{Decimal(number).normalize():f}"


def _chosen(group: Any, name: str, answers: Mapping[str, Any]) -> list[int]:
    """The numbers of a group's chosen options; one of a single choice always is."""
    given = [number for one in _list(answers, name) if (number := whole_number(one)) is not None and number < len(group["options"])]
    if group["many"]:
        return sorted(set(given))
    return given[:1] or [0]


def _groups(value: Any, answers: Mapping[str, Any]) -> list[Question]:
    questions = []
    for number, group in enumerate(value["groups"]):
        chosen = _chosen(group, f"g{number}", answers)
        choices = [Choice(str(n), one["label"], one["text"], _added(one["price"]), n in chosen) for n, one in enumerate(group["options"])]
        questions.append(Question(f"g{number}", group["label"], "many" if group["many"] else "one", choices=choices))
    return questions


def _added(price: Any) -> str:
    if not price:
        return ""
    return f"{'+' if price > 0 else '−'} {money_text(abs(Decimal(price)))}"


def _total(value: Any, answers: Mapping[str, Any]) -> Decimal:
    total = Decimal(value["base"])
    for number, group in enumerate(value["groups"]):
        total += sum((Decimal(group["options"][n]["price"]) for n in _chosen(group, f"g{number}", answers)), Decimal(0))
    return max(total, Decimal(0))
