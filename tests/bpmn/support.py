# ruff: noqa: E501 - the rows of a table
"""What the engine supports, as its tests prove it: `@proves(row)` on a test, `scripts/bpmn_support.py` writes the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bound=Callable)

ROWS = {
    "start event": "plain, in a process or subprocess; `engine.start(at=…)` begins at another one or at any step",
    "start by message, signal or timer": "listed in `Definition.start_events` for the host, which starts the instance there",
    "start by a condition": (
        "`tandem:watches` names the kind of record of which the condition has to come true; listed in `Definition.start_events` for the host, "
        "which starts the instance there with the record's fields"
    ),
    "user task": "waits for a person; `tandem:assignee`, `candidates`, `organisation`, `due` are worked out when the task opens",
    "manual task": "as a user task",
    "service task": (
        "`tandem:connector` calls the host; the answer goes to `tandem:result`; PENDING answers are finished later; an exception is an incident"
    ),
    "send task": "thrown to the host with the task's `tandem:param`s as payload, or a `tandem:connector`",
    "receive task": "waits for one delivery; `tandem:correlation` on the message names the variables that must match",
    "script task": "restricted Python on a copy of the variables; nothing is taken over from a script that fails",
    "business rule task": "`tandem:decision` in the DMN files deployed with the process; the rules that matched go into the history",
    "message events": "start, catch, throw, boundary (interrupting or not), end, start of an event subprocess (interrupting or not); the host routes them",
    "signal events": "start, catch, throw, boundary, end, start of an event subprocess; reach everybody who waits",
    "timer events": "catch, boundary, start of an event subprocess; ISO 8601 duration or date, or `= expression`",
    "timer cycle": "`R3/PT1H` or cron on process starts and non-interrupting events; cron everywhere else too, as its next time",
    "error events": "end, boundary, start of an event subprocess; always interrupting; the exact code wins over none",
    "escalation throw event": "told to the innermost catcher outwards, through calls too, with `tandem:param`s as payload; uncaught it changes nothing",
    "escalation end event": "as the throw event",
    "escalation boundary event": "on subprocesses and call activities, interrupting or not; `escalation_code` tells which",
    "escalation start of an event subprocess": "interrupting or not",
    "conditional catch event": "looked at on entering and whenever variables change; behind an event-based gateway too",
    "conditional boundary event": "interrupting, or not: then it happens each time the condition comes true after having been false",
    "conditional start of an event subprocess": "interrupting or not",
    "link events": "jump within their scope",
    "terminate end event": "ends its own scope",
    "compensation": (
        "a compensation event on a step, associated with a step `isForCompensation`; undone once each, the last step first; "
        "a finished subprocess by its own handler or by those inside it, a finished call likewise, with the variables that the called process had at its end; rounds with their own variables"
    ),
    "compensation start of an event subprocess": (
        "undoes a subprocess or called process that is over, with the variables as they were at its end, instead of the handlers inside; "
        "those it undoes by throwing; what it writes goes to the scope around, in a called process nowhere else"
    ),
    "compensation throw event": "undoes its scope, or the step of `activityRef`, and waits for it; in an event subprocess, the scope around it",
    "compensation end event": "as the throw event",
    "transaction": "a subprocess that can be cancelled",
    "cancel end event": "in a transaction: the rest of it stops, what was done is undone, then its cancel event takes over",
    "cancel boundary event": "on a transaction",
    "exclusive gateway": "the first flow whose condition holds, else the default; the history says which and why",
    "parallel gateway": "waits for one token on *each* way in, in loops too; more tokens stay for the next round",
    "inclusive gateway": "waits while any token of its scope could still come by an empty way in, through boundary events and loops too",
    "event-based gateway": "message, signal, timer and conditional events and receive tasks behind it; the first one wins",
    "embedded subprocess": "shares the variables around it",
    "event subprocess": "may run several times beside its scope, or takes it over",
    "ad hoc subprocess": (
        "a human task that offers each step without a way in as an action, `done` where there is no completion condition; parallel or sequential"
    ),
    "call activity": (
        "runs another deployed process with variables of its own: all of them, or the `tandem:param`s; back come all, or the whole in `tandem:result`"
    ),
    "standard loop": "while the condition holds, tested before or after, up to `loopMaximum`; `loop_index` counts; shares the variables around it",
    "multi-instance": "parallel and sequential, over a collection or a count, with completion condition; on every task, subprocess and call activity",
    "data objects": "drawn; what they hold are variables, which every step of the process sees, with or without an association",
    "lanes": "nested too; `tandem:audience` and `tandem:role` say who does the steps in them",
    "several flows out of a step": "start branches; several flows into a step are not synchronised",
    "conditions on flows out of a step": "each flow whose condition holds, else the default",
    "a path without end event": "ends there",
    "a scope without start event": "begins at every step without a way in",
    "flows without id": "get one",
}
PROOFS: dict[str, list[str]] = {}


def proves(*rows: str) -> Callable[[T], T]:
    """Say which rows of the support table a test proves."""
    unknown = set(rows) - ROWS.keys()
    assert not unknown, unknown

    def keep(test: T) -> T:
        for row in rows:
            PROOFS.setdefault(row, []).append(f"{test.__module__.rpartition('.')[2]}::{test.__name__}")
        return test

    return keep
