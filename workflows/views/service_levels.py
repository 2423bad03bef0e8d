"""Service levels: how promises are kept, what is at risk now, and what is promised."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import Audience, PortalPermission, requires
from portal.errors import Refused
from portal.registry import registry
from workflows import selectors
from workflows.access import WorkflowPermission
from workflows.errors import NotFound
from workflows.selectors import service_levels as read
from workflows.service_levels import MANAGER, RISK, Level
from workflows.services import service_levels as services


class LevelForm(forms.Form):
    """What is promised, and who is told."""

    target = forms.CharField(
        label=gettext_lazy("Target"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "8 working hours"}),
        help_text=gettext_lazy("8 working hours, 2 working days; PT48H counts nights and holidays too. Empty: nothing is promised."),
    )
    risk_percent = forms.IntegerField(label=gettext_lazy("At risk from (percent of the target)"), min_value=1, max_value=99)
    pauses_for_customer = forms.BooleanField(label=gettext_lazy("Waiting for the customer stops the clock of the process"), required=False)
    tell_holder = forms.BooleanField(label=gettext_lazy("Tell whoever has it, and their manager"), required=False)
    tell_role = forms.ChoiceField(label=gettext_lazy("Tell everybody with the role"), required=False)
    message = forms.CharField(
        label=gettext_lazy("Send the process a message"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Its name in the diagram; it is correlated by instance_id and carries late_step and late_state."),
    )
    starts = forms.ChoiceField(label=gettext_lazy("Start a process when it is broken"), required=False)

    def __init__(self, actor, process_key: str, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        roles = [(role.key, role.label) for role in registry.roles.values() if role.audience == Audience.INTERNAL]
        self.fields["tell_role"].choices = [("", _("Nobody else")), *roles]
        others = [(one.key, one.name) for one in selectors.process_choices(actor) if one.key != process_key]
        self.fields["starts"].choices = [("", _("None")), *others]


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.VIEW_ALL)
def index(request: HttpRequest) -> HttpResponse:
    """Each promise with the share kept; what is at risk and broken now."""
    at_risk, risk_total = read.clocks_that(request.actor, "at_risk")
    breached, breach_total = read.clocks_that(request.actor, "breached")
    context = {
        "levels": read.level_rows(request.actor),
        "at_risk": at_risk,
        "risk_total": risk_total,
        "breached": breached,
        "breach_total": breach_total,
        "may_set": request.actor.can(PortalPermission.ADMINISTER),
        "processes": selectors.process_choices(request.actor),
    }
    return render(request, "workflows/service_levels.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL, permission=PortalPermission.ADMINISTER)
def edit(request: HttpRequest) -> HttpResponse:
    """What is promised of a process (`process`) or of one of its steps (`step`); POST saves it."""
    key, step = request.GET.get("process", "")[:100], request.GET.get("step", "")[:150]
    steps = read.steps_to_promise(key)
    if not steps or step not in dict(steps):
        raise Http404
    level, is_set = read.level_for(key, step)
    shown = level or Level("", RISK, tell_role=MANAGER)
    form = LevelForm(request.actor, key, request.POST or None, initial={name: getattr(shown, name) for name in Level.__slots__})
    if request.method == "POST" and form.is_valid():
        try:
            services.save_level(request.actor, key, step, Level(**{**form.cleaned_data, "target": form.cleaned_data["target"].strip()}))
        except NotFound:
            raise Http404 from None
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        else:
            messages.success(request, _("Saved. What runs now is counted against it too."))
            return redirect("workflows:service-levels")
    name = next((one.name for one in selectors.process_choices(request.actor) if one.key == key), key)
    context = {
        "form": form,
        "key": key,
        "step": step,
        "steps": steps,
        "process_name": name,
        "is_set": is_set,
        "step_name": dict(steps)[step],
    }
    return render(request, "workflows/service_level.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Audience.INTERNAL, permission=PortalPermission.ADMINISTER)
def drop(request: HttpRequest) -> HttpResponse:
    """Let what the diagram says count again."""
    try:
        services.drop_level(request.actor, request.POST.get("process", "")[:100], request.POST.get("step", "")[:150])
    except NotFound:
        raise Http404 from None
    messages.success(request, _("What the diagram says counts again."))
    return redirect("workflows:service-levels")


@require_GET
@requires(Audience.INTERNAL)
def of_instance(request: HttpRequest, instance_id: int) -> HttpResponse:
    """How the promises of one running process stand; nothing where none was made, or out of sight."""
    return render(request, "workflows/parts/_instance_clocks.html", {"clocks": read.clocks_of_instance(request.actor, instance_id)})
