"""A customer's or partner's step that an employee does for them, as they told it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from workflows import definitions
from workflows.errors import NotFound
from workflows.forms import form_of, submit_task
from workflows.services.telling import people_who_tell, told_by, told_task, why_not_told


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def told(request: HttpRequest, task_id: int) -> HttpResponse:
    """The outsider's own form, with who told it and how; POST does the step in their name."""
    actor = request.actor  # type: ignore[attr-defined]
    try:
        task = told_task(actor, task_id)
    except NotFound:
        raise Http404 from None
    people = people_who_tell(task)
    why_not = why_not_told(actor, task, definitions.load(task.instance.digest).element(task.element_id))
    if not why_not and not people and task.status == task.Status.OPEN:
        why_not = _("Nobody of the customer or partner could do this step, so nobody could tell it either. Invite somebody first.")
    form, status, error = None, 200, None
    if request.method == "POST":
        raw = request.POST.get("told_by", "")
        try:
            chosen = told_by(task, whole_number(raw) or 0, request.POST.get("told_how", ""))
            sent = submit_task(actor, task_id, request.POST, request.FILES, told=chosen)
        except Refused as refused:
            error, status = refused, 409 if refused.status == 409 else 422
            form = form_of(people[0], task, request.POST, action=request.POST.get("action", "")) if people else None
        else:
            if sent.done:
                messages.success(request, _("Done in the name of %(who)s, who is told so.") % {"who": chosen.by.name})
                return redirect("workflows:instance", task.instance_id)
            form, status = sent.form, 409 if sent.conflict else 422
            error = next((Refused(words[0], name) for name, words in sent.errors.items() if name in ("told_by", "told_how")), None)
    if form is None and people:
        form = form_of(people[0], task)
    context = {"task": task, "form": form, "people": people, "why_not": why_not, "refused": error, "typed": request.POST}
    return render(request, "workflows/told.html", context, status=status)
