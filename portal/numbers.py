"""Numbers that come from outside."""

from __future__ import annotations

MOST_DIGITS = 18  # what a database's whole number holds for sure


def whole_number(text: object) -> int | None:
    """A number of plain digits that a form, an address or a browser sent, such as an id or a version; None for anything else.

    `str.isdigit` alone lets “²” and numbers of any length pass, which `int` or the database then refuses.
    """
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return int(text)
    return None
