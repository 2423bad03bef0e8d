"""Long work with a progress bar that survives everything: rows in the database, done in chunks, resumed after a crash.

    @job_kind("crm.import")
    def import_chunk(job: Job) -> None:
        ...  # do a second or two of work, raise job.done, and set job.state = Job.State.DONE when nothing is left

Each chunk runs in one transaction together with its progress: a crash loses and doubles nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.audit import record
from portal.errors import Refused
from portal.events import after_commit
from portal.live import ping
from portal.models import Job
from portal.querysets import visible_jobs
from portal.registry import SubjectRef

log = logging.getLogger(__name__)
STALE = timedelta(seconds=15)
MAX_ATTEMPTS = 3
_kinds: dict[str, Callable[[Job], None]] = {}


def job_kind(key: str) -> Callable:
    """Register the function that does one chunk of a kind of job."""

    def register(step: Callable[[Job], None]) -> Callable[[Job], None]:
        _kinds[key] = step
        return step

    return register


def actor_of(job: Job) -> Actor:
    """The person for whom a job runs, with what they may do now; the system when there is none."""
    from portal.services.memberships import actor_for_user

    return actor_for_user(job.owner_id, job.membership_id) if job.owner_id else Actor.system(job.title)


def enqueue(actor: Actor, kind: str, title: str, *, total: int, params: dict[str, Any] | None = None) -> Job:
    """Put a job in the queue, in the caller's transaction, and wake a worker after commit."""
    if kind not in _kinds:
        raise LookupError(f"no job kind {kind!r}")
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind, title=title, total=total, params=params or {}, owner_id=actor.user_id, membership_id=actor.membership_id
        )
        record(actor, "job.started", SubjectRef("portal.job", job.pk), after={"kind": kind, "total": total})
        after_commit(lambda: _wake(job.pk))
    return job


def _wake(job_id: int) -> None:
    from portal.tasks import run_job

    run_job.delay(job_id)


def run(job_id: int) -> None:
    """Do a job's chunks until it is over or another worker holds it."""
    while run_chunk(job_id):
        pass


def run_chunk(job_id: int) -> bool:
    """Do one chunk; gives whether there is more."""
    try:
        with transaction.atomic():
            job = Job.objects.select_for_update(skip_locked=True).filter(pk=job_id).first()
            if job is None or job.is_over:
                return False
            job.state = Job.State.RUNNING
            _kinds[job.kind](job)
            job.attempts = 0
            if job.is_over:
                job.ended = timezone.now()
            job.save()
            ping(f"job:{job.pk}")
            return not job.is_over
    except Exception as error:
        log.exception("job %s: a chunk failed", job_id)
        return _count_failure(job_id, error)


def _count_failure(job_id: int, error: Exception) -> bool:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        job.attempts += 1
        if job.attempts >= MAX_ATTEMPTS:
            job.state, job.ended = Job.State.FAILED, timezone.now()
            job.message = error.message if isinstance(error, Refused) else _("An unexpected error; the log has the details.")
            ping(f"job:{job.pk}")
        job.save()
        return not job.is_over


def stale_jobs() -> list[int]:
    """Jobs that nobody has pushed on for a while: their worker died, or the wake-up was lost."""
    waiting = Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING], touched__lt=timezone.now() - STALE)
    return list(waiting.order_by("touched").values_list("pk", flat=True)[:20])


def cancel(actor: Actor, job_id: int) -> None:
    """Stop a job after the chunk that is running; what it has done stays done."""
    with transaction.atomic():
        job = visible_jobs(actor).select_for_update().filter(pk=job_id).first()
        if job is None:
            raise Refused(_("This job isn't there any more."))
        if job.is_over:
            return
        job.state, job.ended = Job.State.CANCELLED, timezone.now()
        job.save()
        record(actor, "job.cancelled", SubjectRef("portal.job", job.pk))
        ping(f"job:{job.pk}")
