"""Random processes built from blocks, and what each of them means, written down without the engine: an oracle to compare it with.

Each block draws itself as BPMN and knows which tasks and events are open, and what happens when one of them is done.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.bpmn.build import both, boundary, chain, end, flow, message, node, script, signal, start, timer, user, wrap, xor


class Drawing:
    """Collects what the blocks need beside their own shapes."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.count = 0
        self.messages: list[str] = []
        self.signals: list[str] = []
        self.keeps_log = True
        self.errors: list[str] = []
        self.escalations: list[str] = []
        self.called: dict[str, bytes] = {}
        self.prefix = ""

    def id(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def event(self, id_: str) -> str:
        """A message, a signal or a timer definition."""
        kind = self.random.random()
        if kind < 0.4:
            self.messages.append(id_)
            return message(f"msg_{id_}")
        if kind < 0.5:
            self.signals.append(id_)
            return signal(f"sig_{id_}")
        return timer(f"PT{self.random.randint(1, 9)}H")

    def extra(self) -> str:
        errors = "".join(f'<bpmn:error id="err_{id_}" errorCode="E_{id_}"/>' for id_ in self.errors)
        errors += "".join(f'<bpmn:escalation id="esc_{id_}" escalationCode="S_{id_}"/>' for id_ in self.escalations)
        errors += "".join(f'<bpmn:signal id="sig_{id_}" name="G_{id_}"/>' for id_ in self.signals)
        return errors + "".join(f'<bpmn:message id="msg_{id_}" name="M_{id_}"/>' for id_ in self.messages)


class Scope:
    """What lives beside a block's own path until its subprocess or process ends."""

    def __init__(self) -> None:
        self.beside: list[Block] = []


class Block:
    """One block; `xml` with its first and last element is fixed, `begin`/`open`/`do` are its meaning."""

    xml: str
    first: str
    last: str

    def __init__(self, draw: Drawing):
        self.prefix = draw.prefix
        self.is_done = False
        self.scope = Scope()
        self.log: list[str] = []

    def begin(self, scope: Scope, log: list[str]) -> None:
        self.scope, self.log, self.is_done = scope, log, False
        self._begin()

    def _begin(self) -> None: ...

    def open(self) -> list[tuple[str, str]]:
        """Pairs of (task or event, id) that are open in this block."""
        return []

    def do(self, what: tuple[str, str], c: int) -> bool:
        """Do one of the open things; False when it isn't here."""
        return False


class User(Block):
    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id = draw.id("u")
        self.xml, self.first, self.last = user(self.id), self.id, self.id

    def open(self):
        return [] if self.is_done else [("task", self.prefix + self.id)]

    def do(self, what, c):
        if what not in self.open():
            return False
        self.is_done = True
        return True


class Script(Block):
    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id = draw.id("k")
        self.xml, self.first, self.last = script(self.id, f"log.append('{self.id}')"), self.id, self.id

    def _begin(self):
        self.log.append(self.id)
        self.is_done = True


class Catch(Block):
    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id = draw.id("c")
        self.xml, self.first, self.last = node("intermediateCatchEvent", self.id, draw.event(self.id)), self.id, self.id

    def open(self):
        return [] if self.is_done else [("event", self.prefix + self.id)]

    do = User.do


class Sequence(Block):
    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.parts = [block(draw, depth + 1) for _ in range(draw.random.randint(2, 3))]
        self.xml = "".join(part.xml for part in self.parts)
        self.xml += "".join(flow(a.last, b.first) for a, b in zip(self.parts, self.parts[1:], strict=False))
        self.first, self.last = self.parts[0].first, self.parts[-1].last

    def _begin(self):
        self.at = 0
        self.parts[0].begin(self.scope, self.log)
        self._go_on()

    def _go_on(self):
        while self.parts[self.at].is_done:
            if self.at + 1 == len(self.parts):
                self.is_done = True
                return
            self.at += 1
            self.parts[self.at].begin(self.scope, self.log)

    def open(self):
        return [] if self.is_done else self.parts[self.at].open()

    def do(self, what, c):
        if self.is_done or not self.parts[self.at].do(what, c):
            return False
        self._go_on()
        return True


class Branches(Block):
    """A user task chooses which branches run; exclusive, parallel or inclusive."""

    def __init__(self, draw: Drawing, depth: int, kind: str):
        super().__init__(draw)
        self.kind, self.user = kind, User(draw, depth)
        self.branches = [block(draw, depth + 1) for _ in range(2 if kind == "xor" else draw.random.randint(2, 3))]
        split, join, default = draw.id("g"), draw.id("g"), draw.id("d")
        value = f"v_{self.user.id}"
        shapes = {
            "xor": (xor(split, default), xor(join)),
            "and": (both(split), both(join)),
            "or": (node("inclusiveGateway", split, default=default), node("inclusiveGateway", join)),
        }[kind]
        self.xml = self.user.xml + "".join(shapes) + flow(self.user.id, split)
        for number, branch in enumerate(self.branches):
            condition = {"xor": f"{value} % 2 == 0", "or": f"{value} // {2**number} % 2 == 1", "and": ""}[kind]
            if number + 1 == len(self.branches) and kind != "and":
                self.xml += flow(split, branch.first, id=default)
            else:
                self.xml += flow(split, branch.first, condition)
            self.xml += branch.xml + flow(branch.last, join)
        self.first, self.last = self.user.id, join

    def _begin(self):
        self.chosen: list[Block] = []
        self.user.begin(self.scope, self.log)

    def _choose(self, c: int) -> list[Block]:
        if self.kind == "and":
            return self.branches
        if self.kind == "xor":
            return [self.branches[0] if c % 2 == 0 else self.branches[1]]
        return [b for i, b in enumerate(self.branches[:-1]) if c // 2**i % 2 == 1] or [self.branches[-1]]

    def open(self):
        if self.is_done:
            return []
        return self.user.open() or [item for branch in self.chosen for item in branch.open()]

    def do(self, what, c):
        if self.is_done:
            return False
        if self.user.do(what, c):
            self.chosen = self._choose(c)
            for branch in self.chosen:
                branch.begin(self.scope, self.log)
        elif not any(branch.do(what, c) for branch in self.chosen):
            return False
        self.is_done = all(branch.is_done for branch in self.chosen)
        return True


class Loop(Block):
    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.body, self.user = block(draw, depth + 1), User(draw, depth)
        merge, gate, default, last = draw.id("g"), draw.id("g"), draw.id("d"), draw.id("g")
        self.xml = xor(merge) + xor(gate, default) + xor(last) + self.body.xml + self.user.xml
        self.xml += flow(merge, self.body.first) + flow(self.body.last, self.user.id) + flow(self.user.id, gate)
        self.xml += flow(gate, merge, f"v_{self.user.id} % 3 != 0") + flow(gate, last, id=default)
        self.first, self.last = merge, last

    def _begin(self):
        self.user.is_done = True
        self.asking = False
        self.body.begin(self.scope, self.log)
        self._go_on()

    def _go_on(self):
        if self.body.is_done and not self.asking:
            self.asking = True
            self.user.begin(self.scope, self.log)

    def open(self):
        return [] if self.is_done else self.user.open() if self.asking else self.body.open()

    def do(self, what, c):
        if self.is_done:
            return False
        if self.asking:
            if not self.user.do(what, c):
                return False
            if c % 3 == 0:
                self.is_done = True
            else:
                self._begin()
            return True
        if not self.body.do(what, c):
            return False
        self._go_on()
        return True


class Inside(Block):
    """A subprocess or a call activity."""

    def __init__(self, draw: Drawing, depth: int, call: bool, kind: Callable[[Drawing, int], Block] | None = None):
        super().__init__(draw)
        self.id = draw.id("s")
        first, last = draw.id("s"), draw.id("e")
        outer, names = draw.prefix, (draw.messages, draw.signals, draw.errors, draw.escalations)
        if call:
            draw.prefix, draw.messages, draw.signals, draw.errors, draw.escalations = f"{self.id}x:", [], [], [], []
        self.prefix_inside = draw.prefix
        self.body = (kind or block)(draw, depth + 1)
        inner = start(first) + self.body.xml + end(last) + flow(first, self.body.first) + flow(self.body.last, last)
        inner += self._draw_event(draw, depth)
        if call:
            draw.called[f"{self.id}x"] = wrap(inner, draw.extra(), key=f"{self.id}x")
            self.xml = node("callActivity", self.id, calledElement=f"{self.id}x")
        else:
            self.xml = node("subProcess", self.id, inner)
        draw.prefix = outer
        if call:
            draw.messages, draw.signals, draw.errors, draw.escalations = names
        self.first = self.last = self.id

    def _draw_event(self, draw: Drawing, depth: int) -> str:
        """Sometimes an event subprocess: one that runs beside, or one that takes over."""
        self.on_event = draw.random.choice(["", "", "", "beside", "instead"])
        if not self.on_event:
            return ""
        self.event, self.handler = draw.id("v"), User(draw, depth)
        first, last = draw.id("s"), draw.id("e")
        flag = "false" if self.on_event == "beside" else "true"
        if self.on_event == "beside":
            draw.messages.append(first)  # it comes as often as it is sent
        inner = (
            start(first, message(f"msg_{first}") if self.on_event == "beside" else draw.event(first), isInterrupting=flag)
            + self.handler.xml
            + end(last)
            + chain(first, self.handler.id, last)
        )
        return node("subProcess", self.event, inner, triggeredByEvent="true")

    def _begin(self):
        self.inner = Scope()
        self.taken_over: User | None = None
        self.body.begin(self.inner, self.log)
        self._settle()

    def _settle(self):
        body = self.taken_over or self.body
        self.is_done = body.is_done and all(other.is_done for other in self.inner.beside)

    def open(self):
        if self.is_done:
            return []
        if self.taken_over:
            return self.taken_over.open()
        armed = [("event", self.prefix_inside + self.event)] if self.on_event else []
        return self.body.open() + [item for other in self.inner.beside for item in other.open()] + armed

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if self.taken_over:
            self.taken_over.do(what, c)
        elif self.on_event and what == ("event", self.prefix_inside + self.event):
            self._triggered()
        elif not self.body.do(what, c):
            assert any(other.do(what, c) for other in self.inner.beside)
        self._settle()
        return True

    def _triggered(self):
        handler = object.__new__(User)
        handler.__dict__.update(self.handler.__dict__)
        handler.begin(self.inner, self.log)
        if self.on_event == "beside":
            self.inner.beside.append(handler)
        else:
            self.inner.beside.clear()
            self.taken_over = handler


class Failing(Block):
    """A subprocess whose last task says whether it ends well or in an error, which its boundary event catches."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        sub, first, gate, well, bad, merge, catch = (draw.id(letter) for letter in "sngeegb")
        default = draw.id("d")
        self.body, self.user, self.handler = block(draw, depth + 1), User(draw, depth), User(draw, depth)
        error = f'<bpmn:errorEventDefinition errorRef="err_{sub}"/>'
        draw.errors.append(sub)
        inner = start(first) + self.body.xml + self.user.xml + xor(gate, default) + end(well) + end(bad, error)
        inner += chain(first, self.body.first) + chain(self.body.last, self.user.id, gate)
        inner += flow(gate, bad, f"v_{self.user.id} % 2 == 1") + flow(gate, well, id=default)
        self.xml = node("subProcess", sub, inner) + boundary(catch, sub, error) + self.handler.xml + xor(merge)
        self.xml += chain(sub, merge) + chain(catch, self.handler.id, merge)
        self.first, self.last = sub, merge

    def _begin(self):
        self.inner = Scope()
        self.now: Block = self.body
        self.body.begin(self.inner, self.log)
        self._go_on()

    def _go_on(self):
        if self.now is self.body and self.body.is_done:
            self.now = self.user
            self.user.begin(self.inner, self.log)
        elif self.now is self.user and self.user.is_done:
            self.is_done = all(other.is_done for other in self.inner.beside)
        elif self.now is self.handler:
            self.is_done = self.handler.is_done

    def open(self):
        return [] if self.is_done else self.now.open() + [item for other in self.inner.beside for item in other.open()]

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if self.now.do(what, c):
            if self.now is self.user and c % 2 == 1:
                self.inner.beside.clear()
                self.now = self.handler
                self.handler.begin(self.scope, self.log)
        else:
            assert any(other.do(what, c) for other in self.inner.beside)
        self._go_on()
        return True


class Interrupted(Block):
    """A user task or subprocess with an interrupting boundary event whose path merges behind it."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.host: Block = Inside(draw, depth, call=draw.random.random() < 0.3) if draw.random.random() < 0.6 else User(draw, depth)
        self.event, self.handler, merge = draw.id("b"), User(draw, depth), draw.id("g")
        self.xml = self.host.xml + boundary(self.event, self.host.first, draw.event(self.event)) + self.handler.xml + xor(merge)
        self.xml += flow(self.host.first, merge) + flow(self.event, self.handler.id) + flow(self.handler.id, merge)
        self.first, self.last = self.host.first, merge

    def _begin(self):
        self.interrupted = False
        self.host.begin(self.scope, self.log)
        self.is_done = self.host.is_done

    def open(self):
        if self.is_done:
            return []
        return self.handler.open() if self.interrupted else [*self.host.open(), ("event", self.prefix + self.event)]

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if self.interrupted:
            self.is_done = self.handler.do(what, c)
        elif what == ("event", self.prefix + self.event):
            self.interrupted = True
            self.handler.begin(self.scope, self.log)
        else:
            self.host.do(what, c)
            self.is_done = self.host.is_done
        return True


class Reminded(Block):
    """A user task with a non-interrupting boundary message; each message starts a task beside."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.user, self.event, self.handler = User(draw, depth), draw.id("b"), User(draw, depth)
        draw.messages.append(self.event)
        last = draw.id("e")
        self.xml = self.user.xml + boundary(self.event, self.user.id, message(f"msg_{self.event}"), interrupting=False)
        self.xml += self.handler.xml + end(last) + chain(self.event, self.handler.id, last)
        self.first = self.last = self.user.id

    def _begin(self):
        self.user.begin(self.scope, self.log)

    def open(self):
        return [] if self.is_done else [*self.user.open(), ("event", self.prefix + self.event)]

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if what[0] == "event":
            beside = object.__new__(User)
            beside.__dict__.update(self.handler.__dict__)
            beside.begin(self.scope, self.log)
            self.scope.beside.append(beside)
        else:
            self.is_done = self.user.do(what, c)
        return True


class FirstOf(Block):
    """An event-based gateway."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        gate, join = draw.id("g"), draw.id("g")
        self.events = [draw.id("c") for _ in range(2)]
        self.branches = [block(draw, depth + 1) for _ in range(2)]
        self.xml = node("eventBasedGateway", gate) + xor(join)
        for event, branch in zip(self.events, self.branches, strict=True):
            self.xml += node("intermediateCatchEvent", event, draw.event(event)) + branch.xml
            self.xml += chain(gate, event, branch.first) + flow(branch.last, join)
        self.first, self.last = gate, join

    def _begin(self):
        self.taken: Block | None = None

    def open(self):
        if self.is_done:
            return []
        return [("event", self.prefix + event) for event in self.events] if self.taken is None else self.taken.open()

    def do(self, what, c):
        if self.is_done or what not in self.open():
            return False
        if self.taken is None:
            self.taken = self.branches[[self.prefix + event for event in self.events].index(what[1])]
            self.taken.begin(self.scope, self.log)
        else:
            self.taken.do(what, c)
        self.is_done = self.taken.is_done
        return True


class Rounds(Block):
    """A multi-instance user task over three things."""

    def __init__(self, draw: Drawing, depth: int):
        super().__init__(draw)
        self.id, self.sequential = draw.id("r"), draw.random.random() < 0.5
        flag = "true" if self.sequential else "false"
        mark = f'<bpmn:multiInstanceLoopCharacteristics isSequential="{flag}"><bpmn:loopCardinality>3</bpmn:loopCardinality>'
        mark += f"<bpmn:loopDataOutputRef>out_{self.id}</bpmn:loopDataOutputRef></bpmn:multiInstanceLoopCharacteristics>"
        self.xml, self.first, self.last = user(self.id, mark), self.id, self.id

    def _begin(self):
        self.left = 3

    def open(self):
        return [("task", self.prefix + self.id)] * (min(1, self.left) if self.sequential else self.left)

    def do(self, what, c):
        if what not in self.open():
            return False
        self.left -= 1
        self.is_done = self.left == 0
        return True


SIMPLE: list[Callable[[Drawing, int], Block]] = [User, User, Script, Catch, Reminded, Rounds]
NESTED: list[Callable[[Drawing, int], Block]] = [
    Sequence,
    Sequence,
    Loop,
    FirstOf,
    Failing,
    Interrupted,
    lambda draw, depth: Branches(draw, depth, "xor"),
    lambda draw, depth: Branches(draw, depth, "and"),
    lambda draw, depth: Branches(draw, depth, "and"),
    lambda draw, depth: Branches(draw, depth, "or"),
    lambda draw, depth: Inside(draw, depth, call=False),
    lambda draw, depth: Inside(draw, depth, call=True),
]


def block(draw: Drawing, depth: int) -> Block:
    """A random block, simpler the deeper it is."""
    return draw.random.choice(SIMPLE if depth >= 3 else SIMPLE + NESTED * 2)(draw, depth)


class Truth:
    """A random process and its meaning."""

    def __init__(self, seed: int):
        self.draw = Drawing(seed)
        self.body = Inside(self.draw, -1, call=False, kind=Sequence)
        shape = start() + self.body.xml + end() + chain("start", self.body.id, "end")
        self.xml = wrap(shape, self.draw.extra())
        self.log: list[str] = []
        self.scope = Scope()
        self.body.begin(self.scope, self.log)

    def open(self) -> list[tuple[str, str]]:
        return sorted(self.body.open())

    def do(self, what: tuple[str, str], c: int) -> None:
        assert self.body.do(what, c), what

    @property
    def is_done(self) -> bool:
        return self.body.is_done
