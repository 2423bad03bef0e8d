"""Celery tasks of the kernel."""

from celery import shared_task

from portal import jobs
from portal.services import exports


@shared_task
def run_job(job_id: int) -> None:
    """Push a job on."""
    jobs.run(job_id)


@shared_task
def resume_jobs() -> None:
    """Take up the jobs whose worker died."""
    for job_id in jobs.stale_jobs():
        run_job.delay(job_id)


@shared_task
def drop_exports() -> None:
    """Throw away the files with people's data whose time is over."""
    exports.drop_exports()
