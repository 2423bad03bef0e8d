"""Lengths of time in words: `{% load durations %} {{ step.median|duration }}`."""

from __future__ import annotations

from datetime import datetime, timedelta

from babel.dates import format_timedelta
from django import template
from django.utils import timezone
from django.utils.translation import get_language, to_locale

register = template.Library()


@register.filter
def duration(length: timedelta | None) -> str:
    """“3 days”, “40 minutes”, “2 seconds”, in the reader's language; nothing for nothing."""
    if length is None:
        return ""
    return format_timedelta(length, threshold=1.5, locale=to_locale(get_language() or "en"))


@register.filter
def until(moment: datetime | None) -> str:
    """How long it is until then, in the same words; nothing for what is over."""
    left = moment - timezone.now() if moment else timedelta(0)
    return duration(left) if left > timedelta(0) else ""
