"""What went wrong, for people: the cause in plain words, and the way through the code without a value in it."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError, IntegrityError
from django.utils.translation import gettext as _

from portal.errors import Refused

_HIDDEN = "…"
_SECRETS = [
    (
        re.compile(r"(?i)\b(pass(?:word|wd)?|secret|token|api[_-]?key|authorization|cookie|session(?:id)?)\b(\W{1,4})(?:bearer\s+)?\S+"),
        r"\1\2…",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+\S+"), r"\1 …"),
    (re.compile(r"(?<=://)[^/\s@]+@"), ""),  # a user and password in an address
    (re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+"), r"\1?…"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _HIDDEN),  # mail addresses
    (re.compile(r"\b[A-Za-z0-9+/_-]*(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{28,}={0,2}"), _HIDDEN),  # keys
    (re.compile(r"\+?\d(?:[\s().-]?\d){8,}"), _HIDDEN),  # telephone, card and account numbers
]


def redacted(text: str) -> str:
    """A text without passwords, keys, mail addresses and long numbers."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def words_of(error: BaseException) -> str:
    """The cause in plain words, with what the error itself says where that says something."""
    said = redacted(str(error)).strip()
    match error:
        case Refused():
            return said
        case TimeoutError():
            return _with(_("The other side didn't answer in time."), said)
        case ConnectionError():
            return _with(_("The other side can't be reached."), said)
        case KeyError():
            return _("The value %(name)s is missing.") % {"name": said or "?"}
        case ObjectDoesNotExist():
            return _with(_("A record that the step needs isn't there."), said)
        case ValidationError():
            return _with(_("A value isn't allowed."), " ".join(map(redacted, error.messages)))
        case IntegrityError():
            return _("The database refused a value: it breaks a rule of the record.")
        case DatabaseError():
            return _("The database couldn't do what the step asked for.")
    return said or type(error).__name__


def _with(words: str, said: str) -> str:
    return f"{words} ({said})" if said else words


def trace_of(error: BaseException) -> str:
    """The way through the code, one place a line and the innermost last; names of files and functions, no values."""
    lines: list[str] = []
    one: BaseException | None = error
    while one is not None and len(lines) < 60:
        steps = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(one.__traceback__)]
        lines = [*steps[-25:], type(one).__name__, *lines]
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\n".join(lines)[:6000]


def _short(filename: str) -> str:
    path = Path(filename)
    try:
        return str(path.relative_to(settings.BASE_DIR))
    except ValueError:
        return "/".join(path.parts[-2:])
