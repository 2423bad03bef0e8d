"""Asking about a task, and answering."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from workflows.errors import NotFound
from workflows.selectors import questions as read
from workflows.services import questions as services
from workflows.steps import question_page


@require_GET
@requires(Audience.INTERNAL)
def index(request: HttpRequest) -> HttpResponse:
    """What waits for the reader's answer."""
    return render(request, "workflows/questions.html", {"questions": read.questions_to(request.actor)})


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def question(request: HttpRequest, question_id: int) -> HttpResponse:
    """One question; POST answers it."""
    return question_page(request, question_id, "workflows/question.html", "workflows:questions")


@require_http_methods(["GET", "POST"])
@requires(Audience.INTERNAL)
def ask(request: HttpRequest, task_id: int) -> HttpResponse:
    """Ask somebody about a task; what was typed stays when it can't be asked."""
    people = read.people_to_ask_about(request.actor, task_id)
    about = read.task_asked_about(request.actor, task_id)
    if about is None:
        raise Http404
    refused = None
    if request.method == "POST":
        audience, _colon, person = request.POST.get("to", "").partition(":")
        try:
            services.ask_question(request.actor, task_id, whole_number(person) or 0, audience, request.POST.get("text", ""))
        except NotFound:
            raise Http404 from None
        except Refused as error:
            refused = error
        else:
            messages.success(request, _("Asked. The answer will stand on this page."))
            return redirect("workflows:task", task_id)
    context = {"people": people, "about": about, "refused": refused, "typed": request.POST}
    return render(request, "workflows/ask.html", context, status=(409 if refused.status == 409 else 422) if refused else 200)


@require_POST
@requires(Audience.INTERNAL)
def withdraw(request: HttpRequest, question_id: int) -> HttpResponse:
    """Take a question back."""
    found = read.question(request.actor, question_id)
    if found is None:
        raise Http404
    try:
        services.withdraw_question(request.actor, question_id)
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Withdrawn: nobody has to answer it any more."))
    return redirect("workflows:task", found.task_id)


@require_GET
@requires(Audience.INTERNAL)
def of_task(request: HttpRequest, task_id: int) -> HttpResponse:
    """What was asked about a task, re-read when it changes."""
    context = {"questions": read.questions_about(request.actor, task_id), "task_id": task_id}
    return render(request, "workflows/parts/_task_questions.html", context)


@require_GET
@requires(Audience.INTERNAL)
def waiting(request: HttpRequest) -> HttpResponse:
    """How many questions wait for the reader; the inbox shows it."""
    return render(request, "workflows/parts/_questions_waiting.html", {"count": read.question_count(request.actor)})
