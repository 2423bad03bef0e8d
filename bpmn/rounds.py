"""Repeated steps: the rounds of multi-instance steps and of standard loops, and what each of them gives."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING

from bpmn import variables
from bpmn.model import Loop, StepFailed
from bpmn.spiff_mend import Token
from bpmn.values import copy_value

if TYPE_CHECKING:
    from bpmn.execution import Execution

MAX_ROUNDS = 1_000
MAX_REPETITIONS = 10_000
ROUND = "#round"


def _loop(token: Token) -> Loop:
    """The multi-instance marker of a token's element."""
    assert token.element.loop is not None
    return token.element.loop


def _host(execution: Execution, round_: Token) -> Token:
    """The token that holds a round."""
    host = execution.find(round_.internal_data["loop"])
    assert host is not None
    return host


def open_rounds(execution: Execution, token: Token) -> bool | None:
    """Start the rounds of a multi-instance step or a standard loop."""
    loop = _loop(token)
    if loop.repeats:
        token.internal_data["rounds"] = 0
        if loop.test_before and not _again(execution, token, token, 0):
            return True
        _open_repetition(execution, token, 0)
        return None
    if loop.collection:
        items = execution.expression(token, loop.collection, "The collection")
        if isinstance(items, dict):
            items = list(items.values())
        if not isinstance(items, list | tuple | set | range):
            raise StepFailed("loop.collection", f"“{loop.collection}” is no list but {type(items).__name__}.")
        items = copy_value(list(items))
    else:
        count = execution.expression(token, loop.cardinality, "The count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise StepFailed("loop.count", f"“{loop.cardinality}” is no count but {count!r}.")
        items = list(range(min(count, MAX_ROUNDS + 1)))
    if len(items) > MAX_ROUNDS:
        raise StepFailed("loop.large", f"More than {MAX_ROUNDS:,} rounds; split the work.")
    token.internal_data["loop_results"] = []
    if loop.output_collection:
        execution.write(token, {loop.output_collection: []})
    if not items:
        return True
    token.internal_data["items"] = items
    for index in range(1 if loop.sequential else len(items)):
        _open_round(execution, token, index)
    return None


def _open_round(execution: Execution, token: Token, index: int) -> None:
    items, loop = token.internal_data["items"], _loop(token)
    inner = token.workflow.add_token(token.workflow.spec.task_specs[token.element.id + ROUND])
    inner.internal_data.update(loop=token.key, index=index, item=copy_value(items[index]), at=execution.now)
    inner.data = {"loop_index": index, "loop_count": len(items)}
    if loop.item:
        inner.data[loop.item] = copy_value(items[index])
    token.internal_data["opened"] = index + 1
    inner.task_spec._update(inner)


def _again(execution: Execution, host: Token, seen_from: Token, done: int) -> bool:
    """Whether a standard loop makes another round after so many."""
    loop = _loop(host)
    if loop.maximum and done >= int(loop.maximum):
        return False
    if not loop.condition:
        return True
    if not execution.holds(seen_from, loop.condition, "The loop's condition", {"loop_index": done}):
        return False
    if done >= MAX_REPETITIONS:
        raise StepFailed("loop.large", f"More than {MAX_REPETITIONS:,} rounds.")
    return True


def _open_repetition(execution: Execution, host: Token, index: int) -> None:
    inner = host.workflow.add_token(host.workflow.spec.task_specs[host.element.id + ROUND])
    inner.internal_data.update(loop=host.key, plain=True, index=index, at=execution.now)
    if "action" in host.internal_data:
        inner.internal_data["action"] = host.internal_data["action"]
    inner.task_spec._update(inner)


def _repetition_done(execution: Execution, host: Token, round_: Token) -> None:
    kept = host.internal_data
    kept["rounds"] = round_.internal_data["index"] + 1
    if "action" in round_.internal_data:
        kept["action"] = round_.internal_data["action"]
    round_.forget()
    if kept["again"]:
        _open_repetition(execution, host, kept["rounds"])
    else:
        execution.detail = {"rounds": kept["rounds"]}
        execution.end(host)


def keep_round(execution: Execution, round_: Token) -> None:
    """Keep the result of a round that ends, and decide whether the whole step ends with it."""
    host = _host(execution, round_)
    loop, kept = _loop(host), host.internal_data
    if loop.repeats:
        kept["again"] = _again(execution, host, round_, round_.internal_data["index"] + 1)
        return
    local = {name: value for name, value in round_.data.items() if name not in ("loop_index", "loop_count")}
    result = local.get(loop.output_item) if loop.output_item else local
    result = copy_value(result) if loop.output_collection else None
    results = kept["loop_results"]
    place = bisect([pair[0] for pair in results], round_.internal_data["index"])
    ordered = [*results[:place], [round_.internal_data["index"], result], *results[place:]]
    if loop.output_collection:
        values = {loop.output_collection: [pair[1] for pair in ordered]}
    else:
        values = {name: copy_value(value) for name, value in local.items() if name != loop.item}
    if loop.completion:
        counts = {"loop_count": len(kept["items"]), "loop_done": len(ordered), "loop_open": len(rounds_of(host)) - 1}
        ends = execution.holds(host, loop.completion, "The completion condition", {**local, **values, **counts})
    else:
        ends = False
    if loop.output_collection:  # each result was checked when its round wrote it; the history gets the list once, at the end
        variables.frames(host)[0].update(values)
    else:
        execution.write(host, values)
    kept["loop_results"] = ordered
    kept["ends"] = ends


def round_done(execution: Execution, round_: Token) -> None:
    """One round has ended: end the step, go on with the next round, or wait for the others."""
    host = _host(execution, round_)
    if _loop(host).repeats:
        _repetition_done(execution, host, round_)
        return
    others = [token for token in rounds_of(host) if token is not round_]
    if host.internal_data["ends"]:
        for other in others:
            execution.cancel(other)
    elif host.internal_data["opened"] < len(host.internal_data["items"]):
        _open_round(execution, host, host.internal_data["opened"])
        return
    elif others:
        return
    round_.forget()
    if name := _loop(host).output_collection:
        execution.delta[name] = copy_value(variables.frames(host)[0].get(name))
    execution.end(host)


def rounds_of(host: Token) -> list[Token]:
    """The open rounds of a multi-instance step."""
    return [token for token in host.workflow.tokens() if token.internal_data.get("loop") == host.key]
