"""Doing steps: who may, what is checked, what happens twice."""

from decimal import Decimal

import pytest

from portal.errors import Conflict, NotAllowed
from portal.events import bulk
from workflows import selectors, services
from workflows.errors import FormRefused, NotFound
from workflows.models import HistoryEvent, HumanTask, ProcessInstance


def task_of(instance_id: int) -> HumanTask:
    return HumanTask.objects.get(instance_id=instance_id, status="open")


def test_an_order_goes_from_sales_to_the_customer_to_delivery(cast, started, acme):
    check = task_of(started)
    assert (check.role, check.audience, check.due is not None) == ("sales", "internal", True)
    result = services.complete_task(cast.erin, check.pk, {"amount": "1200.50", "note": " fine "})
    assert result.next_task_id is None
    decide = task_of(started)
    assert decide.organisation_id == acme
    services.complete_task(cast.cara, decide.pk, {}, action="accept")
    services.complete_task(cast.dan, task_of(started).pk, {})
    instance = ProcessInstance.objects.get(pk=started)
    assert instance.status == "completed"
    assert instance.data["note"] == "fine"
    assert Decimal(instance.data["amount"]) == Decimal("1200.50")
    human = (
        HistoryEvent.objects.filter(instance_id=started, kind="userTask").order_by("pk").values_list("element_id", "actor_name", "action")
    )
    assert list(human) == [("check", "Erin Employee", ""), ("decide", "Cara Customer", "accept"), ("deliver", "Dan Delivery", "")]


def test_doing_it_twice(cast, started):
    check = task_of(started)
    first = services.complete_task(cast.erin, check.pk, {"amount": 5}, idempotency_key="once")
    again = services.complete_task(cast.erin, check.pk, {"amount": 5}, idempotency_key="once")
    assert not first.repeated and again.repeated
    with pytest.raises(Conflict, match="Erin Employee was faster"):
        services.complete_task(cast.mona, check.pk, {"amount": 5}, idempotency_key="other")
    assert HumanTask.objects.filter(instance_id=started).count() == 2


@pytest.mark.parametrize("name", ["bea", "paul", "quinn", "cara"])
def test_a_task_of_others_isnt_there(cast, started, name):
    with pytest.raises(NotFound):
        services.complete_task(getattr(cast, name), task_of(started).pk, {"amount": 5})


def test_the_customers_step_is_only_theirs(cast, started):
    services.complete_task(cast.erin, task_of(started).pk, {"amount": 5})
    decide = task_of(started)
    with pytest.raises(NotFound):
        services.complete_task(cast.bea, decide.pk, {}, action="accept")
    with pytest.raises(NotFound):
        services.complete_task(cast.erin, decide.pk, {}, action="accept")
    with pytest.raises(NotAllowed):
        services.complete_task(cast.mona, decide.pk, {}, action="accept")
    assert services.complete_task(cast.colin, decide.pk, {}, action="accept").message


@pytest.mark.parametrize(
    ("data", "action", "field"),
    [({}, "", "amount"), ({"amount": "x"}, "", "amount"), ({"amount": "-1"}, "", "amount"), ({"amount": "1e400"}, "", "amount")],
)
def test_mistakes_in_the_form_change_nothing(cast, started, data, action, field):
    with pytest.raises(FormRefused) as refused:
        services.complete_task(cast.erin, task_of(started).pk, data, action=action)
    assert field in refused.value.errors
    assert task_of(started).element_id == "check"


def test_undeclared_fields_never_reach_the_process(cast, started):
    services.complete_task(cast.erin, task_of(started).pk, {"amount": 5, "four_eyes": [1], "action": "accept", "evil": 1})
    data = ProcessInstance.objects.get(pk=started).data
    assert "evil" not in data and data["four_eyes"] == [] and data["action"] == ""


def test_an_action_may_need_a_reason(cast, started):
    services.complete_task(cast.erin, task_of(started).pk, {"amount": 5})
    decide = task_of(started)
    with pytest.raises(FormRefused):
        services.complete_task(cast.cara, decide.pk, {}, action="change")
    with pytest.raises(FormRefused):
        services.complete_task(cast.cara, decide.pk, {"reason": "x"}, action="steal")
    services.complete_task(cast.cara, decide.pk, {"reason": "Too dear", "amount": 1}, action="change")
    assert task_of(started).element_id == "check"
    assert HistoryEvent.objects.get(instance_id=started, element_id="decide").reason == "Too dear"
    assert ProcessInstance.objects.get(pk=started).data["amount"] in (5, "5")


def test_claim_release_delegate(cast, started):
    check = task_of(started)
    services.claim_task(cast.erin, check.pk)
    services.claim_task(cast.erin, check.pk)
    with pytest.raises(Conflict):
        services.claim_task(cast.mona, check.pk)
    with pytest.raises(NotAllowed):
        services.complete_task(cast.mona, check.pk, {"amount": 1})
    services.release_task(cast.erin, check.pk)
    services.delegate_task(cast.erin, check.pk, cast.dan.user_id, "please")
    [row] = selectors.tasks_for(cast.dan, selectors.InboxFilter(box="mine")).rows
    assert (row.delegated_by, row.note) == ("Erin Employee", "please")
    [theirs] = selectors.tasks_for(cast.erin, selectors.InboxFilter(box="delegated")).rows
    assert theirs.assignee_name == "Dan Delivery"
    services.complete_task(cast.dan, check.pk, {"amount": 1})


def test_the_road_in_each_readers_words(cast, started):
    services.complete_task(cast.erin, task_of(started).pk, {"amount": 5})
    road = selectors.road_for(cast.cara, started)
    assert [(s.label, s.state, s.mine) for s in road.steps] == [("We check your order", "done", False), ("You decide", "now", True)]
    assert selectors.road_for(cast.bea, started) is None
    assert selectors.road_for(cast.paul, started) is None
    inside = selectors.road_for(cast.mona, started)
    assert [(s.label, s.state) for s in inside.steps] == [
        ("Check the order", "done"),
        ("Decide on the order", "now"),
        ("Deliver", "next"),
    ]
    assert inside.steps[1].waits_on == "Acme Bikes (demo)"


def test_completing_takes_few_statements(cast, started, django_assert_max_num_queries):
    check = task_of(started)
    erin = cast.erin
    # Seven of the step itself; the others are of the packages that follow steps. Stories and bells are the feed's to pay for.
    with bulk(), django_assert_max_num_queries(16) as captured:
        services.complete_task(erin, check.pk, {"amount": 5})
    statements = [q["sql"] for q in captured.captured_queries if "SAVEPOINT" not in q["sql"]]
    assert len(statements) <= 12, "\n".join(statements)
