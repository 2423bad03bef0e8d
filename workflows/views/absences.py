"""Being away, and standing in."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.selectors import employees
from workflows import selectors, services
from workflows.access import WorkflowPermission
from workflows.errors import NotFound


def _day(label) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


class AbsenceForm(forms.Form):
    """Who is away, when, and who stands in for what."""

    user_id = forms.TypedChoiceField(label=gettext_lazy("Who is away"), coerce=int, required=False, empty_value=None)
    first = _day(gettext_lazy("First day"))
    last = _day(gettext_lazy("Last day"))
    substitute = forms.TypedChoiceField(
        label=gettext_lazy("Who stands in"),
        coerce=int,
        required=False,
        empty_value=None,
        help_text=gettext_lazy("They see and do your tasks meanwhile, and the history says for whom."),
    )
    process_key = forms.ChoiceField(label=gettext_lazy("For"), required=False)
    note = forms.CharField(label=gettext_lazy("Note for colleagues"), max_length=200, required=False)

    def __init__(self, actor, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        people = [(person.id, person.name) for person in employees()]
        others = [(key, name) for key, name in people if key != actor.user_id]
        self.fields["substitute"].choices = [("", _("Nobody")), *others]
        self.fields["process_key"].choices = [("", _("All processes")), *((one.key, one.name) for one in selectors.process_choices(actor))]
        if actor.can(WorkflowPermission.REASSIGN):
            self.fields["user_id"].choices = [("", _("I am")), *others]
            self.fields["substitute"].choices = [("", _("Nobody")), *people]
        else:
            del self.fields["user_id"]


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def index(request: HttpRequest) -> HttpResponse:
    """Running and planned absences; POST plans one."""
    form = AbsenceForm(request.actor, request.POST or None)
    if request.method == "POST" and form.is_valid():
        wish = form.cleaned_data
        try:
            services.plan_absence(
                request.actor,
                wish["first"],
                wish["last"],
                wish["substitute"],
                user_id=wish.get("user_id"),
                process_key=wish["process_key"],
                note=wish["note"],
            )
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        else:
            messages.success(request, _("Planned. The tasks go to the substitute on the first day and come back after the last."))
            return redirect("workflows:absences")
    context = {"form": form, "absences": selectors.absences(request.actor), "may_end_all": request.actor.can(WorkflowPermission.REASSIGN)}
    return render(request, "workflows/absences.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Audience.INTERNAL)
def end(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Be back, or think again."""
    try:
        services.end_absence(request.actor, absence_id)
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("The tasks are with their owner again."))
    return redirect("workflows:absences")
