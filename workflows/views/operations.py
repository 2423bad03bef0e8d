"""What operators do to a running process: hold it, change where it stands, take it to another version. Each is shown before it is done."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from bpmn.values import unpack
from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from workflows import selectors, services
from workflows.access import WorkflowPermission
from workflows.errors import NotFound
from workflows.selectors.operations import Operable
from workflows.selectors.undo import values_before

KINDS = [
    ("move", gettext_lazy("Move it to another step, or begin its step anew")),
    ("skip", gettext_lazy("Pass a step without doing it")),
    ("start", gettext_lazy("Begin one more step beside what it does")),
    ("cancel", gettext_lazy("Take a step away")),
    ("restart", gettext_lazy("Begin again from a step: whatever stands anywhere goes")),
    ("begin", gettext_lazy("Begin a new process like this one at a step; this one stays as it is")),
    ("version", gettext_lazy("Take it to another version of the process")),
]
NEEDED = {
    "move": ("source", "target"),
    "skip": ("source",),
    "start": ("target",),
    "cancel": ("source",),
    "restart": ("target",),
    "begin": ("target",),
    "version": ("version",),
}


class OperationForm(forms.Form):
    """What to do; which further fields are needed depends on it."""

    kind = forms.ChoiceField(label=gettext_lazy("What to do"), choices=KINDS, widget=forms.RadioSelect)
    source = forms.ChoiceField(label=gettext_lazy("Step where it stands"), required=False)
    target = forms.ChoiceField(label=gettext_lazy("Step to go to"), required=False)
    version = forms.TypedChoiceField(label=gettext_lazy("Version"), required=False, coerce=int, empty_value=None)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept in the history."),
    )

    def __init__(self, found: Operable, data=None, wish=None) -> None:
        first = {"kind": "move" if found.is_live else "begin", "source": found.here[0][0] if found.here else ""}
        super().__init__(data, initial={**first, **(wish or {})}, auto_id="o-%s")
        self.fields["source"].choices = [("", "—"), *found.here]  # type: ignore[attr-defined]
        self.fields["target"].choices = [("", "—"), *found.places]  # type: ignore[attr-defined]
        versions = [(pk, _("Version %(n)s") % {"n": number}) for pk, number in found.versions]
        self.fields["version"].choices = [("", "—"), *versions]  # type: ignore[attr-defined]
        if not versions:
            self.fields["kind"].choices = KINDS[:-1]  # type: ignore[attr-defined]
            del self.fields["version"]
        if not found.is_live:  # an ended process can only be begun anew
            self.fields["kind"].choices = [one for one in KINDS if one[0] == "begin"]  # type: ignore[attr-defined]
            for name in ("source", "version"):
                self.fields.pop(name, None)

    def clean(self) -> dict:
        """Ask for what this kind of change needs."""
        cleaned = super().clean() or {}
        for name in NEEDED.get(cleaned.get("kind", ""), ()):
            if not cleaned.get(name) and name in self.fields:
                self.add_error(name, _("Choose one."))
        return cleaned


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def change(request: HttpRequest, instance_id: int) -> HttpResponse:
    """Say what to do, look at what would come of it, then do it."""
    found = selectors.operable(request.actor, instance_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    wish = {name: request.GET[name] for name in ("kind", "source", "target", "version") if name in request.GET}
    form = OperationForm(found, request.POST if request.method == "POST" else None, wish)
    context = {"found": found, "form": form, "preview": None, "mapping": [], "places": []}
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                if request.POST.get("do"):
                    place = _done(request, found, form.cleaned_data)
                    messages.success(request, _("Done; the history says why."))
                    return redirect("workflows:instance", place)
                context |= _preview(request, found, form.cleaned_data)
                status = 200
            except NotFound:
                raise Http404 from None
            except Refused as refused:
                form.add_error(None, refused.message)
    return render(request, "workflows/operations.html", context, status=status)


def _mapping(request: HttpRequest) -> dict[str, str]:
    return {name[4:]: value for name, value in request.POST.items() if name.startswith("map_") and value}  # type: ignore[misc]


def _preview(request: HttpRequest, found: Operable, wish: dict) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    if wish["kind"] == "begin":
        return {"preview": services.preview_start_here(actor, found.id, wish["target"])}
    if wish["kind"] != "version":
        return {"preview": services.preview_change(actor, found.id, _changes(found, wish))}
    mapping = _mapping(request)
    preview = services.preview_migration(actor, wish["version"], [found.id], mapping)[0]
    names = dict(found.here)
    asked = [(key, names.get(key, key), mapping.get(key) or preview.suggested.get(key, "")) for key in (*preview.lost, *mapping)]
    return {"preview": preview, "mapping": asked, "places": selectors.places_of(wish["version"])}


def _changes(found: Operable, wish: dict) -> list:
    return services.changes_for(wish["kind"], wish.get("source", ""), wish["target"], [key for key, _name in found.here])


def _done(request: HttpRequest, found: Operable, wish: dict) -> int:
    """Do it; gives the instance to look at then."""
    actor = request.actor  # type: ignore[attr-defined]
    if wish["kind"] == "begin":
        return services.start_here(actor, found.id, wish["target"], wish["reason"])
    if wish["kind"] == "version":
        services.migrate_instance(actor, found.id, wish["version"], wish["reason"], _mapping(request))
    else:
        services.change_instance(actor, found.id, _changes(found, wish), wish["reason"])
    return found.id


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL, permission=WorkflowPermission.OPERATE)
def data(request: HttpRequest, instance_id: int) -> HttpResponse:
    """Correct what an instance knows: type, look at before and after, then do it."""
    actor = request.actor  # type: ignore[attr-defined]
    try:
        known = services.variables_of(actor, instance_id)
        found = selectors.operable(actor, instance_id)
        if found is None:
            raise Http404
        typed = {name: services.typed(value) for name, value in known.items()}
        wanted, removed, changes, problem, status = dict(typed), set(), None, None, 200
        undo = whole_number(request.GET.get("undo"))
        if request.method == "GET" and undo is not None:
            before, added = values_before(instance_id, undo)
            wanted |= {name: services.typed(unpack(value)) for name, value in before.items()}
            removed = {name for name in added if name in known}
        if request.method == "POST":
            wanted |= {name[2:]: value for name, value in request.POST.items() if name.startswith("v_")}  # type: ignore[misc]
            removed = set(request.POST.getlist("remove"))
            if new := request.POST.get("new_name", "").strip():
                wanted[new] = request.POST.get("new_value", "")
            try:
                changes = services.preview_correction(actor, instance_id, wanted, removed)
                if request.POST.get("do"):
                    seen = whole_number(request.POST.get("version"))
                    version = -1 if seen is None else seen
                    if services.correct_data(actor, instance_id, wanted, removed, request.POST.get("reason", ""), version=version):
                        messages.success(request, _("Corrected; the history says what and why."))
                    return redirect("workflows:instance", instance_id)
            except Refused as refused:
                problem, status = refused, 422
    except NotFound:
        raise Http404 from None
    rows = [(name, text, services.kind_words(known[name]) if name in known else "", name in removed) for name, text in wanted.items()]
    context = {"found": found, "rows": rows, "changes": changes, "problem": problem, "reason": request.POST.get("reason", "")}
    return render(request, "workflows/instance_data.html", context, status=status)


@require_POST
@requires(Audience.INTERNAL)
def hold(request: HttpRequest, instance_id: int) -> HttpResponse:
    """Hold a running process, or let a held one go on."""
    found = selectors.operable(request.actor, instance_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    try:
        if found.status == "suspended":
            services.resume_instance(request.actor, instance_id, request.POST.get("reason", ""))  # type: ignore[attr-defined]
            messages.success(request, _("It goes on."))
        else:
            services.suspend_instance(request.actor, instance_id, request.POST.get("reason", ""))  # type: ignore[attr-defined]
            messages.success(request, _("It is held: nothing happens in it until it goes on."))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("workflows:instance", instance_id)
