"""Forms of the cabinet and of the public start page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.consents import PURPOSES

DESCRIPTION = {"rows": 5}


class RequestForm(forms.Form):
    """A customer's request."""

    title = forms.CharField(label=_("In a few words"), max_length=200, required=False, help_text=_("Empty: the name of the service."))
    description = forms.CharField(
        label=_("What do you need?"),
        max_length=5000,
        widget=forms.Textarea(attrs=DESCRIPTION),
        help_text=_("When, how many, where: whatever helps us."),
    )
    idempotency_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)


class PublicRequestForm(forms.Form):
    """A visitor's request."""

    name = forms.CharField(label=_("Your name"), max_length=150)
    email = forms.EmailField(label=_("Your e-mail"))
    company = forms.CharField(label=_("Your company"), max_length=200, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    message = forms.CharField(label=_("What do you need?"), max_length=5000, widget=forms.Textarea(attrs=DESCRIPTION))
    consent = forms.BooleanField(label=PURPOSES["answer"].text)
    website = forms.CharField(required=False, widget=forms.HiddenInput, max_length=200)  # people leave it empty, robots don't
    idempotency_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
