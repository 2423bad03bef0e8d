"""The demo's processes."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.demo import OWN, World
from workflows.clocks import foresee, settle
from workflows.models import BusinessCalendar, HistoryEvent, HumanTask, ProcessInstance, ServiceClock
from workflows.packs import deploy_shipped
from workflows.service_levels import Level
from workflows.services.calendars import save_calendar
from workflows.services.service_levels import save_level


def seed(world: World) -> None:
    """Publish every shipped process, and say when we work and what we promise; the packages above fill them with work."""
    deploy_shipped()
    adam, ours = world.actor("adam@northwind.example"), world.organisations[OWN].pk
    if not BusinessCalendar.objects.filter(organisation_id=ours).exists():
        save_calendar(adam, ours, time_zone="Europe/Berlin", country="DE", region="", hours=["9:00–17:00"] * 5 + ["", ""])
        save_level(adam, "request_to_delivery", "qualify", Level("8 working hours"))
        save_level(adam, "request_to_delivery", "prepare_quote", Level("2 working days"))
        save_level(adam, "request_to_delivery", "", Level("20 working days", pauses_for_customer=True))


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
    for clock in ServiceClock.objects.filter(instance=instance, kept__isnull=False):
        clock.started = clock.since = moved(clock.started)
        clock.used, over = timedelta(0), moved(clock.ended)
        foresee(clock)
        settle(clock, over, done=True)
        clock.save()
    ProcessInstance.objects.filter(pk=instance.pk).update(started=began, ended=ended)
