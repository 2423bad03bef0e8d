"""One class per kind of element: what happens there. `compiled` turns a definition into SpiffWorkflow spec graphs, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpmn import adhoc, compensation, handlers, rounds
from bpmn.model import PENDING, Definition, Element, StepFailed
from bpmn.rounds import ROUND
from bpmn.spiff_mend import Node, ScopeSpec, Token

if TYPE_CHECKING:
    from bpmn.execution import Execution


class Passing(Node):
    """Start events, plain throw events, catching links: the token goes straight on."""


class HumanTask(Node):
    """Waits for a person; who and until when is worked out on entering."""

    def work(self, token: Token, execution: Execution) -> None:
        execution.assign(token)


class ServiceTask(Node):
    """Calls the host's connector."""

    def work(self, token: Token, execution: Execution) -> bool | None:
        result = execution.call(token)
        if result is PENDING:
            token.internal_data["pending"] = True
            return None
        execution.take_result(token, result)
        return True


class ScriptTask(Node):
    """Runs the script on a copy of the variables and takes over what it changed."""

    def work(self, token: Token, execution: Execution) -> bool:
        execution.run_script(token)
        return True


class RuleTask(Node):
    """Asks a decision table; the rules that matched go into the history."""

    def work(self, token: Token, execution: Execution) -> bool:
        execution.decide(token)
        return True


class ThrowEvent(Node):
    """Throws a message or signal, for the host to route."""

    def work(self, token: Token, execution: Execution) -> bool:
        execution.throw(token)
        return True


class EscalationThrow(Node):
    """Tells whoever catches it first; an interrupting catcher ends the path that threw it."""

    def work(self, token: Token, execution: Execution) -> bool:
        token.internal_data["payload"] = execution.payload(token)
        return True

    def leave(self, token: Token, execution: Execution) -> None:
        if not handlers.escalate(execution, token, token.internal_data["payload"]) and self.element.kind != "endEvent":
            super().leave(token, execution)


class CompensationThrow(Node):
    """Undoes what its scope has done, the last first, before it goes on."""

    def work(self, token: Token, execution: Execution) -> bool | None:
        return compensation.begin(execution, token)


class CancelEnd(Node):
    """Ends a transaction: the rest of it stops, what was done is undone, then its cancel event takes over."""

    def work(self, token: Token, execution: Execution) -> bool | None:
        execution.terminate(token)
        return compensation.begin(execution, token)

    def leave(self, token: Token, execution: Execution) -> None:
        handlers.cancelled(execution, token)


class LinkThrow(Node):
    """Jumps to the catching link of the same name."""

    def leave(self, token: Token, execution: Execution) -> None:
        target = next(
            node
            for node in self._wf_spec.task_specs.values()
            if isinstance(node, Node) and node.element.kind == "intermediateCatchEvent" and node.element.link == self.element.link
        )
        execution.emit(token.workflow, target, None, token)


class EndEvent(Node):
    """The token ends; what a message or signal end throws was thrown on entering."""

    def work(self, token: Token, execution: Execution) -> bool:
        if self.element.event in ("message", "signal"):
            execution.throw(token)
        return True

    def leave(self, token: Token, execution: Execution) -> None:
        if self.element.event == "terminate":
            execution.terminate(token)
        elif self.element.event == "error":
            handlers.error_end(execution, token)


class CatchEvent(Node):
    """Waits for a timer, message or signal (receive tasks too)."""

    def work(self, token: Token, execution: Execution) -> bool | None:
        if token.internal_data.pop("fired", False):  # it came through an event-based gateway, which has waited already
            return True
        token.internal_data["wait"] = execution.wait_for(token, self.element)
        return None


class BoundaryEvent(Node):
    """Stands beside a running activity; never entered by a flow."""

    def _update_hook(self, my_task: Token) -> bool:
        return False


class EventGateway(Node):
    """Waits for the first of several events."""

    def work(self, token: Token, execution: Execution) -> None:
        targets = execution.targets(self.element)
        token.internal_data["waits"] = [[target.id, execution.wait_for(token, target)] for target in targets]

    def ways_out(self, token: Token) -> tuple[str, ...]:
        return (token.internal_data["taken"],)


class ExclusiveGateway(Node):
    """Takes the first flow whose condition holds, else the default."""

    def work(self, token: Token, execution: Execution) -> bool:
        token.internal_data["taken"] = [execution.choose(token)]
        return True

    def ways_out(self, token: Token) -> tuple[str, ...]:
        return tuple(token.internal_data["taken"])


class _Join(Node):
    """A gateway with several ways in: tokens wait until the others have come."""

    def _update_hook(self, my_task: Token) -> bool:
        if len(self.element.incoming) < 2 or my_task.internal_data.get("via") is None:
            return True
        my_task._set_state(8)  # TaskState.WAITING
        return self.arrived(my_task)

    def arrived(self, token: Token) -> bool:
        """Whether this arrival completes the set."""
        return False

    def waiting(self, token: Token) -> dict[str, Token]:
        """The oldest waiting token on each way in."""
        oldest: dict[str, Token] = {}
        for other in token.workflow.tokens():
            if other.task_spec is self and other._state == 8:
                oldest.setdefault(other.internal_data["via"], other)
        return oldest

    def consume(self, token: Token, arrivals: dict[str, Token]) -> None:
        """One token of each way in goes into the one that proceeds; more of them stay for the next round."""
        for other in arrivals.values():
            if other is not token:
                other.forget()
        token.internal_data.pop("action", None)


class ParallelGateway(_Join):
    """Waits for one token on every way in, then sends one on every way out."""

    def arrived(self, token: Token) -> bool:
        arrivals = self.waiting(token)
        if len(arrivals) < len(self.element.incoming):
            return False
        self.consume(token, arrivals)
        return True


class InclusiveGateway(_Join):
    """Waits while a token elsewhere could still come by an empty way in; sends one on every way out whose condition holds."""

    def work(self, token: Token, execution: Execution) -> bool:
        token.internal_data["taken"] = execution.choose_all(token)
        return True

    def ways_out(self, token: Token) -> tuple[str, ...]:
        return tuple(token.internal_data["taken"])

    def try_fire(self, token: Token) -> bool:
        """Called when nothing else moves: fire if no token elsewhere in this scope can still arrive by an empty way in."""
        arrivals = self.waiting(token)
        reach = self.reach()
        empty = [flow for flow in self.element.incoming if flow not in arrivals]
        for other in token.workflow.tokens():
            if other.task_spec is self or other.internal_data.get("host") or other.internal_data.get("armed"):
                continue
            if any(other.element.id in reach[flow] for flow in empty):
                return False
        first = next(iter(arrivals.values()))
        self.consume(first, arrivals)
        first._ready()
        return True

    def reach(self) -> dict[str, frozenset[str]]:
        """For each way in, the elements from which a token can come there without passing this gateway."""
        spec = self._wf_spec
        if self.name not in spec.reach:
            spec.reach[self.name] = {flow: _upstream(spec, flow, self.element.id) for flow in self.element.incoming}
        return spec.reach[self.name]


def _upstream(spec: ScopeSpec, flow_id: str, gateway: str) -> frozenset[str]:
    nodes = {node.element.id: node.element for node in spec.task_specs.values() if isinstance(node, Node)}
    leaving = {flow: element.id for element in nodes.values() for flow in element.outgoing}
    found: set[str] = set()
    stack = [leaving[flow_id]] if flow_id in leaving else []
    while stack:
        id_ = stack.pop()
        if id_ in found or id_ == gateway:
            continue
        found.add(id_)
        element = nodes[id_]
        stack.extend(leaving[flow] for flow in element.incoming if flow in leaving)
        if element.attached_to:
            stack.append(element.attached_to)
        if element.event == "link" and element.kind == "intermediateCatchEvent":
            stack.extend(e.id for e in nodes.values() if e.kind == "intermediateThrowEvent" and e.link == element.link)
    return frozenset(found)


class SubProcess(Node):
    """Runs the scope inside it."""

    def work(self, token: Token, execution: Execution) -> None:
        execution.open_scope(token, self.element.inner)


class AdHocSubProcess(Node):
    """Lets people choose what to do within it."""

    def work(self, token: Token, execution: Execution) -> None:
        adhoc.open_choice(execution, token)


class CallActivity(Node):
    """Runs another process with variables of its own."""

    def work(self, token: Token, execution: Execution) -> None:
        execution.open_called(token)


class EventSubProcess(SubProcess):
    """Armed while its scope runs; runs its own scope once triggered."""

    def _update_hook(self, my_task: Token) -> bool:
        return not my_task.internal_data.get("armed")


class MultiInstance(Node):
    """Holds the rounds of a repeated activity."""

    def work(self, token: Token, execution: Execution) -> bool | None:
        return rounds.open_rounds(execution, token)


_CLASSES: dict[str, type[Node]] = {
    "userTask": HumanTask,
    "manualTask": HumanTask,
    "serviceTask": ServiceTask,
    "receiveTask": CatchEvent,
    "scriptTask": ScriptTask,
    "businessRuleTask": RuleTask,
    "subProcess": SubProcess,
    "transaction": SubProcess,
    "adHocSubProcess": AdHocSubProcess,
    "callActivity": CallActivity,
    "exclusiveGateway": ExclusiveGateway,
    "parallelGateway": ParallelGateway,
    "inclusiveGateway": InclusiveGateway,
    "eventBasedGateway": EventGateway,
    "startEvent": Passing,
    "endEvent": EndEvent,
    "intermediateThrowEvent": ThrowEvent,
    "boundaryEvent": BoundaryEvent,
}


_THROWS: dict[str, type[Node]] = {
    "link": LinkThrow,
    "escalation": EscalationThrow,
    "compensate": CompensationThrow,
    "cancel": CancelEnd,
}


def _class_for(element: Element) -> type[Node]:
    if element.triggered_by_event:
        return EventSubProcess
    if element.kind == "sendTask":
        return ServiceTask if element.connector else ThrowEvent
    if element.kind == "intermediateCatchEvent":
        return Passing if element.event == "link" else CatchEvent
    if element.kind in ("intermediateThrowEvent", "endEvent") and element.event in _THROWS:
        return _THROWS[element.event]
    if element.kind == "intermediateThrowEvent" and element.event == "none":
        return Passing
    try:
        return _CLASSES[element.kind]
    except KeyError:
        raise StepFailed("element.unsupported", f"“{element.kind}” can't run") from None


def compiled(definition: Definition) -> dict[str, ScopeSpec]:
    """The definition's spec graphs by scope; built once and shared by every instance."""
    specs = definition.__dict__.get("_specs")
    if specs is None:
        specs = definition.__dict__["_specs"] = {scope_id: _build(definition, scope_id) for scope_id in definition.scopes}
    return specs


def _build(definition: Definition, scope_id: str) -> ScopeSpec:
    scope = definition.scopes[scope_id]
    spec = ScopeSpec(scope)
    for id_ in scope.nodes:
        element = definition.elements[id_]
        cls = _class_for(element)
        if element.loop is not None:
            MultiInstance(spec, element)
            cls(spec, element, id_ + ROUND)
        else:
            cls(spec, element)
    for id_ in scope.nodes:
        for flow_id in definition.elements[id_].outgoing:
            spec.task_specs[id_].connect(spec.task_specs[definition.flows[flow_id].target])
    return spec
