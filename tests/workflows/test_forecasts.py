"""When a process will probably be over, learnt from those that ended before."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from tests.workflows.test_tasks import task_of
from workflows import services
from workflows.demo import put_into_the_past
from workflows.models import HistoryEvent, HumanTask, ProcessInstance
from workflows.selectors import forecasts

TWO_STEPS = diagram(
    "two_steps",
    ENDS
    + user("first", 'tandem:publicLabel="We begin"')
    + user("second", 'tandem:publicLabel="You agree"')
    + chain("start", "first", "second", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "first", "end") + lane("Customer", "customer", "", "second"),
)


@pytest.fixture
def finished(cast, acme):
    """`finished(days…)`: instances that took so many days, half of it in each step."""
    services.deploy(SYSTEM, TWO_STEPS)

    def make(*took: int) -> None:
        cache.clear()
        for number in took:
            instance = services.start_process(SYSTEM, "two_steps", customer_organisation_id=acme)
            services.complete_task(SYSTEM, task_of(instance).pk, {})
            services.complete_task(SYSTEM, task_of(instance).pk, {})
            ended = timezone.now()
            put_into_the_past(instance, ended - timedelta(days=number), ended)
            for step, days_left in (("first", number), ("second", number / 2)):
                lines = HistoryEvent.objects.filter(instance_id=instance, element_id=step)
                lines.update(started=ended - timedelta(days=days_left))

    return make


def test_nobody_knows_before_five_have_ended(cast, acme, finished):
    finished(4, 4, 4, 4)
    running = services.start_process(SYSTEM, "two_steps", customer_organisation_id=acme)
    assert forecasts(cast.cara, [running]) == {}
    finished(4)
    assert forecasts(cast.cara, [running])[running].count == 5


def test_half_and_85_percent_from_the_present_step(cast, acme, finished):
    finished(2, 4, 6, 8, 30)
    running = services.start_process(SYSTEM, "two_steps", customer_organisation_id=acme)
    began = task_of(running).created
    first = forecasts(cast.cara, [running])[running]
    assert abs(first.soonest - began - timedelta(days=6)) < timedelta(seconds=1)
    assert timedelta(days=8) < first.latest - began < timedelta(days=30)
    assert not first.is_late and not first.is_overdue
    services.complete_task(SYSTEM, task_of(running).pk, {})
    second = forecasts(cast.cara, [running])[running]
    assert abs(second.soonest - task_of(running).created - timedelta(days=3)) < timedelta(seconds=1)
    HumanTask.objects.filter(instance_id=running, status="open").update(created=timezone.now() - timedelta(days=90))
    assert forecasts(cast.cara, [running])[running].is_overdue


def test_cancelled_ones_teach_nothing_and_strangers_learn_nothing(cast, acme, finished):
    finished(5, 5, 5, 5, 5)
    running = services.start_process(SYSTEM, "two_steps", customer_organisation_id=acme)
    assert forecasts(cast.bea, [running]) == {}
    ProcessInstance.objects.filter(status="completed").update(status="cancelled")
    cache.clear()
    assert forecasts(cast.cara, [running]) == {}


def test_the_history_is_read_once_for_any_number(cast, acme, finished, django_assert_num_queries):
    finished(5, 5, 5, 5, 5)
    running = [services.start_process(SYSTEM, "two_steps", customer_organisation_id=acme) for _number in range(12)]
    cara = cast.cara
    with django_assert_num_queries(4):
        assert len(forecasts(cara, running)) == 12
    with django_assert_num_queries(2):
        forecasts(cara, running)
