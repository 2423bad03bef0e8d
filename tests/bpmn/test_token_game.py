"""Unstructured random graphs against a token game: tokens on flows, gateways that move them, nothing of the engine in it.

Every loop goes through a user task; joins may come early, late, several times or never, which is where engines differ.
"""

import os
import random
from collections import Counter

import pytest

from bpmn import engine
from bpmn.parser import parse
from tests.bpmn.build import NOW, flow, node, start, user, wrap

QUICK, CHUNK, STEPS, MOST = 300, 50, 30, 40
ROUNDS = int(os.environ.get("ROUNDS", "0"))
KINDS = ["task", "task", "task", "and", "and", "xor", "or"]


class Game:
    """A graph and the tokens on it. Inclusive gateways have one way in: where they join is the block oracle's part."""

    def __init__(self, seed: int):
        pick = random.Random(seed)
        count = pick.randint(4, 10)
        self.kinds = ["task", *(pick.choice(KINDS) for _ in range(count - 1))]
        self.flows: list[tuple[int, int]] = []
        for to in range(1, count):
            self.flows.append((pick.randrange(to), to))
        for _ in range(pick.randint(1, count)):
            a, b = pick.randrange(count), pick.randrange(1, count)
            back = b <= a
            if self.kinds[b] != "or" and (a, b) not in self.flows and (not back or self.kinds[b] == "task"):
                self.flows.append((a, b))
        for at, kind in enumerate(self.kinds):
            if kind != "task" and not self.ways(at):
                self.kinds[at] = "task"
        self.tokens: Counter[tuple[int, int]] = Counter({(-1, 0): 1})
        self.open: Counter[int] = Counter()
        self.run(0)

    def ways(self, at: int) -> list[tuple[int, int]]:
        return [way for way in self.flows if way[0] == at]

    def into(self, at: int) -> list[tuple[int, int]]:
        return [way for way in [(-1, 0), *self.flows] if way[1] == at]

    def holds(self, number: int, v: int) -> bool:
        return v % (number + 2) == 0

    def taken(self, at: int, v: int) -> list[tuple[int, int]]:
        ways = self.ways(at)
        if self.kinds[at] in ("and", "task") or len(ways) == 1:
            return ways
        held = [way for number, way in enumerate(ways[:-1]) if self.holds(number, v)]
        return (held[:1] if self.kinds[at] == "xor" else held) or [ways[-1]]

    def run(self, v: int) -> None:
        """Move tokens until only tasks, and joins that wait, hold any."""
        moved = True
        while moved:
            moved = False
            for at, kind in enumerate(self.kinds):
                ways = self.into(at)
                while all(self.tokens[way] for way in ways) if kind == "and" else any(self.tokens[way] for way in ways):
                    for way in ways if kind == "and" else [next(way for way in ways if self.tokens[way])]:
                        self.tokens[way] -= 1
                    if kind == "task":
                        self.open[at] += 1
                    else:
                        self.tokens.update(self.taken(at, v))
                    moved = True

    def complete(self, at: int, v: int) -> None:
        self.open[at] -= 1
        self.tokens.update(self.ways(at))
        self.run(v)

    def xml(self) -> bytes:
        shapes, lines = start(), flow("start", "n0")
        for at, kind in enumerate(self.kinds):
            ways = self.ways(at)
            chooses = kind in ("xor", "or") and len(ways) > 1
            gateway = {"and": "parallelGateway", "xor": "exclusiveGateway", "or": "inclusiveGateway"}.get(kind, "")
            shapes += user(f"n{at}") if kind == "task" else node(gateway, f"n{at}", **({"default": f"d{at}"} if chooses else {}))
            for number, way in enumerate(ways):
                last = number == len(ways) - 1
                condition = f"v % {number + 2} == 0" if chooses and not last else ""
                lines += flow(f"n{at}", f"n{way[1]}", condition, id=f"d{at}" if chooses and last else None)
        return wrap(shapes + lines)


def play(seed):
    game, pick = Game(seed), random.Random(seed + 1)
    definition = parse(game.xml())
    out = engine.start(definition, {"v": 0}, host=None, now=NOW)
    for step in range(STEPS):
        where = f"seed {seed}, step {step}"
        tasks = [task.element_id for task in out.user_tasks]
        assert Counter(tasks) == Counter({f"n{at}": n for at, n in game.open.items() if n}), where
        left = sum(game.tokens.values())
        if not tasks:
            assert out.status == ("running" if left else "completed"), where
            assert ([i.code for i in out.incidents] == ["deadlock"]) == bool(left), where
            return
        assert out.status == "running" and not out.incidents, where
        if len(tasks) + left > MOST:
            return
        task, v = pick.choice(sorted(out.user_tasks, key=lambda task: task.element_id)), pick.randint(0, 11)
        game.complete(int(task.element_id[1:]), v)
        out = engine.complete(definition, out.state, task.id, {"v": v}, host=None, now=NOW)
        assert not out.more, where


@pytest.mark.parametrize("first", range(0, QUICK, CHUNK))
def test_the_engine_plays_the_token_game(first):
    for seed in range(first, first + CHUNK):
        play(seed)


@pytest.mark.fuzz
@pytest.mark.skipif(not ROUNDS, reason="thousands of graphs: make fuzz")
def test_thousands_of_graphs():
    for seed in range(QUICK, QUICK + ROUNDS):
        play(seed)
