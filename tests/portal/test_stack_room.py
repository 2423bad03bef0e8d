"""Deep calls don't pay for the edge of a chunk of stack."""

import resource
import sys
from collections.abc import Callable

import pytest

from portal.access import Audience, public, requires
from portal.stack_room import with_room

DEPTHS = range(10, 210)
ROUNDS = 100


def _at_depth(depth: int, act: Callable[[], object]) -> None:
    if depth:
        _at_depth(depth - 1, act)
    else:
        for _ in range(ROUNDS):
            act()


def _worst_faults(run: Callable[[int], object]) -> int:
    """New pages of memory asked of the system at the depth that asks for most."""
    worst = 0
    for depth in DEPTHS:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        run(depth)
        worst = max(worst, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return worst


def _leaf() -> int:
    first, second, third = 1, 2, 3
    return first + second + third


def test_a_loop_of_calls_at_any_depth_asks_for_no_memory_again_and_again():
    without = _worst_faults(lambda depth: _at_depth(depth, _leaf))
    if without < ROUNDS:
        pytest.skip(f"this Python ({sys.version.split()[0]}) has no edges to pay for")
    assert _worst_faults(with_room(lambda depth: _at_depth(depth, _leaf))) < ROUNDS


@pytest.mark.parametrize("guard", [requires(Audience.INTERNAL), public])
def test_every_view_has_room(guard):
    def view(request):
        return None

    assert guard(view).__code__.co_stacksize > view.__code__.co_stacksize + 10_000
