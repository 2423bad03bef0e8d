"""Appointments in the workspace: the list, one appointment, offering times, and the fragment on records' cards."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.access import CrmPermission
from crm.appointments import selectors as read
from crm.appointments import services
from crm.appointments.forms import LOCAL, MoveForm, OfferForm, TimesForm
from crm.appointments.services import KINDS, Offer
from crm.appointments.times import proposals
from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from portal.registry import SubjectRef, SubjectView, registry
from portal.selectors import employees

viewer = requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
SHOWN = ("coming", "waiting", "past")


@require_GET
@viewer
def listing(request: HttpRequest) -> HttpResponse:
    """One's own appointments, or everybody's: what comes, what waits for a time, what is over."""
    actor = request.actor  # type: ignore[attr-defined]
    show = request.GET.get("show", "coming")
    show = show if show in SHOWN else "coming"
    everybody = request.GET.get("who") == "all"
    host = None if everybody else actor.user_id
    reads = {"coming": read.coming_appointments, "waiting": read.open_offers, "past": read.past_appointments}
    context = {
        "rows": reads[show](actor, host_id=host),
        "show": show,
        "everybody": everybody,
        "waiting": len(read.open_offers(actor, host_id=host)),
        "topic": f"crm.appointments:{actor.user_id}",
    }
    return render(request, "crm/appointments/list.html", context)


def _subject(request: HttpRequest, ref: str) -> SubjectView:
    try:
        found = SubjectRef.parse(ref)
    except ValueError:
        raise Http404 from None
    shown = registry.resolve(request.actor, found) if found.kind in KINDS else None  # type: ignore[attr-defined]
    if shown is None:
        raise Http404
    return shown


@require_GET
@viewer
def panel(request: HttpRequest, ref: str) -> HttpResponse:
    """The appointments about a record, on its card."""
    subject = _subject(request, ref)
    context = {
        "rows": read.appointments_on(request.actor, [subject.ref]),  # type: ignore[attr-defined]
        "subject": subject,
        "can_offer": services.customer_of(subject.ref) is not None,
    }
    return render(request, "crm/appointments/_panel.html", context)


def proposed(host_id: int, minutes: int = 30) -> dict[str, str]:
    """Initial values of the form's times: free ones of the next days."""
    return {f"slot_{number}": timezone.localtime(time).strftime(LOCAL) for number, time in enumerate(proposals(host_id, minutes), 1)}


@require_http_methods(["GET", "POST"])
@viewer
def offer(request: HttpRequest, ref: str) -> HttpResponse:
    """Offer times to the customer of a record."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = _subject(request, ref)
    hosts = [(person.id, person.name) for person in employees()]
    first = {"title": subject.title[:150], "host": actor.user_id, "idempotency_key": secrets.token_urlsafe(16)}
    form = OfferForm(request.POST or None, hosts=hosts, initial=first | (proposed(actor.user_id) if request.method == "GET" else {}))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = services.offer_appointment(
                actor,
                subject.ref,
                Offer(
                    data["title"],
                    data["minutes"],
                    data["place"],
                    data["note"],
                    host_id=data["host"],
                    key=data["idempotency_key"],
                    **form.times(),
                ),
            )
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _("The times are with the customer."))
            return redirect("crm_appointments:appointment", appointment_id=made.pk)
    return render(request, "crm/appointments/offer.html", {"form": form, "subject": subject}, status=400 if form.errors else 200)


def _refuse(form: Any, refusal: Refused) -> None:
    field = {"slots": "slot_1", "host_id": "host"}.get(refusal.field or "", refusal.field)
    form.add_error(field if field in form.fields else None, refusal.message)


def _view(request: HttpRequest, appointment_id: int) -> read.AppointmentView:
    found = read.appointment_view(request.actor, appointment_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, appointment_id: int, status: int = 200, **more: Any) -> HttpResponse:
    row = _view(request, appointment_id)
    context: dict[str, Any] = {
        "row": row,
        "times": read.times_to_choose(request.actor, row.id) if row.state != "booked" else [],  # type: ignore[attr-defined]
        "again": TimesForm(initial=proposed(row.host_id, row.minutes)) if row.state in ("offered", "asked") else None,
        "move": MoveForm(),
        "reason": "",
    }
    return render(request, "crm/appointments/appointment.html", context | more, status=status)


@require_GET
@viewer
def appointment(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """One appointment: when, where, with whom, and what may be done."""
    return _page(request, appointment_id)


@require_POST
@viewer
def again(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Offer other times."""
    row = _view(request, appointment_id)
    form = TimesForm(request.POST)
    if form.is_valid():
        try:
            services.offer_again(request.actor, row.id, Offer(row.title, row.minutes, **form.times()), version=_version(request))  # type: ignore[attr-defined]
        except Refused as refusal:
            _refuse(form, refusal)
            return _page(request, appointment_id, refusal.status, again=form)
        messages.success(request, _("The times are with the customer."))
        return redirect("crm_appointments:appointment", appointment_id=row.id)
    return _page(request, appointment_id, 400, again=form)


@require_POST
@viewer
def move(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Put it to another time."""
    row = _view(request, appointment_id)
    form = MoveForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            services.move_appointment(request.actor, row.id, data["starts"], data["reason"], version=_version(request))  # type: ignore[attr-defined]
        except Refused as refusal:
            _refuse(form, refusal)
            return _page(request, appointment_id, refusal.status, move=form)
        messages.success(request, _("It is moved; both of you get a letter for the calendar."))
        return redirect("crm_appointments:appointment", appointment_id=row.id)
    return _page(request, appointment_id, 400, move=form)


@require_POST
@viewer
def cancel(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Call it off."""
    row = _view(request, appointment_id)
    reason = request.POST.get("reason", "")
    try:
        services.cancel_appointment(request.actor, row.id, reason, version=_version(request))  # type: ignore[attr-defined]
    except Refused as refusal:
        return _page(request, appointment_id, refusal.status, problem=refusal.message, reason=reason)
    messages.success(request, _("It is cancelled, and the customer is told."))
    return redirect("crm_appointments:appointment", appointment_id=row.id)


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return whole_number(text)
