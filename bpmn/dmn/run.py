"""One evaluation: its limits, its notes, and the scopes that names are looked up in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bpmn.dmn.errors import DmnError

if TYPE_CHECKING:
    from bpmn.dmn.types import Types

MAX_STEPS = 200_000
MAX_DEPTH = 260
MAX_NOTES = 50
MISSING = object()


class Run:
    """What all expressions of one evaluation share."""

    __slots__ = ("depth", "matched", "names", "now", "notes", "place", "steps", "strict", "types")

    def __init__(
        self, types: Types, *, names: frozenset[str] = frozenset(), now: datetime | None = None, strict: bool = True, steps: int = MAX_STEPS
    ) -> None:
        self.names = names
        """The names of several words that expressions are read with."""
        self.types = types
        self.now = now
        self.strict = strict
        self.steps = steps
        self.depth = 0
        self.place = ""
        self.notes: list[str] = []
        self.matched: list[Any] = []
        """The rules of tables that matched, in order of evaluation."""

    def tick(self, cost: int = 1) -> None:
        """Spend steps; an evaluation that would go on too long ends with a word."""
        self.steps -= cost
        if self.steps < 0:
            raise self.error("the evaluation takes too many steps")

    @contextmanager
    def deeper(self, levels: int) -> Iterator[None]:
        """Inside a call whose body is so many levels deep."""
        self.depth += levels
        if self.depth > MAX_DEPTH:
            self.depth -= levels
            raise self.error("functions call one another too deeply")
        try:
            yield
        finally:
            self.depth -= levels

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Inside a named cell or expression."""
        before, self.place = self.place, place
        try:
            yield
        finally:
            self.place = before

    def note(self, message: str) -> None:
        """Remember why something became null."""
        if len(self.notes) < MAX_NOTES:
            line = f"{self.place}: {message}" if self.place else message
            if line not in self.notes:
                self.notes.append(line)

    def error(self, message: str) -> DmnError:
        return DmnError(self.place, message)


class Scope:
    """Names and their values; what is not here is looked for outside."""

    __slots__ = ("lenient", "names", "outer", "run")

    def __init__(self, run: Run, names: Mapping[str, Any], outer: Scope | None = None, *, lenient: bool = False) -> None:
        self.run = run
        self.names = names
        self.outer = outer
        self.lenient = lenient
        """Inside a filter a name may be missing from one of the items: that is null, not a mistake."""

    def find(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            value = scope.names.get(name, MISSING)
            if value is not MISSING:
                return value
            scope = scope.outer
        return MISSING

    def is_lenient(self) -> bool:
        scope: Scope | None = self
        while scope is not None:
            if scope.lenient:
                return True
            scope = scope.outer
        return False

    def inner(self, names: Mapping[str, Any], *, lenient: bool = False) -> Scope:
        return Scope(self.run, names, self, lenient=lenient)
