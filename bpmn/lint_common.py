"""What several of the gate's rules ask: is this an expression, a name, a text or an expression."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from bpmn import scripts
from bpmn.model import Problem

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")
RESERVED = frozenset({"now", "action_", "script"})


def expression(element_id: str, what: str, source: str) -> Iterator[Problem]:
    try:
        scripts.check_expression(source)
    except scripts.ScriptError as error:
        remedy = "Correct it."
        if "${" in source or "#{" in source:
            remedy = "This is another engine's language; write it in Python, such as amount > 1000 and action == 'approve'."
        yield Problem(element_id, "expression.bad", f"{what}: “{source[:120]}” isn't an expression the engine accepts: {error}.", remedy)


def text_or_expression(element_id: str, what: str, text: str) -> Iterator[Problem]:
    if text.lstrip().startswith("="):
        yield from expression(element_id, what, text.lstrip()[1:])


def variable(element_id: str, what: str, name: str) -> Iterator[Problem]:
    if not _NAME.match(name) or keyword.iskeyword(name) or name in RESERVED:
        yield Problem(
            element_id,
            "variable.bad",
            f"{what}: “{name}” can't be the name of a variable.",
            "Use letters, digits and _, beginning with a letter.",
        )
