"""Places for a drawing that has none: lanes as rows, steps in columns by how far they are from the start, straight or bent flows.

Only for showing: the published text isn't touched. A drawing made in a modeler keeps its own places.
"""

from __future__ import annotations

import functools
from collections import defaultdict

from lxml import etree

from bpmn.model import DeployRefused
from bpmn.parser import FLOW_NODES
from bpmn.xml_safety import read_xml

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DD = "http://www.omg.org/spec/DD/20100524/DI"
COLUMN, ROW, LEFT, TOP = 160, 120, 60, 40
TASK, EVENT, GATEWAY = (120, 80), (36, 36), (50, 50)
Box = tuple[float, float, float, float]


@functools.lru_cache(256)
def drawn(xml: bytes) -> bytes:
    """The diagram with places for everything; the same text where it has them already, or can't be read."""
    try:
        root = read_xml(xml)
    except DeployRefused:
        return xml
    if root.find(f"{{{DI}}}BPMNDiagram") is not None:
        return xml
    process = next(
        (p for p in root.iterchildren(f"{{{BPMN}}}process") if p.get("isExecutable") in ("true", "1")), root.find(f"{{{BPMN}}}process")
    )
    if process is None:
        return xml
    _Drawing(root, process).add()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


class _Drawing:
    """One process on its sheet."""

    def __init__(self, root: etree._Element, process: etree._Element) -> None:
        self.root, self.process = root, process
        self.nodes = {n.get("id"): n for n in process.iterchildren(tag=etree.Element) if etree.QName(n).localname in FLOW_NODES}
        self.flows = [f for f in process.iterchildren(f"{{{BPMN}}}sequenceFlow") if f.get("id")]
        self.lanes = list(process.iter(f"{{{BPMN}}}lane"))
        self.lane_of: dict[str, int] = {}
        for number, lane in enumerate(self.lanes):
            for ref in lane.iterchildren(f"{{{BPMN}}}flowNodeRef"):
                self.lane_of[(ref.text or "").strip()] = number
        self.boxes: dict[str, Box] = {}

    def add(self) -> None:
        """Work out the places and write them down."""
        columns = self._columns()
        rows = self._rows(columns)
        heights = self._lane_heights(rows)
        tops = [TOP + sum(heights[:n]) * ROW for n in range(len(heights) + 1)]
        for id_, node in self.nodes.items():
            if node.get("attachedToRef"):
                continue
            width, height = _size(node)
            x = LEFT + 60 + columns[id_] * COLUMN + (COLUMN - width) / 2
            y = tops[self.lane_of.get(id_, 0)] + rows[id_] * ROW + (ROW - height) / 2
            self.boxes[id_] = (x, y, width, height)
        self._place_boundary_events()
        width = (max(columns.values(), default=0) + 1) * COLUMN + 90
        self._write(tops, width)

    def _columns(self) -> dict[str, int]:
        """The longest way from the start, ignoring flows that lead back."""
        onward: dict[str, list[str]] = defaultdict(list)
        for flow in self.flows:
            onward[flow.get("sourceRef")].append(flow.get("targetRef"))
        for id_, node in self.nodes.items():
            if node.get("attachedToRef"):
                onward[node.get("attachedToRef")] += onward[id_]
        back: set[tuple[str, str]] = set()
        state: dict[str, int] = {}
        order: list[str] = []

        def visit(first: str) -> None:
            stack = [(first, iter(onward[first]))]
            state[first] = 1
            while stack:
                current, targets = stack[-1]
                for target in targets:
                    if target not in self.nodes:
                        continue
                    if state.get(target) == 1:
                        back.add((current, target))
                    elif target not in state:
                        state[target] = 1
                        stack.append((target, iter(onward[target])))
                        break
                else:
                    state[current] = 2
                    order.append(current)
                    stack.pop()

        starts = [i for i, n in self.nodes.items() if etree.QName(n).localname == "startEvent"]
        for id_ in [*starts, *self.nodes]:
            if id_ not in state:
                visit(id_)
        columns = dict.fromkeys(self.nodes, 0)
        for current in reversed(order):
            for target in onward[current]:
                if target in self.nodes and (current, target) not in back:
                    columns[target] = max(columns[target], columns[current] + 1)
        return columns

    def _rows(self, columns: dict[str, int]) -> dict[str, int]:
        """The row of each node within its lane: the first that is free in its column."""
        taken: set[tuple[int, int, int]] = set()
        rows: dict[str, int] = {}
        for id_ in sorted((i for i, n in self.nodes.items() if not n.get("attachedToRef")), key=lambda i: columns[i]):
            lane, row = self.lane_of.get(id_, 0), 0
            while (lane, columns[id_], row) in taken:
                row += 1
            taken.add((lane, columns[id_], row))
            rows[id_] = row
        return rows

    def _lane_heights(self, rows: dict[str, int]) -> list[int]:
        heights = [1] * max(1, len(self.lanes))
        for id_, row in rows.items():
            lane = self.lane_of.get(id_, 0)
            heights[lane] = max(heights[lane], row + 1)
        return heights

    def _place_boundary_events(self) -> None:
        count: dict[str, int] = defaultdict(int)
        for id_, node in self.nodes.items():
            host = self.boxes.get(node.get("attachedToRef") or "")
            if host is None:
                if node.get("attachedToRef"):
                    self.boxes[id_] = (LEFT, TOP, *EVENT)
                continue
            number = count[node.get("attachedToRef")]
            count[node.get("attachedToRef")] += 1
            self.boxes[id_] = (host[0] + 10 + number * 42, host[1] + host[3] - 18, *EVENT)

    def _write(self, tops: list[int], width: float) -> None:
        diagram = etree.SubElement(self.root, f"{{{DI}}}BPMNDiagram", {"id": "drawing"}, nsmap={"bpmndi": DI, "dc": DC, "di": DD})
        plane = etree.SubElement(diagram, f"{{{DI}}}BPMNPlane", {"id": "drawing_plane", "bpmnElement": self._plane_element(tops, width)})
        if self.lanes:
            _shape(plane, "drawing_pool", (LEFT - 30, tops[0], width + 30, tops[-1] - tops[0]), horizontal=True)
            for number, lane in enumerate(self.lanes):
                _shape(plane, lane.get("id"), (LEFT, tops[number], width, tops[number + 1] - tops[number]), horizontal=True)
        for id_ in self.nodes:
            _shape(plane, id_, self.boxes[id_])
        for flow in self.flows:
            source, target = self.boxes.get(flow.get("sourceRef")), self.boxes.get(flow.get("targetRef"))
            if source and target:
                edge = etree.SubElement(plane, f"{{{DI}}}BPMNEdge", {"id": f"{flow.get('id')}_di", "bpmnElement": flow.get("id")})
                attached = bool(self.nodes[flow.get("sourceRef")].get("attachedToRef"))
                for x, y in _bends(source, target, attached):
                    etree.SubElement(edge, f"{{{DD}}}waypoint", {"x": f"{x:g}", "y": f"{y:g}"})

    def _plane_element(self, tops: list[int], width: float) -> str:
        """Lanes are only drawn inside a participant: give the process one where it has none."""
        if not self.lanes:
            return self.process.get("id")
        collaboration = etree.Element(f"{{{BPMN}}}collaboration", {"id": "drawing_collaboration"})
        name = self.process.get("name") or self.process.get("id")
        participant = {"id": "drawing_pool", "name": name, "processRef": self.process.get("id")}
        etree.SubElement(collaboration, f"{{{BPMN}}}participant", participant)
        self.process.addprevious(collaboration)
        return "drawing_collaboration"


def _size(node: etree._Element) -> tuple[int, int]:
    name = etree.QName(node).localname
    if name.endswith("Gateway"):
        return GATEWAY
    return EVENT if name.endswith("Event") else TASK


def _shape(plane: etree._Element, element: str, box: Box, *, horizontal: bool = False) -> None:
    attributes = {"id": f"{element}_di", "bpmnElement": element}
    if horizontal:
        attributes["isHorizontal"] = "true"
    shape = etree.SubElement(plane, f"{{{DI}}}BPMNShape", attributes)
    x, y, width, height = box
    etree.SubElement(shape, f"{{{DC}}}Bounds", {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"})


def _bends(source: Box, target: Box, attached: bool) -> list[tuple[float, float]]:
    """Way points: onward in the middle between columns, back and down under everything between."""
    sx, sy, sw, sh = source
    tx, ty, tw, th = target
    middle_s, middle_t = sy + sh / 2, ty + th / 2
    if attached:
        if tx > sx + sw:
            low = max(middle_t, sy + sh + 14)
            return [(sx + sw / 2, sy + sh), (sx + sw / 2, low), (tx - 20, low), (tx - 20, middle_t), (tx, middle_t)]
        low = sy + sh + 18
        return [(sx + sw / 2, sy + sh), (sx + sw / 2, low), (tx + tw / 2, low), (tx + tw / 2, ty + th if low > ty else ty)]
    if tx >= sx + sw:
        if abs(middle_s - middle_t) < 1:
            return [(sx + sw, middle_s), (tx, middle_t)]
        bend = tx - 25
        return [(sx + sw, middle_s), (bend, middle_s), (bend, middle_t), (tx, middle_t)]
    if abs(middle_s - middle_t) < 1:  # back along the same row: under it
        low = max(sy + sh, ty + th) + 18
        return [(sx + sw / 2, sy + sh), (sx + sw / 2, low), (tx + tw / 2, low), (tx + tw / 2, ty + th)]
    down = middle_t > middle_s
    start_y = sy + sh if down else sy
    between = ty - 14 if down else ty + th + 14
    return [(sx + sw / 2, start_y), (sx + sw / 2, between), (tx + tw / 2, between), (tx + tw / 2, ty if down else ty + th)]
