"""Promises and questions under races: told once, answered once, and the clock neither lost nor doubled."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.errors import Conflict, Refused
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, user
from tests.workflows.test_exactness import together
from tests.world import build_people
from workflows import services
from workflows.models import HistoryEvent, HumanTask, ProcessInstance, Question, ServiceClock
from workflows.service_levels import Level
from workflows.services.questions import answer_question, ask_question, withdraw_question
from workflows.services.service_levels import look_at_clock, look_at_clocks, save_level

RACED = diagram(
    "raced",
    ENDS + user("check", 'tandem:due="PT8H" tandem:target="PT1H" tandem:questionsPause="true"') + chain("start", "check", "end"),
    attributes='tandem:target="PT8H"',
)
AFTER = diagram("after", ENDS + user("call") + chain("start", "call", "end"))


@pytest.fixture
def live(transactional_db):
    """People and a promised process, committed."""
    cast = build_people()
    services.deploy(SYSTEM, RACED)
    services.deploy(SYSTEM, AFTER)
    cast.instance = services.start_process(cast.erin, "raced")
    cast.task = HumanTask.objects.get().pk
    return cast


def late(hours=2):
    """Let the clocks have begun so long ago, and somebody has to look now."""
    then = timezone.now() - timedelta(hours=hours)
    ServiceClock.objects.update(started=then, since=then, look=timezone.now())


def test_two_runners_tell_of_a_breach_once(live):
    save_level(live.adam, "raced", "check", Level("PT1H", starts="after", message="late"))
    late()
    clock = ServiceClock.objects.get(element_id="check").pk
    results = together(*[lambda: look_at_clock(clock, live.instance)] * 3, look_at_clocks)
    assert not [one for one in results if isinstance(one, Exception)], results
    assert HistoryEvent.objects.filter(kind="service_level").count() == 1
    assert ProcessInstance.objects.filter(key="after").count() == 1


def test_a_breach_and_the_step_done_at_one_moment(live):
    late()
    clock = ServiceClock.objects.get(element_id="check").pk
    erin = live.erin
    together(lambda: look_at_clock(clock, live.instance), lambda: services.complete_task(erin, live.task, {}))
    done = ServiceClock.objects.get(pk=clock)
    assert done.ended and done.kept is False and done.look is None
    assert HistoryEvent.objects.filter(kind="service_level").count() <= 1
    look_at_clocks()
    assert ServiceClock.objects.get(pk=clock).told_breach == done.told_breach


def test_an_answer_and_a_withdrawal_at_one_moment(live):
    pk = ask_question(live.erin, live.task, live.dan.user_id, "internal", "Blue?")
    erin, dan = live.erin, live.dan
    results = together(lambda: answer_question(dan, pk, "Yes"), lambda: withdraw_question(erin, pk), lambda: answer_question(dan, pk, "No"))
    refused = [one for one in results if isinstance(one, Exception)]
    assert len(refused) == 2 and all(isinstance(one, Conflict) for one in refused), results
    assert HistoryEvent.objects.filter(kind="question").count() == 2
    assert HumanTask.objects.get().due is not None
    assert not any(ServiceClock.objects.values_list("stops", flat=True)[0])


def test_two_last_answers_let_the_clock_go_on_once(live):
    before = HumanTask.objects.get().due
    asked = [ask_question(live.erin, live.task, who.user_id, "internal", "Blue?") for who in (live.dan, live.fiona)]
    ServiceClock.objects.update(used=timedelta(minutes=1))
    Question.objects.update(stopped=timezone.now() - timedelta(days=30), asked=timezone.now() - timedelta(days=30))
    dan, fiona = live.dan, live.fiona
    results = together(lambda: answer_question(dan, asked[0], "Yes"), lambda: answer_question(fiona, asked[1], "No"))
    assert results == [None, None]
    moved = HumanTask.objects.get().due
    assert moved is not None and moved > before
    clock = ServiceClock.objects.get(element_id="check")
    assert (clock.stops, clock.used) == ([], timedelta(minutes=1)) and clock.since


def test_an_answer_and_the_step_done_at_one_moment(live):
    pk = ask_question(live.erin, live.task, live.dan.user_id, "internal", "Blue?")
    erin, dan = live.erin, live.dan
    results = together(lambda: answer_question(dan, pk, "Yes"), lambda: services.complete_task(erin, live.task, {}))
    assert not isinstance(results[1], Exception)
    assert results[0] is None or isinstance(results[0], Refused)
    assert ServiceClock.objects.get(element_id="check").ended


def test_held_and_asked_at_one_moment(live):
    erin, mona, dan = live.erin, live.mona, live.dan
    together(
        lambda: services.suspend_instance(mona, live.instance, "wait"),
        lambda: ask_question(erin, live.task, dan.user_id, "internal", "Blue?"),
    )
    assert sorted(ServiceClock.objects.get(element_id="check").stops) == ["held", "question"]
    services.resume_instance(mona, live.instance, "on")
    assert ServiceClock.objects.get(element_id="check").since is None
    answer_question(dan, Question.objects.get().pk, "Yes")
    assert ServiceClock.objects.get(element_id="check").since
