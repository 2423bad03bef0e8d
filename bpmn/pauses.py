"""Timers that stand still: while something is asked about a step, no time passes for the timers at its edge.

A timer that stands still keeps in its wait since when, and for which tasks: `wait["still"] = {"since": …, "for": [task, …]}`. It
isn't among an outcome's timers, so that nobody can fire it. Timers of a fixed date don't stand still: a date comes when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bpmn import timers
from bpmn.spiff_mend import Token

if TYPE_CHECKING:
    from bpmn.execution import Execution


def hold(execution: Execution, task_id: str) -> bool:
    """Let the timers at the edge of a person's step stand still from now on; gives whether there are any. One that is due already fires."""
    found = False
    for event in _timers_of(execution, task_id):
        wait = event.internal_data["wait"]
        if "still" not in wait:
            if wait["due"] <= execution.now:
                continue
            wait["still"] = {"since": execution.now, "for": []}
        if task_id not in wait["still"]["for"]:
            wait["still"]["for"].append(task_id)
            found = True
    return found


def let_go(execution: Execution, task_id: str) -> bool:
    """Let the timers of a person's step go on, later by the time that they stood still; gives whether any did."""
    found = False
    for event in _timers_of(execution, task_id):
        still = event.internal_data["wait"].get("still")
        if still and task_id in still["for"]:
            still["for"].remove(task_id)
            found = True
            settle(execution, event)
    return found


def settle(execution: Execution, event: Token) -> None:
    """Let a timer go on for which no task stands still any more: each was answered about, or is over."""
    wait = event.internal_data["wait"]
    still = wait["still"]
    still["for"] = [task_id for task_id in still["for"] if execution.find(task_id) is not None]
    if not still["for"]:
        del wait["still"]
        element = event.element
        wait["due"] = timers.after_standing_still(
            wait, still["since"], execution.now, execution.definition.time_zone, execution.calendar(element)
        )


def _timers_of(execution: Execution, task_id: str) -> Iterator[Token]:
    """The timers at the edge of a task's step; those of a step with several rounds belong to every round."""
    token = execution.find(task_id)
    if token is None:
        return
    whole = execution.find(token.internal_data["loop"]) or token if "loop" in token.internal_data else token
    for event in execution._attached(whole):
        timer = event.element.timer
        if timer is not None and timer.kind != "date" and "due" in event.internal_data.get("wait", ()):
            yield event
