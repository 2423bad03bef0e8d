"""Amounts of money in the reader's manner, for pages and for texts that are kept and shown later."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.conf import settings
from django.utils.translation import get_language, to_locale


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money with its currency, an ISO 4217 code."""

    value: Decimal
    currency: str


def reader_locale() -> Locale:
    """The reader's language as Babel knows it; English where it doesn't."""
    return _locale(get_language() or settings.LANGUAGE_CODE)


def money_text(value: Decimal, currency: str = "") -> str:
    """An amount in the reader's manner, cents only where there are any: “$26,500”."""
    whole = value == value.to_integral_value()
    pattern = _whole_pattern(get_language() or settings.LANGUAGE_CODE) if whole else None
    return format_currency(value, currency or settings.DEFAULT_CURRENCY, format=pattern, locale=reader_locale(), currency_digits=not whole)


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


@lru_cache(maxsize=16)
def _whole_pattern(language: str) -> str:
    return _locale(language).currency_formats["standard"].pattern.replace("0.00", "0").replace("0,00", "0")
