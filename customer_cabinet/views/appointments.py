"""Appointments in the cabinet: choose one of the offered times, ask for others, move or cancel."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.appointments import selectors as read
from crm.appointments import services
from crm.appointments.forms import moment_of
from customer_cabinet import selectors
from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from portal.registry import SubjectRef, registry

customer = requires(Audience.CUSTOMER)


@require_GET
@customer
def listing(request: HttpRequest) -> HttpResponse:
    """What waits for a time, what comes, what is over."""
    actor = request.actor  # type: ignore[attr-defined]
    context = {
        "waiting": read.open_offers(actor),
        "coming": read.coming_appointments(actor),
        "past": read.past_appointments(actor, limit=20),
        "topic": f"cabinet:{actor.organisation_id}",
    }
    return render(request, "customer_cabinet/appointments/list.html", context)


@require_GET
@customer
def panel(request: HttpRequest, ref: str) -> HttpResponse:
    """The appointments about a record and its deal, on its page."""
    try:
        found = SubjectRef.parse(ref)
    except ValueError:
        raise Http404 from None
    actor = request.actor  # type: ignore[attr-defined]
    if registry.resolve(actor, found) is None:
        raise Http404
    return render(request, "customer_cabinet/appointments/_panel.html", {"rows": selectors.appointments_of(actor, found)})


def _page(request: HttpRequest, appointment_id: int, status: int = 200, **more: Any) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    row = read.appointment_view(actor, appointment_id)
    if row is None:
        raise Http404
    times: dict[Any, list] = {}
    for time in read.times_to_choose(actor, appointment_id):
        times.setdefault(timezone.localdate(time), []).append(time)
    context: dict[str, Any] = {
        "row": row,
        "days": list(times.items()),
        "zone": timezone.get_current_timezone_name().replace("_", " "),
        "chosen": "",
        "wish": "",
        "reason": "",
    }
    return render(request, "customer_cabinet/appointments/appointment.html", context | more, status=status)


@require_GET
@customer
def appointment(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """One appointment, with what is the customer's to do."""
    return _page(request, appointment_id)


def _seen(request: HttpRequest, appointment_id: int) -> None:
    if read.appointment_view(request.actor, appointment_id) is None:  # type: ignore[attr-defined]
        raise Http404


@require_POST
@customer
def book(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Choose a time; where somebody was faster, the page says so and shows what is left."""
    _seen(request, appointment_id)
    starts = moment_of(request.POST.get("starts", ""))
    try:
        services.book_appointment(request.actor, appointment_id, starts)  # type: ignore[attr-defined]
    except Refused as refusal:
        return _page(request, appointment_id, refusal.status, problem=refusal.message, chosen=request.POST.get("starts", ""))
    messages.success(request, _("It is agreed. We mailed you an entry for your calendar."))
    return redirect("customer_cabinet:appointment", appointment_id=appointment_id)


@require_POST
@customer
def other(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """No time suits: say which would."""
    _seen(request, appointment_id)
    wish = request.POST.get("wish", "")
    try:
        services.ask_for_other_times(request.actor, appointment_id, wish, version=whole_number(request.POST.get("version")))  # type: ignore[attr-defined]
    except Refused as refusal:
        return _page(request, appointment_id, refusal.status, problem=refusal.message, wish=wish[:2000])
    messages.success(request, _("We have your words, and offer you other times."))
    return redirect("customer_cabinet:appointment", appointment_id=appointment_id)


@require_POST
@customer
def move(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Choose another time for what is agreed, with a reason."""
    _seen(request, appointment_id)
    starts, reason = moment_of(request.POST.get("starts", "")), request.POST.get("reason", "")
    try:
        services.move_appointment(request.actor, appointment_id, starts, reason, version=whole_number(request.POST.get("version")))  # type: ignore[attr-defined]
    except Refused as refusal:
        kept = {"problem": refusal.message, "chosen": request.POST.get("starts", ""), "reason": reason[:2000], "moving": True}
        return _page(request, appointment_id, refusal.status, **kept)
    messages.success(request, _("It is moved. We mailed you the new time for your calendar."))
    return redirect("customer_cabinet:appointment", appointment_id=appointment_id)


@require_POST
@customer
def cancel(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Call it off, with a reason."""
    _seen(request, appointment_id)
    reason = request.POST.get("reason", "")
    try:
        services.cancel_appointment(request.actor, appointment_id, reason, version=whole_number(request.POST.get("version")))  # type: ignore[attr-defined]
    except Refused as refusal:
        return _page(request, appointment_id, refusal.status, problem=refusal.message, reason=reason[:2000], cancelling=True)
    messages.success(request, _("It is cancelled. We are told."))
    return redirect("customer_cabinet:appointment", appointment_id=appointment_id)
