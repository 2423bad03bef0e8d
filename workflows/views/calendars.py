"""Settings: when we, our customers and our partners work."""

from __future__ import annotations

import zoneinfo

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import Audience, PortalPermission, requires
from portal.errors import Refused
from portal.numbers import whole_number
from portal.selectors import organisations_of
from workflows.calendars import countries, country_name
from workflows.errors import NotFound
from workflows.selectors import calendars as read
from workflows.services import calendars as services

administrator = requires(Audience.INTERNAL, permission=PortalPermission.ADMINISTER)
WEEK = [
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
]


class CalendarForm(forms.Form):
    """Zone, country and the hours of a week."""

    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    country = forms.ChoiceField(label=gettext_lazy("Public holidays of"), required=False)
    region = forms.ChoiceField(label=gettext_lazy("Region"), required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/")))
        self.fields["time_zone"].choices = [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in zones)]
        self.fields["country"].choices = [
            ("", _("None: I add days myself")),
            *sorted(((code, country_name(code)) for code in countries()), key=lambda one: one[1]),
        ]
        country = self["country"].value() or ""
        regions = countries().get(country, ())
        self.fields["region"].choices = [("", _("The whole country")), *((code, code) for code in regions)]
        for number, label in enumerate(WEEK):
            self.fields[f"hours_{number}"] = forms.CharField(label=label, required=False, max_length=100, widget=_hours_input())

    @property
    def week(self) -> list[forms.BoundField]:
        """The fields of the days."""
        return [self[f"hours_{number}"] for number in range(len(WEEK))]

    def wish(self) -> dict:
        """What was typed, as the service takes it."""
        data = self.cleaned_data
        region = data["region"] if data["country"] else ""
        hours = [data[f"hours_{number}"] for number in range(len(WEEK))]
        return {"time_zone": data["time_zone"], "country": data["country"], "region": region, "hours": hours}


def _hours_input() -> forms.TextInput:
    return forms.TextInput(attrs={"placeholder": "9:00–17:00", "autocomplete": "off"})


class DayForm(forms.Form):
    """A day that isn't as its weekday."""

    day = forms.DateField(label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    day_name = forms.CharField(label=gettext_lazy("What day it is"), max_length=100)
    day_hours = forms.CharField(
        label=gettext_lazy("Hours"),
        max_length=100,
        required=False,
        widget=_hours_input(),
        help_text=gettext_lazy("Empty: nobody works. With hours: it is worked, such as a Saturday before a fair."),
    )


@require_GET
@administrator
def index(request: HttpRequest) -> HttpResponse:
    """Our calendar, those of others who have their own, and a way to add one."""
    found = read.calendar_list(request.actor)
    taken = {view.organisation.id for view in found}
    others = {place.id: place for audience in (Audience.CUSTOMER, Audience.PARTNER) for place in organisations_of(audience)}
    free = sorted((place for key, place in others.items() if key not in taken), key=lambda place: place.name.lower())
    asked = whole_number(request.GET.get("organisation"))
    if asked in others:
        return redirect("workflows:calendar", asked)
    return render(request, "workflows/calendars.html", {"calendars": found, "free": free})


def _found(request: HttpRequest, organisation_id: int) -> read.CalendarView:
    found = read.calendar_view(request.actor, organisation_id)
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
@administrator
def calendar(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """One organisation's hours, holidays and own days; POST saves the week."""
    found = _found(request, organisation_id)
    start = {"time_zone": found.time_zone, "country": found.country, "region": found.region}
    start |= {f"hours_{number}": text for number, text in enumerate(found.hours)}
    form = CalendarForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_calendar(request.actor, organisation_id, **form.wish())
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        else:
            messages.success(request, _("Saved. What begins to wait from now on is counted by these hours."))
            return redirect("workflows:calendar", organisation_id)
    return _page(request, found, form, DayForm())


def _page(request: HttpRequest, found: read.CalendarView, form: CalendarForm, day: DayForm) -> HttpResponse:
    context = {"calendar": found, "form": form, "day": day, "preview": read.preview(found.plain)}
    return render(request, "workflows/calendar.html", context, status=422 if form.errors or day.errors else 200)


@require_GET
@administrator
def preview(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """What the hours that are being typed would mean, before they are saved."""
    found = _found(request, organisation_id)
    typed = request.GET.copy()
    if typed.get("region") not in countries().get(typed.get("country", ""), ()):
        typed["region"] = ""  # it belongs to the country chosen before
    form = CalendarForm(typed)
    context: dict = {"calendar": found, "form": form}
    if form.is_valid():
        try:
            plain = services.checked_calendar(**form.wish())
            context["preview"] = read.preview((*plain[:4], found.plain[4]))
        except Refused as refused:
            context["refused"] = refused.message
    else:
        context["refused"] = _("Choose a time zone, a country and its region.")
    return render(request, "workflows/parts/_calendar_preview.html", context)


@require_POST
@administrator
def add_day(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """One more day that isn't as its weekday."""
    found = _found(request, organisation_id)
    form = DayForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            services.add_calendar_day(request.actor, organisation_id, data["day"], data["day_name"], data["day_hours"])
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        else:
            messages.success(request, _("Added."))
            return redirect("workflows:calendar", organisation_id)
    start = {"time_zone": found.time_zone, "country": found.country, "region": found.region}
    start |= {f"hours_{number}": text for number, text in enumerate(found.hours)}
    return _page(request, found, CalendarForm(initial=start), form)


@require_POST
@administrator
def remove_day(request: HttpRequest, organisation_id: int, day_id: int) -> HttpResponse:
    """Let a day be as its weekday again."""
    _found(request, organisation_id)
    services.remove_calendar_day(request.actor, organisation_id, day_id)
    messages.success(request, _("Removed: the day is as its weekday again."))
    return redirect("workflows:calendar", organisation_id)


@require_POST
@administrator
def forget(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Let an organisation go by our calendar again."""
    try:
        services.forget_calendar(request.actor, organisation_id)
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("workflows:calendar", organisation_id)
    messages.success(request, _("Our own calendar counts for them again."))
    return redirect("workflows:calendars")
