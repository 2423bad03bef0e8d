"""Roads, stage moves and who sees which process."""

import pytest

from portal.registry import SubjectRef
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, flow, lane, user
from tests.workflows.test_tasks import task_of
from workflows import events, selectors, services
from workflows.models import HumanTask


def test_a_stage_move_is_a_task_with_an_action(cast, order, acme):
    ref = SubjectRef("portal.organisation", acme)
    instance = services.start_process(cast.erin, "order", subject=ref, customer_organisation_id=acme)
    moves = {m.stage: m for m in selectors.stage_moves(cast.erin, ref)}
    assert (moves["proposal"].allowed, moves["proposal"].task_id) == (True, task_of(instance).pk)
    assert moves["proposal"].needs_form and not moves["delivery"].allowed and "Check the order" in moves["delivery"].why_not
    assert not {m.stage: m for m in selectors.stage_moves(cast.dan, ref)}["proposal"].allowed
    services.complete_task(cast.erin, task_of(instance).pk, {"amount": 1})
    moves = {m.stage: m for m in selectors.stage_moves(cast.erin, ref)}
    assert not moves["delivery"].allowed and "Acme Bikes" in moves["delivery"].why_not
    theirs = {m.stage: m for m in selectors.stage_moves(cast.cara, ref)}
    assert (theirs["delivery"].allowed, theirs["delivery"].action) == (True, "accept")
    assert (theirs["qualification"].allowed, theirs["qualification"].action) == (True, "change")
    assert selectors.stage_moves(cast.bea, ref) == []


def test_stages_are_told_in_order(cast, order, acme):
    from portal.events import _handlers, on

    told = []
    on(events.StageEntered)(handler := lambda event: told.append((event.previous, event.stage)))
    try:
        instance = services.start_process(cast.erin, "order", customer_organisation_id=acme)
        services.complete_task(cast.erin, task_of(instance).pk, {"amount": 1})
        services.complete_task(cast.cara, task_of(instance).pk, {"reason": "dear"}, action="change")
        services.complete_task(cast.erin, task_of(instance).pk, {"amount": 1})
        services.complete_task(cast.cara, task_of(instance).pk, {}, action="accept")
    finally:
        _handlers[events.StageEntered].remove(handler)
    assert told == [
        ("", "qualification"),
        ("qualification", "proposal"),
        ("proposal", "qualification"),
        ("qualification", "proposal"),
        ("proposal", "delivery"),
    ]


JOINT = diagram(
    "joint",
    ENDS
    + user("check", 'tandem:publicLabel="We check"', "", "Secret check of the margin")
    + user("plan", 'tandem:partnerLabel="Your part is planned"', "", "Plan without the customer's knowledge")
    + user("build", 'tandem:partnerLabel="You build" tandem:publicLabel="It is built"', "", "Build")
    + user("take", 'tandem:publicLabel="You take it"', "", "Take over")
    + chain("start", "check", "plan", "build", "take", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "check", "plan", "end")
    + lane("Partner", "partner", "", "build")
    + lane("Customer", "customer", "", "take"),
)


@pytest.fixture
def joint(cast, acme):
    services.deploy(SYSTEM, JOINT)
    pine = cast.organisations["Pine Partners (demo)"].pk
    return services.start_process(SYSTEM, "joint", customer_organisation_id=acme, partner_organisation_id=pine, title="Secret title")


def steps(actor, instance):
    road = selectors.road_for(actor, instance)
    return [(s.label, s.state, s.waits_on) for s in road.steps] if road else None


def test_each_audience_reads_its_own_words(cast, joint):
    assert steps(cast.cara, joint) == [("We check", "now", "us"), ("It is built", "next", ""), ("You take it", "next", "")]
    assert steps(cast.paul, joint) == [
        ("We are working on it", "now", "us"),
        ("Your part is planned", "next", ""),
        ("You build", "next", ""),
    ]
    services.complete_task(SYSTEM, task_of(joint).pk, {})
    # the plan is nothing for the customer: their road stays at our last public step
    assert steps(cast.cara, joint)[0] == ("We check", "now", "us")
    assert steps(cast.paul, joint)[0] == ("Your part is planned", "now", "us")
    services.complete_task(SYSTEM, task_of(joint).pk, {})
    assert steps(cast.cara, joint)[:2] == [("We check", "done", ""), ("It is built", "now", "our partner")]
    assert steps(cast.paul, joint)[1] == ("You build", "now", "Pine Partners (demo)")
    for stranger in (cast.bea, cast.quinn):
        assert steps(stranger, joint) is None
    everything = str([steps(cast.cara, joint), steps(cast.paul, joint), selectors.tasks_for(cast.paul).rows])
    assert "Secret" not in everything and "knowledge" not in everything


def test_an_outsiders_step_waits_for_an_organisation(cast, acme):
    """A step whose organisation is found later goes to nobody before, and to them at once then."""
    services.deploy(SYSTEM, JOINT)
    instance = services.start_process(SYSTEM, "joint", customer_organisation_id=acme)
    services.complete_task(SYSTEM, task_of(instance).pk, {})
    services.complete_task(SYSTEM, task_of(instance).pk, {})
    build = task_of(instance)
    assert build.organisation_id is None and not selectors.tasks_for(cast.paul).rows
    services.set_instance_organisations(instance, partner=cast.organisations["Pine Partners (demo)"].pk)
    assert [row.id for row in selectors.tasks_for(cast.paul).rows] == [build.pk]
    assert not selectors.tasks_for(cast.quinn).rows


def test_bulk_start_is_bounded_exact_and_quick(cast, order, acme, django_assert_max_num_queries):
    starts = [services.ProcessStart(data={"n": n}, idempotency_key=f"row-{n}", customer_organisation_id=acme) for n in range(120)]
    seen = []
    with django_assert_max_num_queries(60):
        result = services.start_processes(cast.erin, "order", starts, progress=seen.append)
    assert (len(set(result.instance_ids)), result.failed, seen) == (120, [], [50, 100, 120])
    again = services.start_processes(cast.erin, "order", starts)
    assert again.instance_ids == result.instance_ids and again.repeated == 120
    assert HumanTask.objects.filter(status="open").count() == 120


def test_parallel_branches_of_one_stage_enter_it_once(cast):
    xml = diagram(
        "both",
        ENDS
        + '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
        + user("a", 'tandem:stage="delivery"')
        + user("b", 'tandem:stage="delivery"')
        + chain("start", "fork")
        + flow("fork", "a")
        + flow("fork", "b")
        + flow("a", "join")
        + flow("b", "join")
        + chain("join", "end"),
    )
    services.deploy(SYSTEM, xml)
    instance = services.start_process(SYSTEM, "both")
    for task in HumanTask.objects.filter(instance_id=instance):
        services.complete_task(cast.erin, task.pk, {})
    assert services.start_process(SYSTEM, "both") != instance
