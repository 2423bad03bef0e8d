"""The form that asks a customer for documents: the list's own fields, and a row for each document."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.file_kinds import KINDS


def in_a_week():
    """The day that is offered."""
    return timezone.localdate() + timedelta(days=7)


class DocumentRequestForm(forms.Form):
    """What the customer is asked, and until when."""

    title = forms.CharField(
        label=_("What are they for?"), max_length=200, required=False, help_text=_("The customer reads this as the list’s name.")
    )
    due = forms.DateField(label=_("Needed by"), initial=in_a_week, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    note = forms.CharField(label=_("A word to the customer"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    idempotency_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)


class DayForm(forms.Form):
    """Another day for a list that runs."""

    due = forms.DateField(error_messages={"required": _("Choose a day."), "invalid": _("Choose a day.")})
    reason = forms.CharField(max_length=300, error_messages={"required": _("Say why: the customer reads your words.")})


class LineForm(forms.Form):
    """One document."""

    name = forms.CharField(label=_("Document"), max_length=150, error_messages={"required": _("Name this document.")})
    hint = forms.CharField(label=_("Hint"), max_length=300, required=False)
    kinds = forms.ChoiceField(label=_("Kind of file"), choices=[(kind.key, kind.label) for kind in KINDS.values()], initial="any")
    is_required = forms.BooleanField(label=_("Required"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"empty_permitted": True, "use_required_attribute": False})  # an empty row is none


LineForms = forms.formset_factory(LineForm, extra=0, max_num=30, validate_max=True)
