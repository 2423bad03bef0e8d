"""FEEL wherever an expression may stand: conditions, timers, parameters; in Camunda 8's files too."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bpmn.scripts import ScriptError, UnknownName, check_expression, evaluate, truth, value_of
from bpmn.vendors import translate
from tests.bpmn.build import Instance, chain, flow, start, user, wrap, xor

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("feel: amount * 2", Decimal(10)),
        ('feel: if amount > 3 then "big" else "small"', "big"),
        ("feel: some x in items satisfies x > 3", True),
        ("feel: count(items) in [1..3]", True),
        ("feel: order.total", Decimal(7)),
        ('feel: duration("P1D")', timedelta(days=1)),
        ("feel: string length(name)", Decimal(4)),
        ('feel: now() > date and time("2026-01-01T00:00:00Z")', True),
    ],
)
def test_values(text, value):
    data = {"amount": 5, "items": [1, 5], "order": {"total": 7}, "name": "Acme", "now": NOW}
    check_expression(text)
    assert evaluate(text, data) == value
    assert value_of(f"= {text}", data) == value


@pytest.mark.parametrize("text", ["feel: 1 +", "feel: if a then", "feel:", "feel: a = = b", "feel: (((("])
def test_what_is_no_feel_is_refused_at_publishing(text):
    with pytest.raises(ScriptError):
        check_expression(text)


def test_a_condition_gives_true_or_false_and_nothing_else():
    assert truth("feel: not(paid)", {"paid": False}) is True
    for text, data in (("feel: 5", {}), ("feel: amount > 3", {"amount": None}), ("feel: null", {})):
        with pytest.raises(ScriptError, match="neither true nor false"):
            truth(text, data)


def test_an_unknown_name_is_told_as_in_python():
    with pytest.raises(UnknownName, match="missing"):
        evaluate("feel: missing > 3", {})


def test_variables_stay_as_they_are():
    data = {"items": [3, 1, 2]}
    assert evaluate("feel: sort(items, function(a, b) a < b)", data) == [1, 2, 3]
    assert data == {"items": [3, 1, 2]}


def test_no_feel_runs_for_long():
    with pytest.raises(ScriptError):
        evaluate("feel: count(for a in 1..1000, b in 1..1000, c in 1..1000 return a)", {})


@pytest.mark.parametrize(("amount", "chosen"), [(50, "small"), (5000, "large")])
@pytest.mark.parametrize("spelling", ["prefix", "language"])
def test_a_gateway_decides_by_feel(amount, chosen, spelling):
    body = (
        start() + xor("g", "no") + user("large") + user("small") + chain("start", "g") + flow("g", "small", id="no")
        + flow("g", "large", "feel: amount in [1000..9999]")
    )  # fmt: skip
    xml = wrap(body)
    if spelling == "language":
        feel = "http://www.omg.org/spec/FEEL/20140401"
        xml = xml.replace(b'xsi:type="bpmn:tFormalExpression">feel:', f'xsi:type="bpmn:tFormalExpression" language="{feel}">'.encode())
    assert [task.element_id for task in Instance(xml, {"amount": amount}).out.user_tasks] == [chosen]


def test_a_condition_that_gives_nothing_is_an_incident_and_no_way_is_taken():
    body = (
        start()
        + xor("g", "no")
        + user("a")
        + user("b")
        + chain("start", "g")
        + flow("g", "a", id="no")
        + flow("g", "b", "feel: amount > 3")
    )
    run = Instance(wrap(body), {"amount": None})
    assert not run.out.user_tasks and len(run.out.incidents) == 1


def test_a_timer_by_feel():
    body = start() + user("u", t_due='= feel: now() + duration("PT2H")') + chain("start", "u")
    [task] = Instance(wrap(body)).out.user_tasks
    assert task.due - task.entered == timedelta(hours=2)


def test_camunda_8_keeps_its_feel_where_it_is_more_than_simple():
    mark = "<bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements>"
    body = start() + xor("g", "no") + user("a") + user("b", mark) + chain("start", "g") + flow("g", "a", id="no")
    xml = wrap(body + flow("g", "b", "= some x in items satisfies x > 3"))
    xml = xml.replace(b' id="defs"', b' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="defs"')
    run = Instance(translate(xml).xml, {"items": [1, 5]})
    assert [task.element_id for task in run.out.user_tasks] == ["b"]
