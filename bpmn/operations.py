"""What an operator does to a stored instance: move it, skip a step, start somewhere, take it to another version. All of it can be tried
without the world noticing: with `max_steps=0` nothing runs after the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bpmn import engine, rounds, stored, variables
from bpmn.execution import MAX_STEPS, AnyWorkflow, Execution
from bpmn.model import DataRefused, Definition, EngineError, Host, Outcome, StateRefused, StepFailed
from bpmn.rounds import ROUND
from bpmn.serializer import decode, encode
from bpmn.specs import compiled
from bpmn.spiff_mend import Node, Token
from bpmn.values import copy_value


class Impossible(EngineError):
    """A change that can't be made; the words say why."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `cancel`: what stands at the element goes; `skip`: it goes on behind the element as if that were done; `start`: a new
    token begins at the element."""

    kind: str
    element_id: str


def modify(
    definition: Definition, state: bytes, changes: Iterable[Change], *, host: Host | None, now: datetime, max_steps: int = MAX_STEPS
) -> Outcome:
    """Make changes, in order, then let the process go on. Raises `Impossible` and changes nothing where one of them can't be made."""
    execution = engine._load(definition, state, host, now)
    if any(token not in execution.ready for token in stored.ready_tokens(execution.top) if "incident" not in token.internal_data):
        raise Impossible("The process is in the middle of a long run; wait until it stands.")
    touched: list[AnyWorkflow] = []
    for change in changes:
        element = definition.elements.get(change.element_id)
        if element is None:
            raise Impossible(f"There is no element “{change.element_id}” in this version.")
        if change.kind == "start":
            touched.append(_start(execution, change.element_id))
            continue
        tokens = _standing(execution, change.element_id)
        if not tokens:
            raise Impossible(f"Nothing stands at “{element.name or element.id}”.")
        for token in tokens:
            touched.append(token.workflow)
            if change.kind == "cancel":
                execution.cancel(token)
            elif change.kind == "skip":
                _skip(execution, token)
            else:
                raise Impossible(f"There is no change “{change.kind}”.")
    for workflow in touched:
        execution.settle(workflow)
    execution.advance(max_steps)
    return engine._outcome(execution)


def correct(definition: Definition, state: bytes, values: Mapping[str, Any], removed: Iterable[str] = (), *, now: datetime) -> Outcome:
    """Set and remove variables of the process itself; nothing runs. Raises `DataRefused` for a name or value that can't be kept."""
    execution = engine._load(definition, state, None, now)
    try:
        variables.write_frames([execution.top.data], copy_value(dict(values)), removed)
    except StepFailed as failure:
        raise DataRefused(failure.message) from None
    return engine._outcome(execution)


def _standing(execution: Execution, element_id: str) -> list[Token]:
    """The tokens at an element; for a multi-instance step the one that holds the rounds."""
    found = [token for token in execution.top.tokens_everywhere() if token.element.id == element_id and "loop" not in token.internal_data]
    return [token for token in found if not token.internal_data.get("armed") and "host" not in token.internal_data]


def _skip(execution: Execution, token: Token) -> None:
    """Leave a step as if it were done, without doing it."""
    if token.element.kind.endswith("Gateway"):
        raise Impossible(f"“{token.element.name or token.element.id}” is a gateway: move the token to the step behind it instead.")
    for other in rounds.rounds_of(token) if token.element.loop else ():
        execution.cancel(other)
    inside = execution.top.subprocesses.pop(token.id, None)
    for inner in inside.tokens() if inside is not None else ():
        execution.cancel(inner)
    for name in ("wait", "pending", "incident"):
        token.internal_data.pop(name, None)
    execution.detail = {"skipped": True}
    try:
        token.complete()
    except StepFailed as failure:
        raise Impossible(failure.message) from None


def _start(execution: Execution, element_id: str) -> AnyWorkflow:
    """Put a new token on an element, in the scope where it stands."""
    element = execution.definition.elements[element_id]
    words = f"“{element.name or element.id}”"
    if element.kind == "boundaryEvent" or element.triggered_by_event or element.undoes:
        raise Impossible(f"{words} only happens beside other steps; nothing can be started there.")
    behind = [execution.definition.elements[execution.definition.flows[flow].source].kind for flow in element.incoming]
    if element.kind == "intermediateCatchEvent" and "eventBasedGateway" in behind:
        raise Impossible(f"Start at the event-based gateway before {words} instead.")
    running = [flow for flow in execution.top.workflows() if not flow.is_undoing]
    homes = [flow for flow in running if element_id in flow.spec.task_specs and flow.scope.id == element.scope]
    if not homes:
        raise Impossible(f"{words} is inside a subprocess that isn't running; start at the subprocess instead.")
    if len(homes) > 1:
        raise Impossible(f"{words} runs several times at once; it isn't clear in which of them to start.")
    home = homes[0]
    execution.emit(home, home.spec.task_specs[element_id], None, None)
    return home


# --- another version ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an instance can go on in another version: `safe`, `mapping` (the lost elements must be told where to go) or `blocked`."""

    verdict: str
    reasons: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()  # where it stands and the other version has nothing
    suggested: Mapping[str, str] = field(default_factory=dict)  # lost element → one of the same kind and name
    state: bytes = b""  # as it would be stored; empty unless safe


def migrate(old: Definition, new: Definition, state: bytes, mapping: Mapping[str, str], *, now: datetime) -> Verdict:
    """Take a stored instance to another version of its process; `mapping` says what an element is called there. Nothing runs."""
    content = decode(state)
    if content["status"] != "running":
        return Verdict("blocked", ("The process has ended.",))
    if content["key"] != new.key:
        return Verdict("blocked", (f"The instance belongs to the process “{content['key']}”, not “{new.key}”.",))
    unknown = [target for target in mapping.values() if target not in new.elements]
    if unknown:
        return Verdict("blocked", tuple(f"The new version has no element “{target}”." for target in unknown))
    _rename(content, mapping)
    back = {target: source for source, target in mapping.items()}
    lost, reasons = [], []
    specs = compiled(new)
    for _host, scope, _data, tokens, _undoable in content["flows"]:
        if scope not in specs:
            lost.append(scope)
            continue
        for _key, name, _state, internal, _local in tokens:
            element_id = name.removesuffix(ROUND)
            was = old.elements.get(back.get(element_id, element_id))
            if not isinstance(specs[scope].task_specs.get(name), Node):
                lost.append(element_id)
            elif was is not None and was.kind != new.elements[element_id].kind:
                reasons.append(
                    f"“{was.name or was.id}” was a {_kind(was.kind)} and is a {_kind(new.elements[element_id].kind)} in the new version."
                )
            for target, _wait in internal.get("waits", ()):
                if target not in new.elements:
                    lost.append(target)
    if reasons:
        return Verdict("blocked", tuple(dict.fromkeys(reasons)))
    if lost:
        names = tuple(dict.fromkeys(lost))
        words = tuple(f"It stands at “{_name(old, name)}”, which the new version doesn't have." for name in names)
        return Verdict("mapping", words, names, _suggest(old, new, names))
    try:
        workflow = stored.restore(new, content)
    except StateRefused as refused:
        return Verdict("blocked", (str(refused),))
    return Verdict("safe", (), state=encode(stored.dump(new, workflow, "running")))


def _rename(content: dict[str, Any], mapping: Mapping[str, str]) -> None:
    """Call elements as the new version does, wherever a state names them."""
    if not mapping:
        return
    for flow in content["flows"]:
        flow[1] = mapping.get(flow[1], flow[1])
        flow[4] = [_renamed(entry, mapping) for entry in flow[4]]
        for token in flow[3]:
            plain = token[1].removesuffix(ROUND)
            token[1] = mapping.get(plain, plain) + token[1][len(plain) :]
            if "undo" in token[3]:
                token[3]["undo"] = [_renamed(step, mapping) for step in token[3]["undo"]]
                token[3]["undoing"] = _renamed(token[3]["undoing"], mapping)
            if "waits" in token[3]:
                token[3]["waits"] = [[mapping.get(target, target), wait] for target, wait in token[3]["waits"]]


def _renamed(entry: dict[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """What can be undone, by its new names."""
    names: dict[str, Any] = {key: mapping.get(entry[key], entry[key]) for key in ("of", "scope", "handler") if key in entry}
    inner: dict[str, Any] = {"inner": [_renamed(other, mapping) for other in entry["inner"]]} if "inner" in entry else {}
    return {**entry, **names, **inner}


def _suggest(old: Definition, new: Definition, names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        was = old.elements.get(name)
        same = [e.id for e in new.elements.values() if was and e.kind == was.kind and e.name == was.name and e.id not in old.elements]
        if len(same) == 1:
            found[name] = same[0]
    return found


def _name(definition: Definition, element_id: str) -> str:
    element = definition.elements.get(element_id)
    return (element.name if element else "") or element_id


def _kind(kind: str) -> str:
    """`userTask` → `user task`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind)
