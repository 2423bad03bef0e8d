"""The demo's processes."""

from __future__ import annotations

from datetime import datetime

from portal.demo import World
from workflows.models import HistoryEvent, HumanTask, ProcessInstance
from workflows.packs import deploy_shipped


def seed(world: World) -> None:
    """Publish every shipped process; the packages above fill them with work."""
    deploy_shipped()


def put_into_the_past(instance_id: int, began: datetime, ended: datetime) -> None:
    """Stretch what happened in an ended instance over the time between two moments, as if it had happened then."""
    instance = ProcessInstance.objects.get(pk=instance_id)
    first, last = instance.started, instance.ended
    assert last is not None

    def moved(moment: datetime) -> datetime:
        return began + (ended - began) * ((moment - first) / (last - first)) if last > first else began

    for line in HistoryEvent.objects.filter(instance=instance):
        HistoryEvent.objects.filter(pk=line.pk).update(started=moved(line.started), ended=moved(line.ended))
    for task in HumanTask.objects.filter(instance=instance).defer("data"):
        HumanTask.objects.filter(pk=task.pk).update(created=moved(task.created), ended=moved(task.ended or last))
    ProcessInstance.objects.filter(pk=instance.pk).update(started=began, ended=ended)
