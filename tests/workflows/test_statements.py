"""How many statements a step takes; more of them is a decision, not an accident."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, user
from workflows import services
from workflows.models import HumanTask

STEPS = [f"t{number}" for number in range(30)]


def statements(act) -> list[str]:
    """What an act says to the database, the transaction's own words left out."""
    with CaptureQueriesContext(connection) as caught:
        act()
    words = [query["sql"] for query in caught]
    return [sql for sql in words if sql.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")]


def test_a_start_takes_seven_statements_and_a_step_five(cast):
    erin = cast.erin
    services.deploy(SYSTEM, diagram("row", ENDS + "".join(user(step) for step in STEPS) + chain("start", *STEPS, "end")))
    services.start_process(erin, "row")  # the definition is read once a process
    # definition · instance, task, history, instance again · the feed's story and its followers
    assert len(statements(lambda: services.start_process(erin, "row"))) == 7
    task = HumanTask.objects.filter(status="open").latest("pk").pk
    for _step in range(20):
        # lock · next task · task done, history, instance: the last three in one message on PostgreSQL
        assert len(statements(lambda task=task: services.complete_task(erin, task, {}))) == 5
        task = HumanTask.objects.filter(status="open").latest("pk").pk


def test_two_hundred_people_are_asked_in_a_handful_of_statements(cast):
    erin = cast.erin
    many = user("vote").replace(
        "</bpmn:userTask>",
        '<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality xsi:type="bpmn:tFormalExpression">200</bpmn:loopCardinality>'
        "</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>",
    )
    services.deploy(SYSTEM, diagram("many", ENDS + many + chain("start", "vote", "end")))
    services.start_process(erin, "many")
    assert len(statements(lambda: services.start_process(erin, "many"))) <= 14  # SQLite takes 999 values at once
