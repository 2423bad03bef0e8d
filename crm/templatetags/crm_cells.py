"""Cells of the lists: a page has hundreds, so they are made here and not by a template each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from crm.lists import Cell, Row
from portal.templatetags.kit import chip, icon, money, person, when

register = template.Library()
LONG = 40
NOTHING = mark_safe("")  # noqa: S308 - a constant


def _text(cell: Cell) -> SafeString:
    words = conditional_escape("" if cell.value is None else cell.value)
    return format_html('<span class="t-any">{}</span>', words) if len(words) > LONG else words


SHOWN: dict[str, Callable[[Cell], Any]] = {
    "money": lambda cell: NOTHING if cell.value is None else money(cell.value),
    "chip": lambda cell: chip(cell.value, cell.tone),
    "when": lambda cell: when(cell.value) if cell.value else NOTHING,
    "day": lambda cell: when(cell.value, "day") if cell.value else NOTHING,
    "person": lambda cell: person(cell.value) if cell.value else NOTHING,
    "yes": lambda cell: icon("check", "", _("yes")) if cell.value else NOTHING,
    "link": lambda cell: format_html('<a href="{}">{}</a>', cell.label, cell.value),
    "mail": lambda cell: format_html('<a href="mailto:{}">{}</a>', cell.value, cell.value) if cell.value else NOTHING,
    "phone": lambda cell: format_html('<a href="tel:{}">{}</a>', cell.value, cell.value) if cell.value else NOTHING,
}


NUMBER = mark_safe(' class="num"')  # noqa: S308 - a constant


@functools.cache
def _way(name: str, *args: str) -> str:
    return reverse(name, args=[*args, 0])


@register.simple_tag
def way(name: str, pk: int, *args: str) -> str:
    """The address of a page whose last number is a record's id, for the many records of one page: `{% way "crm:card" row.id "deals" %}`."""
    return _way(name, *args).replace("/0/", f"/{pk}/")


@register.simple_tag
def moves_from(columns: Iterable[Any], stage: str) -> SafeString:
    """The buttons that move a card of a stage to every other; the same for all cards of a column."""
    others = ((column.stage, column.label) for column in columns if column.stage != stage)
    return format_html_join("", '<button type="button" class="t-menu-item" data-move-to="{}">{}</button>', others)


@register.simple_tag
def cell(of: Cell) -> SafeString:
    """One value, shown as its kind says."""
    return SHOWN.get(of.kind, _text)(of)


@register.simple_tag
def cells(row: Row) -> SafeString:
    """A row's cells: the first is the way to the record, the others have their column's name for phones."""
    first = row.cells[0][1].value if row.cells else ""
    made = [format_html('<td><a class="t-cell-main" href="{}" data-drawer="{}">{}</a></td>', row.url, row.peek, first or row.title)]
    for column, one in row.cells[1:]:
        number = NUMBER if column.is_number else NOTHING
        made.append(format_html('<td{} data-label="{}">{}</td>', number, column.label, cell(one)))
    return mark_safe("".join(made))  # noqa: S308 - every piece is escaped above
