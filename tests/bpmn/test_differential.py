"""Random processes, driven at random: the engine with save and load at every step, the engine kept in memory, and the oracle agree
on what is open, on the end, and the two engines on the whole history. A quarter is also stored and loaded after each step within a run.

`make fuzz` looks further (ROUNDS processes from BPMN_FUZZ_FIRST on); a failing seed is named in the message.
"""

import os
import random

import pytest

from bpmn import engine, stored
from bpmn.parser import parse
from tests.bpmn import model_more, model_undoing  # noqa: F401 - more blocks
from tests.bpmn.build import NOW
from tests.bpmn.model_of_truth import Truth

FIRST = int(os.environ.get("BPMN_FUZZ_FIRST", "0"))
ROUNDS = int(os.environ.get("ROUNDS", "0"))
CHUNK, QUICK, STEPS = 20, 400, 40


class Driver:
    """One way of keeping an instance between the steps."""

    bound: dict = {}

    def __init__(self, definition):
        self.definition, self.now = definition, NOW
        self.history = []
        self.out = self.call(engine.start, {"log": []})

    def call(self, function, *args):
        out = self.keep_history(function(self.definition, *args, host=None, now=self.now, **self.bound))
        while out.more:
            out = self.keep_history(engine.go_on(self.definition, out.state, host=None, now=self.now, **self.bound))
        return out

    def keep_history(self, out):
        self.history += [(r.element_id, r.kind, r.state, r.started, r.ended, r.data_delta, r.detail) for r in out.history]
        return out

    def open(self):
        tasks = [("task", task.element_id) for task in self.out.user_tasks]
        waits = [("event", wait.element_id) for wait in (*self.out.timers, *self.out.messages)]
        return sorted(tasks + waits)

    def do(self, what, c):
        kind, id_ = what
        if kind == "task":
            task = next(task for task in self.out.user_tasks if task.element_id == id_)
            answer = {f"v_{id_.split(':')[-1]}": c}
            element = self.definition.element(id_)
            if element.kind == "adHocSubProcess":
                answer["action"] = element.actions[c % len(element.actions)].id
            self.out = self.call(engine.complete, self.out.state, task.id, answer)
            return
        timer = next((wait for wait in self.out.timers if wait.element_id == id_), None)
        if timer is not None:
            self.now = max(self.now, timer.due)
            self.out = self.call(engine.fire_timer, self.out.state, timer.id)
        else:
            wait = next(wait for wait in self.out.messages if wait.element_id == id_)
            self.out = self.call(engine.deliver, self.out.state, wait.id, {"from": c})


class Bounded(Driver):
    """Stored and loaded after each single step of the engine, not just where it waits."""

    bound = {"max_steps": 1}


class InMemory(Driver):
    """The same instance object all along: what is stored is never read."""

    def __init__(self, definition):
        self.live = None
        super().__init__(definition)

    def call(self, function, *args):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "encode", lambda content: b"live")
            patch.setattr(engine, "decode", lambda state: {"status": self.out.status})
            patch.setattr(stored, "dump", self.keep)
            patch.setattr(stored, "restore", lambda definition, content: self.live)
            return super().call(function, *args)

    def keep(self, definition, workflow, status):
        self.live = workflow
        return {}


def agree(seed):
    truth = Truth(seed)
    definition = parse(truth.xml, called=truth.draw.called)
    drivers = [Driver(definition), InMemory(definition), *([Bounded(definition)] if seed % 4 == 0 else [])]
    choose = random.Random(seed * 7 + 1)
    for step in range(STEPS):
        expected = truth.open()
        for driver in drivers:
            where = f"seed {seed}, step {step}, {type(driver).__name__}"
            assert driver.out.incident is None, f"{where}: {driver.out.incident}"
            assert driver.open() == expected, where
            assert (driver.out.status == "completed") == truth.is_done, where
            assert sorted(driver.out.data["log"]) == sorted(truth.log) or truth.draw.called or not truth.draw.keeps_log, where
        assert drivers[0].history == drivers[1].history, f"seed {seed}, step {step}"
        if not expected:
            assert truth.is_done
            return
        what, c = choose.choice(sorted(set(expected))), choose.randint(0, 7)
        truth.do(what, c)
        for driver in drivers:
            driver.do(what, c)


@pytest.mark.parametrize("first", range(FIRST, FIRST + QUICK, CHUNK))
def test_store_memory_and_oracle_agree(first):
    for seed in range(first, first + CHUNK):
        agree(seed)


@pytest.mark.fuzz
@pytest.mark.skipif(not ROUNDS, reason="thousands of processes: make fuzz")
def test_thousands_agree():
    for seed in range(FIRST + QUICK, FIRST + QUICK + ROUNDS):
        agree(seed)
