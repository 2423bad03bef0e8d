"""Forms of the partner area."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.validators import MinValueValidator
from django.utils.translation import gettext_lazy as _

from crm import selectors as crm
from portal.access import Actor


class RegistrationForm(forms.Form):
    """A deal that a partner brings: short enough for two minutes."""

    company = forms.CharField(label=_("Customer's company"), max_length=200)
    need = forms.CharField(
        label=_("What they need"), widget=forms.Textarea(attrs={"rows": 3}), max_length=4000, help_text=_("A sentence or two.")
    )
    product = forms.TypedChoiceField(label=_("Product"), required=False, coerce=int, empty_value=None)
    amount = forms.DecimalField(
        label=_("Expected amount, %(currency)s") % {"currency": settings.DEFAULT_CURRENCY},
        required=False,
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(0)],
    )
    expected_close = forms.DateField(
        label=_("Expected close"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    contact_name = forms.CharField(label=_("Contact person there"), max_length=150, required=False)
    contact_email = forms.EmailField(label=_("Their e-mail"), required=False)
    idempotency_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, actor: Actor, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        listed = [(card.id, card.name) for card in crm.catalogue(actor)]
        self.fields["product"].choices = [("", _("Not sure yet")), *listed]  # type: ignore[attr-defined]
