"""The steps that the evaluation under way may still spend, for code that has no run at hand.

Values share their parts (`[a, a, a]`), so a small expression can stand for an enormous value: whoever walks through a list or a context
spends a step for every part met.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Spender(Protocol):
    def tick(self, cost: int = 1) -> None: ...


_current: ContextVar[Spender | None] = ContextVar("dmn_evaluation", default=None)


@contextmanager
def metered(run: Spender) -> Iterator[None]:
    """While this run is the one that pays."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)


def spend(cost: int) -> None:
    run = _current.get()
    if run is not None:
        run.tick(cost)
