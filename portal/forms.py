"""Forms of the kernel's pages; the services behind them check again."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.access import Audience
from portal.models import Organisation
from portal.selectors_settings import roles_of

AUDIENCES = [(Audience.CUSTOMER, _("Customer")), (Audience.PARTNER, _("Partner")), (Audience.INTERNAL, _("Our company"))]


class ProfileForm(forms.Form):
    """One's own name, language and zone."""

    name = forms.CharField(label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    job_title = forms.CharField(label=_("Job title"), max_length=120, required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"})
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, help_text=_("Dates and times are shown in this zone."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "US/")))
        self.fields["language"].choices = [("", _("As the browser asks for")), *settings.LANGUAGES]
        self.fields["time_zone"].choices = [("", settings.TIME_ZONE), *((zone, zone.replace("_", " ")) for zone in zones)]


class OrganisationForm(forms.Form):
    """A customer or partner organisation."""

    name = forms.CharField(label=_("Name"), max_length=200)
    is_customer = forms.BooleanField(label=_("Customer"), required=False)
    is_partner = forms.BooleanField(label=_("Partner"), required=False)
    is_active = forms.BooleanField(
        label=_("Active"), required=False, initial=True, help_text=_("Nobody signs in for an inactive organisation.")
    )


class ColleagueForm(forms.Form):
    """A colleague to invite; `roles` are what they may become."""

    name = forms.CharField(label=_("Name"), max_length=150)
    email = forms.EmailField(label=_("E-mail"))
    roles = forms.MultipleChoiceField(
        label=_("May"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose at least one role.")}
    )

    def __init__(self, *args: Any, roles: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = roles  # type: ignore[attr-defined]


class InvitationForm(forms.Form):
    """Whom to invite, where to and as what."""

    email = forms.EmailField(label=_("E-mail address"))
    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    audience = forms.ChoiceField(label=_("As"), choices=AUDIENCES)
    organisation = forms.ModelChoiceField(label=_("Organisation"), queryset=Organisation.objects.none(), empty_label=_("Choose"))
    roles = forms.MultipleChoiceField(label=_("Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, audience: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = {"internal": "is_own", "customer": "is_customer", "partner": "is_partner"}[audience]
        self.fields["organisation"].queryset = Organisation.objects.filter(is_active=True, **{kind: True}).order_by("name")  # type: ignore[attr-defined]
        self.fields["roles"].choices = roles_of(Audience(audience))  # type: ignore[attr-defined]
        self.fields["audience"].initial = audience
        self.fields["audience"].widget = forms.HiddenInput()
