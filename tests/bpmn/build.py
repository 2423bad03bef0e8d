"""Small BPMN files written as Python, for the engine's tests."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from html import escape
from typing import Any

from bpmn import engine
from bpmn.model import Definition, Outcome, StepContext
from bpmn.parser import parse

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:tandem="urn:tandem:bpmn:1" id="defs" targetNamespace="urn:tests">'
)
ASSOCIATION = re.compile(r"<bpmn:association [^>]*/>")
_numbers = itertools.count(1)


def wrap(body: str, extra: str = "", key: str = "p", executable: str = "true", attributes: str = "", before: str = "") -> bytes:
    """A whole file around a process's body. Associations go behind everything else, as the schema wants it."""
    body = ASSOCIATION.sub("", body) + "".join(ASSOCIATION.findall(body))
    text = (
        f'{HEAD}{before}<bpmn:process id="{key}" isExecutable="{executable}" {attributes}>{body}</bpmn:process>{extra}</bpmn:definitions>'
    )
    return text.encode()


def flow(source: str, target: str, condition: str = "", id: str | None = None) -> str:  # noqa: A002
    """A sequence flow."""
    inner = (
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{escape(condition)}</bpmn:conditionExpression>' if condition else ""
    )
    return f'<bpmn:sequenceFlow id="{id or f"f{next(_numbers)}"}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'


def chain(*ids: str) -> str:
    """Flows from each to the next."""
    return "".join(flow(a, b) for a, b in itertools.pairwise(ids))


def node(kind: str, id: str, inner: str = "", **attributes: str) -> str:  # noqa: A002
    """Any flow node; attributes with a leading `t_` are Tandem's."""
    text = "".join(
        f' {name.replace("t_", "tandem:", 1) if name.startswith("t_") else name}="{escape(value)}"' for name, value in attributes.items()
    )
    return f'<bpmn:{kind} id="{id}"{text}>{inner}</bpmn:{kind}>'


def start(id: str = "start", inner: str = "", **a: str) -> str:  # noqa: A002
    return node("startEvent", id, inner, **a)


def end(id: str = "end", inner: str = "", **a: str) -> str:  # noqa: A002
    return node("endEvent", id, inner, **a)


def user(id: str, inner: str = "", **a: str) -> str:  # noqa: A002
    return node("userTask", id, inner, **a)


def service(id: str, connector: str = "test.call", inner: str = "", **a: str) -> str:  # noqa: A002
    return node("serviceTask", id, inner, t_connector=connector, **a)


def script(id: str, text: str) -> str:  # noqa: A002
    return f'<bpmn:scriptTask id="{id}"><bpmn:script>{escape(text)}</bpmn:script></bpmn:scriptTask>'


def xor(id: str, default: str = "") -> str:  # noqa: A002
    return node("exclusiveGateway", id, **({"default": default} if default else {}))


def both(id: str) -> str:  # noqa: A002
    return node("parallelGateway", id)


def timer(text: str, kind: str = "timeDuration") -> str:
    return f"<bpmn:timerEventDefinition><bpmn:{kind}>{escape(text)}</bpmn:{kind}></bpmn:timerEventDefinition>"


def message(ref: str) -> str:
    return f'<bpmn:messageEventDefinition messageRef="{ref}"/>'


def signal(ref: str) -> str:
    return f'<bpmn:signalEventDefinition signalRef="{ref}"/>'


def boundary(id: str, host: str, inner: str, interrupting: bool = True, **a: str) -> str:  # noqa: A002
    return node("boundaryEvent", id, inner, attachedToRef=host, cancelActivity="true" if interrupting else "false", **a)


ERROR = '<bpmn:error id="er" name="Er" errorCode="E1"/>'
ERROR_EVENT = '<bpmn:errorEventDefinition errorRef="er"/>'
TERMINATE = "<bpmn:terminateEventDefinition/>"
MESSAGE = '<bpmn:message id="m1" name="M1"/>'
SIGNAL = '<bpmn:signal id="sg" name="SG"/>'


def loop(
    collection: str = "xs", sequential: bool = False, output: str = "", item: str = "x", completion: str = "", output_item: str = ""
) -> str:
    """A multi-instance marker."""
    inner = f"<bpmn:loopDataInputRef>{collection}</bpmn:loopDataInputRef>" if collection else ""
    inner += f"<bpmn:loopDataOutputRef>{output}</bpmn:loopDataOutputRef>" if output else ""
    inner += f'<bpmn:inputDataItem id="{item}_in" name="{item}"/>' if item else ""
    inner += f'<bpmn:outputDataItem id="{output_item}_out" name="{output_item}"/>' if output_item else ""
    inner += f"<bpmn:completionCondition>{completion}</bpmn:completionCondition>" if completion else ""
    flag = "true" if sequential else "false"
    return f'<bpmn:multiInstanceLoopCharacteristics isSequential="{flag}">{inner}</bpmn:multiInstanceLoopCharacteristics>'


class TestHost:
    """Answers connectors from functions given by the test, and remembers the calls."""

    __test__ = False

    def __init__(self, **answers: Any):
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any], StepContext]] = []

    def call(self, connector: str, parameters: dict[str, Any], step: StepContext) -> Any:
        self.calls.append((connector, parameters, step))
        answer = self.answers.get(connector.replace(".", "_"))
        if callable(answer):
            return answer(parameters, step)
        return answer


class Instance:
    """One instance driven by a test; every call stores and loads the state, as the product does."""

    def __init__(
        self, definition: Definition | bytes | str, data: dict | None = None, *, host: Any = None, at: str | None = None, **options: Any
    ):
        if isinstance(definition, str):
            definition = wrap(definition)
        self.definition = definition if isinstance(definition, Definition) else parse(definition)
        self.host = host or TestHost()
        self.now = NOW
        self.history: list = []
        self.thrown: list = []
        self._keep(engine.start(self.definition, data or {}, host=self.host, now=self.now, at=at, **options))

    def _keep(self, outcome: Outcome) -> Outcome:
        self.out = outcome
        self.history.extend(outcome.history)
        self.thrown.extend(outcome.thrown)
        return outcome

    @property
    def open(self) -> list[str]:
        """The element ids of the open human tasks."""
        return sorted(task.element_id for task in self.out.user_tasks)

    @property
    def done(self) -> bool:
        return self.out.status == "completed"

    @property
    def data(self) -> dict:
        return self.out.data

    def task(self, element_id: str, number: int = 0) -> Any:
        return [task for task in self.out.user_tasks if task.element_id == element_id][number]

    def complete(self, element_id: str, number: int = 0, **data: Any) -> Outcome:
        return self.complete_id(self.task(element_id, number).id, **data)

    def complete_id(self, task_id: str, **data: Any) -> Outcome:
        return self._keep(engine.complete(self.definition, self.out.state, task_id, data, host=self.host, now=self.now))

    def fire(self, element_id: str) -> Outcome:
        """Let the time pass until the timer is due, and fire it."""
        wait = next(timer for timer in self.out.timers if timer.element_id == element_id)
        self.now = max(self.now, wait.due)
        return self._keep(engine.fire_timer(self.definition, self.out.state, wait.id, host=self.host, now=self.now))

    def deliver(self, element_id: str, **payload: Any) -> Outcome:
        wait = next(wait for wait in self.out.messages if wait.element_id == element_id)
        return self._keep(engine.deliver(self.definition, self.out.state, wait.id, payload, host=self.host, now=self.now))

    def resume(self, **options: Any) -> Outcome:
        return self._keep(engine.resume(self.definition, self.out.state, host=self.host, now=self.now, **options))

    def finish_service(self, element_id: str, result: Any = None) -> Outcome:
        wait = next(wait for wait in self.out.service_waits if wait.element_id == element_id)
        return self._keep(engine.finish_service(self.definition, self.out.state, wait.id, result, host=self.host, now=self.now))

    def fail_service(self, element_id: str, code: str, message: str = "") -> Outcome:
        wait = next(wait for wait in self.out.service_waits if wait.element_id == element_id)
        return self._keep(engine.fail_service(self.definition, self.out.state, wait.id, code, message, host=self.host, now=self.now))

    def steps(self, state: str = "completed") -> list[str]:
        return [record.element_id for record in self.history if record.state == state]
