"""Text that people write: a little Markdown made safe, and @mentions found and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from portal.errors import Refused

MAX_LENGTH = 10_000
TAGS = {"p", "br", "strong", "em", "s", "code", "pre", "ul", "ol", "li", "blockquote", "a", "span"}
_markdown = (
    MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable(["image", "heading", "lheading", "hr"])
)
_address = re.compile(r"(?<![\w(\[<\"=])(https?://[^\s<>\")\]]+[^\s<>\")\].,;:!?])")


_picked = re.compile(r"@\[([^\]\n]{1,150})\]\(user:\d{1,18}\)")


def plain_mentions(body: str) -> str:
    """The text with names that were picked from the list, `@[Ann](user:7)`, written as `@Ann`."""
    return _picked.sub(r"@\1", body)


def clean_body(body: str, *, may_be_empty: bool = False) -> str:
    """A text as it is kept; raises Refused for an empty or too long one."""
    body = plain_mentions(body.replace("\r\n", "\n").replace("\x00", "").strip())
    if not body and not may_be_empty:
        raise Refused(_("Write something first."), "body")
    if len(body) > MAX_LENGTH:
        raise Refused(_("That is too long: at most %(count)s characters.") % {"count": MAX_LENGTH}, "body")
    return body


def find_mentions(body: str, people: Iterable[tuple[int, str]]) -> dict[str, str]:
    """The people whose name follows an @ in the text, as {id: name}; the longest name wins, upper and lower case are alike."""
    if "@" not in body:
        return {}
    lower = body.lower()
    found: dict[str, str] = {}
    for user_id, name in sorted(people, key=lambda p: -len(p[1])):
        pattern = rf"(?<!\w)@{re.escape(name.lower())}(?!\w)"
        if name and re.search(pattern, lower):
            found[str(user_id)] = name
            lower = re.sub(pattern, " ", lower)
    return found


def render(body: str, mentions: dict[str, str] | None = None) -> SafeString:
    """The text as safe HTML: emphasis, lists, quotes, code and links; mentioned people stand out."""
    html = _markdown.render(_address.sub(r"<\1>", body))
    html = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    for name in sorted((mentions or {}).values(), key=len, reverse=True):
        shown = re.escape(escape(name, quote=False))
        html = re.sub(rf"(?<!\w)@({shown})(?!\w)", r'<span class="mention">@\1</span>', html, flags=re.IGNORECASE)
    return mark_safe(html)  # noqa: S308  cleaned above; a mention's name is matched in the cleaned text itself


def excerpt(body: str, length: int = 140) -> str:
    """The beginning of a text on one line, without marks."""
    flat = re.sub(r"[*_`>#~]+", "", " ".join(body.split()))
    return flat if len(flat) <= length else flat[: length - 1].rstrip() + "…"
