"""Simple expressions of other engines as Python: JUEL (`${amount > 10 && !paid}`) and FEEL (`= amount > 10 and not(paid)`).

Only what surely means the same is translated: variables, their fields, literals, comparisons, logic, arithmetic, and a few methods of
texts and lists. A call of a bean, or anything else, raises `Untranslatable`.
"""

from __future__ import annotations

import keyword
import re

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>=!?:.,()\[\]]))"
)
JUEL_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "and": "and", "or": "or", "&&": "and", "||": "or"}
JUEL_WORDS |= {"div": "/", "mod": "%", "==": "==", "!=": "!=", "not": "not", "!": "not"}
FEEL_WORDS = {"=": "==", "!=": "!=", "and": "and", "or": "or"}
LITERALS = {"true": "True", "false": "False", "null": "None"}
METHODS = {
    "toLowerCase": "{0}.lower()",
    "toUpperCase": "{0}.upper()",
    "trim": "{0}.strip()",
    "length": "len({0})",
    "size": "len({0})",
    "isEmpty": "(len({0}) == 0)",
    "equals": "({0} == {1})",
    "contains": "({1} in {0})",
    "startsWith": "{0}.startswith({1})",
    "endsWith": "{0}.endswith({1})",
}
COUNTERS = {
    "nrOfInstances": "loop_count",
    "nrOfCompletedInstances": "loop_done",
    "nrOfActiveInstances": "loop_open",
    "numberOfInstances": "loop_count",
    "numberOfCompletedInstances": "loop_done",
    "numberOfActiveInstances": "loop_open",
    "loopCounter": "loop_index",
}
RESERVED = frozenset({"execution", "task", "environment", "now"})
MAX_LENGTH = 2_000
MAX_DEPTH = 50


class Untranslatable(ValueError):
    """An expression that doesn't surely mean the same in Python; the message says which part."""


def is_juel(text: str) -> bool:
    """Whether a text is, or holds, an expression of the JUEL kind."""
    return "${" in text or "#{" in text


def juel(text: str) -> str:
    """The Python for `${…}` or `#{…}`; raises Untranslatable."""
    text = text.strip()
    if text[:2] not in ("${", "#{") or not text.endswith("}") or is_juel(text[2:]):
        raise Untranslatable("it mixes text and expressions")
    inner = text[2:-1].strip()
    inner = re.sub(r"\benvironment\.variables\.(?=[A-Za-z_])", "", inner)
    return _Reader(inner, JUEL_WORDS, feel=False).whole()


def feel(text: str) -> str:
    """The Python for a simple FEEL expression, with or without its leading `=`; raises Untranslatable."""
    return _Reader(text.strip().removeprefix("=").strip(), FEEL_WORDS, feel=True).whole()


class _Reader:
    """Reads one expression from left to right and writes it as Python, with brackets wherever the rules could differ."""

    def __init__(self, text: str, words: dict[str, str], feel: bool):
        if len(text) > MAX_LENGTH:
            raise Untranslatable("it is too long")
        self.words, self.feel, self.at, self.depth = words, feel, 0, 0
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            found = TOKEN.match(text, place)
            if not found or found.end() == place:
                raise Untranslatable(f"“{text[place : place + 20].strip()}” isn't understood")
            self.tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            place = found.end()

    def whole(self) -> str:
        """Everything, to the end."""
        found = self.choice()
        if self.at < len(self.tokens):
            raise Untranslatable(f"“{self.tokens[self.at][1]}” isn't understood")
        return found

    def peek(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        return "" if kind in ("text", "number") else self.words.get(text, text if kind == "sign" else "")

    def take(self, *signs: str) -> str:
        found = self.peek()
        if found and found in signs:
            self.at += 1
            return found
        return ""

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise Untranslatable(f"“{sign}” is missing")

    def choice(self) -> str:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Untranslatable("it is too deeply nested")
        found = self.either()
        if not self.feel and self.take("?"):
            yes = self.choice()
            self.need(":")
            found = f"({yes} if {found} else {self.choice()})"
        self.depth -= 1
        return found

    def either(self) -> str:
        found = self.both()
        while self.take("or"):
            found = f"({found} or {self.both()})"
        return found

    def both(self) -> str:
        found = self.compared()
        while self.take("and"):
            found = f"({found} and {self.compared()})"
        return found

    def compared(self) -> str:
        found = self.sum()
        while sign := self.take("==", "!=", "<=", ">=", "<", ">"):
            other = self.sum()
            if "None" in (found, other) and sign in ("==", "!="):
                sign = "is" if sign == "==" else "is not"
            found = f"({found} {sign} {other})"
        return found

    def sum(self) -> str:
        found = self.product()
        while sign := self.take("+", "-"):
            found = f"({found} {sign} {self.product()})"
        return found

    def product(self) -> str:
        found = self.single()
        while sign := self.take("*", "/", *([] if self.feel else ["%"])):
            found = f"({found} {sign} {self.single()})"
        return found

    def single(self) -> str:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Untranslatable("it is too deeply nested")
        found = self.prefixed()
        self.depth -= 1
        return found

    def prefixed(self) -> str:
        if self.take("-"):
            return f"(-{self.single()})"
        if not self.feel and self.take("not"):
            return f"(not {self.single()})"
        name = self.name()
        if not self.feel and name == "empty":
            self.at += 1
            return f"({self.single()} in (None, '', [], {{}}))"
        if self.feel and name == "not":
            self.at += 1
            self.need("(")
            found = self.choice()
            self.need(")")
            return f"(not {found})"
        return self.value()

    def name(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        return text if kind == "name" else ""

    def value(self) -> str:
        if self.at >= len(self.tokens):
            raise Untranslatable("it ends too early")
        if self.take("("):
            found = self.choice()
            self.need(")")
            return self.followed(found)
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return text
        if kind == "text":
            plain = re.sub(r"\\(.)", r"\1", text[1:-1])
            return self.followed(repr(plain))
        if kind != "name" or text in self.words:
            raise Untranslatable(f"“{text}” isn't understood")
        if text in LITERALS:
            return LITERALS[text]
        if self.take("("):
            raise Untranslatable(f"“{text}(…)” is a function of the other engine")
        if text in RESERVED or keyword.iskeyword(text) or text.startswith("_"):
            raise Untranslatable(f"“{text}” belongs to the other engine")
        return self.followed(COUNTERS.get(text, text))

    def followed(self, found: str) -> str:
        """Fields, places in a list, and the few methods that Python has too."""
        while True:
            if not self.feel and self.take("["):
                found = f"{found}[{self.choice()}]"
                self.need("]")
            elif self.take("."):
                name = self.name()
                if not name:
                    raise Untranslatable("a name is missing behind “.”")
                self.at += 1
                found = self.called(found, name) if self.take("(") else f"{found}[{name!r}]"
            else:
                return found

    def called(self, found: str, name: str) -> str:
        given = []
        if not self.take(")"):
            given.append(self.choice())
            while self.take(","):
                given.append(self.choice())
            self.need(")")
        pattern = METHODS.get(name, "")
        if self.feel or not pattern or pattern.count("{1}") != len(given):
            raise Untranslatable(f"“{name}(…)” is work of the other engine")
        return pattern.format(found, *given)
