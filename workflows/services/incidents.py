"""Failures around an instance: a call that was never answered, a timer that can't be fired."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from portal.access import Actor
from portal.events import emit
from portal.live import ping
from workflows.models import Incident, OutboxCall, ProcessInstance, Timer
from workflows.runtime import Run, lock_instance


def raise_incident(
    instance_id: int, element_id: str, code: str, message: str, *, call: OutboxCall | None = None, timer: Timer | None = None
) -> int | None:
    """Tell people about a failure beside the engine's own; one open incident a call or timer. Gives its id."""
    with transaction.atomic():
        instance = lock_instance(pk=instance_id)
        known = Incident.objects.filter(instance_id=instance_id, resolved=None, call=call, timer=timer, code=code).first()
        if known is not None:
            return known.pk
        row = Incident.objects.create(
            instance_id=instance_id, element_id=element_id, code=code, message=message, call=call, timer=timer, raised=timezone.now()
        )
        others = [*instance.waits.get("other_incidents", []), row.pk]
        ProcessInstance.objects.filter(pk=instance_id).update(has_incident=True, waits={**instance.waits, "other_incidents": others})
        emit(Run(instance, Actor.system(), timezone.now()).incident_raised(row))
        ping(f"process:{instance_id}", *instance.subjects)
    return row.pk
