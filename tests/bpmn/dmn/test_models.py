"""Models: requirements, knowledge, services, types and boxed expressions."""

from decimal import Decimal

import pytest

from bpmn.dmn import DmnError, evaluate, parse_decisions
from tests.bpmn.dmn.writing import data, decision, literal, model, table


def value(xml, name, inputs=None, **more):
    return evaluate(parse_decisions(xml), name, inputs or {}, **more).value


def test_a_graph_is_evaluated_in_order_and_each_decision_once():
    xml = model(
        data("Gross Income", "number"),
        decision("Net Income", literal("Gross Income * 0.8"), inputs=["Gross Income"], type_name="number"),
        decision("Left", literal("Net Income + 1"), decisions=["Net_Income"]),
        decision("Right", literal("Net Income + 2"), decisions=["Net_Income"]),
        decision("Both", literal("[Left, Right]"), decisions=["Left", "Right"]),
    )
    result = evaluate(parse_decisions(xml), "Both", {"Gross Income": 100})
    assert result.value == [81, 82]
    assert [step.name for step in result.steps] == ["Net Income", "Left", "Right", "Both"]


def test_a_decision_sees_only_what_it_requires():
    xml = model(data("a"), data("b"), decision("Sum", literal("a + b"), inputs=["a"]))
    with pytest.raises(DmnError, match="nothing is called “b”"):
        value(xml, "Sum", {"a": 1, "b": 2})
    assert value(xml, "Sum", {"a": 1, "b": 2}, strict=False) is None


def test_values_that_the_model_does_not_declare_are_seen_by_all():
    assert value(model(decision("Sum", literal("x + first name"))), "Sum", {"x": 1, "first name": 2}) == 3


def test_a_missing_input_is_null():
    assert value(model(data("a"), decision("N", literal("a = null"), inputs=["a"])), "N") is True


def test_requirements_in_a_circle_are_refused():
    with pytest.raises(DmnError, match="requires itself"):
        parse_decisions(model(decision("A", literal("B"), decisions=["B"]), decision("B", literal("A"), decisions=["A"])))
    with pytest.raises(DmnError, match="which the model does not have"):
        parse_decisions(model(decision("A", literal("1"), decisions=["Gone"])))


def test_an_unknown_decision_is_said():
    with pytest.raises(DmnError, match="no such decision; it has A"):
        value(model(decision("A", literal("1"))), "B")


def test_output_columns_are_names_for_those_who_require_the_table():
    """As editors write it that name the column and not the decision."""
    dish = '<decision id="dish" name="Dish">' + table("FIRST", [("season", "string")], (("desiredDish", "", ""),), [('"Fall"', '"Soup"')])
    xml = model(dish + "</decision>", decision("Menu", literal('desiredDish + "!"'), decisions=["dish"]))
    assert value(xml, "Menu", {"season": "Fall"}) == "Soup!"


KNOWLEDGE = (
    '<businessKnowledgeModel id="pmt" name="Monthly Payment"><variable name="Monthly Payment"/><encapsulatedLogic>'
    '<formalParameter name="sum" typeRef="number"/><formalParameter name="months" typeRef="number"/>'
    + literal("decimal(sum / months, 2)")
    + "</encapsulatedLogic></businessKnowledgeModel>"
)


def test_knowledge_is_called_by_name_and_by_invocation():
    call = literal("Monthly Payment(100, 3) + Monthly Payment(months: 2, sum: 10)")
    boxed = (
        "<invocation>" + literal("Monthly Payment") + f'<binding><parameter name="months"/>{literal("4")}</binding>'
        f'<binding><parameter name="sum"/>{literal("10")}</binding></invocation>'
    )
    xml = model(KNOWLEDGE, decision("Call", call, knowledge=["pmt"]), decision("Boxed", boxed, knowledge=["pmt"]))
    assert value(xml, "Call") == Decimal("38.33")
    assert value(xml, "Boxed") == Decimal("2.5")


def test_knowledge_may_be_a_table_and_call_itself():
    rows = table("UNIQUE", [("n", "number")], (("f", "", ""),), [("<= 1", "1"), ("> 1", "n * fact(n - 1)")])
    logic = f'<encapsulatedLogic><formalParameter name="n" typeRef="number"/>{rows}</encapsulatedLogic>'
    xml = model(
        f'<businessKnowledgeModel id="fact" name="fact">{logic}</businessKnowledgeModel>',
        decision("F", literal("fact(5)"), knowledge=["fact"]),
        decision("G", literal("fact(100000)"), knowledge=["fact"]),
    )
    assert value(xml, "F") == 120
    with pytest.raises(DmnError, match="too deeply"):
        value(xml, "G")


def test_a_decision_service_sees_its_inputs_only():
    service = (
        '<decisionService id="svc" name="Net"><outputDecision href="#Result"/><encapsulatedDecision href="#Tax"/>'
        '<inputData href="#in_gross"/></decisionService>'
    )
    xml = model(
        data("gross", "number"),
        decision("Tax", literal("gross / 5"), inputs=["gross"]),
        decision("Result", literal("gross - Tax"), inputs=["gross"], decisions=["Tax"]),
        service,
        decision("Use", literal("Net(50) + Net(gross: 100)"), knowledge=["svc"]),
    )
    assert value(xml, "Net", {"gross": 100}) == 80
    assert value(xml, "Use", {"gross": 1}) == 120


TYPES = (
    '<itemDefinition name="tStatus"><typeRef>string</typeRef><allowedValues><text>"NEW","OLD"</text></allowedValues></itemDefinition>'
    '<itemDefinition name="tLoan"><itemComponent name="sum"><typeRef>number</typeRef></itemComponent>'
    '<itemComponent name="start day"><typeRef>date</typeRef></itemComponent></itemDefinition>'
    '<itemDefinition name="tLoans" isCollection="true"><typeRef>tLoan</typeRef></itemDefinition>'
)


def test_inputs_are_checked_against_their_types():
    xml = model(
        TYPES,
        data("status", "tStatus"),
        data("loans", "tLoans"),
        decision("S", literal("status"), inputs=["status"]),
        decision("L", literal("loans.start day.year"), inputs=["loans"]),
    )
    assert value(xml, "S", {"status": "NEW"}) == "NEW"
    with pytest.raises(DmnError, match="not among the allowed values") as problem:
        value(xml, "S", {"status": "LOST"})
    assert problem.value.place == "input “status”"
    assert value(xml, "L", {"loans": [{"sum": 1, "start day": "2026-01-31"}]}) == [2026]
    with pytest.raises(DmnError, match="string where a number is needed"):
        value(xml, "L", {"loans": [{"sum": "1", "start day": "2026-01-31"}]})


def test_a_type_made_of_itself_is_refused():
    with pytest.raises(DmnError, match="made of itself"):
        parse_decisions(model('<itemDefinition name="a"><typeRef>a</typeRef></itemDefinition>'))


def test_a_result_of_another_type_is_null_and_one_item_is_a_list():
    one = model(
        decision("N", literal('"x"'), type_name="number"), TYPES, decision("L", literal("{sum: 1, start day: null}"), type_name="tLoans")
    )
    result = evaluate(parse_decisions(one), "N", {})
    assert result.value is None
    assert "string where a number is needed" in result.notes[0]
    assert value(one, "L") == [{"sum": 1, "start day": None}]


BOXES = {
    "context": (
        f'<context><contextEntry><variable name="a b"/>{literal("2")}</contextEntry>'
        f"<contextEntry>{literal('a b * 3')}</contextEntry></context>",
        6,
    ),
    "context whole": (
        f'<context><contextEntry><variable name="a"/>{literal("2")}</contextEntry>'
        f'<contextEntry><variable name="b"/>{literal("a + 1")}</contextEntry></context>',
        {"a": 2, "b": 3},
    ),
    "list": (f"<list>{literal('1')}{literal('2')}</list>", [1, 2]),
    "relation": (
        f'<relation><column name="x"/><column name="y"/><row>{literal("1")}{literal("2")}</row>'
        f"<row>{literal('3')}{literal('4')}</row></relation>",
        [{"x": 1, "y": 2}, {"x": 3, "y": 4}],
    ),
    "function": (
        f'<context><contextEntry><variable name="f"/><functionDefinition><formalParameter name="n"/>{literal("n * 2")}</functionDefinition>'
        f"</contextEntry><contextEntry>{literal('f(4)')}</contextEntry></context>",
        8,
    ),
    "conditional": (f"<conditional><if>{literal('1 > 2')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>", 2),
    "for": (f'<for iteratorVariable="i"><in>{literal("[1, 2]")}</in><return>{literal("i * i")}</return></for>', [1, 4]),
    "some": (f'<some iteratorVariable="i"><in>{literal("[1, 2]")}</in><satisfies>{literal("i > 1")}</satisfies></some>', True),
    "every": (f'<every iteratorVariable="i"><in>{literal("[1, 2]")}</in><satisfies>{literal("i > 1")}</satisfies></every>', False),
    "filter": (f"<filter><in>{literal('[1, 2, 3]')}</in><match>{literal('item > 1')}</match></filter>", [2, 3]),
}


@pytest.mark.parametrize("name", BOXES)
def test_boxed_expressions(name):
    logic, expected = BOXES[name]
    assert value(model(decision("B", logic)), "B") == expected


def test_what_is_not_feel_is_refused():
    script = '<literalExpression expressionLanguage="javascript"><text>1</text></literalExpression>'
    java = f'<encapsulatedLogic kind="Java">{literal("1")}</encapsulatedLogic>'
    java = f'<businessKnowledgeModel id="j" name="j">{java}</businessKnowledgeModel>'
    imported = '<import importType="https://www.omg.org/spec/DMN/20191111/MODEL/" namespace="x" name="y"/>'
    for element, word in ((decision("A", script), "javascript"), (java, "JAVA|Java"), (imported, "imports another model")):
        with pytest.raises(DmnError, match=word):
            parse_decisions(model(element))
