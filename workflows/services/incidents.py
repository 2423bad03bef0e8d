"""Failures: told once, tried again by themselves while that may help, and again when a person says so."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef
from workflows.errors import NotFound
from workflows.events import IncidentResolved
from workflows.models import Incident, OutboxCall, ProcessInstance, Timer
from workflows.runtime import TRIES, Run, lock_instance, one_step
from workflows.services.instances import _for_operator

log = logging.getLogger(__name__)
MOST_TRIES = len(TRIES) + 1
BATCH = 50


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
        ping(f"process:{instance_id}", "processes:incidents", *instance.subjects)
    return row.pk


# --- by itself ------------------------------------------------------------------------------------------------------


def retry_due() -> int:
    """Try again what failed unexpectedly and is due; gives how many were tried."""
    due = Incident.objects.filter(resolved=None, next_try__lte=timezone.now(), instance__status=ProcessInstance.Status.RUNNING)
    tried = 0
    for pk, instance_id in list(due.order_by("next_try", "pk").values_list("pk", "instance_id")[:BATCH]):
        try:
            tried += _retry_by_itself(pk, instance_id)
        except Exception:  # one that can't even be tried must not stop the others
            log.exception("incident %s can't be tried again", pk)
            Incident.objects.filter(pk=pk, resolved=None).update(next_try=timezone.now() + TRIES[-1])
    return tried


def _retry_by_itself(incident_id: int, instance_id: int) -> bool:
    with transaction.atomic():
        instance = lock_instance(pk=instance_id)
        row = Incident.objects.filter(pk=incident_id, resolved=None, next_try__lte=timezone.now()).first()
        if row is None or instance.status != ProcessInstance.Status.RUNNING:
            return False
        with one_step(instance, Actor.system(_("Another try"))) as (run, writes):
            run.take(engine.resume(run.definition, bytes(instance.state), task_id=row.engine_id, host=run, now=run.now), writes)
            _count_try(run, row)
    return True


def _count_try(run: Run, row: Incident) -> None:
    """Remember how a try went; after the last one, or where trying is of no use, people hear of it."""
    instance = run.instance
    if instance.waits["incidents"].get(row.engine_id) != row.pk:
        Incident.objects.filter(pk=row.pk).update(attempts=row.attempts + 1, resolution=_("It went well at another try."))
        return
    outcome = engine.look(run.definition, bytes(instance.state), now=run.now)
    found = next((one for one in outcome.incidents if one.task_id == row.engine_id), None)
    if found is not None:
        row.code, row.message = found.code[:80], found.message
    row.attempts += 1
    row.trace = run.failures.get(row.engine_id, "")
    may_help = row.engine_id in run.failures and row.attempts < MOST_TRIES
    row.next_try = run.now + TRIES[row.attempts - 1] if may_help else None
    row.save(update_fields=["code", "message", "attempts", "trace", "next_try"])
    if row.next_try is None:
        emit(run.incident_raised(row))


# --- because somebody says so ---------------------------------------------------------------------------------------


def retry_incident(actor: Actor, incident_id: int, reason: str) -> bool:
    """Try a failed step again; gives whether it went well this time. Raises Conflict for an incident that is over."""
    with transaction.atomic():
        incident = Incident.objects.filter(pk=incident_id).first()
        if incident is None:
            raise NotFound
        instance = _for_operator(actor, incident.instance_id, reason)
        if instance.status == ProcessInstance.Status.SUSPENDED:
            raise Conflict(_("This process is held; let it go on first."))
        incident = Incident.objects.select_related("call", "timer").get(pk=incident_id)
        if incident.resolved is not None:
            raise Conflict(_("This was mended already."))
        record(actor, "incident.retried", SubjectRef("workflows.instance", instance.pk), after={"incident": incident_id}, reason=reason)
        if incident.call_id or incident.timer_id or incident.code.startswith("host."):
            _retry_outside(actor, instance, incident, reason)
            return True
        resolved = {"resolved": timezone.now(), "resolved_by_name": actor.name[:150], "resolution": reason[:500], "next_try": None}
        Incident.objects.filter(pk=incident_id).update(**resolved)
        instance.waits = {**instance.waits, "incidents": {k: v for k, v in instance.waits["incidents"].items() if v != incident_id}}
        with one_step(instance, actor) as (run, writes):
            state = bytes(instance.state)
            run.take(engine.resume(run.definition, state, task_id=incident.engine_id, host=run, now=run.now), writes)
        emit(IncidentResolved(incident_id))
        return incident.engine_id not in instance.waits["incidents"]


def _retry_outside(actor: Actor, instance: ProcessInstance, incident: Incident, reason: str) -> None:
    """Put a failed call or a late timer back into its queue."""
    now = timezone.now()
    if incident.call_id:
        OutboxCall.objects.filter(pk=incident.call_id).update(status=OutboxCall.Status.WAITING, attempts=0, next_try=now, lease="")
    if incident.timer is not None:
        incident.timer.attempts, incident.timer.due = 0, min(incident.timer.due, now)
        incident.timer.save(update_fields=["attempts", "due"])
    Incident.objects.filter(pk=incident.pk).update(resolved=now, resolved_by_name=actor.name[:150], resolution=reason[:500])
    others = [pk for pk in instance.waits.get("other_incidents", []) if pk != incident.pk]
    instance.waits = {**instance.waits, "other_incidents": others}
    instance.has_incident = bool(others) or bool(instance.waits.get("incidents"))
    instance.save(update_fields=["waits", "has_incident"])
    emit(IncidentResolved(incident.pk))
    ping(f"process:{instance.pk}", "processes:incidents")
