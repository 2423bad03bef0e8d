"""Published processes and publishing."""

from __future__ import annotations

from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bpmn.model import DeployRefused, Problem
from portal.access import Audience, requires
from portal.templatetags.kit import money
from workflows import selectors, services
from workflows.access import WorkflowPermission
from workflows.connector_registry import connectors
from workflows.layout import drawn
from workflows.selectors.definitions import definition_xml, running_count, versions
from workflows.selectors.heat import LAYERS, StepHeat, process_heat
from workflows.selectors.starts import start_lines
from workflows.services.deployment import check, restore_version
from workflows.templatetags.durations import duration

LAYER_WORDS = {
    "count": gettext_lazy("Standing now"),
    "time": gettext_lazy("Time in the step"),
    "money": gettext_lazy("Money at stake"),
    "customers": gettext_lazy("Customers waiting"),
}
PERIODS = [(7, gettext_lazy("7 days")), (30, gettext_lazy("30 days")), (90, gettext_lazy("90 days")), (365, gettext_lazy("a year"))]
MAX_FILE = 2 * 1024 * 1024


@require_GET
@requires(Audience.INTERNAL)
def index(request: HttpRequest) -> HttpResponse:
    """All processes with what runs in them."""
    found = selectors.definitions(request.actor)
    context = {
        "definitions": found,
        "can_publish": request.actor.can(WorkflowPermission.PUBLISH),
        "can_operate": request.actor.can(WorkflowPermission.OPERATE),
        "levels": request.actor.can(WorkflowPermission.VIEW_ALL),
        "incidents": sum(d.incidents for d in found),
    }
    return render(request, "workflows/definitions.html", context)


@require_GET
@requires(Audience.INTERNAL)
def detail(request: HttpRequest, key: str, version: int | None = None) -> HttpResponse:
    """One process: its drawing with the tokens of all running instances, and its versions."""
    found = selectors.definition_detail(request.actor, key, version)
    if found is None:
        raise Http404
    actor = request.actor  # type: ignore[attr-defined]
    context = {
        "definition": found,
        "versions": versions(actor, key),
        "starts": start_lines(actor, found.id),
        "can_publish": actor.can(WorkflowPermission.PUBLISH),
        "can_export_log": actor.can(WorkflowPermission.EXPORT_LOG),
        **_map(request, found.key),
    }
    return render(request, "workflows/definition.html", context)


def _map(request: HttpRequest, key: str) -> dict:
    """The map in the layer and period that the address names."""
    layer = request.GET.get("layer", "")
    layer = layer if layer in LAYERS else "count"
    raw = request.GET.get("days", "")
    days = int(raw) if raw in {str(days) for days, _label in PERIODS} else 90
    heat = process_heat(request.actor, key, days)  # type: ignore[attr-defined]
    top = max(heat.steps, key=lambda step: step.value(layer), default=None)
    return {
        "key": key,
        "heat": heat,
        "steps": [(step, heat.level(step, layer)) for step in heat.steps],
        "layer": layer,
        "layers": [(name, LAYER_WORDS[name]) for name in LAYERS],
        "days": days,
        "periods": PERIODS,
        "top": figure(top, layer) if top and top.value(layer) else "",
    }


def figure(step: StepHeat, layer: str) -> str:
    """A step's figure in a layer, in words short enough for the drawing."""
    match layer:
        case "time":
            return duration(step.median) if step.median is not None else ""
        case "money":
            return " + ".join(strip_tags(money(amount, currency)) for amount, currency in step.money)
        case "customers":
            return str(step.customers or "")
    return str(step.count or "")


@require_GET
@requires(Audience.INTERNAL)
def heat(request: HttpRequest, key: str) -> HttpResponse:
    """The map's figures as a table, re-read when something moves."""
    return render(request, "workflows/parts/_heat.html", _map(request, key))


@require_GET
@requires(Audience.INTERNAL)
def state(request: HttpRequest, key: str) -> JsonResponse:
    """The map for the drawing: where instances stand, how hot each step is in the asked layer, what failed."""
    told = _map(request, key)
    address = f"{reverse('workflows:instances')}?{urlencode({'process': key, 'status': 'live'})}&element="
    failed = f"{reverse('workflows:incidents')}?{urlencode({'process': key})}&element="
    here, incidents = [], []
    for step, level in told["steps"]:
        words = figure(step, told["layer"])
        place = quote(step.element_id)
        if words:
            here.append({"element": step.element_id, "count": words, "heat": level, "url": address + place, "stands": step.count})
        if step.incidents:
            incidents.append({"element": step.element_id, "count": step.incidents, "url": failed + place})
    return JsonResponse({"here": here, "incidents": incidents})


@require_GET
@requires(Audience.INTERNAL)
def xml(request: HttpRequest, definition_id: int) -> HttpResponse:
    """The drawing; one that was published without places gets them."""
    content = definition_xml(request.actor, definition_id)
    if content is None:
        raise Http404
    return HttpResponse(drawn(content), content_type="application/xml; charset=utf-8")


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL, permission=WorkflowPermission.PUBLISH)
def publish(request: HttpRequest) -> HttpResponse:
    """Check a diagram and publish it. A refused one is told element by element; what was chosen stays in the page."""
    context: dict = {"connectors": connectors(), "source": "", "note": "", "decisions": []}
    if request.method != "POST":
        return render(request, "workflows/publish.html", context)
    content, decisions, problem = _uploaded(request)
    context |= {
        "source": content.decode(errors="replace"),
        "note": request.POST.get("note", "")[:300],
        "decisions": [(name, text.decode(errors="replace")) for name, text in decisions.items()],
    }
    try:
        if problem:
            raise DeployRefused([Problem(None, "file", problem, "")])
        definition = check(content, decisions=decisions)
        running = running_count(request.actor, definition.key)
        if request.POST.get("step") == "publish":
            result = services.deploy(request.actor, content, decisions=decisions, note=context["note"])
            words = _("“%(name)s” is unchanged.") if result.unchanged else _("“%(name)s” is published as version %(version)s.")
            messages.success(request, words % {"name": definition.name, "version": result.version})
            return redirect("workflows:definition", result.key)
    except DeployRefused as refused:
        return render(request, "workflows/publish.html", {**context, "problems": refused.problems}, status=422)
    return render(request, "workflows/publish.html", {**context, "definition": definition, "running": running})


def _uploaded(request: HttpRequest) -> tuple[bytes, dict[str, bytes], str]:
    """The diagram and the decision tables: fresh uploads, else what the page carried from the check."""
    decisions = dict(zip(request.POST.getlist("decision_name"), (t.encode() for t in request.POST.getlist("decision_text")), strict=False))
    upload = request.FILES.get("file")
    for table in request.FILES.getlist("tables"):
        if table.size > MAX_FILE:
            return b"", {}, _("“%(name)s” is larger than 2 MB.") % {"name": table.name}
        decisions[table.name] = table.read()
    if upload is not None and upload.size > MAX_FILE:
        return b"", decisions, _("“%(name)s” is larger than 2 MB.") % {"name": upload.name}
    content = upload.read() if upload is not None else request.POST.get("source", "").encode()
    return content, decisions, "" if content.strip() else _("Choose a .bpmn file.")


@require_POST
@requires(Audience.INTERNAL, permission=WorkflowPermission.PUBLISH)
def restore(request: HttpRequest, key: str, version: int) -> HttpResponse:
    """Make an older version the current one again."""
    found = selectors.definition_detail(request.actor, key, version)
    if found is None:
        raise Http404
    restore_version(request.actor, found.id)
    messages.success(request, _("New processes start with version %(version)s again.") % {"version": version})
    return redirect("workflows:definition", key)
