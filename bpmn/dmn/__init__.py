"""Decisions in DMN with FEEL, without a database, a clock or the network.

model = parse_decisions(xml)
result = evaluate(model, "discount_limit", {"family": "GTX", "amount": 5000})
result.value, [rule.index for rule in result.matched]
feel("amount * 0.1", {"amount": 20})
"""

from bpmn.dmn.errors import DmnError, UnknownVariable
from bpmn.dmn.evaluation import CLOCK, DecisionResult, DecisionStep, check_feel, evaluate, feel, feel_test, names_asked
from bpmn.dmn.model import DecisionModel
from bpmn.dmn.reading import parse_decisions
from bpmn.dmn.tables import MatchedRule
from bpmn.dmn.values import YearsMonths

__all__ = [
    "CLOCK",
    "DecisionModel",
    "DecisionResult",
    "DecisionStep",
    "DmnError",
    "MatchedRule",
    "UnknownVariable",
    "YearsMonths",
    "check_feel",
    "evaluate",
    "feel",
    "feel_test",
    "names_asked",
    "parse_decisions",
]
