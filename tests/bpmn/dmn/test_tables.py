"""Decision tables: hit policies, aggregators, defaults, and what is said when a table is wrong."""

from decimal import Decimal

import pytest

from bpmn.dmn import DmnError, evaluate, parse_decisions
from tests.bpmn.dmn.writing import data, decision, model, table

AMOUNT = [("amount", "number")]
ROWS = [("> 10", '"big"'), ("> 5", '"middle"'), ("> 0", '"small"')]


def amount_table(policy, rules=ROWS, outputs=(("size", "", ""),), **more):
    return parse_decisions(
        model(data("amount", "number"), decision("Size", table(policy, AMOUNT, outputs, rules, **more), inputs=["amount"]))
    )


def ask(parsed, amount):
    return evaluate(parsed, "Size", {"amount": amount})


VALUES = (("size", '"small", "middle", "big"', ""),)


@pytest.mark.parametrize(
    ("policy", "outputs", "value", "rules"),
    [
        ("FIRST", (("size", "", ""),), "big", [1]),
        ("PRIORITY", VALUES, "small", [3]),
        ("RULE ORDER", (("size", "", ""),), ["big", "middle", "small"], [1, 2, 3]),
        ("OUTPUT ORDER", VALUES, ["small", "middle", "big"], [3, 2, 1]),
        ("COLLECT", (("size", "", ""),), ["big", "middle", "small"], [1, 2, 3]),
    ],
)
def test_hit_policies(policy, outputs, value, rules):
    result = ask(amount_table(policy, outputs=outputs), 20)
    assert result.value == value
    assert [rule.index for rule in result.matched] == rules


@pytest.mark.parametrize(("aggregation", "value", "none"), [("SUM", 6, None), ("MIN", 1, None), ("MAX", 3, None), ("COUNT", 3, 0)])
def test_aggregators(aggregation, value, none):
    parsed = amount_table("COLLECT", [("> 10", "3"), ("> 5", "2"), ("> 0", "1")], aggregation=aggregation)
    assert ask(parsed, 20).value == value
    assert ask(parsed, -1).value == none


def test_unique_takes_one_rule_and_refuses_two():
    parsed = amount_table("UNIQUE")
    assert ask(parsed, 3).value == "small"
    with pytest.raises(DmnError, match="UNIQUE, but the rules 1, 2 and 3 all match") as problem:
        ask(parsed, 20)
    assert problem.value.place == "decision “Size”"


def test_any_allows_equal_outputs_only():
    assert ask(amount_table("ANY", [("> 10", "1.0"), ("> 5", "1")]), 20).value == 1
    with pytest.raises(DmnError, match="ANY, but the rules 1 and 2"):
        ask(amount_table("ANY"), 20)


def test_no_rule_matches():
    assert ask(amount_table("UNIQUE"), -1).value is None
    assert ask(amount_table("COLLECT"), -1).value == []
    assert ask(amount_table("FIRST", outputs=(("size", "", '"none"'),)), -1).value == "none"
    assert ask(amount_table("FIRST"), -1).matched == ()


def test_several_outputs_are_a_context_and_the_match_is_explained():
    outputs = (("limit", "", "0"), ("approvers", "", '"manager"'))
    parsed = amount_table("FIRST", [("> 1000", "5", '"finance"'), ("-", "amount / 10", '"manager"')], outputs)
    result = ask(parsed, 55)
    assert result.value == {"limit": Decimal("5.5"), "approvers": "manager"}
    (rule,) = result.matched
    assert (rule.rule_id, rule.index, rule.annotation) == ("r2", 2, "note 2")
    assert rule.inputs == {"amount": 55}
    assert rule.outputs == result.value
    assert [step.name for step in result.steps] == ["Size"]


def test_values_outside_the_declared_lists_are_null_and_noted():
    rules = [('"a"', "1"), ("null", "2")]
    parsed = parse_decisions(
        model(data("kind"), decision("K", table("UNIQUE", [("kind", "string", '"a","b"')], (("n", "1", ""),), rules), inputs=["kind"]))
    )
    assert evaluate(parsed, "K", {"kind": "a"}).value == 1
    result = evaluate(parsed, "K", {"kind": "z"})
    assert result.value is None
    assert any("not among the input values" in note for note in result.notes)
    assert any("not among the output values" in note and "rule 2" in note for note in result.notes)


def test_an_input_of_another_type_is_refused_by_name():
    with pytest.raises(DmnError, match="string where a number is needed") as problem:
        ask(amount_table("FIRST"), "many")
    assert "“amount”" in problem.value.place


def test_dates_may_come_as_text():
    parsed = parse_decisions(
        model(decision("D", table("FIRST", [("day", "date")], (("r", "", ""),), [('>= date("2026-01-01")', "true"), ("-", "false")])))
    )
    assert evaluate(parsed, "D", {"day": "2026-05-01"}).value is True
    assert evaluate(parsed, "D", {"day": "2025-05-01"}).value is False
    with pytest.raises(DmnError, match="not a date"):
        evaluate(parsed, "D", {"day": "soon"})


@pytest.mark.parametrize(
    ("policy", "rules", "more", "word"),
    [
        ("SOMETIMES", ROWS, {}, "no hit policy SOMETIMES"),
        ("FIRST", ROWS, {"aggregation": "SUM"}, "no aggregator SUM"),
        ("COLLECT", ROWS, {"aggregation": "MEAN"}, "no aggregator MEAN"),
        ("FIRST", [("> > 1", "1")], {}, "“>” is not expected"),
        ("FIRST", [("1", "1 +")], {}, "ends too early"),
        ("FIRST", [("1",)], {}, "1 input and 0 output cells"),
    ],
)
def test_a_wrong_table_is_refused_when_read(policy, rules, more, word):
    with pytest.raises(DmnError, match=word) as problem:
        amount_table(policy, rules, **more)
    assert "decision “Size”" in problem.value.place


def test_a_mistake_names_the_cell_and_its_expression():
    with pytest.raises(DmnError) as problem:
        amount_table("FIRST", [("> 1", '"a"'), ("> > 2", '"b"')])
    assert problem.value.place == "decision “Size”, rule 2, input “amount”, “> > 2”"
    with pytest.raises(DmnError) as problem:
        ask(amount_table("FIRST", [("> limti", '"a"')]), 3)
    assert problem.value.place == "decision “Size”, rule 1, input “amount”, “> limti”"


def test_sums_need_numbers():
    with pytest.raises(DmnError, match="SUM needs numbers, but a matching rule gives string"):
        ask(amount_table("COLLECT", aggregation="SUM"), 20)
