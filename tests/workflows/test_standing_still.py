"""Timers at the edge of a step stand still while a question about it is open, and come as much later with the answer."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from portal.errors import Refused
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from tests.workflows.test_crashes import HOUR, Crash, crash_everywhere, failing_commit, live  # noqa: F401  the fixture
from tests.workflows.test_crashes import Lost as Lost
from tests.workflows.test_exactness import together
from workflows import services
from workflows.models import HumanTask, ProcessInstance, Question, Timer
from workflows.services import timers
from workflows.services.calendars import save_calendar
from workflows.services.questions import answer_question, ask_question, withdraw_question

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = ["9:00–17:00"] * 5 + ["", ""]


def edge(key, kind, value, *, at="check", interrupting=False):
    """A timer at the edge of a step, and the step that comes of it."""
    form = {"date": "timeDate", "cycle": "timeCycle"}.get(kind, "timeDuration")
    stops = "" if interrupting else 'cancelActivity="false"'
    return (
        f'<bpmn:boundaryEvent id="{key}" attachedToRef="{at}" {stops}><bpmn:timerEventDefinition><bpmn:{form}>{value}</bpmn:{form}>'
        f"</bpmn:timerEventDefinition></bpmn:boundaryEvent>" + user(f"after_{key}") + chain(key, f"after_{key}", "end")
    )


EDGES = (
    edge("hours", "duration", "6 working hours")
    + edge("plain", "duration", "PT48H", interrupting=True)
    + edge("fixed", "date", "2026-03-04T09:00:00Z")
    + edge("often", "cycle", "R3/PT4H")
    + edge("nightly", "cycle", "0 20 * * *")
)
ASKED = diagram(
    "still",
    ENDS + user("check", 'tandem:questionsPause="true"', "", "Check it") + EDGES + chain("start", "check", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "check", "end"),
)


@pytest.fixture
def clock_hand():
    with time_machine.travel(MONDAY, tick=False) as hand:
        yield hand


@pytest.fixture
def office(clock_hand, cast):
    save_calendar(cast.adam, cast.organisations["Northwind Works (demo)"].pk, time_zone="UTC", country="", region="", hours=WEEK)
    services.deploy(SYSTEM, ASKED)
    cast.instance = services.start_process(cast.erin, "still")
    return cast


def dues():
    return dict(Timer.objects.values_list("element_id", "due"))


def ask(cast, who=None, element="check"):
    pk = HumanTask.objects.get(element_id=element, status="open").pk
    return ask_question(cast.erin, pk, (who or cast.dan).user_id, "internal", "Is it blue?")


def test_timers_stand_still_and_move_by_what_they_count(office, clock_hand):
    before = dues()
    assert before["hours"] == MONDAY + timedelta(hours=6) and before["often"] == MONDAY + timedelta(hours=4)
    clock_hand.move_to(MONDAY + timedelta(hours=2))
    first, second = ask(office), ask(office, office.fiona)
    assert set(dues()) == {"fixed"}, "a date comes when it comes"
    assert_consistent(office.instance)
    clock_hand.move_to(MONDAY + timedelta(hours=9))  # all but the nightly one would have been due by now, or soon
    assert timers.run_due() == 0
    answer_question(office.dan, first, "Yes")
    assert set(dues()) == {"fixed"}, "the other question is open still"
    clock_hand.move_to(MONDAY + DAY + timedelta(hours=1))  # Tuesday at ten: 23 hours later, of them seven of work
    answer_question(office.fiona, second, "Yes")
    after = dues()
    assert after == {
        "hours": MONDAY + DAY + timedelta(hours=5),  # Monday at three, and seven working hours
        "plain": before["plain"] + timedelta(hours=23),
        "fixed": before["fixed"],
        "often": before["often"] + timedelta(hours=23),
        "nightly": before["nightly"] + DAY,  # Monday's is missed
    }
    assert_consistent(office.instance)
    clock_hand.move_to(after["often"])
    assert timers.run_due() == 1
    assert dues()["often"] == after["often"] + timedelta(hours=4)
    assert HumanTask.objects.filter(element_id="after_often").count() == 1


def test_what_was_due_before_the_question_fires(office, clock_hand):
    clock_hand.move_to(MONDAY + timedelta(hours=5))
    pk = ask(office)
    assert set(dues()) == {"often", "fixed"}
    assert timers.run_due() == 1
    withdraw_question(office.erin, pk)
    assert "hours" in dues() and HumanTask.objects.filter(element_id="after_often").exists()


def test_the_timers_of_a_process_that_is_held_stand_still_too(office, clock_hand):
    services.suspend_instance(office.mona, office.instance, "wait")
    pk = ask(office)
    assert ProcessInstance.objects.get().status == "suspended" and set(dues()) == {"fixed"}
    clock_hand.move_to(MONDAY + timedelta(hours=1))
    answer_question(office.dan, pk, "Yes")
    assert ProcessInstance.objects.get().status == "suspended" and len(dues()) == 5
    services.resume_instance(office.mona, office.instance, "on")
    assert ProcessInstance.objects.get().status == "running"


def test_a_step_that_is_done_while_a_question_is_open_leaves_no_timer(office):
    ask(office)
    services.complete_task(office.erin, HumanTask.objects.get().pk, {})
    assert dues() == {} and assert_consistent(office.instance).status == "completed"


ROUNDS = diagram(
    "rounds",
    ENDS
    + '<bpmn:userTask id="check" name="Check" tandem:questionsPause="true">'
    + "<bpmn:multiInstanceLoopCharacteristics>"
    + '<bpmn:loopCardinality xsi:type="bpmn:tFormalExpression">2</bpmn:loopCardinality>'
    + "</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
    + edge("hours", "duration", "PT4H", interrupting=True)
    + chain("start", "check", "end"),
)


def test_the_timer_of_several_rounds_waits_for_every_question_whose_round_is_open(office, clock_hand):
    services.deploy(SYSTEM, ROUNDS)
    instance = services.start_process(office.erin, "rounds")
    left, right = HumanTask.objects.filter(instance_id=instance).order_by("pk")
    mine = Timer.objects.filter(instance_id=instance)
    first = ask_question(office.erin, left.pk, office.dan.user_id, "internal", "Left?")
    ask_question(office.erin, right.pk, office.dan.user_id, "internal", "Right?")
    clock_hand.move_to(MONDAY + timedelta(hours=1))
    answer_question(office.dan, first, "Yes")
    assert not mine.exists(), "the other round waits for its answer"
    clock_hand.move_to(MONDAY + timedelta(hours=3))
    services.complete_task(office.erin, right.pk, {})  # without waiting for the answer
    assert mine.get().due == MONDAY + timedelta(hours=7)
    assert_consistent(instance)


@pytest.mark.parametrize("how", ["before", "after", "killed"])
def test_a_crash_at_every_statement_of_a_question(live, how, monkeypatch):  # noqa: F811
    from django.db import connection

    if how == "killed" and connection.vendor != "postgresql":
        pytest.skip("there is no server that could end the connection")
    services.deploy(SYSTEM, ASKED)
    instance = services.start_process(live.erin, "still")
    before = dues()
    crash_everywhere(lambda: ask(live), lambda: Question.objects.exists(), lambda: None, lambda number: Crash(number, how))
    assert set(dues()) == {"fixed"} and Question.objects.count() == 1
    assert_consistent(instance)
    pk, later = Question.objects.get().pk, timezone.now() + HOUR
    monkeypatch.setattr(timezone, "now", lambda: later)
    with failing_commit(), pytest.raises(Lost):
        answer_question(live.dan, pk, "Yes")
    answered = lambda: Question.objects.get().status == "answered"  # noqa: E731
    crash_everywhere(lambda: answer_question(live.dan, pk, "Yes"), answered, lambda: None, lambda number: Crash(number, how))
    moved = dues()["plain"] - before["plain"]
    assert HOUR <= moved < HOUR + timedelta(minutes=5), "once, not once a try"
    assert_consistent(instance)


def test_a_question_and_its_timer_at_one_moment(live, monkeypatch):  # noqa: F811
    services.deploy(
        SYSTEM,
        diagram(
            "close",
            ENDS
            + user("check", 'tandem:questionsPause="true"')
            + edge("hour", "duration", "PT1H", interrupting=True)
            + chain("start", "check", "end"),
        ),
    )
    now = timezone.now()
    for number in range(4):
        monkeypatch.setattr(timezone, "now", lambda: now)
        instance = services.start_process(live.erin, "close")
        task, timer = HumanTask.objects.get(instance=instance), Timer.objects.get(instance=instance)
        # Even: asked a moment before it is due, found by a runner a moment after; odd: due, and asked about at that moment.
        moment = now + HOUR - timedelta(seconds=1) if number % 2 == 0 else now + HOUR
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        results = together(
            lambda task=task: ask_question(live.erin, task.pk, live.dan.user_id, "internal", "Blue?"),
            lambda timer=timer: timers.fire_timer(timer.pk, timer.instance_id),
        )
        assert_consistent(instance)
        asked, fired = results
        if number % 2 == 0:
            assert fired is False and isinstance(asked, int) and not Timer.objects.filter(instance=instance).exists()
            later = moment + 5 * HOUR
            monkeypatch.setattr(timezone, "now", lambda later=later: later)
            answers = together(
                lambda asked=asked: answer_question(live.dan, asked, "Yes"),
                lambda asked=asked: withdraw_question(live.erin, asked),
                lambda timer=timer: timers.fire_timer(timer.pk, timer.instance_id),
            )
            assert answers[2] is False and sum(one is None for one in answers[:2]) == 1, answers
            assert Timer.objects.get(instance=instance).due == later + timedelta(seconds=1)
            assert_consistent(instance)
        else:
            assert fired is True and (isinstance(asked, int | Refused)), results
            assert HumanTask.objects.get(instance=instance, status="open").element_id == "after_hour"
