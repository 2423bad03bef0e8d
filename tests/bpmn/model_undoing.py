"""Still more random blocks and their meaning: undoing of every kind, and rounds of subprocesses."""

from __future__ import annotations

from tests.bpmn.build import boundary, chain, end, flow, node, start, user, wrap, xor
from tests.bpmn.model_of_truth import NESTED, Block, Drawing, Scope, User, block

COMPENSATE = "<bpmn:compensateEventDefinition/>"


class Item:
    """A part of `Compensated`: the tasks to do, in order, and those that undo them. `of` is what a throwing event would name."""

    def __init__(self, draw: Drawing, kind: str):
        self.done: list[str] = []
        self.undone: list[str] = []
        prefix = draw.prefix
        if kind == "call":
            self.of = draw.id("s")
            key = f"{self.of}x"
            draw.prefix = f"{key}:"
            draw.called[key] = wrap(self._scope(draw, draw.random.choice(["plain", "event", "named"])), key=key)
            self.xml = node("callActivity", self.of, calledElement=key)
        elif kind == "step":
            self.xml = self._step(draw)
            self.of = self.done[0]
        elif kind == "bare":
            self.of = draw.id("u")
            self.xml, self.done = user(self.of), [prefix + self.of]
        else:
            self.of = draw.id("s")
            rounds = kind == "rounds"
            mark = '<bpmn:multiInstanceLoopCharacteristics isSequential="true"><bpmn:loopCardinality>2</bpmn:loopCardinality>'
            inner = (mark + "</bpmn:multiInstanceLoopCharacteristics>") if rounds else ""
            inner += self._scope(draw, draw.random.choice(["plain", "event", "named", "deep"]) if kind in ("scope", "rounds") else "plain")
            self.xml = node("subProcess", self.of, inner)
            if rounds:
                self.done, self.undone = self.done * 2, self.undone * 2
            if kind == "whole":
                self.xml += self._undoing(draw, self.of)
                self.undone = self.undone[-1:]
        draw.prefix = prefix

    def _step(self, draw: Drawing) -> str:
        """A task and the one that undoes it."""
        id_ = draw.id("u")
        self.done.append(draw.prefix + id_)
        return user(id_) + self._undoing(draw, id_, first=True)

    def _undoing(self, draw: Drawing, host: str, first: bool = False) -> str:
        handler, event = f"un_{host}", f"b_{host}"
        self.undone.insert(0 if first else len(self.undone), draw.prefix + handler)
        shapes = boundary(event, host, COMPENSATE) + user(handler, isForCompensation="true")
        return shapes + f'<bpmn:association id="a_{host}" sourceRef="{event}" targetRef="{handler}"/>'

    def _scope(self, draw: Drawing, kind: str) -> str:
        """Two steps, plainly, one of them deeper, or with an event subprocess that undoes both, or the first one by name."""
        first, last = draw.id("n"), draw.id("e")
        steps = [self._step(draw) for _ in range(2)]
        ids = [id_.removeprefix(draw.prefix) for id_ in self.done]
        if kind == "deep":
            sub, within = draw.id("s"), draw.id("n")
            steps[0] = node("subProcess", sub, start(within) + steps[0] + chain(within, ids[0]))
            return start(first) + "".join(steps) + end(last) + chain(first, sub, ids[1], last)
        inner = start(first) + "".join(steps) + end(last) + chain(first, *ids, last)
        if kind == "plain":
            return inner
        event, begun, before, thrower, after = (draw.id(letter) for letter in "vnute")
        named = kind == "named"
        thrown = f'<bpmn:compensateEventDefinition activityRef="{ids[0]}"/>' if named else COMPENSATE
        self.undone = [draw.prefix + before, *(self.undone[1:] if named else self.undone)]
        undoing = start(begun, COMPENSATE) + user(before) + node("intermediateThrowEvent", thrower, thrown) + end(after)
        return inner + node("subProcess", event, undoing + chain(begun, before, thrower, after), triggeredByEvent="true")


class Compensated(Block):
    """A subprocess in which things are done, and a person may ask to undo all of them, or one by name."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        sub, first, gate, thrower, merge, last = (draw.id(letter) for letter in "sngtge")
        default = draw.id("d")
        kinds = ["step", "bare", "scope", "whole", "rounds", "call"]
        self.items = [Item(draw, draw.random.choice(kinds)) for _ in range(draw.random.randint(2, 3))]
        named = draw.random.choice([None, *(item for item in self.items if item.undone)])
        self.decide, self.after = draw.id("u"), draw.id("u")
        thrown = f'<bpmn:compensateEventDefinition activityRef="{named.of.rpartition(":")[2]}"/>' if named else COMPENSATE
        self.undone = named.undone if named else [id_ for item in reversed(self.items) for id_ in item.undone]
        inner = start(first) + "".join(item.xml for item in self.items) + user(self.decide) + xor(gate, default)
        inner += node("intermediateThrowEvent", thrower, thrown) + user(self.after) + xor(merge) + end(last)
        inner += chain(first, *(item.of.rpartition(":")[2] for item in self.items), self.decide, gate)
        inner += flow(gate, thrower, f"v_{self.decide} % 2 == 1") + chain(thrower, self.after, merge, last) + flow(gate, merge, id=default)
        self.xml, self.first, self.last = node("subProcess", sub, inner), sub, sub
        self.decide, self.after = self.prefix + self.decide, self.prefix + self.after

    def _begin(self):
        self.left = [*(id_ for item in self.items for id_ in item.done), self.decide]

    def open(self):
        return [] if self.is_done else [("task", self.left[0])]

    def do(self, what, c):
        if what not in self.open():
            return False
        if self.left.pop(0) == self.decide and c % 2 == 1:
            self.left = [*self.undone, self.after]
        self.is_done = not self.left
        return True


class InTurn(Block):
    """A subprocess in rounds, one after the other, until one says that it is enough."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id, first = draw.id("r"), draw.id("n")
        draw.keeps_log = False  # what a round writes stays in it
        self.body, self.user = block(draw, depth + 1), User(draw, depth)
        mark = '<bpmn:multiInstanceLoopCharacteristics isSequential="true"><bpmn:loopCardinality>3</bpmn:loopCardinality>'
        mark += f"<bpmn:completionCondition>v_{self.user.id} % 2 == 1</bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics>"
        inner = mark + start(first) + self.body.xml + self.user.xml + chain(first, self.body.first) + chain(self.body.last, self.user.id)
        self.xml, self.first, self.last = node("subProcess", self.id, inner), self.id, self.id

    def _begin(self):
        self.left = 3
        self._round()

    def _round(self):
        self.inner, self.asked, self.asking = Scope(), 0, False
        self.user.is_done = False
        self.body.begin(self.inner, [])
        self._go_on()

    def _go_on(self):
        if self.body.is_done and not self.asking:
            self.asking = True
            self.user.begin(self.inner, [])
        if self.asking and self.user.is_done and all(other.is_done for other in self.inner.beside):
            self.left -= 1
            self.is_done = self.left == 0 or self.asked % 2 == 1
            if not self.is_done:
                self._round()

    def open(self):
        if self.is_done:
            return []
        return (self.user if self.asking else self.body).open() + [item for other in self.inner.beside for item in other.open()]

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if self.asking and self.user.do(what, c):
            self.asked = c
        elif self.asking or not self.body.do(what, c):
            assert any(other.do(what, c) for other in self.inner.beside)
        self._go_on()
        return True


class SideBySide(Block):
    """A subprocess of two tasks in parallel rounds; enough of them that are over end the others."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id, first = draw.id("r"), draw.id("n")
        self.enough = draw.random.randint(1, 3)
        self.ids = [draw.id("u") for _ in range(2)]
        mark = "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3</bpmn:loopCardinality>"
        mark += f"<bpmn:completionCondition>loop_done == {self.enough}</bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics>"
        inner = mark + start(first) + "".join(map(user, self.ids)) + chain(first, *self.ids)
        self.xml, self.first, self.last = node("subProcess", self.id, inner), self.id, self.id

    def _begin(self):
        self.at = [3, 0]

    def open(self):
        return [] if self.is_done else [("task", self.prefix + id_) for id_, n in zip(self.ids, self.at, strict=True) for _ in range(n)]

    def do(self, what, c):
        if what not in self.open():
            return False
        stage = self.ids.index(what[1].removeprefix(self.prefix))
        self.at[stage] -= 1
        if stage == 0:
            self.at[1] += 1
        self.is_done = 3 - sum(self.at) == self.enough
        return True


NESTED += [Compensated, Compensated, InTurn, SideBySide]
