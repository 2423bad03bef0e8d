"""What the engine says of a failed expression, script or gateway, in words of the reader's language: what was wanted, what is missing,
and what helps. The engine's own text is kept beside it, for whoever drew the process.

    in_words("expression.failed", "The condition of “Large”: “amount > 5” failed: name 'amount' is not defined (…)", "How large?")
        → Cause("“amount” isn't set when the condition of “Large” is worked out.", "Set “amount” …", the same text without secrets)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from re import Match

from django.utils.translation import gettext as _

from workflows.causes import redacted

_WHERE = re.compile(
    r"^(?:the (?P<script>script) failed(?: in line (?P<line>\d+))?: "
    r"|(?P<what>The (?:condition of “(?P<flow>.*?)”|parameter (?P<parameter>\S+)|input (?P<input>\S+)|timer|collection|count|condition"
    r"|completion condition|loop's condition)|tandem:(?P<attribute>\w+)): )",
    re.DOTALL,
)
_SOURCE = re.compile(r"^“(?P<source>.*?)” failed: (?P<reason>.*)$", re.DOTALL)
_DECISION = re.compile(r"^The decision “(?P<name>.*?)” failed: (?P<reason>.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a step stands: in words, with what helps; `technical` is the engine's own text, empty where the words say as much."""

    words: str
    remedy: str = ""
    technical: str = ""


def in_words(code: str, message: str, element: str) -> Cause:
    """The cause of an incident for people; what isn't the engine's own is in words already."""
    if code in _CODES:
        words, remedy = _CODES[code](element)
        return Cause(words, remedy, redacted(message))
    if code not in ("expression.failed", "script.failed", "rule.failed", "timer.failed"):
        return Cause(message)
    place, source, reason = _taken_apart(message)
    where = place or _("“%(step)s”") % {"step": element}
    told = _why(reason, where)
    if told is None:
        words = _("%(where)s can't be worked out.") % {"where": where[:1].upper() + where[1:]}
        told = words, _("Look at the technical text, correct the process's values or its drawing, and try again.")
    words, remedy = told
    if source and len(source) <= 120:
        words = _("%(words)s It says: %(source)s") % {"words": words, "source": source}
    return Cause(words[:1].upper() + words[1:], remedy, redacted(message))


def _taken_apart(message: str) -> tuple[str, str, str]:
    """Where it failed in words, the expression, and the engine's reason."""
    place, rest = "", message
    if found := _DECISION.match(rest):
        return _("the decision “%(name)s”") % {"name": found["name"]}, "", found["reason"]
    if found := _WHERE.match(rest):
        place, rest = _place(found), rest[found.end() :]
    if found := _SOURCE.match(rest):
        return place, found["source"], found["reason"]
    return place, "", rest


def _place(found: Match[str]) -> str:
    if found["script"]:
        return _("line %(n)s of the script") % {"n": found["line"]} if found["line"] else _("the script")
    for name, words in (
        ("flow", _("the condition of “%(name)s”")),
        ("parameter", _("the parameter “%(name)s”")),
        ("input", _("the input “%(name)s”")),
    ):
        if found[name]:
            return words % {"name": found[name]}
    known = {
        "The timer": _("the time that is waited for"),
        "The collection": _("the list of rounds"),
        "The count": _("the number of rounds"),
        "The condition": _("the condition that is waited for"),
        "The completion condition": _("the condition that ends it"),
        "The loop's condition": _("the condition of the loop"),
        "tandem:due": _("the due date"),
        "tandem:assignee": _("who does it"),
        "tandem:candidates": _("who may take it"),
        "tandem:organisation": _("whose step it is"),
    }
    return known.get(found["what"], found["what"])


def _unset(name: str, where: str) -> tuple[str, str]:
    return (
        _("“%(name)s” isn't set when %(where)s is worked out.") % {"name": name, "where": where},
        _("Set “%(name)s” with “Correct values” and try again; if it may be missing, let the drawing say what counts then.")
        % {"name": name},
    )


def _empty(_found: Match[str], where: str) -> tuple[str, str]:
    return (
        _("A value that %(where)s needs is empty.") % {"where": where},
        _("Fill the empty value with “Correct values” and try again, or let the drawing say what counts where it is empty."),
    )


def _kinds(_found: Match[str], where: str) -> tuple[str, str]:
    return (
        _("A value that %(where)s needs is of another kind, such as a text where a number is wanted.") % {"where": where},
        _("Give it the right kind with “Correct values” and try again."),
    )


def _key(found: Match[str], where: str) -> tuple[str, str]:
    return (
        _("A value that %(where)s needs has no “%(name)s”.") % {"where": where, "name": found["name"]},
        _("Add “%(name)s” with “Correct values” and try again, or correct the name in the drawing.") % {"name": found["name"]},
    )


def _zero(_found: Match[str], where: str) -> tuple[str, str]:
    return _("%(where)s divides by zero.") % {"where": where}, _("Correct the number with “Correct values” and try again.")


def _short(_found: Match[str], where: str) -> tuple[str, str]:
    return (
        _("%(where)s asks for an entry that a list doesn't have.") % {"where": where},
        _("Correct the list with “Correct values” and try again."),
    )


def _much(_found: Match[str], where: str) -> tuple[str, str]:
    return _("%(where)s takes too long or grows too large.") % {"where": where}, _("Let the drawing do less at once, and publish it anew.")


def _undecided(_found: Match[str], where: str) -> tuple[str, str]:
    return _("%(where)s gives neither yes nor no.") % {"where": where}, _("Compare it with something in the drawing, and publish it anew.")


def _no_time(_found: Match[str], where: str) -> tuple[str, str]:
    return (
        _("What stands for %(where)s is no time.") % {"where": where},
        _("Write 2 working days, PT48H or a date with “Correct values”, and try again."),
    )


_REASONS: list[tuple[re.Pattern[str], Callable[[Match[str], str], tuple[str, str]]]] = [
    (re.compile(r"name '(?P<name>\w+)' is not defined"), lambda found, where: _unset(found["name"], where)),
    (re.compile(r"nothing is called “(?P<name>[^”]+)” here"), lambda found, where: _unset(found["name"], where)),
    (re.compile(r"there is no key ['\"]?(?P<name>[^'\"]*)"), _key),
    (re.compile(r"ZeroDivisionError|DivisionByZero|DivisionUndefined|division by zero"), _zero),
    (re.compile(r"NoneType"), _empty),
    (re.compile(r"^IndexError"), _short),
    (re.compile(r"^(?:TypeError|ValueError|AttributeError|InvalidOperation|ArithmeticError)"), _kinds),
    (re.compile(r"too many steps|too large|too long|too deeply"), _much),
    (re.compile(r"gives neither true nor false"), _undecided),
    (re.compile(r"ISO 8601|is no time|needs a time zone|has no offset|the duration is negative"), _no_time),
]


def _why(reason: str, where: str) -> tuple[str, str] | None:
    for pattern, told in _REASONS:
        if found := pattern.search(reason):
            return told(found, where)
    return None


_CODES: dict[str, Callable[[str], tuple[str, str]]] = {
    "gateway.no_way_out": lambda step: (
        _("No way leads on from “%(step)s”: none of its conditions holds.") % {"step": step},
        _("Correct the values that its conditions look at and try again, or draw a way for everything else."),
    ),
    "deadlock": lambda step: (
        _("“%(step)s” waits for something that can't come any more.") % {"step": step},
        _("Skip the step, or move the process on from it."),
    ),
    "loop.collection": lambda step: (
        _("“%(step)s” is done once for each entry of a list, and what it was given is no list.") % {"step": step},
        _("Make it a list with “Correct values” and try again."),
    ),
    "loop.count": lambda step: (
        _("“%(step)s” doesn't know how often it is to be done.") % {"step": step},
        _("Write the number with “Correct values” and try again."),
    ),
    "loop.large": lambda step: (
        _("“%(step)s” would be done too many times.") % {"step": step},
        _("Split the work, or correct the list or number that it goes by."),
    ),
    "message.correlation": lambda step: (
        _("“%(step)s” doesn't know whose message it waits for: a value that the message is found by is empty.") % {"step": step},
        _("Fill the value with “Correct values” and try again."),
    ),
    "rule.missing": lambda step: (
        _("“%(step)s” asks a decision table that wasn't published with the process.") % {"step": step},
        _("Publish the process with its table, and take this one to the new version."),
    ),
    "service.result": lambda step: (
        _("“%(step)s” got an answer that can't be taken apart into values.") % {"step": step},
        _("Give the answer a name in the drawing, and publish it anew."),
    ),
}
