"""The interface's words, each looked up once a process: a page asks for two hundred, and gettext walks through two lists and a fallback
for each of them, twice for a word that it doesn't know, as every word of English is."""

from __future__ import annotations

import functools

from django.conf import settings
from django.utils.translation import trans_real

MOST = 10_000  # of a language; the interface has some three thousand


def remember() -> None:
    """From now on, in every language of the interface."""
    for code, _name in settings.LANGUAGES:
        known = trans_real.translation(code)
        if "gettext" not in vars(known):
            known.gettext = functools.lru_cache(MOST)(known.gettext)
