"""A decision model: its decisions, inputs, knowledge and services, and what each of them requires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bpmn.dmn.boxed import Box
from bpmn.dmn.errors import DmnError
from bpmn.dmn.lexer import Names
from bpmn.dmn.types import Types


@dataclass(frozen=True, slots=True)
class InputData:
    id: str
    name: str
    type_name: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    id: str
    name: str
    variable: str
    """The name that other decisions read the result by."""
    type_name: str | None
    requires: tuple[str, ...]
    """Ids of required inputs, decisions, knowledge models and services."""
    logic: Box | None
    outputs: tuple[str, ...] = ()
    """The names of the output columns, where the logic is a table."""

    @property
    def place(self) -> str:
        return f"decision “{self.name}”"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A business knowledge model: a function."""

    id: str
    name: str
    type_name: str | None
    parameters: tuple[tuple[str, str | None], ...]
    requires: tuple[str, ...]
    logic: Box


@dataclass(frozen=True, slots=True)
class Service:
    """A decision service: decisions behind one door, callable as a function."""

    id: str
    name: str
    type_name: str | None
    outputs: tuple[str, ...]
    inside: tuple[str, ...]
    input_decisions: tuple[str, ...]
    input_data: tuple[str, ...]


Element = InputData | Decision | Knowledge | Service


@dataclass(frozen=True, slots=True)
class DecisionModel:
    id: str
    name: str
    namespace: str
    types: Types
    names: Names
    """Names of several words, which expressions are read with."""
    elements: dict[str, Element] = field(default_factory=dict)

    def _all(self, kind: type) -> Iterator[Any]:
        return (element for element in self.elements.values() if isinstance(element, kind))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self._all(Decision))

    @property
    def inputs(self) -> tuple[InputData, ...]:
        return tuple(self._all(InputData))

    @property
    def services(self) -> tuple[Service, ...]:
        return tuple(self._all(Service))

    @property
    def knowledge(self) -> tuple[Knowledge, ...]:
        return tuple(self._all(Knowledge))

    def find(self, key: str) -> Decision | Service:
        """A decision or a decision service by id, else by name."""
        element = self.elements.get(key)
        if isinstance(element, (Decision, Service)):
            return element
        wanted = " ".join(key.split())
        candidates: list[Decision | Service] = [*self.decisions, *self.services]
        for candidate in candidates:
            if candidate.name == wanted:
                return candidate
        known = ", ".join(decision.name for decision in self.decisions[:8])
        raise DmnError(f"decision “{key}”", f"the model has no such decision; it has {known or 'none'}")

    def in_order(self, keys: Iterable[str], known: Iterable[str] = ()) -> list[Decision]:
        """The decisions that these need, and these, each after what it requires; those known already are left out."""
        order: list[Decision] = []
        done = set(known)
        open_: set[str] = set()
        waiting = [(key, False) for key in reversed(list(keys))]
        while waiting:
            key, ready = waiting.pop()
            decision = self.elements.get(key)
            if ready:
                open_.discard(key)
                done.add(key)
                order.append(decision)  # type: ignore[arg-type]
                continue
            if key in done or not isinstance(decision, Decision):
                continue
            if key in open_:
                raise DmnError(decision.place, "it requires itself, directly or through others")
            open_.add(key)
            waiting.append((key, True))
            for required in reversed(decision.requires):
                if required in open_ and isinstance(self.elements.get(required), Decision):
                    raise DmnError(decision.place, "it requires itself, directly or through others")
                waiting.append((required, False))
        return order
