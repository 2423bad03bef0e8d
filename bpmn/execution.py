"""One call to the engine: the tokens move, one READY task at a time, and everything that happens is written down."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from SpiffWorkflow.util.task import TaskState

from bpmn import adhoc, arrivals, compensation, handlers, rounds, scripts, timers, variables
from bpmn.calendars import Calendar
from bpmn.model import (
    Definition,
    Element,
    Host,
    ProcessError,
    StepContext,
    StepFailed,
    StepRecord,
    Thrown,
    Timer,
)
from bpmn.rounds import ROUND
from bpmn.specs import InclusiveGateway
from bpmn.spiff_mend import LIVE, Node, SubWorkflow, Token, Workflow
from bpmn.values import copy_value

MAX_STEPS = 500
MAX_TOKENS = 5_000
WAITING_EVENTS = frozenset({"message", "signal", "timer", "conditional"})

AnyWorkflow = Workflow | SubWorkflow
Wait = dict[str, Any]


class Execution:
    """Moves one instance's tokens until all of them wait, or the bound of steps is reached."""

    def __init__(self, definition: Definition, workflow: Workflow, host: Host | None, now: datetime):
        self.definition = definition
        self.top = workflow
        self.host = host
        self.now = now
        self.ready: deque[Token] = deque()
        self.history: list[StepRecord] = []
        self.thrown: list[Thrown] = []
        self.delta: dict[str, Any] = {}
        self.detail: dict[str, Any] | None = None
        self.status = "running"
        self.error_code = ""
        self.more = False
        self.looks = arrivals.has_conditions(definition)
        self.changed = True
        workflow.execution = self

    # --- moving -----------------------------------------------------------------------------------------------------

    def advance(self, max_steps: int = MAX_STEPS) -> None:
        """Run what is ready, one task at a time, looking at its state again before each."""
        steps = 0
        while True:
            if self.looks and self.changed and self.status == "running":
                self.changed = False
                arrivals.look_at_conditions(self)
            if not self.ready:
                if self.status != "running" or not self._fire_inclusive():
                    return
                continue
            if steps >= max_steps:
                self.more = True
                return
            token = self.ready.popleft()
            if token._state != TaskState.READY or token.id not in token.workflow.tasks or "incident" in token.internal_data:
                continue  # cancelled or done meanwhile by another task of this batch
            steps += 1
            self._step(token)

    def _step(self, token: Token) -> None:
        workflow = token.workflow
        self.delta, self.detail, self.changed = {}, None, True
        try:
            token.run()
        except StepFailed as failure:
            self._fail(token, failure.code, failure.message)
            return
        except ProcessError as error:
            if not handlers.raise_error(self, token, error.code, error.message):
                self._fail(token, error.code, error.message)
                return
        self.settle(workflow)

    def _fail(self, token: Token, code: str, message: str) -> None:
        """Leave the token READY, marked, with nothing changed: an incident that can be retried."""
        token.internal_data["incident"] = [code, message[:2000]]
        token._set_state(TaskState.READY)
        self.record(token, "failed", {"code": code, "message": message[:2000]})

    def end(self, token: Token) -> None:
        """Complete a token whose work has ended elsewhere: inside it, or because of an event. Should leaving it fail, that is its own
        incident: what has brought it here is over and can't be tried again."""
        try:
            token.complete()
        except StepFailed as failure:
            self.detail = None
            self._fail(token, failure.code, failure.message)

    def _fire_inclusive(self) -> bool:
        """When nothing else moves, let one inclusive join fire that no other token can reach any more."""
        for workflow in self.top.workflows():
            for token in workflow.tokens():
                if token._state == TaskState.WAITING and isinstance(token.task_spec, InclusiveGateway) and token.task_spec.try_fire(token):
                    return True
        return False

    def emit(self, workflow: AnyWorkflow, spec: Node, via: str | None, source: Token | None) -> Token:
        """Put a token on a node."""
        token = workflow.add_token(spec)
        token.internal_data["at"] = self.now
        if via is not None:
            token.internal_data["via"] = via
        if source is not None and "action" in source.internal_data and source.workflow is workflow:
            token.internal_data["action"] = source.internal_data["action"]
        spec._update(token)
        return token

    def follow(self, token: Token, flow_id: str) -> None:
        """Send a token along a flow."""
        target = token.workflow.spec.task_specs[self.definition.flows[flow_id].target]
        self.emit(token.workflow, target, flow_id, token)

    # --- writing down -----------------------------------------------------------------------------------------------

    def record(self, token: Token, state: str, detail: dict[str, Any] | None = None) -> None:
        """Add a step to the history."""
        started = token.internal_data.get("at", self.now)
        delta = self.delta or None
        self.history.append(StepRecord(token.element.id, token.element.kind, state, started, self.now, token.key, delta, detail))
        self.delta = {}

    def before_leaving(self, token: Token) -> None:
        """Everything about leaving a step that can fail, before anything is changed."""
        if len(self.top.by_id) + len(token.element.outgoing) > MAX_TOKENS:
            raise StepFailed("size.tokens", f"the instance would have more than {MAX_TOKENS:,} tokens at once")
        if "loop" in token.internal_data:
            rounds.keep_round(self, token)
        elif token.element.conditional_ways:
            token.internal_data["taken"] = self.choose_all(token)
        if adhoc.is_open(token.workflow):
            adhoc.step_ends(self, token)

    def _came_true(self, token: Token) -> dict[str, Any]:
        """By what a process was started that a condition starts, unless it was started otherwise."""
        seen, names = self.view(token), sorted(scripts.names_in(token.element.condition))
        known = all(name in seen for name in names)
        return {"condition": token.element.condition, "seen": {name: seen[name] for name in names}} if known else {}

    def finish(self, token: Token) -> None:
        """A task is done: take away what was attached to it and write it down."""
        for other in self._attached(token):
            other.cancel()
        detail = self.detail or {}
        if token.element.watches:
            detail = {**detail, **self._came_true(token)}
        if "index" in token.internal_data:
            detail = {**detail, "index": token.internal_data["index"]}
        if not token.task_spec.name.endswith(ROUND) and "loop_results" in token.internal_data:
            detail = {**detail, "rounds": len(token.internal_data["loop_results"])}
        if token.element.compensation and not detail.get("skipped"):  # what wasn't done needn't be undone
            compensation.remember(token)
        self.record(token, "completed", detail or None)
        self.detail = None

    def write(self, token: Token, values: Mapping[str, Any], deleted: Any = ()) -> None:
        """Set variables as seen from a token, and remember the change for the history."""
        self.delta.update(copy_value(variables.write(token, values, deleted)))

    def view(self, token: Token) -> dict[str, Any]:
        """The variables as seen from a token."""
        return variables.view(token, self.now)

    # --- expressions ------------------------------------------------------------------------------------------------

    def value(self, token: Token, text: str, what: str) -> Any:
        """A text or the value of `= expression`; what fails becomes an incident with words."""
        try:
            return scripts.value_of(text, self.view(token))
        except scripts.ScriptError as error:
            raise StepFailed("expression.failed", f"{what}: {error}") from None

    def expression(self, token: Token, source: str, what: str, extra: Mapping[str, Any] | None = None) -> Any:
        """The value of an expression."""
        try:
            return scripts.evaluate(source, {**self.view(token), **(extra or {})})
        except scripts.ScriptError as error:
            raise StepFailed("expression.failed", f"{what}: {error}") from None

    def holds(self, token: Token, source: str, what: str, extra: Mapping[str, Any] | None = None) -> bool:
        """Whether a condition holds."""
        try:
            return scripts.truth(source, {**self.view(token), **(extra or {})})
        except scripts.ScriptError as error:
            raise StepFailed("expression.failed", f"{what}: {error}") from None

    def choose(self, token: Token) -> str:
        """The one flow that an exclusive gateway takes."""
        element, default = token.element, token.element.default_flow
        flows = [self.definition.flows[id_] for id_ in element.outgoing]
        if len(flows) == 1 and not flows[0].condition:
            return flows[0].id
        for flow in flows:
            if flow.condition and flow.id != default and self.holds(token, flow.condition, f"The condition of “{flow.name or flow.id}”"):
                self.detail = {"flow": flow.id, "name": flow.name, "condition": flow.condition}
                return flow.id
        if not default:
            raise StepFailed(
                "gateway.no_way_out", f"No condition of the gateway “{element.name or element.id}” holds, and there is no default."
            )
        flow = self.definition.flows[default]
        self.detail = {"flow": flow.id, "name": flow.name, "condition": "", "default": True}
        return default

    def choose_all(self, token: Token) -> list[str]:
        """The flows that an inclusive gateway takes."""
        element, default = token.element, token.element.default_flow
        flows = [self.definition.flows[id_] for id_ in element.outgoing if id_ != default]
        taken = [f for f in flows if not f.condition or self.holds(token, f.condition, f"The condition of “{f.name or f.id}”")]
        if not taken:
            if not default:
                raise StepFailed(
                    "gateway.no_way_out", f"No condition of the gateway “{element.name or element.id}” holds, and there is no default."
                )
            taken = [self.definition.flows[default]]
        self.detail = {"flows": [{"flow": flow.id, "name": flow.name, "condition": flow.condition} for flow in taken]}
        return [flow.id for flow in taken]

    # --- people and work --------------------------------------------------------------------------------------------

    def assign(self, token: Token) -> None:
        """Work out who does a human task, and until when."""
        element, kept = token.element, token.internal_data
        for name in ("assignee", "candidates", "organisation"):
            text = getattr(element, name)
            if text:
                kept[name] = self.value(token, text, f"tandem:{name}")
        if element.due:
            value = self.value(token, element.due, "tandem:due")
            if value is not None:
                kept["due_by"] = self._due(element, value, "tandem:due")

    def calendar(self, element: Element) -> Calendar | None:
        """The host's calendar of whoever does a step, or waits at it; None where it keeps none."""
        of = getattr(self.host, "calendar", None)
        return of(self.definition.elements.get(element.attached_to, element)) if of is not None else None

    def _due(self, element: Element, value: Any, what: str) -> datetime:
        zone = self.definition.time_zone
        try:
            return timers.due_from(value, self.now, zone if zone != "UTC" else "", self.calendar(element))
        except timers.BadTime as error:
            raise StepFailed("timer.failed", f"{what}: {error}") from None

    def call(self, token: Token) -> Any:
        """Ask the host to do a service task. Any exception but a business error becomes an incident."""
        element = token.element
        parameters = {name: self.value(token, text, f"The parameter {name}") for name, text in element.parameters.items()}
        seen = self.view(token)
        seen.pop("now", None)
        context = StepContext(
            task_id=token.key,
            element_id=element.id,
            name=element.name,
            process_key=element.process_key,
            data=variables.Copies(seen),
            now=self.now,
            loop_item=token.internal_data.get("item"),
            loop_index=token.internal_data.get("index"),
        )
        if self.host is None:
            raise StepFailed("service.no_host", "nobody is here to do service tasks")
        try:
            return self.host.call(element.connector, parameters, context)
        except (ProcessError, StepFailed):
            raise
        except Exception as error:
            raise StepFailed(getattr(error, "code", None) or "service.failed", str(error) or type(error).__name__) from error

    def take_result(self, token: Token, result: Any) -> None:
        """Put a service's answer where the diagram wants it."""
        if result is None:
            result = {}
        if token.element.result:
            self.write(token, {token.element.result: copy_value(result)})
        elif not isinstance(result, Mapping):
            raise StepFailed(
                "service.result", f"the connector “{token.element.connector}” answered {type(result).__name__}, not a dictionary"
            )

    def run_script(self, token: Token) -> None:
        """Run a script; only a script that ends well changes anything."""
        seen = self.view(token)
        try:
            changed, deleted = scripts.execute(token.element.script, seen)
        except scripts.ScriptError as error:
            raise StepFailed("script.failed", str(error)) from None
        changed.pop("now", None)
        if "action" in changed:
            token.internal_data.pop("action", None)
        self.write(token, changed, deleted - {"now"})

    def decide(self, token: Token) -> None:
        """Ask a decision of the definition's decision tables."""
        from bpmn import decisions  # the decision engine is loaded when a process uses it

        element = token.element
        inputs = self.view(token)
        if element.parameters:
            inputs = {name: self.value(token, text, f"The input {name}") for name, text in element.parameters.items()}
        result, explanation = decisions.decide(self.definition, element.decision, inputs, self.now)
        self.write(token, {element.result: result})
        self.detail = {"decision": element.decision, **explanation}

    def payload(self, token: Token) -> dict[str, Any]:
        """What an event carries: its parameters, worked out."""
        values = {name: self.value(token, text, f"The parameter {name}") for name, text in token.element.parameters.items()}
        for name, value in values.items():
            variables.check(name, value)
        return values

    def throw(self, token: Token) -> None:
        """Throw a message or signal with the step's parameters as its payload."""
        element = token.element
        payload = self.payload(token)
        kind = "signal" if element.signal else "message"
        correlation = self._correlation(token, element)
        self.thrown.append(Thrown(kind, element.signal or element.message, payload, correlation, element.id, token.key))
        self.detail = {kind: element.signal or element.message}

    # --- waiting ----------------------------------------------------------------------------------------------------

    def wait_for(self, token: Token, element: Element) -> Wait:
        """What an event waits for, worked out now, so that nothing can fail once it is armed."""
        if element.timer is not None:
            return self._timer(token, element, element.timer)
        if element.event == "conditional":
            self.changed = True  # it may hold already
            return {"condition": element.condition}
        if element.signal:
            return {"name": element.signal, "kind": "signal"}
        return {"name": element.message, "kind": "message", "correlation": self._correlation(token, element)}

    def _correlation(self, token: Token, element: Element) -> dict[str, Any]:
        if not element.correlation:
            return {}
        seen = self.view(token)
        missing = [name for name in element.correlation if seen.get(name) is None]
        if missing:
            raise StepFailed(
                "message.correlation", f"The message “{element.message}” needs a value of {', '.join(missing)} to find its place."
            )
        return {name: copy_value(seen[name]) for name in element.correlation}

    def _timer(self, token: Token, element: Element, timer: Timer) -> Wait:
        value = self.value(token, timer.expression, "The timer")
        try:
            return timers.opened(timer.kind, value, self.now, self.definition.time_zone, self.calendar(element))
        except timers.BadTime as error:
            raise StepFailed("timer.failed", f"The timer: {error}") from None

    def next_cycle(self, wait: Wait, element: Element) -> Wait | None:
        """What a repeating timer waits for after it has fired; None after the last time."""
        return timers.following(wait, self.now, self.definition.time_zone, self.calendar(element))

    def prepare(self, token: Token, boundary: tuple[str, ...]) -> list[tuple[str, Wait]]:
        """Work out what an activity's boundary events will wait for, before the activity does anything."""
        elements = [self.definition.elements[id_] for id_ in boundary]
        return [(element.id, self.wait_for(token, element)) for element in elements if element.event in WAITING_EVENTS]

    def attach(self, token: Token, boundary: str, wait: Wait) -> None:
        """Let a boundary event wait beside its activity."""
        event = self.emit(token.workflow, token.workflow.spec.task_specs[boundary], None, None)
        event.internal_data.update(host=token.key, wait=wait)
        event._set_state(TaskState.WAITING)

    def targets(self, gateway: Element) -> list[Element]:
        """The events behind an event-based gateway."""
        return [self.definition.elements[self.definition.flows[id_].target] for id_ in gateway.outgoing]

    # --- scopes -----------------------------------------------------------------------------------------------------

    def open_scope(self, token: Token, scope_id: str) -> SubWorkflow:
        """Start the workflow inside a subprocess."""
        workflow = self.top.create_subprocess(token, scope_id)
        self.begin(workflow)
        return workflow

    def open_called(self, token: Token) -> None:
        """Start a called process with all variables, or with the parameters that the diagram lists."""
        element = token.element
        if element.parameters:
            data = {name: self.value(token, text, f"The parameter {name}") for name, text in element.parameters.items()}
        else:
            data = copy_value(self.view(token))
            data.pop("now", None)
        own: dict[str, Any] = {}
        variables.write_frames([own], data)
        workflow = self.top.create_subprocess(token, self.called_scope(element))
        workflow.data = own
        self.begin(workflow)

    def called_scope(self, element: Element) -> str:
        """The scope of a called process: its key, behind its own prefix."""
        return f"{element.called}:{element.called}"

    def begin(self, workflow: AnyWorkflow, at: str | None = None) -> None:
        """Arm a scope's event subprocesses and put the first token."""
        try:
            self._arm(workflow)
        except StepFailed:
            self.top.subprocesses.pop(getattr(workflow, "parent_task_id", None), None)
            for token in list(workflow.tasks.values()):
                token.forget()
            raise
        specs = workflow.spec.task_specs
        starts = [id_ for id_ in workflow.scope.starts if specs[id_].element.event == "none"][:1] or workflow.scope.starts[:1]
        if specs[workflow.scope.starts[0]].element.kind != "startEvent":
            starts = list(workflow.scope.starts)  # a scope without a start event begins at every step that has no way in
        for start in [at] if at else starts:
            self.emit(workflow, specs[start], None, None)

    def _arm(self, workflow: AnyWorkflow) -> None:
        for id_ in workflow.scope.event_subprocesses:
            self.arm(workflow, workflow.spec.task_specs[id_])

    def arm(self, workflow: AnyWorkflow, spec: Node, wait: Wait | None = None) -> None:
        """Let an event subprocess wait for its trigger (errors and escalations look for theirs when they are thrown)."""
        start = self.trigger(spec.element)
        if start.event not in WAITING_EVENTS:
            return
        token = workflow.add_token(spec)
        token.internal_data.update(armed=True, at=self.now)
        try:
            token.internal_data["wait"] = wait or self.wait_for(token, start)
        except StepFailed:
            token.forget()
            raise
        token._set_state(TaskState.WAITING)

    def trigger(self, event_subprocess: Element) -> Element:
        """The start event of an event subprocess."""
        return self.definition.elements[self.definition.scopes[event_subprocess.inner].starts[0]]

    def settle(self, workflow: AnyWorkflow) -> None:
        """Close a scope in which no token is left, and those around it that this leaves empty."""
        while self.status == "running":
            alive = workflow is self.top or self.top.subprocesses.get(workflow.parent_task_id) is workflow
            if not alive or (adhoc.stays_open(self, workflow) if adhoc.is_open(workflow) else workflow.is_busy()):
                return
            for token in workflow.tokens():
                token.cancel()
            if workflow is self.top:
                self.status = "completed"
                return
            self._close(workflow)
            workflow = workflow.parent_task.workflow

    def _close(self, workflow: SubWorkflow) -> None:
        """A subprocess or called process has ended: take over its results and go on behind it."""
        host = workflow.parent_task
        self.top.subprocesses.pop(host.id, None)
        if workflow.is_undoing:
            compensation.go_on(self, host, workflow)
            return
        compensation.hand_over(self, workflow)
        if host.element.kind == "callActivity":
            results = {host.element.result: workflow.data} if host.element.result else workflow.data
            self.delta.update(variables.put(host, copy_value(results)))
        self.end(host)

    def terminate(self, token: Token) -> None:
        """A terminate end event: everything else in its scope stops."""
        for other in token.workflow.tokens():
            if other is not token:
                self.cancel(other)

    # --- ending from outside ----------------------------------------------------------------------------------------

    def find(self, key: str) -> Token | None:
        """The live token with this id."""
        try:
            token = self.top.by_id.get(UUID(hex=key))
        except ValueError:
            return None
        return token if token is not None and token._state & LIVE else None

    def _attached(self, token: Token) -> list[Token]:
        if not token.element.boundary:
            return []
        return [other for other in token.workflow.tokens() if other.internal_data.get("host") == token.key]

    def cancel(self, token: Token) -> None:
        """Take a token away with everything inside and attached to it."""
        if token.id not in token.workflow.tasks:
            return
        inside = self.top.subprocesses.pop(token.id, None)
        if inside is not None:
            for inner in inside.tokens():
                self.cancel(inner)
        for other in (*rounds.rounds_of(token), *self._attached(token)) if token.element.loop or token.element.boundary else ():
            self.cancel(other)
        if not token.internal_data.get("armed") and "host" not in token.internal_data and token._state != TaskState.WAITING:
            self.record(token, "cancelled")
        token.cancel()
