"""Forms of appointments; the services behind them check again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.appointments.services import LONGEST, MOST, SHORTEST

LOCAL = "%Y-%m-%dT%H:%M"


class LocalTime(forms.DateTimeField):
    """A day and a time of the reader's own zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "300"}, format=LOCAL)
        super().__init__(widget=widget, input_formats=[LOCAL, "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"], **options)


class TimesForm(forms.Form):
    """Up to five times, or a first and a last day."""

    mode = forms.ChoiceField(
        label=_("How"),
        choices=[("slots", _("I propose times")), ("days", _("The customer chooses within these days"))],
        initial="slots",
        widget=forms.RadioSelect,
    )
    slot_1, slot_2, slot_3, slot_4, slot_5 = (
        LocalTime(label=_("Time %(n)d") % {"n": number}, required=False) for number in range(1, MOST + 1)
    )
    first_day = forms.DateField(label=_("First day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last_day = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("They choose any time that is free in your working hours."),
    )

    def times(self) -> dict[str, Any]:
        """What the service takes: the times, or the days."""
        data = self.cleaned_data
        if data.get("mode") == "days":
            return {"first_day": data.get("first_day") or timezone.localdate(), "last_day": data.get("last_day")}
        return {"slots": tuple(time for number in range(1, MOST + 1) if (time := data.get(f"slot_{number}")))}


class OfferForm(TimesForm):
    """A new appointment."""

    title = forms.CharField(label=_("What it is about"), max_length=150)
    minutes = forms.IntegerField(label=_("Minutes"), min_value=SHORTEST, max_value=LONGEST, initial=30)
    host = forms.TypedChoiceField(label=_("Who meets them"), coerce=int)
    place = forms.CharField(
        label=_("Where"), max_length=200, required=False, help_text=_("An address, a telephone number or a link to a video call.")
    )
    note = forms.CharField(
        label=_("What to know before"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The customer reads it."),
    )
    idempotency_key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)
    field_order = ["title", "minutes", "host", "place", "note", "mode"]

    def __init__(self, *args: Any, hosts: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["host"].choices = hosts  # type: ignore[attr-defined]


class MoveForm(forms.Form):
    """Another time, and why."""

    starts = LocalTime(label=_("New time"))
    reason = forms.CharField(
        label=_("Why"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("The other side reads it.")
    )


def moment_of(text: str) -> datetime | None:
    """A chosen time as the page sends it: ISO 8601 with its zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
