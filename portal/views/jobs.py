"""A job's page and its progress fragment."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from portal import jobs
from portal.access import SIGNED_IN, requires
from portal.models import Job
from portal.querysets import visible_jobs


def _job(request: HttpRequest, job_id: int) -> Job:
    job = visible_jobs(request.actor).filter(pk=job_id).first()  # type: ignore[attr-defined]
    if job is None:
        raise Http404
    return job


@require_GET
@requires(*SIGNED_IN)
def page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Where the person who left the page finds the job again."""
    base = "base_work.html" if request.actor.is_internal else "base_account.html"  # type: ignore[attr-defined]
    return render(request, "portal/job.html", {"job": _job(request, job_id), "base": base})


@require_GET
@requires(*SIGNED_IN)
def progress(request: HttpRequest, job_id: int) -> HttpResponse:
    """The bar and the words under it."""
    return render(request, "portal/parts/_job_progress.html", {"job": _job(request, job_id)})


@require_POST
@requires(*SIGNED_IN)
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Stop it."""
    jobs.cancel(request.actor, job_id)  # type: ignore[attr-defined]
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else "job", **({} if safe else {"job_id": job_id}))
