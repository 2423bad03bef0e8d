"""Small diagrams for tests, written in a few words."""

from __future__ import annotations

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:tandem="urn:tandem:bpmn:1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="urn:tandem:tests">
"""


def diagram(key: str, body: str, *, lanes: str = "", top: str = "", attributes: str = "") -> bytes:
    """A document with one process."""
    lane_set = f'<bpmn:laneSet id="lanes">{lanes}</bpmn:laneSet>' if lanes else ""
    process = f'<bpmn:process id="{key}" name="{key.title()}" isExecutable="true" {attributes}>{lane_set}{body}</bpmn:process>'
    return (HEAD + top + process + "</bpmn:definitions>").encode()


def lane(name: str, audience: str, role: str, *elements: str) -> str:
    """A lane."""
    refs = "".join(f"<bpmn:flowNodeRef>{e}</bpmn:flowNodeRef>" for e in elements)
    return f'<bpmn:lane id="lane_{name}" name="{name}" tandem:audience="{audience}" tandem:role="{role}">{refs}</bpmn:lane>'


def flow(source: str, target: str, condition: str = "") -> str:
    """A sequence flow."""
    inside = f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}</bpmn:conditionExpression>' if condition else ""
    return f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'


def chain(*names: str) -> str:
    """Flows along a row of elements."""
    return "".join(flow(a, b) for a, b in zip(names, names[1:], strict=False))


def user(key: str, attributes: str = "", inside: str = "", name: str = "") -> str:
    """A user task."""
    extension = f"<bpmn:extensionElements>{inside}</bpmn:extensionElements>" if inside else ""
    return f'<bpmn:userTask id="{key}" name="{name or key.title()}" {attributes}>{extension}</bpmn:userTask>'


def service(key: str, connector: str, params: str = "", attributes: str = "") -> str:
    """A service task."""
    extension = f"<bpmn:extensionElements>{params}</bpmn:extensionElements>" if params else ""
    return f'<bpmn:serviceTask id="{key}" name="{key.title()}" tandem:connector="{connector}" {attributes}>{extension}</bpmn:serviceTask>'


ENDS = '<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>'

# Erin (sales) checks, the customer decides, then Dan (delivery) delivers; the middle step is the customer's.
ORDER = diagram(
    "order",
    ENDS
    + user(
        "check",
        'tandem:publicLabel="We check your order" tandem:stage="qualification" tandem:due="PT48H"',
        '<tandem:form submit="Send"><tandem:field id="amount" type="money" label="Amount" required="true"/>'
        '<tandem:field id="note" type="textarea" label="Note"/></tandem:form>',
        "Check the order",
    )
    + user(
        "decide",
        'tandem:publicLabel="You decide" tandem:stage="proposal"',
        '<tandem:form><tandem:field id="amount" type="money" label="Amount" readonly="true"/></tandem:form>'
        '<tandem:action id="accept" label="Accept" style="primary"/>'
        '<tandem:action id="change" label="Ask for a change" requires="reason"/>',
        "Decide on the order",
    )
    + user("deliver", 'tandem:stage="delivery"', "", "Deliver")
    + '<bpmn:exclusiveGateway id="agreed" default="agreed_check"/>'
    + chain("start", "check", "decide", "agreed")
    + flow("agreed", "deliver", "action == 'accept'")
    + flow("agreed", "check")
    + chain("deliver", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "check", "agreed")
    + lane("Customer", "customer", "", "decide")
    + lane("Delivery", "internal", "delivery", "deliver", "end"),
    attributes='tandem:startableBy="sales"',
)
