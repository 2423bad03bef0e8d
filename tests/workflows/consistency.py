"""Whether the rows around an instance say what its state says: no token without its row, no row without its token."""

from __future__ import annotations

from django.utils import timezone

from bpmn import engine
from workflows import definitions
from workflows.models import HistoryEvent, HumanTask, Incident, MessageWait, ProcessInstance, TaskCandidate, Timer


def assert_consistent(instance_id: int) -> ProcessInstance:
    """State, tasks, timers, waits and incidents of an instance agree, and no step was written down twice."""
    row = ProcessInstance.objects.get(pk=instance_id)
    seen = engine.look(definitions.load(row.digest), bytes(row.state), now=timezone.now())
    running = row.status == "running"
    expected = {
        "tasks": sorted(task.id for task in seen.user_tasks) if running else [],
        "timers": sorted((timer.id, timer.due) for timer in seen.timers) if running else [],
        "waits": sorted(wait.id for wait in seen.messages) if running else [],
        "incidents": sorted(incident.task_id for incident in seen.incidents) if running else [],
        "active": sorted(seen.active) if running else [],
        "status": seen.status,
    }
    open_tasks = HumanTask.objects.filter(instance=row, status="open")
    timers = Timer.objects.filter(instance=row, attempts=0)
    found = {
        "tasks": sorted(open_tasks.values_list("engine_id", flat=True)),
        "timers": sorted(timers.values_list("engine_id", "due")),
        "waits": sorted(MessageWait.objects.filter(instance=row).values_list("engine_id", flat=True)),
        "incidents": sorted(Incident.objects.filter(instance=row, resolved=None).exclude(engine_id="").values_list("engine_id", flat=True)),
        "active": sorted(row.active),
        "status": row.status,
    }
    assert found == expected
    if running:
        assert row.waits["tasks"] == dict(open_tasks.values_list("engine_id", "pk"))
    asked = TaskCandidate.objects.filter(task__instance=row)
    assert not asked.filter(is_open=True).exclude(task__status="open").exists(), "a task that is over still asks somebody"
    assert not asked.filter(is_open=False, task__status="open").exists(), "an open task has forgotten whom it asks"
    done = list(HistoryEvent.objects.filter(instance=row, state="completed").values_list("engine_id", "element_id"))
    assert len(done) == len(set(done)), "a token passed a step twice"
    return row
