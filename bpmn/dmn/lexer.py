"""Text of an expression → tokens for the grammar.

FEEL names may hold spaces and operators (`Approved/Declined`, `time offset`), so a token can only be cut with the names in scope at
hand: the longest known name wins. The lexer also settles what a grammar of one look-ahead cannot: `]1..5[`, the `-` that stands for
"anything", and whether `not(` opens a list of tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lark import Token
from lark.lexer import Lexer

from bpmn.dmn.errors import FeelSyntaxError

MAX_LENGTH = 20_000
MAX_NESTING = 60

KEYWORDS = {
    word: word.upper()
    for word in (
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "every",
        "satisfies",
        "and",
        "or",
        "between",
        "function",
        "external",
        "true",
        "false",
        "null",
    )
}
SYMBOLS = {
    "->": "ARROW",
    "**": "POW",
    "..": "DOTDOT",
    "!=": "NE",
    "<=": "LE",
    ">=": "GE",
    "+": "PLUS",
    "-": "MINUS",
    "*": "STAR",
    "/": "SLASH",
    "=": "EQ",
    "<": "LT",
    ">": "GT",
    "(": "LPAR",
    ")": "RPAR",
    "[": "LSQB",
    "]": "RSQB",
    "{": "LBRACE",
    "}": "RBRACE",
    ",": "COMMA",
    ":": "COLON",
    ".": "DOT",
}
OPERAND_END = {"NAME", "NUMBER", "STRING", "AT", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE", "NULL", "CLOSE_OPEN", "LSQB"}
BEFORE_CLOSING = OPERAND_END | {"GT", "FUNCTION"}  # both may end a type: `[x instance of list<number>]`
CLOSERS = {"RPAR", "RSQB", "RBRACE", "CLOSE_OPEN"}

Names = frozenset[str]


def is_name_start(char: str) -> bool:
    if char in "“”‘’…–—":
        return False
    return char == "_" or char.isalpha() or (ord(char) > 0xA0 and not char.isspace() and not char.isdigit())


def is_name_part(char: str) -> bool:
    return is_name_start(char) or char.isdigit() or char in "\u00b7\u200d"


def name_parts(name: str) -> tuple[str, ...]:
    """A name cut into words and single symbols, so that white space inside it does not matter."""
    parts: list[str] = []
    place = 0
    while place < len(name):
        end = place
        while end < len(name) and is_name_part(name[end]):
            end += 1
        if end > place:
            parts.append(name[place:end])
        elif not name[place].isspace():
            parts.append(name[place])
            end = place + 1
        else:
            end = place + 1
        place = end
    return tuple(parts)


def normal_name(name: str) -> str:
    """The one spelling of a name: single spaces between its words, as lists of names and scopes keep it."""
    return " ".join(name.split())


class NameBook:
    """The names of more than one part, found by their first word, longest first."""

    def __init__(self, names: Names) -> None:
        self.by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            parts = name_parts(name)
            if len(parts) > 1:
                self.by_first.setdefault(parts[0], []).append((parts, normal_name(name)))
        for choices in self.by_first.values():
            choices.sort(key=lambda choice: -len(choice[0]))

    def match(self, text: str, place: int, word: str) -> tuple[str, int] | None:
        """The longest known name that starts with `word` at this place, and where it ends."""
        for parts, name in self.by_first.get(word, ()):
            end = place + len(word)
            for part in parts[1:]:
                start = end
                while start < len(text) and text[start].isspace():
                    start += 1
                if not text.startswith(part, start):
                    break
                end = start + len(part)
            else:
                if end >= len(text) or not (is_name_part(text[end]) and is_name_part(text[end - 1])):
                    return name, end
        return None


def tokenize(text: str, names: Names, *, tests: bool = False) -> list[Token]:
    """All tokens of an expression, or of the tests of a cell."""
    if len(text) > MAX_LENGTH:
        raise FeelSyntaxError(f"the expression is longer than {MAX_LENGTH} characters")
    tokens = _cut(text, _book(names))
    declared = _declared(tokens)
    if any(len(name_parts(name)) > 1 for name in declared):
        tokens = _cut(text, NameBook(names | declared))
    tokens = _join_names(tokens)
    return _mark_tests(tokens) if tests else tokens


@lru_cache(maxsize=64)
def _book(names: Names) -> NameBook:
    return NameBook(names)


def _cut(text: str, book: NameBook) -> list[Token]:
    tokens: list[Token] = []
    stack: list[bool] = []  # open brackets; True once `..` was seen directly inside
    place, size = 0, len(text)
    while place < size:
        char = text[place]
        if char.isspace() or char == "\ufeff":
            place += 1
            continue
        if text.startswith("//", place):
            end = text.find("\n", place)
            place = size if end < 0 else end
            continue
        if text.startswith("/*", place):
            end = text.find("*/", place + 2)
            if end < 0:
                raise FeelSyntaxError("a comment is not closed")
            place = end + 2
            continue
        kind, value, end = _one(text, place, book, tokens)
        if kind == "DOTDOT" and stack:
            stack[-1] = True
        elif kind == "RSQB" and (not tokens or tokens[-1].type not in BEFORE_CLOSING):
            kind = "OPEN_OPEN"
        elif kind == "LSQB" and stack and stack[-1] and tokens and tokens[-1].type in OPERAND_END and not _operand_follows(text, end):
            kind = "CLOSE_OPEN"
        if kind in ("LPAR", "LSQB", "LBRACE", "OPEN_OPEN"):
            stack.append(False)
            if len(stack) > MAX_NESTING:
                raise FeelSyntaxError(f"brackets are nested more than {MAX_NESTING} deep")
        elif kind in CLOSERS and stack:
            stack.pop()
        tokens.append(Token(kind, value, start_pos=place, line=text.count("\n", 0, place) + 1, column=place - text.rfind("\n", 0, place)))
        place = end
    return tokens


def _operand_follows(text: str, place: int) -> bool:
    while place < len(text) and text[place].isspace():
        place += 1
    if place >= len(text):
        return False
    char = text[place]
    if not is_name_start(char):
        return char.isdigit() or char in '"(-[{@?'
    end = place
    while end < len(text) and is_name_part(text[end]):
        end += 1
    return text[place:end] not in ("and", "or", "then", "else", "return", "satisfies", "in", "between", "instance")


def _one(text: str, place: int, book: NameBook, before: list[Token]) -> tuple[str, str, int]:
    char = text[place]
    if char == '"':
        value, end = _string(text, place)
        return "STRING", value, end
    if char == "@":
        start = place + 1
        while start < len(text) and text[start].isspace():
            start += 1
        if start < len(text) and text[start] == '"':
            value, end = _string(text, start)
            return "AT", value, end
    if char in "0123456789" or (char == "." and text[place + 1 : place + 2] in tuple("0123456789")):
        return "NUMBER", *_number(text, place)
    if is_name_start(char):
        end = place
        while end < len(text) and is_name_part(text[end]):
            end += 1
        word = text[place:end]
        known = book.match(text, place, word)
        if known:
            return "NAME", *known
        if word == "instance":
            rest = text[end:].lstrip()
            if rest.startswith("of") and not is_name_part(rest[2:3] or " "):
                return "INSTANCE_OF", "instance of", len(text) - len(rest) + 2
        if before and before[-1].type == "DOT":
            return "NAME", word, end
        return KEYWORDS.get(word, "NAME"), word, end
    if char == "?":
        return "NAME", "?", place + 1
    if text.startswith("==", place):
        raise FeelSyntaxError("“==” has no meaning here: FEEL compares with one =")
    for width in (2, 1):
        symbol = text[place : place + width]
        if symbol in SYMBOLS:
            return SYMBOLS[symbol], symbol, place + width
    hint = ": texts stand in double quotation marks" if char in "'‘’“”" else ""
    raise FeelSyntaxError(f"“{char}” has no meaning here{hint}")


def _number(text: str, place: int) -> tuple[str, int]:
    digits = "0123456789"
    end = place
    while text[end : end + 1] and text[end] in digits:
        end += 1
    if text[end : end + 1] == "." and text[end + 1 : end + 2] and text[end + 1] in digits:
        end += 1
        while text[end : end + 1] and text[end] in digits:
            end += 1
    if text[end : end + 1] in ("e", "E"):
        power = end + (2 if text[end + 1 : end + 2] in ("+", "-") else 1)
        if text[power : power + 1] and text[power] in digits:
            while text[power : power + 1] and text[power] in digits:
                power += 1
            end = power
    return text[place:end], end


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "'": "'"}


def _string(text: str, place: int) -> tuple[str, int]:
    out: list[str] = []
    place += 1
    while place < len(text):
        char = text[place]
        if char == '"':
            return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace"), place + 1
        if char != "\\":
            out.append(char)
            place += 1
            continue
        follow = text[place + 1 : place + 2]
        width = {"u": 4, "U": 6}.get(follow)
        code = text[place + 2 : place + 2 + (width or 0)]
        if width and len(code) == width and all(digit in "0123456789abcdefABCDEF" for digit in code) and int(code, 16) <= 0x10FFFF:
            out.append(chr(int(code, 16)))
            place += 2 + width
        elif follow in _ESCAPES:
            out.append(_ESCAPES[follow])
            place += 2
        else:
            out.append("\\")
            place += 1
    raise FeelSyntaxError("a text is not closed by a quotation mark")


def _key_start(tokens: list[Token], colon: int) -> int | None:
    """Where the name before a colon starts."""
    start = colon
    while start > 0 and tokens[start - 1].type not in ("LBRACE", "COMMA", "LPAR", "LT"):
        start -= 1
    return start if start < colon and tokens[start].type != "STRING" else None


def _iterator_start(tokens: list[Token], place: int) -> int | None:
    """Where the variable before an `in` starts, if the `in` belongs to for, some or every."""
    start = place
    while start > 0 and tokens[start - 1].type not in ("FOR", "SOME", "EVERY", "COMMA"):
        start -= 1
        if tokens[start].type in CLOSERS | {"LPAR", "LSQB", "LBRACE", "RETURN", "SATISFIES", "IF", "THEN", "ELSE", "COLON", "STRING"}:
            return None
    if start in (0, place):
        return None
    plain = all(token.type in ("NAME", "NUMBER") for token in tokens[start:place])
    return start if plain or tokens[start - 1].type != "COMMA" else None


def _written(tokens: list[Token]) -> str:
    """The name that these tokens spell."""
    out = ""
    for place, token in enumerate(tokens):
        glue = place and token.start_pos is not None and _end(tokens[place - 1]) == token.start_pos
        out += ("" if not out or glue else " ") + str(token)
    return out


def _end(token: Token) -> int:
    return (token.start_pos or 0) + len(token)


def _declared(tokens: list[Token]) -> Names:
    """Names that the expression itself introduces: keys of contexts, parameters, variables of for, some and every."""
    found = set()
    for place, token in enumerate(tokens):
        start = _key_start(tokens, place) if token.type == "COLON" else _iterator_start(tokens, place) if token.type == "IN" else None
        if start is not None and place - start > 1:
            found.add(_written(tokens[start:place]))
        if token.type == "FUNCTION" and place + 1 < len(tokens) and tokens[place + 1].type == "LPAR":
            end = place + 2
            start = end
            while end < len(tokens) and tokens[end].type not in ("RPAR", "COLON"):
                if tokens[end].type == "COMMA":
                    found.add(_written(tokens[start:end]))
                    start = end + 1
                end += 1
            found.add(_written(tokens[start:end]))
    return frozenset(found)


def _join_names(tokens: list[Token]) -> list[Token]:
    """Join what can only be one name: everything before a key's colon, and words that stand side by side."""
    out: list[Token] = []
    for place, token in enumerate(tokens):
        if token.type == "COLON":
            start = _key_start(tokens, place)
            if start is not None:
                width = place - start
                # `out` may already have joined some of these words
                while out and (out[-1].start_pos or 0) >= (tokens[start].start_pos or 0):
                    out.pop()
                spelled = _written(tokens[start:place]) if width > 1 else str(tokens[start])
                out.append(Token("NAME", spelled, start_pos=tokens[start].start_pos, line=tokens[start].line, column=tokens[start].column))
        word = token.type in ("NAME", "NUMBER") and str(token) != "?"
        if word and out and out[-1].type == "NAME" and str(out[-1]) != "?":
            last = out[-1]
            out[-1] = Token("NAME", f"{last} {token}", start_pos=last.start_pos, line=last.line, column=last.column)
            continue
        out.append(token)
    return out


def _mark_tests(tokens: list[Token]) -> list[Token]:
    """The two words of a cell that mean something else inside an expression: a lone `-`, and `not(…)` around the whole cell."""
    if len(tokens) == 1 and tokens[0].type == "MINUS":
        return [Token("ANYTHING", "-", start_pos=0, line=1, column=1)]
    if len(tokens) > 2 and tokens[0] == "not" and tokens[1].type == "LPAR":
        depth = 0
        for place, token in enumerate(tokens[1:], 1):
            depth += (token.type == "LPAR") - (token.type == "RPAR")
            if depth == 0:
                if place == len(tokens) - 1:
                    return [Token("NOT_TESTS", "not", start_pos=0, line=1, column=1), *tokens[1:]]
                break
    return tokens


class FeelLexer(Lexer):
    """Hands the tokens cut beforehand to the parser."""

    def __init__(self, lexer_conf: object) -> None:
        pass

    def lex(self, data: list[Token]) -> Iterator[Token]:  # type: ignore[override]
        yield from data
