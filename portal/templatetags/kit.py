"""Template tags of the UI kit: the built bundles, icons, money, time, sparklines, form widgets. Built in: no `{% load %}` needed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_timedelta
from babel.numbers import format_decimal
from django import forms, template
from django.conf import settings
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.amounts import money_text, reader_locale

register = template.Library()

AUDIENCE_ICONS = {"internal": "building", "partner": "heart-handshake", "customer": "user", "public": "world"}
SPRITE = ".vite/icons.svg"
# Marks in a browser's own description, the more special ones first: every browser claims to be an older one too.
BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"),
    ("CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
CHOICES = (forms.RadioSelect, forms.CheckboxSelectMultiple)


@lru_cache(maxsize=2)
def _manifest(path: str, changed: float) -> dict[str, Any]:
    return json.loads(Path(path).read_text(encoding="utf-8"))


@lru_cache(maxsize=64)
def _address(file: str) -> str:
    return static(file)


_looked: tuple[Any, float, dict[str, Any]] = (None, 0.0, {})  # where, until when, what; one assignment, so threads may share it


def manifest() -> dict[str, Any]:
    """What Vite built, looked at once a second; empty where nothing was built yet, so that pages still answer."""
    global _looked
    where, until, found = _looked
    now = time.monotonic()
    if where != settings.FRONTEND_DIST or now > until:
        path = Path(settings.FRONTEND_DIST) / "manifest.json"
        try:
            found = _manifest(str(path), path.stat().st_mtime)
        except FileNotFoundError:
            return {}
        _looked = settings.FRONTEND_DIST, now + 1, found
    return found


@register.simple_tag
def bundle(name: str) -> SafeString:
    """The script and styles of an entry of the front end: `{% bundle "viewer" %}`."""
    built = manifest()
    entry = built.get(f"src/{name}.js")
    if entry is None:
        return format_html("<!-- the front end's “{}” is not built: make build -->", name)
    sheets: list[str] = []
    seen: set[str] = set()

    def collect(key: str) -> None:
        if key in seen:
            return
        seen.add(key)
        chunk = built[key]
        for imported in chunk.get("imports", ()):
            collect(imported)
        sheets.extend(sheet for sheet in chunk.get("css", ()) if sheet not in sheets)

    collect(f"src/{name}.js")
    links = format_html_join("", '<link rel="stylesheet" href="{}">', ((static(sheet),) for sheet in sheets))
    return format_html('{}<script type="module" src="{}"></script>', links, static(entry["file"]))


@register.simple_tag
def sprite_url() -> str:
    """Where the icons' sprite lies."""
    entry = manifest().get(SPRITE)
    return _address(entry["file"]) if entry else ""


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """An icon of the sprite (names: frontend/src/icons.txt); without `label` it is decoration."""
    if label:
        return format_html(
            '<svg class="t-icon {}" role="img" aria-label="{}"><use href="{}#{}"></use></svg>', css, label, sprite_url(), name
        )
    return format_html('<svg class="t-icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, sprite_url(), name)


@register.filter
def audience_icon(audience: str) -> str:
    """The icon an audience has everywhere."""
    return AUDIENCE_ICONS.get(str(audience), "users")


@register.filter
def audience_word(audience: str) -> str:
    """The word an audience has everywhere."""
    words = {"internal": _("Internal"), "partner": _("Partner"), "customer": _("Customer"), "public": _("Public")}
    return words.get(str(audience), str(audience))


@register.filter
def initials(name: object) -> str:
    """Up to two letters for an avatar: “Erin Employee” → EE."""
    words = [word for word in str(name or "").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.simple_tag
def money(amount: Any, currency: str = "") -> SafeString:
    """An amount with its currency in the reader's manner, cents only where there are any; a dash where there is no amount."""
    if amount is None or amount == "":
        return mark_safe('<span class="t-faint">–</span>')
    if hasattr(amount, "amount"):
        currency = currency or str(amount.currency)
        amount = amount.amount
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        return format_html("{}", amount)
    return format_html('<span class="t-money">{}</span>', money_text(value, str(currency)))


@register.filter
def number(value: Any) -> Any:
    """A count in the reader's manner: `{{ total|number }}` gives 8,800; anything but a number stays as it is."""
    return format_decimal(value, locale=reader_locale()) if isinstance(value, int | float | Decimal) else value


def relative_words(moment: datetime, now: datetime | None = None) -> str:
    """“3 hours ago”, “in 2 days”, in the reader's language; the same words as relative-time.js."""
    delta = moment - (now or timezone.now())
    if abs(delta) < timedelta(minutes=1):
        return _("just now")
    return format_timedelta(delta, add_direction=True, threshold=1.0, locale=reader_locale())


@register.simple_tag
def when(moment: Any, style: str = "relative") -> SafeString:
    """A moment or day: `{% when task.due_at %}` is relative with the exact time on hover; styles: relative, day, exact."""
    if not moment:
        return mark_safe('<span class="t-faint">–</span>')
    if not isinstance(moment, datetime):
        if not isinstance(moment, date):
            return format_html("{}", moment)
        text = _dated(moment, "SHORT_DATE_FORMAT" if style == "short" else "j M Y", get_language())
        in_full = _dated(moment, "l, j F Y", get_language())
        return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), in_full, text)
    here = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    zone, minute = f"{here:%Z}", here.replace(second=0, microsecond=0, tzinfo=None)
    exact = f"{_dated(minute, 'j F Y, H:i', get_language())} {zone}"
    if style == "relative" and timezone.is_aware(moment):
        return format_html('<time datetime="{}" data-relative title="{}">{}</time>', moment.isoformat(), exact, relative_words(moment))
    text = _dated(minute, "j M Y" if style == "day" else "j M Y, H:i", get_language())
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, text)


@lru_cache(maxsize=5000)
def _dated(moment: date, how: str, _language: str | None) -> str:
    """A day, or a minute on the reader's clock, in words of their language; many rows and readers share one."""
    return formats.date_format(moment, how)


@register.simple_tag
def chip(text: Any, tone: str = "") -> SafeString:
    """c-chip in loops: a small word with a colour."""
    return format_html('<span class="t-chip{}"><span class="t-chip-text">{}</span></span>', f" is-{tone}" if tone else "", text)


@register.simple_tag
def person(name: str, audience: str = "internal") -> SafeString:
    """c-person in loops: an avatar with the name beside it."""
    return format_html(
        '<span class="t-person"><span class="t-avatar is-{} t-avatar-s" aria-hidden="true">{}</span><span class="t-clip">{}</span></span>',
        audience,
        initials(name),
        name,
    )


@register.simple_tag
def sparkline(points: Iterable[float] | None) -> SafeString:
    """A small line of numbers; decoration beside a number that says it in words."""
    values = [float(point) for point in points or []]
    if len(values) < 2:
        return mark_safe("")
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = 100 / (len(values) - 1)
    line = " ".join(f"{place * step:.1f},{28 - (value - low) / span * 24:.1f}" for place, value in enumerate(values))
    return format_html(
        '<svg class="t-spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">'
        '<polygon class="t-spark-area" points="0,30 {} 100,30"/><polyline class="t-spark-line" points="{}"/></svg>',
        line,
        line,
    )


@register.filter
def is_choices(field: forms.BoundField) -> bool:
    """Whether a field is a group of radio buttons or boxes."""
    return isinstance(field.field.widget, CHOICES)


@register.filter
def is_checkbox(field: forms.BoundField) -> bool:
    """Whether a field is one box to tick."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.simple_tag
def widget(field: forms.BoundField, described: str = "") -> SafeString:
    """A bound field's control in the kit's clothes, tied to its help and error."""
    control = field.field.widget
    css = "form-control"
    if isinstance(control, (*CHOICES, forms.CheckboxInput)):
        css = "form-check-input"
    elif isinstance(control, forms.Select):
        css = "form-select"
    attrs: dict[str, Any] = {"class": f"{css} {control.attrs.get('class', '')}".strip()}
    notes = [described] if described else []
    if field.errors:
        attrs["aria-invalid"] = "true"
        notes.append(f"{field.auto_id}_error")
    if field.help_text:
        notes.append(f"{field.auto_id}_help")
    if notes:
        attrs["aria-describedby"] = " ".join(notes)
    return field.as_widget(attrs=attrs)


@register.filter
def device(user_agent: object) -> str:
    """A browser and its system in two words, from what it says of itself: “Firefox, Linux”."""
    told = str(user_agent or "")
    browser = next((name for mark, name in BROWSERS if mark in told), "")
    system = next((name for mark, name in SYSTEMS if mark in told), "")
    return ", ".join(filter(None, (browser, system))) or _("An unknown browser")


@register.filter
def told(value: object) -> str:
    """A stored value as a person writes it: lists and pairs with commas, yes and no."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(told(one) for one in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {told(one)}" for key, one in value.items()) or "–"
    return "–" if value is None or value == "" else str(value)


@register.filter
def in_code(words: object) -> SafeString:
    """Words in which `names between backticks` are set as code."""
    parts = str(words or "").split("`")
    return format_html_join("", "{}", ((format_html("<code>{}</code>", part) if place % 2 else part,) for place, part in enumerate(parts)))


@register.filter
def text(value: object) -> str:
    """A lazy or other value as plain text, for attributes of components."""
    return str(value) if isinstance(value, Promise) else str(value or "")


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """A value of a mapping by a key that is itself a variable."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """The page's own query with some parameters changed or (None) left out: `?{% with_query page=2 %}`."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = value
    return query.urlencode()
