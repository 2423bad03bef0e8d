"""Giving open deals without a process one, at the stage where they stand."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.access import visible_deals
from crm.importing.services import may_import
from crm.models import OPEN_STAGES, Deal
from crm.services.process import PROCESS, deal_start
from portal import jobs
from portal.access import Actor
from portal.errors import Refused
from portal.jobs import Job
from workflows.services import start_processes

JOB = "crm.start_deal_processes"
CHUNK = 50


def open_without_process(actor: Actor) -> QuerySet[Deal]:
    """Open deals that no process moves yet."""
    return visible_deals(actor).filter(outcome=None, instance_id=None, is_sample=False, stage__in=OPEN_STAGES)


def start_open_deals(actor: Actor) -> Job:
    """Begin the job; raises Refused when there is nothing to start or the job runs already."""
    may_import(actor)
    waiting = open_without_process(actor).count()
    if not waiting:
        raise Refused(_("Every open deal has its process."))
    running = Job.objects.filter(kind=JOB, state__in=[Job.State.QUEUED, Job.State.RUNNING]).first()
    return running or jobs.enqueue(actor, JOB, _("Start the processes of open deals"), total=waiting)


@jobs.job_kind(JOB)
def start_chunk(job: Job) -> None:
    """Start the next deals' processes."""
    actor = jobs.actor_of(job)
    system = Actor.system(actor.name)  # who may start the job may have all of its processes started
    after = job.result.get("after", 0)
    waiting = open_without_process(actor).select_related("account", "product", "owner").select_for_update(of=("self",))
    deals = list(waiting.filter(pk__gt=after).order_by("pk")[:CHUNK])
    result = start_processes(system, PROCESS, map(deal_start, deals))
    for deal, instance_id in zip(deals, result.instance_ids, strict=True):
        deal.instance_id = instance_id
    Deal.objects.bulk_update([deal for deal in deals if deal.instance_id], ["instance_id"])
    job.done += len(deals)
    job.failed += len(result.failed)
    if result.failed:
        job.result["failures"] = [*job.result.get("failures", []), *(f"{deals[n].number}: {why}" for n, why in result.failed)][:50]
    if deals:
        job.result["after"] = deals[-1].pk
    if len(deals) < CHUNK:
        job.state = Job.State.DONE
        job.message = _("%(n)d processes started.") % {"n": job.done - job.failed}
        job.result["url"] = reverse("workflows:instances")
