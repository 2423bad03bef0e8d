"""Asking customers for documents, and checking what they give."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import selectors, services
from crm.access import CrmPermission
from crm.forms_documents import DayForm, DocumentRequestForm, LineForms
from crm.services import NewDocumentRequest, NewLine
from portal.access import Actor, Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from portal.registry import SubjectRef, SubjectView, registry

viewer = requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
asker = requires(Audience.INTERNAL, permission=CrmPermission.ASK_DOCUMENTS)
EMPTY_LINES = 3


def _subject(actor: Actor, text: str) -> SubjectView:
    try:
        found = registry.resolve(actor, SubjectRef.parse(text))
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


@require_GET
@viewer
def panel(request: HttpRequest, ref: str) -> HttpResponse:
    """What the customer of a record was asked for, and the way to ask for more."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = _subject(actor, ref)
    lists = selectors.document_lists(actor, about=subject.ref)
    return render(request, "crm/parts/_documents_panel.html", {"ref": ref, "lists": lists, "may_ask": services.may_ask(actor, subject.ref)})


@require_http_methods(["GET", "POST"])
@asker
def new(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for documents; a row is added or taken away without losing what was typed."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = _subject(actor, ref)
    status = 200
    if request.method == "POST":
        form, lines = DocumentRequestForm(request.POST), LineForms(request.POST, prefix="lines")
        if "add" in request.POST or "remove" in request.POST:
            form, lines = _other_rows(request)
        elif form.is_valid() & lines.is_valid():
            try:
                made = services.ask_for_documents(actor, _asked(subject.ref, form, lines))
            except Refused as refusal:
                _put_at(refusal, form, lines)
                status = refusal.status
            else:
                messages.success(request, _("The customer is asked. You see here what comes."))
                return redirect("crm:document-request", pk=made.pk)
        else:
            status = 400
    else:
        form = DocumentRequestForm(initial={"idempotency_key": secrets.token_urlsafe(16)})
        lines = LineForms(prefix="lines", initial=[{"is_required": True, "kinds": "any"}] * EMPTY_LINES)
    return render(request, "crm/document_new.html", {"subject": subject, "form": form, "lines": lines}, status=status)


def _other_rows(request: HttpRequest) -> tuple[DocumentRequestForm, Any]:
    """The form as it was typed, with one row more or one less."""
    post = request.POST
    count = whole_number(post.get("lines-TOTAL_FORMS")) or 0
    rows = [
        {name: post.get(f"lines-{n}-{name}", "") for name in ("name", "hint", "kinds")} | {"is_required": f"lines-{n}-is_required" in post}
        for n in range(min(count, services.MOST_LINES))
    ]
    if "add" in post and len(rows) < services.MOST_LINES:
        rows.append({"is_required": True, "kinds": "any"})
    elif (gone := whole_number(post.get("remove"))) is not None and gone < len(rows) and len(rows) > 1:
        del rows[gone]
    typed = {name: post.get(name, "") for name in ("title", "due", "note", "idempotency_key")}
    return DocumentRequestForm(initial=typed), LineForms(prefix="lines", initial=rows)


def _filled(lines: Any) -> list[Any]:
    """The rows with anything in them; empty ones are none."""
    return [row for row in lines if row.cleaned_data.get("name")]


def _asked(ref: SubjectRef, form: DocumentRequestForm, lines: Any) -> NewDocumentRequest:
    data = form.cleaned_data
    rows = [row.cleaned_data for row in _filled(lines)]
    found = tuple(NewLine(row["name"], row.get("hint", ""), row.get("is_required", False), row.get("kinds", "any")) for row in rows)
    return NewDocumentRequest(ref, found, data["due"], data["title"], data["note"], data["idempotency_key"])


def _put_at(refusal: Refused, form: DocumentRequestForm, lines: Any) -> None:
    """Show a refusal at the field that it names."""
    prefix, _dash, rest = (refusal.field or "").partition("-")
    number, _dash, name = rest.partition("-")
    rows = _filled(lines) or list(lines)
    if prefix == "lines" and number.isdigit() and int(number) < len(rows):
        rows[int(number)].add_error(name, refusal.message)
    else:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)


def _shown(request: HttpRequest, pk: int, **more: Any) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    found = selectors.document_list(actor, pk)
    if found is None:
        raise Http404
    return {"list": found, "may_check": actor.can(CrmPermission.ASK_DOCUMENTS) and found.is_open, "give_name": "crm:document-give", **more}


@require_GET
@viewer
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One list, live."""
    return render(request, "crm/document_request.html", _shown(request, pk))


@require_GET
@viewer
def card(request: HttpRequest, ref: str) -> HttpResponse:
    """A list on the page of a task, and the list alone when it is re-read."""
    subject = _subject(request.actor, ref)  # type: ignore[attr-defined]
    if subject.ref.kind != "crm.document_request":
        raise Http404
    return render(request, "crm/parts/_document_lines.html", _shown(request, subject.ref.id))


def _answer(request: HttpRequest, line_id: int, act: Any) -> HttpResponse:
    """Do something to a line and show its list again; a refusal stands at the line, and what was typed stays."""
    actor = request.actor  # type: ignore[attr-defined]
    pk = selectors.list_of_line(actor, line_id)
    if pk is None:
        raise Http404
    more: dict[str, Any] = {}
    status = 200
    try:
        act()
    except Refused as refusal:
        more = {"problem_at": line_id, "problem": refusal.message, "reason": request.POST.get("reason", "")[:500]}
        status = refusal.status
    if getattr(request, "htmx", None):
        return render(request, "crm/parts/_document_lines.html", _shown(request, pk, **more), status=status)
    if more:
        return render(request, "crm/document_request.html", _shown(request, pk, **more), status=status)
    return redirect("crm:document-request", pk=pk)


@require_POST
@asker
def decide(request: HttpRequest, line_id: int) -> HttpResponse:
    """Accept a document, or send it back with a reason."""
    actor, post = request.actor, request.POST  # type: ignore[attr-defined]
    seen = whole_number(post.get("seen"))
    if post.get("action") == "return":
        return _answer(request, line_id, lambda: services.return_document(actor, line_id, post.get("reason", ""), seen))
    return _answer(request, line_id, lambda: services.accept_document(actor, line_id, seen))


@require_POST
@asker
def give(request: HttpRequest, line_id: int) -> HttpResponse:
    """Put a document on the list that came another way."""
    return _answer(request, line_id, lambda: services.give_from_form(request.actor, line_id, request.POST, request.FILES))  # type: ignore[attr-defined]


@require_POST
@asker
def move_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the customer another day."""
    form = DayForm(request.POST)
    problem = next((errors[0] for errors in form.errors.values()), "")
    status = 400
    if not problem:
        try:
            services.move_documents_day(request.actor, pk, form.cleaned_data["due"], form.cleaned_data["reason"])  # type: ignore[attr-defined]
        except Refused as refusal:
            problem, status = refusal.message, refusal.status
        else:
            messages.success(request, _("The customer is told the new day."))
            return redirect("crm:document-request", pk=pk)
    context = _shown(request, pk, problem=problem, day={name: request.POST.get(name, "")[:300] for name in form.fields})
    return render(request, "crm/document_request.html", context, status=status)


@require_POST
@asker
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing of the list is needed any more."""
    reason = request.POST.get("reason", "")
    try:
        services.withdraw_documents(request.actor, pk, reason)  # type: ignore[attr-defined]
    except Refused as refusal:
        context = _shown(request, pk, problem=refusal.message, reason=reason[:300])
        return render(request, "crm/document_request.html", context, status=refusal.status)
    messages.success(request, _("The list was withdrawn; what was given stays."))
    return redirect("crm:document-request", pk=pk)
