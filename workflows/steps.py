"""An outsider's step, or a question to them, on the pages of their own face: the same form and the same service as the inbox."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.errors import Refused
from workflows.errors import NotFound
from workflows.forms import submit_task, task_form
from workflows.selectors.questions import question
from workflows.services.questions import answer_question


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


def question_page(request: HttpRequest, question_id: int, template: str, after: str) -> HttpResponse:
    """A question's page for any face: it shows the question, takes the answer and then goes to `after`."""
    actor, refused = request.actor, None  # type: ignore[attr-defined]
    if request.method == "POST":
        try:
            answer_question(actor, question_id, request.POST.get("answer", ""))
        except NotFound:
            raise Http404 from None
        except Refused as error:
            refused = error
        else:
            messages.success(request, _("Thank you. Your answer is with whoever asked."))
            return redirect(after)
    found = question(actor, question_id)
    if found is None:
        raise Http404
    context = {"question": found, "refused": refused, "typed": request.POST.get("answer", "")}
    return render(request, template, context, status=(409 if refused.status == 409 else 422) if refused else 200)
