"""Decision tables: which rules match, and what the hit policy makes of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bpmn.dmn.boxed import Box, CellTests, Expression, typed
from bpmn.dmn.errors import DmnError, Undefined
from bpmn.dmn.run import Run, Scope
from bpmn.dmn.types import admit
from bpmn.dmn.values import NUMBERS, equal, kind, to_python

HIT_POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
AGGREGATORS = ("", "SUM", "MIN", "MAX", "COUNT")
LISTS = ("COLLECT", "RULE ORDER", "OUTPUT ORDER")


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A rule that matched, for the explanation of a decision."""

    rule_id: str
    index: int
    """Counted from 1, as the table is drawn."""
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    annotation: str
    table: str = ""


@dataclass(frozen=True, slots=True)
class InputClause:
    label: str
    expression: Expression
    type_name: str | None
    allowed: CellTests | None


@dataclass(frozen=True, slots=True)
class OutputClause:
    name: str
    type_name: str | None
    allowed: CellTests | None
    order: tuple[CellTests, ...]
    """The output values one by one, first the most important."""
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    index: int
    tests: tuple[CellTests, ...]
    outputs: tuple[Box, ...]
    annotation: str


@dataclass(frozen=True, slots=True)
class Hit:
    rule: Rule
    outputs: tuple[Any, ...]


class Table(Box):
    """A decision table."""

    def __init__(
        self,
        place: str,
        policy: str,
        aggregation: str,
        inputs: Sequence[InputClause],
        outputs: Sequence[OutputClause],
        rules: Sequence[Rule],
        type_name: str | None = None,
    ) -> None:
        super().__init__(place, [clause.expression for clause in inputs])
        self.policy, self.aggregation, self.type_name = policy, aggregation, type_name
        self.inputs, self.outputs, self.rules = tuple(inputs), tuple(outputs), tuple(rules)
        self.depth += 8
        if policy not in HIT_POLICIES:
            raise DmnError(place, f"there is no hit policy {policy}")
        if aggregation not in AGGREGATORS or (aggregation and policy != "COLLECT"):
            raise DmnError(place, f"the hit policy {policy} has no aggregator {aggregation}")
        if aggregation and len(self.outputs) != 1:
            raise DmnError(place, f"the aggregator {aggregation} needs exactly one output column, here are {len(self.outputs)}")
        if not self.outputs:
            raise DmnError(place, "the table has no output column")

    def ev(self, scope: Scope) -> Any:
        run = scope.run
        values = [self.input_value(clause, scope) for clause in self.inputs]
        hits: list[Hit] = []
        for rule in self.rules:
            run.tick()
            if all(test.matches(value, scope) for test, value in zip(rule.tests, values, strict=True)):
                hits.append(Hit(rule, tuple(self.output_value(rule, place, scope) for place in range(len(self.outputs)))))
                if self.policy == "FIRST":
                    break
        chosen = self.choose(hits, scope)
        run.matched += [self.explain(hit, values) for hit in chosen]
        return self.fit(self.result(chosen, scope), run)

    def fit(self, value: Any, run: Run) -> Any:
        """The result as the type that the table declares; where the table gives a list, that of a single result may stand for its items."""
        wanted = run.types.named(self.type_name)
        if wanted is not None and wanted.shape != "list" and self.policy in LISTS and not self.aggregation:
            return [typed(item, self.type_name, run, self.place) for item in value]
        return typed(value, self.type_name, run, self.place)

    def input_value(self, clause: InputClause, scope: Scope) -> Any:
        run = scope.run
        value = clause.expression.ev(scope)
        wanted = run.types.named(clause.type_name)
        try:
            if wanted is not None and wanted.shape != "any" and value is not None:
                value = admit(value, wanted, run)
        except Undefined as problem:
            raise DmnError(clause.expression.place, str(problem)) from None
        if value is not None and clause.allowed is not None and not clause.allowed.matches(value, scope):
            with run.at(clause.expression.place):
                run.note(f"{to_python(value)!s:.60} is not among the input values {clause.allowed.text}; it counts as null")
            return None
        return value

    def output_value(self, rule: Rule, place: int, scope: Scope) -> Any:
        clause, cell = self.outputs[place], rule.outputs[place]
        value = cell.ev(scope)
        wanted = scope.run.types.named(clause.type_name)
        if wanted is not None and wanted.shape == "simple":
            value = typed(value, clause.type_name, scope.run, cell.place)
        if value is not None and clause.allowed is not None and not clause.allowed.matches(value, scope):
            with scope.run.at(cell.place):
                scope.run.note(f"{to_python(value)!s:.60} is not among the output values {clause.allowed.text}; it counts as null")
            return None
        return value

    def choose(self, hits: list[Hit], scope: Scope) -> list[Hit]:
        """The hits that count, in the order that the policy wants."""
        if self.policy == "UNIQUE" and len(hits) > 1:
            raise DmnError(self.place, f"the hit policy is UNIQUE, but the {_rules(hits)} all match")
        if self.policy == "ANY":
            for hit in hits[1:]:
                if not all(equal(a, b) is True for a, b in zip(hits[0].outputs, hit.outputs, strict=True)):
                    raise DmnError(self.place, f"the hit policy is ANY, but the {_rules([hits[0], hit])} match with different outputs")
            return hits[:1]
        if self.policy in ("PRIORITY", "OUTPUT ORDER"):
            hits = sorted(hits, key=lambda hit: self.priority(hit, scope))
            return hits[:1] if self.policy == "PRIORITY" else hits
        return hits

    def priority(self, hit: Hit, scope: Scope) -> tuple[int, ...]:
        """Where the outputs stand in the lists of output values, column by column."""
        places = []
        for clause, value in zip(self.outputs, hit.outputs, strict=True):
            found = (place for place, test in enumerate(clause.order) if test.matches(value, scope))
            places.append(next(found, len(clause.order)))
        return tuple(places)

    def explain(self, hit: Hit, values: Sequence[Any]) -> MatchedRule:
        inputs = {clause.label: to_python(value) for clause, value in zip(self.inputs, values, strict=True)}
        outputs = {clause.name: to_python(value) for clause, value in zip(self.outputs, hit.outputs, strict=True)}
        return MatchedRule(hit.rule.id, hit.rule.index, inputs, outputs, hit.rule.annotation, self.place)

    def result(self, chosen: list[Hit], scope: Scope) -> Any:
        if not chosen and any(clause.default is not None for clause in self.outputs):
            default = self.shape([clause.default.ev(scope) if clause.default else None for clause in self.outputs])
            return [default] if self.policy in LISTS and not self.aggregation else default
        if self.aggregation:
            return self.aggregate([hit.outputs[0] for hit in chosen], scope.run)
        results = [self.shape(hit.outputs) for hit in chosen]
        if self.policy in LISTS:
            return results
        return results[0] if results else None

    def shape(self, outputs: Sequence[Any]) -> Any:
        """One output is the value itself, several are a context."""
        if len(self.outputs) == 1:
            return outputs[0]
        return {clause.name: value for clause, value in zip(self.outputs, outputs, strict=True)}

    def aggregate(self, values: list[Any], run: Run) -> Any:
        if self.aggregation == "COUNT":
            return Decimal(len(values))
        if not values:
            return None
        if not all(isinstance(value, Decimal) for value in values):
            wrong = next(kind(value) for value in values if not isinstance(value, Decimal))
            raise DmnError(self.place, f"{self.aggregation} needs numbers, but a matching rule gives {wrong}")
        if self.aggregation == "SUM":
            return functools.reduce(NUMBERS.add, values)
        return min(values) if self.aggregation == "MIN" else max(values)


def _rules(hits: Sequence[Hit]) -> str:
    return "rules " + ", ".join(str(hit.rule.index) for hit in hits[:-1]) + f" and {hits[-1].rule.index}"
