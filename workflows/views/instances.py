"""Running and ended processes: lists, one instance, incidents."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, fields
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from portal.access import Audience, requires
from portal.audit import record
from portal.errors import Refused
from portal.numbers import whole_number
from portal.registry import SubjectRef, registry
from portal.selectors import employees
from workflows import event_log as logs
from workflows import selectors, services
from workflows.access import WorkflowPermission
from workflows.errors import NotFound
from workflows.models import ProcessInstance
from workflows.selectors.approvals import approvals_of
from workflows.selectors.definitions import element_words
from workflows.selectors.monitor import SORTS, InstanceFilter, about_words
from workflows.selectors.why import reasons
from workflows.services.bulk import ACTS
from workflows.services.telling import tellable

ICONS = {
    "hold": "player-pause",
    "resume": "player-play",
    "cancel": "circle-x",
    "retry": "refresh",
    "change": "arrows-exchange",
    "version": "versions",
}
AGES = [(1, gettext_lazy("a day")), (7, gettext_lazy("a week")), (30, gettext_lazy("a month")), (90, gettext_lazy("three months"))]


def wanted_of(query: QueryDict) -> InstanceFilter:
    """The filters of an address or a form; what can't be read is left out."""

    def digits(name: str) -> int:
        raw = query.get(name, "")
        return whole_number(raw) or 0

    try:
        worth = Decimal(query.get("worth", "").replace(",", "").strip() or "0")
    except InvalidOperation:
        worth = Decimal(0)
    return InstanceFilter(
        key=query.get("process", "")[:100],
        status=query.get("status", "")[:20],
        text=query.get("q", "").strip()[:100],
        element=query.get("element", "")[:150],
        about=query.get("about", "")[:80],
        person=digits("person"),
        age=digits("age"),
        worth=worth if worth.is_finite() and 0 < worth < 10**13 else Decimal(0),
        sort=query.get("sort", "") if query.get("sort") in SORTS else "newest",
    )


@require_GET
@requires(Audience.INTERNAL)
def index(request: HttpRequest) -> HttpResponse:
    """The instances that the reader may see, by process, state, age, money, record and person."""
    actor, wanted = request.actor, wanted_of(request.GET)  # type: ignore[attr-defined]
    page = selectors.instances(actor, wanted, place=request.GET.get("page", "")[:80])
    can_operate = actor.can(WorkflowPermission.OPERATE)
    context = {
        "page": page,
        "wanted": wanted,
        "narrowed": wanted != InstanceFilter(sort=wanted.sort),
        "statuses": [("live", _("Running or held")), *ProcessInstance.Status.choices, ("incident", _("With an incident"))],
        "processes": selectors.process_choices(actor),
        "ages": AGES,
        "people": employees(),
        "kinds": sorted(((key, str(kind.label)) for key, kind in registry.subjects.items()), key=lambda one: one[1]),
        "about": about_words(actor, wanted.about) if ":" in wanted.about else "",
        "element": element_words(actor, wanted.key, wanted.element) if wanted.element else "",
        "sorts": [("newest", _("Newest first")), ("oldest", _("Oldest first")), ("worth", _("Most money first"))],
        "acts": [(key, label, ICONS[key]) for key, (label, _effect) in ACTS.items()] if can_operate else [],
        "can_export_log": actor.can(WorkflowPermission.EXPORT_LOG),
    }
    return render(request, "workflows/instances.html", context)


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.EXPORT_LOG)
def event_log(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """The event log of what the list shows, as a file; who took it is in the audit."""
    found = wanted_of(request.GET)
    day = {name: parse_date(request.GET.get(name, "")[:10]) for name in ("since", "until")}
    since, until = (timezone.make_aware(dt.datetime.combine(one, dt.time())) if one else None for one in day.values())
    wanted = logs.LogFilter(**{**{f.name: getattr(found, f.name) for f in fields(found)}, "since": since, "until": until})
    told = {name: str(value) for name, value in asdict(wanted).items() if value}
    record(request.actor, "processes.log_exported", SubjectRef("workflows.log", 0), after={"format": form, **told})  # type: ignore[attr-defined]
    kind, ending = logs.FORMATS[form]
    response = StreamingHttpResponse(logs.export(request.actor, wanted, form), content_type=f"{kind}; charset=utf-8")  # type: ignore[attr-defined]
    name = f"{wanted.key or 'processes'}-{timezone.localdate():%Y-%m-%d}.{ending}"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def _detail(request: HttpRequest, instance_id: int) -> dict:
    detail = selectors.instance_detail(request.actor, instance_id)
    if detail is None:
        raise Http404
    return {
        "instance": detail,
        "road": selectors.road_for(request.actor, instance_id),
        "tellable": tellable(request.actor, instance_id),
        "approvals": approvals_of(request.actor, instance_id),
        "reasons": reasons(detail.history)[:8],
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


def _incidents(request: HttpRequest) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    query = request.GET
    wanted = selectors.IncidentFilter(query.get("process", "")[:100], query.get("element", "")[:150], query.get("cause", "")[:2000])
    return {
        "wanted": wanted,
        "narrowed": wanted != selectors.IncidentFilter(),
        "groups": selectors.incident_groups(actor, wanted),
        "incidents": selectors.open_incidents(actor, wanted),
        "can_operate": actor.can(WorkflowPermission.OPERATE),
    }


@require_GET
@requires(Audience.INTERNAL)
def incidents(request: HttpRequest) -> HttpResponse:
    """What failed: grouped by process, step and cause, and one by one."""
    return render(request, "workflows/incidents.html", _incidents(request))


@require_GET
@requires(Audience.INTERNAL)
def incident_list(request: HttpRequest) -> HttpResponse:
    """The same, re-read when something fails or is mended."""
    return render(request, "workflows/parts/_incidents.html", _incidents(request))


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
