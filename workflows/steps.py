"""An outsider's step on the pages of their own face: the same form and the same service as the inbox."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from workflows.errors import NotFound
from workflows.forms import submit_task, task_form


def step_page(request: HttpRequest, task_id: int, *, template: str, after: str, context: dict | None = None) -> HttpResponse:
    """Show a step, or do it with what was sent and go to `after`; what was typed stays where something is wrong.

    The template gets `task` (a TaskForm) and draws `workflows/parts/_task_form.html`.
    """
    actor = request.actor  # type: ignore[attr-defined]
    status = 200
    try:
        if request.method == "POST":
            sent = submit_task(actor, task_id, request.POST, request.FILES)
            if sent.result is not None:
                messages.success(request, sent.result.message)
                return redirect(after)
            form, status = sent.form, 409 if sent.conflict else 400
        else:
            form = task_form(actor, task_id)
    except NotFound:
        raise Http404 from None
    return render(request, template, {"task": form, "post_url": request.path, **(context or {})}, status=status)
