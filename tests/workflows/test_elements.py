"""Elements whose running needs the host: ad hoc choices, starts by timers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, user
from workflows import services
from workflows.forms import submit_task, task_form
from workflows.models import HistoryEvent, HumanTask, ProcessInstance, StartTimer
from workflows.services import start_timers
from workflows.services.deployment import restore_version
from workflows.services.timers import run_due

pytestmark = pytest.mark.django_db

ADHOC = diagram(
    "visit",
    ENDS
    + f'<bpmn:adHocSubProcess id="ah" name="Prepare the visit">{user("call")}{user("map")}</bpmn:adHocSubProcess>'
    + chain("start", "ah", "end"),
)


def open_tasks(instance):
    return {task.element_id: task for task in HumanTask.objects.filter(instance_id=instance, status="open")}


def test_people_choose_the_steps_of_an_ad_hoc_subprocess_from_their_inbox(cast):
    services.deploy(SYSTEM, ADHOC)
    instance = services.start_process(cast.erin, "visit")
    first = open_tasks(instance)["ah"]
    assert [action.label for action in task_form(cast.erin, first.pk).actions] == ["Call", "Map", "Done"]
    assert submit_task(cast.erin, first.pk, {"action": "call"}).done
    waiting = open_tasks(instance)
    assert set(waiting) == {"ah", "call"} and waiting["ah"].pk != first.pk
    assert not submit_task(cast.erin, first.pk, {"action": "map"}).done
    assert submit_task(cast.erin, waiting["call"].pk, {}).done
    assert submit_task(cast.erin, waiting["ah"].pk, {"action": "done"}).done
    assert ProcessInstance.objects.get(pk=instance).status == "completed"
    chosen = HistoryEvent.objects.filter(instance_id=instance, state="chosen").order_by("pk")
    assert [(row.actor_id, row.action) for row in chosen] == [(cast.erin.user_id, "call"), (cast.erin.user_id, "done")]


def starts_by(timer, version="1"):
    return diagram(
        "report",
        f'<bpmn:startEvent id="start"><bpmn:timerEventDefinition>{timer}</bpmn:timerEventDefinition></bpmn:startEvent>'
        f'<bpmn:endEvent id="end"/>{user("write", name=f"Write {version}")}' + chain("start", "write", "end"),
    )


def due_now():
    StartTimer.objects.update(due=timezone.now() - timedelta(seconds=1))


def test_a_cron_timer_starts_an_instance_each_time_and_once(cast):
    services.deploy(SYSTEM, starts_by("<bpmn:timeCycle>0 9 * * MON-FRI</bpmn:timeCycle>"))
    row = StartTimer.objects.get()
    assert row.due > timezone.now() and row.left == -1
    run_due()
    assert not ProcessInstance.objects.exists()
    due_now()
    assert run_due() >= 1
    run_due()
    assert ProcessInstance.objects.filter(key="report").count() == 1
    assert StartTimer.objects.get().due > timezone.now()
    assert HumanTask.objects.get().element_id == "write"


def test_a_counted_cycle_ends(cast):
    services.deploy(SYSTEM, starts_by("<bpmn:timeCycle>R2/PT1H</bpmn:timeCycle>"))
    for left in (1, 0):
        due_now()
        run_due()
        assert ProcessInstance.objects.count() == 2 - left
    assert not StartTimer.objects.exists()


def test_a_date_that_has_passed_starts_nothing(cast):
    services.deploy(SYSTEM, starts_by("<bpmn:timeDate>2020-01-01T00:00:00Z</bpmn:timeDate>"))
    assert not StartTimer.objects.exists()


def test_only_the_current_version_is_started(cast):
    cycle = "<bpmn:timeCycle>R/PT1H</bpmn:timeCycle>"
    first = services.deploy(SYSTEM, starts_by(cycle))
    second = services.deploy(SYSTEM, starts_by(cycle, "2"))
    assert StartTimer.objects.get().definition_id == second.definition_id
    restore_version(SYSTEM, first.definition_id)
    assert StartTimer.objects.get().definition_id == first.definition_id
    services.deploy(SYSTEM, diagram("report", ENDS + chain("start", "end")))
    assert not StartTimer.objects.exists()


def test_a_start_that_fails_is_tried_again_and_then_waits_for_the_next_time(cast, monkeypatch):
    services.deploy(SYSTEM, starts_by("<bpmn:timeCycle>R/PT1H</bpmn:timeCycle>"))

    def broken(*args, **options):
        raise RuntimeError("no disk")

    monkeypatch.setattr(start_timers, "start_process", broken)
    for attempt in range(1, 5):
        due_now()
        run_due()
        row = StartTimer.objects.get()
        assert row.attempts == attempt and row.last_error == "no disk" and row.due > timezone.now()
    due_now()
    run_due()
    row = StartTimer.objects.get()
    assert row.attempts == 0 and row.due > timezone.now() + timedelta(minutes=50)
    monkeypatch.undo()
    due_now()
    run_due()
    assert ProcessInstance.objects.count() == 1
