"""From the catalogue to the request's page: road, steps, quote, messages, files."""

from __future__ import annotations

import secrets
from dataclasses import replace
from itertools import groupby

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import selectors as crm
from crm import services as crm_services
from customer_cabinet import selectors, services
from customer_cabinet.access import CabinetPermission
from customer_cabinet.forms import RequestForm
from portal.access import Actor, Audience, requires
from portal.errors import Refused
from portal.files import store_file
from portal.kept_pages import kept
from portal.offers import described
from portal.registry import SubjectRef
from projects import selectors as projects
from workflows.forms import TaskForm, task_form
from workflows.selectors import TaskRow, first_tasks, forecasts, open_tasks_for, road_for, task_detail
from workflows.steps import question_page, step_page

customer = requires(Audience.CUSTOMER)
MAX_FILES = 10


@require_GET
@customer
def catalogue(request: HttpRequest) -> HttpResponse:
    """Everything a customer may ask for, by category."""
    text = request.GET.get("q", "").strip()[:100]
    actor = request.actor  # type: ignore[attr-defined]
    cards = sorted(crm.catalogue(actor, text), key=lambda c: (c.category, c.name))
    groups = [(category, list(found)) for category, found in groupby(cards, key=lambda c: c.category)]
    categories = [category for category, _found in groups if category]
    chosen = request.GET.get("category", "")
    if chosen in categories:
        groups = [(category, found) for category, found in groups if category == chosen]
    context = {"groups": groups, "text": text, "categories": categories, "chosen": chosen, "drafts": selectors.drafts(actor)}
    return render(request, "customer_cabinet/catalogue.html", context)


@require_http_methods(["GET", "POST"])
@customer
def request_new(request: HttpRequest, product_id: int) -> HttpResponse:
    """Ask for a product: the request and its files are kept together, and its process starts."""
    actor = request.actor  # type: ignore[attr-defined]
    product = crm.product_card(actor, product_id)
    if product is None:
        raise Http404
    draft = next(iter(selectors.drafts(actor, product_id)), None)
    chosen = described(request.GET.get("from", ""), request.GET)
    known = {"title": draft.title, "description": draft.description} if draft else {"description": f"{chosen.words}\n\n" if chosen else ""}
    form = RequestForm(request.POST or None, initial={"idempotency_key": secrets.token_urlsafe(16), **known})
    extra = crm_services.start_form(actor, product_id, request.POST or None, request.FILES or None, typed=draft.answers if draft else None)
    status = 200
    if request.method == "POST":
        status = 400
        good = extra is None or extra.is_valid()
        if form.is_valid() and good:
            data, start = form.cleaned_data, crm_services.answers_in(extra)
            try:
                with transaction.atomic():
                    made = crm_services.submit_request(
                        actor, crm_services.NewRequest(product_id, data["description"], data["title"], data["idempotency_key"], start)
                    )
                    for upload in request.FILES.getlist("files")[:MAX_FILES]:
                        store_file(actor, SubjectRef("crm.request", made.pk), upload, {Audience.CUSTOMER})
                    services.drop_draft(actor, product_id)
            except Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
            else:
                messages.success(request, _("We have your request. You can follow it here."))
                return redirect("customer_cabinet:request", request_id=made.pk)
    context = {"product": product, "form": form, "extra": extra, "draft": draft, "may_request": actor.can(CabinetPermission.START_REQUEST)}
    return render(request, "customer_cabinet/request_new.html", context, status=status)


@require_POST
@customer
def draft(request: HttpRequest, product_id: int) -> HttpResponse:
    """Keep what is being typed, or throw it away."""
    actor = request.actor  # type: ignore[attr-defined]
    if crm.product_card(actor, product_id) is None:
        raise Http404
    if "drop" in request.POST:
        services.drop_draft(actor, product_id)
        messages.success(request, _("The draft was thrown away."))
        return redirect("customer_cabinet:catalogue")
    answers = crm_services.raw_answers(crm_services.start_form(actor, product_id), request.POST)
    title, description = request.POST.get("title", ""), request.POST.get("description", "")
    services.keep_draft(actor, product_id, title=title, description=description, answers=answers)
    return HttpResponse(status=204)


@require_GET
@customer
def request_list(request: HttpRequest) -> HttpResponse:
    """All requests of the organisation."""
    actor = request.actor  # type: ignore[attr-defined]
    state = request.GET.get("state", "")
    state = state if state in ("open", "done", "closed") else ""
    found = crm.requests_for(actor, state=state)
    rows = selectors.request_rows(actor, found, first_tasks(actor))
    context = {"rows": rows, "state": state, "may_request": actor.can(CabinetPermission.START_REQUEST)}
    return render(request, "customer_cabinet/requests.html", context)


def own_steps(actor: Actor, tasks: list[TaskRow]) -> list[tuple[TaskRow, TaskForm, bool]]:
    """The customer's open steps with their forms, and whether a step decides on a quote: accepting that is done by signing."""
    found = []
    for task in tasks:
        form = task_form(actor, task.id)
        decides = bool(task.subject and task.subject.ref.kind == "crm.quote") and any(a.id == "accept" for a in form.actions)
        if decides:
            form = replace(form, actions=tuple(a for a in form.actions if a.id != "accept"))
        found.append((task, form, decides))
    return found


def _context(request: HttpRequest, request_id: int) -> dict:
    actor = request.actor  # type: ignore[attr-defined]
    row = crm.request_view(actor, request_id)
    if row is None:
        raise Http404
    tasks = [t for t in open_tasks_for(actor, row.ref) if t.audience == Audience.CUSTOMER]
    road = road_for(actor, row.ref)
    return {
        "row": row,
        "road": road,
        "forecast": forecasts(actor, [road.instance_id]).get(road.instance_id) if road and row.state == "open" else None,
        "steps": own_steps(actor, tasks),
        "quotes": crm.quotes_of_request(actor, request_id),
        "projects": projects.projects_served_by(actor, road.instance_id) if road else [],
    }


@require_GET
@customer
@kept
def request_page(request: HttpRequest, request_id: int) -> HttpResponse:
    """One page for one request."""
    return render(request, "customer_cabinet/request.html", _context(request, request_id))


@require_GET
@customer
def request_body(request: HttpRequest, request_id: int) -> HttpResponse:
    """The part of the request's page that changes live."""
    return render(request, "customer_cabinet/parts/_request_body.html", _context(request, request_id))


@require_http_methods(["GET", "POST"])
@customer
def step(request: HttpRequest, task_id: int) -> HttpResponse:
    """A step that is the customer's; afterwards back to its request. A quote is accepted by signing it, on its own page."""
    detail = task_detail(request.actor, task_id)  # type: ignore[attr-defined]
    if detail is None:
        raise Http404
    about = detail.row.subject
    if about and about.url and about.ref.kind == "crm.quote" and request.method == "POST" and request.POST.get("action") == "accept":
        return redirect(f"{about.url}#sign")
    documents_url = next((s.url for s in detail.subjects if s.ref.kind == "crm.document_request" and s.url), None)
    if documents_url and detail.row.element_id.endswith("provide_documents"):  # done by itself when the last document is there
        return redirect(documents_url)
    record = next((s for s in detail.subjects if s.url), None)
    after = record.url if record and record.url else reverse("customer_cabinet:home")
    return step_page(request, task_id, template="customer_cabinet/step.html", after=after, context={"record": record})


@require_http_methods(["GET", "POST"])
@customer
def question(request: HttpRequest, question_id: int) -> HttpResponse:
    """A question that we asked this person; POST answers it."""
    return question_page(request, question_id, "customer_cabinet/question.html", "customer_cabinet:home")
