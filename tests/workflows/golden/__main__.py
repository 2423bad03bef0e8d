"""Write the stored instances of the present format."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from bpmn import engine
from bpmn.model import PENDING, StepFailed
from bpmn.parser import parse
from bpmn.serializer import VERSION
from tests.workflows.diagrams import ENDS, chain, diagram, flow, service, user

HERE = Path(__file__).resolve().parent
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
VALUES = {
    "money": Decimal("12.30"), "day": date(2026, 2, 28), "at": NOW, "span": timedelta(hours=36), "big": 2**70, "flags": {"a", "b"},
    "pair": (1, "two"), "marker": {"$": "D", "v": "no number"}, "numbered": {1: "one", 2: "two"}, "raw": b"\x00\xff", "ä": "ö “x”",
    "key": UUID(int=7), "nothing": None, "nested": [{"deep": [Decimal("0.1")]}],
}  # fmt: skip
TIMER = "<bpmn:timerEventDefinition><bpmn:timeDuration>{}</bpmn:timeDuration></bpmn:timerEventDefinition>"
MESSAGE = '<bpmn:message id="paid" name="paid" tandem:correlation="order_id"/>'
MANY = (
    '<bpmn:userTask id="vote" name="Vote"><bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality '
    'xsi:type="bpmn:tFormalExpression">3</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>'
)


class Host:
    """Does nothing of its own: `later` is answered from outside, `broken` fails."""

    def call(self, connector, parameters, step):
        """One service task."""
        if connector == "later":
            return PENDING
        raise StepFailed("tests.broken", "it is broken")


def fork(*branches: str) -> str:
    """A parallel block around single steps."""
    inside = '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
    return inside + "".join(flow("fork", b) + flow(b, "join") for b in branches)


# name → diagram, variables, tasks done before it was stored
CASES: dict[str, tuple[bytes, dict, int]] = {
    "values": (diagram("values", ENDS + user("one") + user("two") + chain("start", "one", "two", "end")), VALUES, 1),
    "parallel": (
        diagram("parallel", ENDS + user("left") + user("right") + fork("left", "right") + chain("start", "fork") + chain("join", "end")),
        {},
        1,
    ),
    "votes": (diagram("votes", ENDS + MANY + chain("start", "vote", "end")), {}, 1),
    "deadline": (
        diagram(
            "deadline",
            ENDS
            + user("work")
            + f'<bpmn:boundaryEvent id="late" attachedToRef="work" cancelActivity="false">{TIMER.format("PT1H")}</bpmn:boundaryEvent>'
            + user("remind")
            + '<bpmn:endEvent id="reminded"/>'
            + chain("start", "work", "end")
            + chain("late", "remind", "reminded"),
        ),
        {},
        0,
    ),
    "waits": (
        diagram(
            "waits",
            ENDS
            + '<bpmn:eventBasedGateway id="which"/><bpmn:intermediateCatchEvent id="money"><bpmn:messageEventDefinition messageRef="paid"/>'
            + f'</bpmn:intermediateCatchEvent><bpmn:intermediateCatchEvent id="day">{TIMER.format("P1D")}</bpmn:intermediateCatchEvent>'
            + '<bpmn:exclusiveGateway id="merge"/>'
            + chain("start", "which", "money", "merge", "end")
            + chain("which", "day", "merge"),
            top=MESSAGE,
        ),
        {"order_id": 5},
        0,
    ),
    "inside": (
        diagram(
            "inside",
            ENDS
            + '<bpmn:subProcess id="part"><bpmn:startEvent id="begin"/>'
            + user("within")
            + '<bpmn:endEvent id="done"/>'
            + chain("begin", "within", "done")
            + "</bpmn:subProcess>"
            + chain("start", "part", "end"),
        ),
        {},
        0,
    ),
    "undoing": (
        diagram(
            "undoing",
            ENDS.replace('<bpmn:endEvent id="end"/>', '<bpmn:endEvent id="end"><bpmn:compensateEventDefinition/></bpmn:endEvent>')
            + user("room")
            + user("back", 'isForCompensation="true"')
            + '<bpmn:boundaryEvent id="b_room" attachedToRef="room"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>'
            + user("seat")
            + user("seat_back", 'isForCompensation="true"')
            + '<bpmn:boundaryEvent id="b_seat" attachedToRef="seat"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>'
            + chain("start", "room", "seat", "end")
            + '<bpmn:association id="as_room" sourceRef="b_room" targetRef="back"/>'
            + '<bpmn:association id="as_seat" sourceRef="b_seat" targetRef="seat_back"/>',
        ),
        {},
        2,
    ),
    "outside": (diagram("outside", ENDS + service("call", "later") + chain("start", "call", "end")), {}, 0),
    "incident": (
        diagram(
            "incident",
            ENDS
            + '<bpmn:scriptTask id="count" scriptFormat="python"><bpmn:script>n = n + missing</bpmn:script></bpmn:scriptTask>'
            + chain("start", "count", "end"),
        ),
        {"n": 1},
        0,
    ),
}


def main() -> None:
    """Write what isn't there yet."""
    folder = HERE / str(VERSION)
    folder.mkdir(exist_ok=True)
    for name, (xml, data, done) in CASES.items():
        path = folder / f"{name}.json"
        if path.exists():
            continue
        definition = parse(xml)
        outcome = engine.start(definition, data, host=Host(), now=NOW)
        for _ in range(done):
            task = outcome.user_tasks[0].id
            outcome = engine.complete(definition, outcome.state, task, {"done": task[:4]}, host=Host(), now=NOW)
        waits = {
            "tasks": [task.element_id for task in outcome.user_tasks],
            "timers": [[timer.element_id, timer.due.isoformat()] for timer in outcome.timers],
            "messages": [wait.name for wait in outcome.messages],
            "services": [wait.element_id for wait in outcome.service_waits],
            "incidents": [incident.element_id for incident in outcome.incidents],
        }
        kept = {"xml": xml.decode(), "state": base64.b64encode(outcome.state).decode(), "waits": waits, "data": repr(outcome.data)}
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
        print(path.name)


if __name__ == "__main__":
    main()
