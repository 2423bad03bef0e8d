"""Functions of text. Patterns run on RE2, in time linear in the text whatever the pattern."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import re2

from bpmn.dmn.errors import Undefined
from bpmn.dmn.functions.library import builtin
from bpmn.dmn.functions.numbers import whole
from bpmn.dmn.run import Run


@builtin("substring", "string:string", "start position:number", "length:number?")
def substring(run: Run, text: str, start: Decimal, length: Decimal | None) -> str:
    place = whole(start, "start position")
    if place == 0 or abs(place) > len(text):
        raise Undefined("the start position lies outside the text")
    first = place - 1 if place > 0 else len(text) + place
    if length is None:
        return text[first:]
    size = int(length)
    if size < 1:
        raise Undefined("the length is below 1")
    return text[first : first + size]


@builtin("string length", "string:string")
def string_length(run: Run, text: str) -> Decimal:
    return Decimal(len(text))


@builtin("upper case", "string:string")
def upper_case(run: Run, text: str) -> str:
    return text.upper()


@builtin("lower case", "string:string")
def lower_case(run: Run, text: str) -> str:
    return text.lower()


@builtin("trim", "string:string")
def trim(run: Run, text: str) -> str:
    return text.strip()


@builtin("substring before", "string:string", "match:string")
def substring_before(run: Run, text: str, match: str) -> str:
    before, found, _ = text.partition(match) if match else ("", "", "")
    return before if found else ""


@builtin("substring after", "string:string", "match:string")
def substring_after(run: Run, text: str, match: str) -> str:
    return text.partition(match)[2] if match else text


@builtin("contains", "string:string", "match:string")
def contains(run: Run, text: str, match: str) -> bool:
    return match in text


@builtin("starts with", "string:string", "match:string")
def starts_with(run: Run, text: str, match: str) -> bool:
    return text.startswith(match)


@builtin("ends with", "string:string", "match:string")
def ends_with(run: Run, text: str, match: str) -> bool:
    return text.endswith(match)


@functools.lru_cache(maxsize=512)
def pattern_of(pattern: str, flags: str) -> Any:
    """A pattern with the flags s, m, i and x of XPath."""
    if len(pattern) > 1000:
        raise Undefined("the pattern is too long")
    if set(flags) - set("smixq"):
        raise Undefined(f"there is no flag among “{flags:.20}”")
    written = re2.escape(pattern) if "q" in flags else "".join(_translated(pattern, flags))
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        kept = "".join(flag for flag in "smi" if flag in flags)
        return re2.compile((f"(?{kept})" if kept else "") + written, options)
    except (re2.error, ValueError):
        raise Undefined(f"“{pattern:.60}” is not a pattern that can be used") from None


def _translated(pattern: str, flags: str) -> Iterator[str]:
    """A pattern of XPath as RE2 reads it: `.` is neither line feed nor carriage return, and x drops white space but inside `[ ]`.

    Where the pattern uses what only RE2 knows (`\\Q…\\E`, flags inside), its dots stay as they are.
    """
    dot = "." if "s" in flags or "\\Q" in pattern or "(?" in pattern.replace("(?:", "") else "[^\\n\\r]"
    inside, escaped, before = False, False, ""
    for char in pattern:
        if "x" in flags and not inside and char.isspace():
            continue
        plain = "" if escaped else char
        escaped = plain == "\\"
        if inside and plain == "[" and before == "-":
            raise Undefined("classes of characters cannot be subtracted here")
        yield dot if plain == "." and not inside else char
        inside = (plain == "[") if not inside else not (plain == "]" and before != "[")
        before = plain


@builtin("matches", "input:string", "pattern:string", "flags:string?")
def matches(run: Run, text: str, pattern: str, flags: str | None) -> bool:
    run.tick(1 + len(text) // 16)
    return pattern_of(pattern, flags or "").search(text) is not None


@builtin("replace", "input:string", "pattern:string", "replacement:string", "flags:string?")
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None) -> str:
    compiled = pattern_of(pattern, flags or "")
    if compiled.search("") is not None:
        raise Undefined("the pattern also fits nothing at all")
    pieces = _replacement(replacement, compiled.groups)
    out: list[str] = []
    size = place = 0
    for found in compiled.finditer(text):
        made = "".join(piece if isinstance(piece, str) else found.group(piece) or "" for piece in pieces)
        out += [text[place : found.start()], made]
        place = found.end()
        size += len(made)
        run.tick(1 + len(made) // 16)
    return "".join([*out, text[place:]])


def _replacement(text: str, groups: int) -> list[str | int]:
    r"""`$1` is a group, `\$` and `\\` are the signs themselves."""
    out: list[str | int] = []
    place = 0
    while place < len(text):
        char = text[place]
        follow = text[place + 1 : place + 2]
        if char == "\\" and follow in ("\\", "$"):
            out.append(follow)
            place += 2
        elif char == "$":
            end = place + 1
            while text[end : end + 1] and text[end] in "0123456789" and (end == place + 1 or int(text[place + 1 : end + 1]) <= groups):
                end += 1
            if end == place + 1:
                raise Undefined("a $ in the replacement needs the number of a group")
            number = int(text[place + 1 : end])
            out.append(number if number <= groups else "")
            place = end
        elif char == "\\":
            raise Undefined("a \\ in the replacement stands before \\ or $")
        else:
            out.append(char)
            place += 1
    return out


@builtin("split", "string:string", "delimiter:string")
def split(run: Run, text: str, delimiter: str) -> list[str]:
    parts: list[str] = []
    place = 0
    for found in pattern_of(delimiter, "").finditer(text):
        if found.end() == found.start():
            continue
        parts.append(text[place : found.start()])
        place = found.end()
        run.tick()
    return [*parts, text[place:]]


@builtin("string join", "list:list", "delimiter:string?", "prefix:string?", "suffix:string?")
def string_join(run: Run, items: list[Any], delimiter: str | None, prefix: str | None, suffix: str | None) -> str:
    kept = [item for item in items if item is not None]
    if not all(isinstance(item, str) for item in kept):
        raise Undefined("only texts can be joined")
    joined = (prefix or "") + (delimiter or "").join(kept) + (suffix or "")
    run.tick(len(joined) // 16 + len(kept))
    return joined


@builtin("extract", "input:string", "pattern:string", "flags:string?")
def extract(run: Run, text: str, pattern: str, flags: str | None) -> list[str]:
    found = [match.group(0) for match in pattern_of(pattern, flags or "").finditer(text)]
    run.tick(len(found) + len(text) // 16)
    return found
