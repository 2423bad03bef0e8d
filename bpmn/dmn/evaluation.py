"""Evaluating a decision with all it requires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from bpmn.dmn.boxed import held, typed
from bpmn.dmn.control import FunctionNode, Iteration, declared, fitted, make_function
from bpmn.dmn.errors import DmnError, FeelSyntaxError, TooMuch, Undefined
from bpmn.dmn.functions import library
from bpmn.dmn.lexer import name_parts, normal_name
from bpmn.dmn.meter import metered
from bpmn.dmn.model import Decision, DecisionModel, Element, InputData, Knowledge, Service
from bpmn.dmn.nodes import ContextNode, Name, Node
from bpmn.dmn.parser import parse_expression, parse_tests
from bpmn.dmn.run import MAX_STEPS, Run, Scope
from bpmn.dmn.tables import MatchedRule
from bpmn.dmn.types import Types, admit
from bpmn.dmn.values import Function, from_python, to_python


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """One decision of the graph, as it was evaluated on the way."""

    decision_id: str
    name: str
    value: Any
    matched: tuple[MatchedRule, ...]


@dataclass(frozen=True, slots=True)
class DecisionResult:
    value: Any
    matched: tuple[MatchedRule, ...]
    """The rules that matched in the decision asked for."""
    steps: tuple[DecisionStep, ...] = ()
    """Every decision evaluated, the required ones first."""
    notes: tuple[str, ...] = ()
    """Why something became null on the way, each with its place."""


class Evaluation:
    """One evaluation of a model: what is given, what is known so far."""

    def __init__(self, model: DecisionModel, run: Run, given: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> None:
        self.model, self.run = model, run
        self.values: dict[str, Any] = dict(known or {})
        """By element id: inputs and decisions."""
        self.steps: list[DecisionStep] = []
        self.free: dict[str, Any] = dict(given)
        """Given values that no element of the model is named after; every decision sees them."""
        self.functions: dict[str, Function] = {}
        for element in model.elements.values():
            if element.id not in self.values and self.is_given(element):
                self.values[element.id] = self.accept(element, self.free.get(element.name, self.free.get(element.id)))
        for element in model.elements.values():
            self.free.pop(element.name, None)

    def is_given(self, element: Element) -> TypeGuard[InputData | Decision]:
        """Whether an element takes its value from outside: an input does, and a decision without logic, if there is one for it."""
        if isinstance(element, Decision):
            return element.logic is None and (element.name in self.free or element.id in self.free)
        return isinstance(element, InputData)

    def accept(self, element: InputData | Decision, value: Any) -> Any:
        """A value from outside as its element declares it."""
        wanted = self.run.types.named(element.type_name)
        try:
            return admit(value, wanted, self.run) if wanted is not None else value
        except Undefined as problem:
            raise DmnError(f"input “{element.name}”", str(problem)) from None

    def evaluate(self, keys: tuple[str, ...]) -> None:
        for decision in self.model.in_order(keys, self.values):
            before = len(self.run.matched)
            value = self.value_of(decision)
            self.values[decision.id] = value
            matched = tuple(self.run.matched[before:])
            self.steps.append(DecisionStep(decision.id, decision.name, to_python(value), matched))

    def value_of(self, decision: Decision) -> Any:
        if decision.logic is None:
            raise DmnError(decision.place, "it has no logic, so its value has to be given")
        scope = self.scope(decision.requires)
        with self.run.at(decision.place):
            return held(decision.logic, decision.type_name, scope, decision.place)

    def scope(self, requires: tuple[str, ...]) -> Scope:
        """What a decision sees: the free values, the columns of required tables, then what it requires by name."""
        columns: dict[str, Any] = {}
        names: dict[str, Any] = {}
        for key in requires:
            element = self.model.elements.get(key)
            if isinstance(element, Decision):
                value = self.values.get(key)
                names[element.variable] = value
                if len(element.outputs) == 1:
                    columns[element.outputs[0]] = value
                elif isinstance(value, dict):
                    columns |= {name: value.get(name) for name in element.outputs}
            elif isinstance(element, InputData):
                names[element.name] = self.values.get(key)
            elif isinstance(element, (Knowledge, Service)):
                names[element.name] = self.function(element)
        return Scope(self.run, {**self.free, **columns, **names})

    def function(self, element: Knowledge | Service) -> Function:
        if element.id not in self.functions:
            self.functions[element.id] = self.knowledge(element) if isinstance(element, Knowledge) else self.service(element)
        return self.functions[element.id]

    def knowledge(self, element: Knowledge) -> Function:
        names: dict[str, Any] = {}
        wanted = self.run.types.named(element.type_name)
        if wanted is not None and wanted.shape == "function":
            function = declared(make_function(element.name, element.parameters, element.logic, Scope(self.run, names)), wanted)
        else:
            function = make_function(element.name, element.parameters, element.logic, Scope(self.run, names), wanted)
        self.functions[element.id] = function
        names[element.name] = function
        for key in element.requires:
            required = self.model.elements.get(key)
            if isinstance(required, (Knowledge, Service)):
                names[required.name] = self.function(required)
        return function

    def service(self, element: Service) -> Function:
        keys = (*element.input_data, *element.input_decisions)
        names = tuple(getattr(self.model.elements[key], "variable", self.model.elements[key].name) for key in keys)

        def call(run: Run, arguments: list[Any] | dict[str, Any]) -> Any:
            given = arguments if isinstance(arguments, dict) else dict(zip(names, arguments, strict=False))
            if set(given) != set(names) or len(arguments) != len(names):
                run.note(f"{element.name}({', '.join(names)}) is called with other arguments")
                return None
            with run.deeper(60):
                return self.serve(element, given)

        return Function(element.name, names, call)

    def serve(self, element: Service, given: Mapping[str, Any]) -> Any:
        """The result of a decision service, where nothing from outside is seen but its inputs."""
        wanted = self.run.types.named(element.type_name)
        answer, parameters = (wanted.item, wanted.fields) if wanted is not None and wanted.shape == "function" else (wanted, {})
        known: dict[str, Any] = {}
        for key in (*element.input_data, *element.input_decisions):
            part = self.model.elements[key]
            name = getattr(part, "variable", part.name)
            value = fitted(given.get(name), parameters.get(name), self.run, f"{element.name}, “{name}”")
            known[key] = self.accept(part, value) if isinstance(part, InputData) else typed(value, part.type_name, self.run, part.name)  # type: ignore[union-attr]
        inner = Evaluation(self.model, self.run, self.free, known)
        inner.evaluate(element.outputs)
        self.steps += inner.steps
        results = {self.model.elements[key].name: inner.values.get(key) for key in element.outputs}
        value = next(iter(results.values())) if len(results) == 1 else results
        with self.run.at(f"decision service “{element.name}”"):
            return fitted(value, answer, self.run, "the result")


def evaluate(
    model: DecisionModel,
    decision: str,
    inputs: Mapping[str, Any],
    *,
    now: datetime | None = None,
    strict: bool = True,
    max_steps: int = MAX_STEPS,
) -> DecisionResult:
    """Evaluate a decision (by id or name) with its required decisions.

    `now` answers `now()` and `today()`; without it they are null. A name that nothing answers to raises DmnError, or is null with
    `strict=False`. Numbers come back as Decimal.
    """
    wanted = model.find(decision)
    place = wanted.place if isinstance(wanted, Decision) else f"decision service “{wanted.name}”"
    run = Run(model.types, names=model.names, now=now, strict=strict, steps=max_steps)
    with _guarded(run, place):
        given = {normal_name(str(name)): from_python(value, str(name)) for name, value in inputs.items()}
        run.names = _names(model, given)
        evaluation = Evaluation(model, run, given)
        if isinstance(wanted, Service):
            value = evaluation.serve(wanted, given)
        else:
            evaluation.evaluate((wanted.id,))
            value = evaluation.values[wanted.id]
        steps = tuple(evaluation.steps)
        matched = steps[-1].matched if steps else ()
        return DecisionResult(to_python(value), matched, steps, tuple(run.notes))


@contextmanager
def _guarded(run: Run, place: str) -> Iterator[None]:
    """Whatever goes wrong inside ends as a DmnError with a place."""
    try:
        with metered(run):
            yield
    except (FeelSyntaxError, Undefined, TooMuch) as problem:
        raise DmnError(place, str(problem)) from None
    except RecursionError:
        raise DmnError(place, "it is nested too deeply") from None


def _names(model: DecisionModel, given: Mapping[str, Any]) -> frozenset[str]:
    """The model's own set where it suffices (expressions are read with it already), else one with the given names too."""
    more = {name for name in given if name not in model.names and len(name_parts(name)) > 1}
    return model.names | more if more else model.names


def _context_names(context: Mapping[str, Any]) -> frozenset[str]:
    """Names of several words in a context and in the contexts inside it."""
    found: set[str] = set()
    waiting: list[Any] = [context]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            found |= {str(name) for name in value if len(name_parts(str(name))) > 1}
            waiting += value.values()
        elif isinstance(value, (list, tuple)):
            waiting += value[:50]
    return frozenset(found)


def feel(expression: str, context: Mapping[str, Any] | None = None, *, now: datetime | None = None, strict: bool = True) -> Any:
    """The value of one expression in a context."""
    return _alone(expression, context or {}, None, now, strict)


def check_feel(expression: str, names: Iterable[str] = ()) -> None:
    """Raise DmnError when a text isn't a FEEL expression. `names`: variables whose names have several words."""
    run = Run(Types(), names=_context_names(dict.fromkeys(names)))
    run.place = "FEEL"
    with _guarded(run, run.place):
        parse_expression(expression, run.names)


CLOCK = frozenset({"now", "today"})  # functions whose answer is the time's


def names_asked(expression: str) -> frozenset[str]:
    """The names that an expression, one that can be read, asks of its context: what it defines itself isn't among them, and of the library
    only the functions of the clock."""
    asked, own = set(), {"?", "item", "partial"}
    waiting: list[Any] = [parse_expression(expression)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (list, tuple)):
            waiting += node
        elif isinstance(node, Node):
            if isinstance(node, Name):
                asked.add(node.name)
            elif isinstance(node, Iteration):
                own.add(node.name)
            elif isinstance(node, FunctionNode):
                own |= {name for name, _kind in node.parameters}
            elif isinstance(node, ContextNode):
                own |= {key for key, _node in node.entries}
            waiting += [getattr(node, slot) for slot in type(node).__slots__]
    return frozenset(name for name in asked - own if name in CLOCK or library.get(name) is None)


def feel_test(tests: str, value: Any, context: Mapping[str, Any] | None = None, *, now: datetime | None = None) -> bool:
    """Whether a value passes the tests of a cell, such as `> 5, [1..3]` or `not("a")`."""
    return bool(_alone(tests, context or {}, [value], now, True))


def _alone(text: str, context: Mapping[str, Any], tested: list[Any] | None, now: datetime | None, strict: bool) -> Any:
    short = " ".join(text.split())
    run = Run(Types(), names=_context_names(context), now=now, strict=strict)
    run.place = f"“{short if len(short) <= 120 else short[:117] + '…'}”"
    with _guarded(run, run.place):
        scope = Scope(run, {normal_name(str(name)): from_python(value, str(name)) for name, value in context.items()})
        if tested is not None:
            return parse_tests(text, run.names).matches(from_python(tested[0]), scope)
        return to_python(parse_expression(text, run.names).ev(scope))
