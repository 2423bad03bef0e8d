"""The form of a support case."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.selectors import case_choices


class CaseForm(forms.Form):
    """What a customer tells of a trouble."""

    title = forms.CharField(label=_("In a few words"), max_length=200)
    description = forms.CharField(
        label=_("What happened?"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What did you do, what did you see, since when?"),
    )
    category = forms.ChoiceField(label=_("What is it about?"))
    severity = forms.ChoiceField(label=_("How much does it hold you up?"), initial="normal", widget=forms.RadioSelect)
    idempotency_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices, self.fields["severity"].choices = case_choices()  # type: ignore[attr-defined]
