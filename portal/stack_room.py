"""Room for deep calls, such as a page that renders components inside components.

CPython keeps the frames of Python calls in chunks of 16 KB, and gives a chunk back to the system as soon as the last frame in it returns
(`push_chunk` and `_PyThreadState_PopFrame` in its Python/pystate.c, 3.11 and later). A loop that happens to call across the edge of a chunk
pays for a new mapping of memory in every round: a board of fifty cards spent two fifths of its time so. A frame that is larger than a chunk
gets one twice its size instead, in whose second half all deeper calls find their place.
"""

from __future__ import annotations

from collections.abc import Callable

_SLOTS = 33_000  # of 8 bytes: just over a quarter of a megabyte, of which nothing is touched, in a chunk of half a megabyte


def with_room(function: Callable) -> Callable:
    """Let everything that this Python function calls run in one chunk of stack; gives the same function.

    It costs one mapping of memory a call, so it is for where a thread begins a page, not for what the page calls.
    """
    function.__code__ = function.__code__.replace(co_stacksize=_SLOTS)  # type: ignore[attr-defined]
    return function
