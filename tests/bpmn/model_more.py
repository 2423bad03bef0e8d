# ruff: noqa: E501 - shapes
"""More random blocks and their meaning: escalations, standard loops, compensation, transactions, ad hoc choices, conditions."""

from __future__ import annotations

from tests.bpmn.build import boundary, chain, end, flow, node, script, start, user, xor
from tests.bpmn.model_of_truth import NESTED, SIMPLE, Block, Drawing, Scope, User, block


def marked(shape: str, mark: str) -> str:
    """A task's shape with a marker inside."""
    return shape.replace("></bpmn:", f">{mark}</bpmn:")


class Again(Block):
    """A user task with the loop marker: again while its answer says so, three rounds at most."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id = draw.id("w")
        condition = f'<bpmn:loopCondition xsi:type="bpmn:tFormalExpression">v_{self.id} % 3 != 0</bpmn:loopCondition>'
        mark = f'<bpmn:standardLoopCharacteristics loopMaximum="3">{condition}</bpmn:standardLoopCharacteristics>'
        self.xml, self.first, self.last = marked(user(self.id), mark), self.id, self.id

    def _begin(self):
        self.rounds = 0

    def open(self):
        return [] if self.is_done else [("task", self.prefix + self.id)]

    def do(self, what, c):
        if what not in self.open():
            return False
        self.rounds += 1
        self.is_done = c % 3 == 0 or self.rounds == 3
        return True


class Choice(Block):
    """An ad hoc subprocess with two steps; `done` ends it with what is still open."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id, self.sequential = draw.id("h"), draw.random.random() < 0.5
        self.steps = [User(draw, depth) for _ in range(2)]
        inner = "".join(step.xml.replace(">", f' name="{step.id}">', 1) for step in self.steps)
        self.xml = node("adHocSubProcess", self.id, inner, ordering="Sequential" if self.sequential else "Parallel")
        self.first = self.last = self.id

    def _begin(self):
        self.running: list[str] = []
        self.chosen = 0

    def open(self):
        if self.is_done:
            return []
        choice = [] if self.sequential and self.running else [("task", self.prefix + self.id)]
        return [*choice, *(("task", self.prefix + id_) for id_ in self.running)]

    def do(self, what, c):
        if what not in self.open():
            return False
        if what == ("task", self.prefix + self.id):
            if c % 3 == 2:
                self.is_done = True
            else:
                self.running.append(self.steps[c % 3].id)
        else:
            self.running.remove(what[1].removeprefix(self.prefix))
        return True


class Escalated(Block):
    """A subprocess that escalates between its two tasks to an event at its border, interrupting or not."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        sub, first, throw, last, merge, catch, over = (draw.id(letter) for letter in "sntegbe")
        self.stops = draw.random.random() < 0.5
        self.before, self.after, self.handler = block(draw, depth + 1), User(draw, depth), User(draw, depth)
        event = f'<bpmn:escalationEventDefinition escalationRef="esc_{sub}"/>'
        draw.escalations.append(sub)
        inner = start(first) + self.before.xml + node("intermediateThrowEvent", throw, event) + self.after.xml + end(last)
        inner += chain(first, self.before.first) + chain(self.before.last, throw, self.after.id, last)
        self.xml = node("subProcess", sub, inner) + boundary(catch, sub, event, interrupting=self.stops) + self.handler.xml + xor(merge)
        self.xml += chain(sub, merge) + chain(catch, self.handler.id)
        self.xml += flow(self.handler.id, merge) if self.stops else end(over) + flow(self.handler.id, over)
        self.first, self.last = sub, merge

    def _begin(self):
        self.inner = Scope()
        self.now: Block = self.before
        self.before.begin(self.inner, self.log)
        self._go_on()

    def _go_on(self):
        if self.now is self.before and self.before.is_done:
            if self.stops:
                self.inner.beside.clear()
                self.now = self.handler
                self.handler.begin(self.scope, self.log)
                return
            beside = object.__new__(User)
            beside.__dict__.update(self.handler.__dict__)
            beside.begin(self.scope, self.log)
            self.scope.beside.append(beside)
            self.now = self.after
            self.after.begin(self.inner, self.log)
        elif self.now is not self.before:
            self.is_done = self.now.is_done and all(other.is_done for other in self.inner.beside)

    def open(self):
        if self.is_done:
            return []
        return self.now.open() + [item for other in self.inner.beside for item in other.open()]

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if not self.now.do(what, c):
            assert any(other.do(what, c) for other in self.inner.beside)
        self._go_on()
        return True


class Undone(Block):
    """A transaction: two steps that can be undone, and a person who may cancel it."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        sub, first, gate, fine, bad, merge, catch = (draw.id(letter) for letter in "sngeegb")
        default = draw.id("d")
        self.steps = [draw.id("k") for _ in range(2)]
        self.user, self.handler = User(draw, depth), User(draw, depth)
        inner = start(first) + self.user.xml + xor(gate, default) + end(fine) + end(bad, "<bpmn:cancelEventDefinition/>")
        for id_ in self.steps:
            undo = script(f"un_{id_}", f"log.append('un_{id_}')").replace(
                '<bpmn:scriptTask id="', '<bpmn:scriptTask isForCompensation="true" id="'
            )
            inner += script(id_, f"log.append('{id_}')") + boundary(f"b_{id_}", id_, "<bpmn:compensateEventDefinition/>") + undo
            inner += f'<bpmn:association id="a_{id_}" sourceRef="b_{id_}" targetRef="un_{id_}"/>'
        inner += (
            chain(first, *self.steps, self.user.id, gate) + flow(gate, bad, f"v_{self.user.id} % 2 == 1") + flow(gate, fine, id=default)
        )
        self.xml = node("transaction", sub, inner) + boundary(catch, sub, "<bpmn:cancelEventDefinition/>") + self.handler.xml + xor(merge)
        self.xml += chain(sub, merge) + chain(catch, self.handler.id, merge)
        self.first, self.last = sub, merge

    def _begin(self):
        self.log += self.steps
        self.now = self.user
        self.user.begin(self.scope, self.log)

    def open(self):
        return [] if self.is_done else self.now.open()

    def do(self, what, c):
        if self.is_done or not self.now.do(what, c):
            return False
        if self.now is self.user and c % 2 == 1:
            self.log += [f"un_{id_}" for id_ in reversed(self.steps)]
            self.now = self.handler
            self.handler.begin(self.scope, self.log)
        else:
            self.is_done = True
        return True


class Conditional(Block):
    """Two tasks side by side in a subprocess that ends early when the first one's answer makes a condition true."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        sub, first, merge, catch, before = (draw.id(letter) for letter in "sngbk")
        self.users, self.handler = [User(draw, depth) for _ in range(2)], User(draw, depth)
        asked = f"v_{self.users[0].id}"
        event = f'<bpmn:condition xsi:type="bpmn:tFormalExpression">{asked} % 2 == 1</bpmn:condition>'
        event = f"<bpmn:conditionalEventDefinition>{event}</bpmn:conditionalEventDefinition>"
        inner = start(first) + "".join(one.xml + flow(first, one.id) for one in self.users)
        self.xml = (
            script(before, f"{asked} = 0") + node("subProcess", sub, inner) + boundary(catch, sub, event) + self.handler.xml + xor(merge)
        )
        self.xml += chain(before, sub, merge) + chain(catch, self.handler.id, merge)
        self.first, self.last = before, merge

    def _begin(self):
        self.stopped = False
        for one in self.users:
            one.begin(self.scope, self.log)

    def open(self):
        if self.is_done:
            return []
        return self.handler.open() if self.stopped else [item for one in self.users for item in one.open()]

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if self.stopped:
            self.is_done = self.handler.do(what, c)
        elif self.users[0].do(what, c):
            # the last task of the subprocess ends it before its condition is looked at
            self.is_done = self.users[1].is_done
            self.stopped = not self.is_done and c % 2 == 1
            if self.stopped:
                self.handler.begin(self.scope, self.log)
        else:
            self.users[1].do(what, c)
            self.is_done = self.users[0].is_done
        return True


SIMPLE += [Again, Choice]
NESTED += [Escalated, Undone, Conditional]
