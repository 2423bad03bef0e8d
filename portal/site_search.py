"""Finding pages of the site by words: full text on PostgreSQL, plain words in any alphabet on SQLite."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db import connections
from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.utils.translation import get_language

WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
MOST_WORDS = 8
LANGUAGES = {"en": "english", "ru": "russian"}  # those with endings of their own in PostgreSQL


def words_of(text: str) -> list[str]:
    """The words of what somebody typed, each once, in lower case."""
    return list(dict.fromkeys(WORD.findall(text.casefold())))[:MOST_WORDS]


def matching(rows: QuerySet, text: str, order: Sequence[str]) -> QuerySet:
    """Pages with `title`, `intro` and `words` that hold all words of a text, the best first; all in their order for no text."""
    if not text.strip():
        return rows.order_by(*order)
    words = words_of(text)
    if not words:
        return rows.none()
    if connections[rows.db].vendor == "postgresql":
        return _full_text(rows, words).order_by("-fits", *order)
    for word in words:
        rows = rows.filter(words__contains=word)
    return rows.annotate(fits=_score(words)).order_by("-fits", *order)


def _full_text(rows: QuerySet, words: list[str]) -> QuerySet:
    config = LANGUAGES.get((get_language() or settings.LANGUAGE_CODE).partition("-")[0], "simple")
    vector = (
        SearchVector("title", weight="A", config=config)
        + SearchVector("intro", weight="B", config=config)
        + SearchVector("words", weight="C", config=config)
    )
    # The words hold nothing but letters, digits and hyphens, so that they can't say anything in the query's own language.
    query = SearchQuery(" & ".join(f"'{word}':*" for word in words), search_type="raw", config=config)
    return rows.annotate(found=vector, fits=SearchRank(vector, query)).filter(found=query)


def _score(words: Sequence[str]) -> F:
    """How well a page fits: a word in the title counts three times, in the first sentence twice."""
    score = Value(0, output_field=IntegerField())
    for word in words:
        for name, worth in (("title", 2), ("intro", 1), ("words", 1)):
            score = score + Case(When(**{f"{name}__icontains": word}, then=Value(worth)), default=Value(0), output_field=IntegerField())
    return score


def fitting(rows: QuerySet, text: str, limit: int) -> QuerySet:
    """Pages that may answer what somebody is describing: those that share its longer words, without their endings; the best first."""
    stems = [word[: max(4, len(word) - 2)] for word in dict.fromkeys(WORD.findall(text.casefold()[:2000])) if len(word) > 3][:24]
    if not stems:
        return rows.none()
    enough = 1 if len(stems) == 1 else 2
    return rows.annotate(fits=_score(stems)).filter(fits__gte=enough).order_by("-fits", "title")[:limit]
