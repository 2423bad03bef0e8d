"""The processes that the engine's benchmark runs, and the ceiling: the same process in stock SpiffWorkflow, in memory."""

from __future__ import annotations

from collections.abc import Callable

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:tandem="urn:tandem:bpmn:1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="urn:tandem:bench">
"""
ENDS = '<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>'


def document(key: str, body: str, top: str = "") -> bytes:
    """A document with one process."""
    return f'{HEAD}{top}<bpmn:process id="{key}" name="{key}" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'.encode()


def flow(source: str, target: str, condition: str = "") -> str:
    """A sequence flow."""
    inside = f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}</bpmn:conditionExpression>' if condition else ""
    return f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'


def chain(*names: str) -> str:
    """Flows along a row of elements."""
    return "".join(flow(a, b) for a, b in zip(names, names[1:], strict=False))


def user(key: str, field: str = "", inside: str = "") -> str:
    """A user task, with one text field in its form where it is named."""
    form = f'<tandem:form><tandem:field id="{field}" type="text" label="{field}"/></tandem:form>' if field else ""
    extension = f"<bpmn:extensionElements>{form}</bpmn:extensionElements>" if form else ""
    return f'<bpmn:userTask id="{key}" name="Step {key}">{extension}{inside}</bpmn:userTask>'


def row_of_tasks(count: int, key: str = "") -> bytes:
    """Start, so many user tasks in a row, end."""
    names = [f"t{number}" for number in range(count)]
    tasks = "".join(user(name, f"f{number}") for number, name in enumerate(names))
    return document(key or f"row{count}", ENDS + tasks + chain("start", *names, "end"))


STEP_LOOP = document(
    "steps",
    ENDS + user("work", "f0") + '<bpmn:exclusiveGateway id="again" default="again_work"/>' + chain("start", "work", "again", "work")
    + flow("again", "end", "f0 == 'stop'"),
)  # fmt: skip
SCRIPT_LOOP = document(
    "rounds",
    ENDS
    + '<bpmn:scriptTask id="count" scriptFormat="python"><bpmn:script>n = n + 1</bpmn:script></bpmn:scriptTask>'
    + '<bpmn:exclusiveGateway id="again" default="again_end"/>'
    + chain("start", "count", "again")
    + flow("again", "count", "n &lt; 1000")
    + flow("again", "end"),
)
TIMER = document(
    "alarm",
    ENDS
    + '<bpmn:intermediateCatchEvent id="wait"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1S</bpmn:timeDuration>'
    + "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    + user("after")
    + chain("start", "wait", "after", "end"),
)
MESSAGE = document(
    "catch",
    ENDS
    + '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="paid"/></bpmn:intermediateCatchEvent>'
    + user("after")
    + chain("start", "wait", "after", "end"),
    top='<bpmn:message id="paid" name="paid" tandem:correlation="order_id"/>',
)
PEOPLE = document(
    "people",
    ENDS
    + user(
        "vote",
        inside='<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality xsi:type="bpmn:tFormalExpression">200'
        "</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>",
    )
    + chain("start", "vote", "end"),
)
DIAGRAMS = [row_of_tasks(2), row_of_tasks(3), row_of_tasks(100), STEP_LOOP, SCRIPT_LOOP, TIMER, MESSAGE, PEOPLE]


def payload() -> dict:
    """About 2 KB of business data."""
    items = [{"sku": f"SKU-{i:05d}", "name": f"Product number {i}", "qty": i % 7 + 1, "price": round(19.99 * i, 2)} for i in range(27)]
    return {"deal": {"id": 4711, "title": "Measured renewal", "amount": 12500.0, "owner": "ann@example.com", "items": items}}


def stock_in_memory(tasks: int = 3) -> Callable[[], None]:
    """One whole instance of `row_of_tasks` in stock SpiffWorkflow, nothing stored: the ceiling of every share."""
    from SpiffWorkflow.bpmn import BpmnWorkflow
    from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
    from SpiffWorkflow.spiff.parser import SpiffBpmnParser
    from SpiffWorkflow.util.task import TaskState

    key = f"row{tasks}"
    parser = SpiffBpmnParser()
    parser.add_bpmn_str(row_of_tasks(tasks))
    spec, inner, scripts = parser.get_spec(key), parser.get_subprocess_specs(key), PythonScriptEngine()

    def one() -> None:
        workflow = BpmnWorkflow(spec, inner, script_engine=scripts)
        workflow.task_tree.data.update(payload())
        workflow.do_engine_steps()
        for number in range(tasks):
            task = workflow.get_tasks(state=TaskState.READY, manual=True)[0]
            task.data.update({f"f{number}": "x" * 50})
            task.run()
            workflow.do_engine_steps()
        if not workflow.is_completed():
            raise RuntimeError("the measured process didn't end")

    return one
