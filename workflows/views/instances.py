"""Running and ended processes: lists, one instance, incidents."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from portal.access import Audience, requires
from portal.audit import record
from portal.errors import Refused
from portal.registry import SubjectRef
from workflows import event_log as logs
from workflows import selectors, services
from workflows.access import WorkflowPermission
from workflows.errors import NotFound
from workflows.models import ProcessInstance
from workflows.selectors.approvals import approvals_of
from workflows.views.common import Paging, offset_of

PAGE = 50


def _wanted(request: HttpRequest) -> dict[str, str]:
    return {
        "key": request.GET.get("process", "")[:100],
        "status": request.GET.get("status", "")[:20],
        "text": request.GET.get("q", "").strip()[:100],
    }


@require_GET
@requires(Audience.INTERNAL)
def index(request: HttpRequest) -> HttpResponse:
    """All instances that the reader may see, by process, state and text."""
    wanted = {**_wanted(request), "element": request.GET.get("element", "")[:150]}
    page = selectors.instances(request.actor, **wanted, offset=offset_of(request, PAGE), limit=PAGE)
    context = {
        "page": page,
        "paging": Paging.of(page),
        "wanted": wanted,
        "statuses": [*ProcessInstance.Status.choices, ("incident", _("With an incident"))],
        "processes": selectors.definitions(request.actor),
        "can_export_log": request.actor.can(WorkflowPermission.EXPORT_LOG),
    }
    return render(request, "workflows/instances.html", context)


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.EXPORT_LOG)
def event_log(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """The event log of what the list shows, as a file; who took it is in the audit."""
    wanted = _wanted(request)
    record(request.actor, "processes.log_exported", SubjectRef("workflows.log", 0), after={"format": form, **wanted})
    kind, ending = logs.FORMATS[form]
    response = StreamingHttpResponse(logs.export(request.actor, logs.LogFilter(**wanted), form), content_type=f"{kind}; charset=utf-8")
    name = f"{wanted['key'] or 'processes'}-{timezone.localdate():%Y-%m-%d}.{ending}"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def _detail(request: HttpRequest, instance_id: int) -> dict:
    detail = selectors.instance_detail(request.actor, instance_id)
    if detail is None:
        raise Http404
    return {
        "instance": detail,
        "road": selectors.road_for(request.actor, instance_id),
        "approvals": approvals_of(request.actor, instance_id),
        "open_incidents": [incident for incident in detail.incidents if incident.resolved is None],
    }


@require_GET
@requires(Audience.INTERNAL)
def detail(request: HttpRequest, instance_id: int) -> HttpResponse:
    """One instance: its drawing with tokens, its road, history, variables and incidents."""
    return render(request, "workflows/instance.html", _detail(request, instance_id))


@require_GET
@requires(Audience.INTERNAL)
def body(request: HttpRequest, instance_id: int) -> HttpResponse:
    """What changes on an instance's page, re-read when it does."""
    return render(request, "workflows/parts/_instance_body.html", _detail(request, instance_id))


@require_GET
@requires(Audience.INTERNAL)
def state(request: HttpRequest, instance_id: int) -> JsonResponse:
    """Tokens and incidents for the drawing."""
    found = selectors.diagram_state(request.actor, instance_id)
    if found is None:
        raise Http404
    return JsonResponse(found)


@require_POST
@requires(Audience.INTERNAL)
def cancel(request: HttpRequest, instance_id: int) -> HttpResponse:
    """End an instance, with a reason."""
    try:
        services.cancel_instance(request.actor, instance_id, request.POST.get("reason", ""))
        messages.success(request, _("The process has been cancelled."))
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("workflows:instance", instance_id)


@require_GET
@requires(Audience.INTERNAL)
def incidents(request: HttpRequest) -> HttpResponse:
    """What failed and waits for somebody."""
    return render(request, "workflows/incidents.html", {"incidents": selectors.open_incidents(request.actor)})


@require_POST
@requires(Audience.INTERNAL)
def retry(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Try a failed step again, with a reason."""
    instance_id = selectors.instance_of_incident(request.actor, incident_id)
    if instance_id is None:
        raise Http404
    try:
        if services.retry_incident(request.actor, incident_id, request.POST.get("reason", "")):
            messages.success(request, _("It went well this time."))
        else:
            messages.warning(request, _("It failed again; the newest incident says why."))
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("workflows:instance", instance_id)
