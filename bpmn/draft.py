"""A draft run: one instance in memory, people and services answered by defaults, until it ends, waits, or its bound is reached.

Variables that nothing has set are assumed, and named in the report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bpmn import engine
from bpmn.model import ActiveTask, Definition, Element, EngineError, Field, Outcome, StepContext, Thrown

MAX_ACTS = 200
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MISSING = re.compile(r"name '(\w+)' is not defined")
DEFAULTS: dict[str, Any] = {"number": 1, "money": 1, "boolean": True, "date": "2026-01-05", "datetime": "2026-01-05T09:00:00+00:00"}


class _Answers:
    """Stands for everybody that a process calls or asks; `given` has answers by element id."""

    def __init__(self, given: Mapping[str, Any]):
        self.given = given
        self.calls: list[tuple[str, str]] = []

    def call(self, connector: str, parameters: dict[str, Any], step: StepContext) -> Any:
        """A service's answer: the given one, else an empty one."""
        self.calls.append((step.element_id, connector))
        return self.given.get(step.element_id, {})

    def of_person(self, element: Element) -> dict[str, Any]:
        """A person's answer: the given one, else each field's default, and the first action."""
        answer = {field.id: _default(field) for field in (element.form.fields if element.form else ()) if field.id and not field.readonly}
        answer = {name: value for name, value in answer.items() if value is not None}
        if element.actions:
            answer["action"] = element.actions[-1 if element.kind == "adHocSubProcess" else 0].id
        given = self.given.get(element.id)
        return {**answer, **given} if isinstance(given, Mapping) else answer


def _default(field: Field) -> Any:
    if field.default and not field.default.startswith("="):
        return field.default
    if field.options:
        return [field.options[0].value] if field.type == "multichoice" else field.options[0].value
    if field.type in ("display", "file", "person", "partner", "product"):
        return None
    return DEFAULTS.get(field.type, "text")


class DraftRun:
    """One draft run; `report` says what happened."""

    def __init__(self, definition: Definition, data: Mapping[str, Any], answers: Mapping[str, Any], now: datetime = NOW):
        self.definition, self.now = definition, now
        self.host = _Answers(answers)
        self.acts: list[dict[str, Any]] = []
        self.history: list[tuple[str, str]] = []
        self.thrown: list[Thrown] = []
        self.assumed: dict[str, Any] = {}
        starts = definition.start_events
        at = None if any(s.event == "none" for s in starts) or not starts else starts[0].element_id
        self._did("start", at or "", engine.start(definition, data, host=self.host, now=now, at=at))

    def go(self, max_acts: int = MAX_ACTS) -> None:
        """Act until nothing more can be done, or the bound is reached."""
        while self.out.status == "running" and len(self.acts) < max_acts and self._act():
            pass

    def _act(self) -> bool:
        """One act: go on, do a task, hand over what was thrown, fire the next timer, deliver what is waited for."""
        definition, state, host, now = self.definition, self.out.state, self.host, self.now
        try:
            if self.out.more:
                self._did("continue", "", engine.go_on(definition, state, host=host, now=now))
            elif self.out.user_tasks:
                self._do_task(self.out.user_tasks[0])
            elif self._assume():
                pass
            elif self.out.service_waits:
                service = self.out.service_waits[0]
                answer = host.given.get(service.element_id, {})
                self._did("finish", service.element_id, engine.finish_service(definition, state, service.id, answer, host=host, now=now))
            elif self._hand_over():
                pass
            elif self.out.timers:
                timer = min(self.out.timers, key=lambda wait: wait.due)
                self.now = max(now, timer.due)
                fired = engine.fire_timer(definition, state, timer.id, host=host, now=self.now)
                self._did("timer", timer.element_id, fired, after=(self.now - now).total_seconds())
            elif self.out.messages:
                wait = self.out.messages[0]
                payload = self._payload(wait.element_id)
                self._did("message", wait.element_id, engine.deliver(definition, state, wait.id, payload, host=host, now=now))
            else:
                return False
        except EngineError as error:
            self.acts.append({"act": "refused", "element": "", "words": str(error)[:300]})
            return False
        return True

    def _assume(self) -> bool:
        """Give a variable that a step asks for and nothing has set a value, once, and try the step again."""
        for incident in self.out.incidents:
            missing = MISSING.search(incident.message)
            if missing and missing[1] not in self.assumed:
                self.assumed[missing[1]] = value = self._guess(missing[1], incident.element_id)
                out = engine.resume(
                    self.definition, self.out.state, host=self.host, now=self.now, task_id=incident.task_id, data={missing[1]: value}
                )
                self._did("assume", incident.element_id, out)
                return True
        return False

    def _guess(self, name: str, element_id: str) -> Any:
        """An empty mapping where the step looks something up in the variable, else 1."""
        element = self.definition.element(element_id)
        told = f"{element} {[self.definition.flows[flow] for flow in element.outgoing if flow in self.definition.flows]}"
        return {} if re.search(rf"\b{name}\s*(\.\s*\w|\[)", told) else 1

    def _do_task(self, task: ActiveTask) -> None:
        answer = self.host.of_person(self.definition.element(task.element_id))
        out = engine.complete(self.definition, self.out.state, task.id, answer, host=self.host, now=self.now)
        self._did("task", task.element_id, out, answer=answer)

    def _hand_over(self) -> bool:
        """Give what the process has thrown to its own waits."""
        while self.thrown:
            thrown = self.thrown.pop(0)
            wait = next((w for w in self.out.messages if w.kind == thrown.kind and w.name == thrown.name), None)
            if wait is not None:
                out = engine.deliver(self.definition, self.out.state, wait.id, thrown.payload, host=self.host, now=self.now)
                self._did("message", wait.element_id, out)
                return True
        return False

    def _payload(self, element_id: str) -> Mapping[str, Any]:
        given = self.host.given.get(element_id)
        return given if isinstance(given, Mapping) else {}

    def _did(self, act: str, element_id: str, out: Outcome, **told: Any) -> None:
        steps = [(record.element_id, record.state) for record in out.history]
        self.acts.append(
            {"act": act, "element": element_id, "steps": [element for element, state in steps if state == "completed"], **told}
        )
        self.history += steps
        self.thrown += out.thrown
        self.out = out

    def report(self) -> dict[str, Any]:
        """How it ended, or where it waits; what was done (with the answers given and the seconds waited), and the steps that ran."""
        out = self.out
        waits = [{"kind": "task", "element": t.element_id} for t in out.user_tasks]
        waits += [{"kind": "service", "element": s.element_id} for s in out.service_waits]
        waits += [{"kind": "timer", "element": t.element_id, "due": t.due.isoformat()} for t in out.timers]
        waits += [{"kind": m.kind, "element": m.element_id, "name": m.name} for m in out.messages]
        bound = out.status == "running" and bool(waits or out.more) and not out.incidents
        ended = {"running": "incident" if out.incidents else "bound" if bound else "waits"}.get(out.status, out.status)
        return {
            "ended": ended,
            "error_code": out.error_code,
            "acts": self.acts,
            "steps": [element for element, state in self.history if state == "completed"],
            "active": list(out.active),
            "waits": waits,
            "incidents": [{"element": i.element_id, "code": i.code, "message": i.message} for i in out.incidents],
            "services": [connector for _element, connector in self.host.calls],
            "answered": {element: self.host.given.get(element, {}) for element, _connector in self.host.calls},
            "assumed": self.assumed,
        }


def run(
    definition: Definition, data: Mapping[str, Any] | None = None, answers: Mapping[str, Any] | None = None, max_acts: int = MAX_ACTS
) -> dict[str, Any]:
    """Run a definition with default answers and tell how it went. Raises StartRefused."""
    draft = DraftRun(definition, data or {}, answers or {})
    draft.go(max_acts)
    return draft.report()
