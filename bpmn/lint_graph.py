"""The gate's rules for the graph: starts, what can be reached, links, event subprocesses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpmn.model import Definition, Problem, Scope

WORDS = {
    "process": ("process", "Add a start event."),
    "sub": ("subprocess", "Add a start event."),
    "transaction": ("transaction", "Add a start event."),
    "event": ("event subprocess", "Add a start event."),
    "adhoc": ("ad hoc subprocess", "Put steps without a way in into it."),
}


def check_scopes(definition: Definition) -> Iterator[Problem]:
    """Each scope's starts, and whether everything in it can be reached."""
    for scope in definition.scopes.values():
        nodes = [definition.elements[id_] for id_ in scope.nodes]
        if not scope.starts:
            what, remedy = WORDS[scope.kind]
            yield Problem(scope.id, "scope.no_start", f"The {what} has no start.", remedy)
            continue
        starts = [id_ for id_ in scope.starts if definition.elements[id_].kind == "startEvent"]
        if scope.kind == "adhoc" and starts:
            yield Problem(starts[0], "adhoc.entry", "An ad hoc subprocess has no start event.", "Remove it.")
        elif scope.kind != "process" and len(starts) > 1:
            yield Problem(scope.id, "scope.starts", f"The {WORDS[scope.kind][0]} has several start events.", "Keep one.")
        nones = [id_ for id_ in starts if definition.elements[id_].event == "none"]
        if len(nones) > 1:
            yield Problem(
                nones[1], "scope.starts", "The process has several plain start events.", "Keep one, and let the others wait for messages."
            )
        yield from _check_event_subprocesses(definition, scope)
        reached = _reachable(definition, scope.starts)
        for node in nodes:
            if (
                node.id not in reached
                and not node.triggered_by_event
                and not (node.event == "link" and node.kind == "intermediateCatchEvent")
            ):
                yield Problem(node.id, "node.unreachable", "No path leads to this element.", "Connect it, or remove it.")
            if (
                node.kind == "endEvent"
                and node.event == "cancel"
                and scope.kind == "transaction"
                and not _can_be_cancelled(definition, scope.id)
            ):
                text = "The transaction can be cancelled, but nothing is drawn for it."
                yield Problem(scope.id, "transaction.cancel", text, "Attach a cancel event to the transaction.")
            if node.triggered_by_event and (node.incoming or node.outgoing):
                yield Problem(node.id, "event_subprocess.flow", "An event subprocess can't have flows.", "Remove the flows.")
            if node.triggered_by_event and (node.loop or node.boundary):
                text = "An event subprocess can have neither a loop nor boundary events."
                yield Problem(node.id, "event_subprocess.decorated", text, "Put a subprocess inside it.")


def _can_be_cancelled(definition: Definition, transaction: str) -> bool:
    host = definition.elements[transaction]
    return any(definition.elements[id_].event == "cancel" for id_ in host.boundary)


def _check_event_subprocesses(definition: Definition, scope: Scope) -> Iterator[Problem]:
    """Two that catch the same error: the second would never run."""
    seen: set[tuple[str, str]] = set()
    for id_ in scope.event_subprocesses:
        start = next((definition.elements[s] for s in definition.scopes[id_].starts), None)
        if start is None or start.event not in ("error", "escalation", "compensate"):
            continue
        if (start.event, start.code) in seen:
            if start.event == "compensate":
                yield Problem(start.id, "event_subprocess.twice", "Two event subprocesses undo the same scope.", "Keep one.")
                continue
            text = f"Two event subprocesses catch the same {start.event}."
            yield Problem(start.id, "event_subprocess.twice", text, "Give each a code of its own.")
        seen.add((start.event, start.code))
        if start.event == "error" and not start.interrupting:
            yield Problem(start.id, "boundary.error", "An error always interrupts.", "Make the start event interrupting.")


def _reachable(definition: Definition, starts: Iterable[str]) -> set[str]:
    """Every element that a token from these could come to, through boundary events and links too."""
    reached: set[str] = set()
    stack = list(starts)
    while stack:
        id_ = stack.pop()
        if id_ in reached or id_ not in definition.elements:
            continue
        reached.add(id_)
        element = definition.elements[id_]
        stack.extend(definition.flows[flow].target for flow in element.outgoing)
        stack.extend(element.boundary)
        stack.append(element.compensation)
        if element.event == "link" and element.kind == "intermediateThrowEvent":
            stack.extend(
                e.id
                for e in definition.elements.values()
                if e.kind == "intermediateCatchEvent" and e.link == element.link and e.scope == element.scope
            )
    return reached


def check_links(definition: Definition) -> Iterator[Problem]:
    """Links and their targets."""
    links = [element for element in definition.elements.values() if element.event == "link"]
    for element in links:
        catches = [e for e in links if e.kind == "intermediateCatchEvent" and e.link == element.link and e.scope == element.scope]
        if not element.link:
            yield Problem(element.id, "link.name", "The link event has no name.", "Name the link.")
        elif element.kind == "intermediateThrowEvent":
            if len(catches) != 1:
                text = f"The link “{element.link}” has {len(catches)} targets."
                yield Problem(element.id, "link.target", text, "Draw exactly one catching link event of this name.")
            if element.outgoing:
                yield Problem(element.id, "link.outgoing", "A flow leaves a throwing link event.", "Remove the flow.")
        elif element.incoming:
            yield Problem(element.id, "link.incoming", "A flow leads into a catching link event.", "Remove the flow.")
