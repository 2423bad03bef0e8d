"""Forms of the pages. What was typed is kept; the rules themselves are the services'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from djmoney.money import Money

from crm.models import Account, Activity, Contact, Deal, Lead, Product, SalesTeamMember
from portal.numbers import whole_number


class PickerSelect(forms.Select):
    """A select that offers only what is chosen; the rest is found by typing."""

    def __init__(self, kind: str) -> None:
        super().__init__(attrs={"data-picker": "", "data-url": reverse_lazy("crm:pick", args=[kind])})

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list:
        """The empty choice and the chosen record."""
        queryset = self.choices.queryset  # type: ignore[union-attr]
        rows = queryset.filter(pk__in=[one for one in value if whole_number(str(one)) is not None]) if any(value) else []
        options: list[tuple[Any, str]] = [("", "—"), *((row.pk, str(row)) for row in rows)]
        return [
            (None, [self.create_option(name, pk, label, str(pk) in map(str, value), index)], index)
            for index, (pk, label) in enumerate(options)
        ]


def picked(model: Any, kind: str, label: Any, *, required: bool = False) -> forms.ModelChoiceField:
    """A reference chosen by typing."""
    return forms.ModelChoiceField(model.objects.all(), label=label, required=required, widget=PickerSelect(kind))


class AmountField(forms.DecimalField):
    """An amount; its currency is the record's, or the installation's for a new one."""

    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(label=label, required=False, min_value=0, max_digits=14, decimal_places=2, **options)
        self.currency = settings.DEFAULT_CURRENCY

    def prepare_value(self, value: Any) -> Any:
        """The number alone."""
        return value.amount if isinstance(value, Money) else value

    def clean(self, value: Any) -> Any:
        """The amount with its currency."""
        number = super().clean(value)
        return None if number is None else Money(number, self.currency)


class SeenMixin(forms.Form):
    """Remembers which state of the record the person saw."""

    seen_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = getattr(self, "instance", None)
        for name, one in self.fields.items():
            if isinstance(one, AmountField):
                known = getattr(row, name, None)
                one.currency = str(known.currency) if known is not None else one.currency
                one.help_text = one.currency

    def values(self) -> dict[str, Any]:
        """What was filled in, without the bookkeeping."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen_at"}


class DealForm(SeenMixin, forms.ModelForm):
    """A deal's own fields; stage and outcome belong to the process."""

    account = picked(Account, "accounts", _("Account"))
    contact = picked(Contact, "contacts", _("Contact"))
    product = picked(Product, "products", _("Product"))
    owner = picked(SalesTeamMember, "owners", _("Owner"))
    amount = AmountField(_("Expected amount"))

    class Meta:
        model = Deal
        fields = ["title", "account", "contact", "product", "owner", "amount", "expected_close", "next_step"]
        widgets = {"expected_close": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}


class NewDealForm(DealForm):
    """A deal opened by hand."""

    class Meta(DealForm.Meta):
        fields = ["title", "account", "product", "amount", "expected_close"]

    contact = None
    owner = None


class AccountForm(SeenMixin, forms.ModelForm):
    """A company."""

    parent = picked(Account, "accounts", _("Part of"))
    owner = picked(SalesTeamMember, "owners", _("Owner"))
    revenue = AmountField(_("Yearly revenue, millions"))

    class Meta:
        model = Account
        fields = ["name", "sector", "office_location", "website", "phone", "employees", "year_established", "revenue", "parent", "owner"]


class ContactForm(SeenMixin, forms.ModelForm):
    """A person."""

    account = picked(Account, "accounts", _("Account"))

    class Meta:
        model = Contact
        fields = ["name", "account", "job_title", "email", "phone"]


class LeadForm(SeenMixin, forms.ModelForm):
    """A lead."""

    product = picked(Product, "products", _("Product"))

    class Meta:
        model = Lead
        fields = ["name", "company", "email", "phone", "product", "source", "message"]
        widgets = {"message": forms.Textarea(attrs={"rows": 4})}


class ProductForm(SeenMixin, forms.ModelForm):
    """A product and its price."""

    list_price = AmountField(_("List price"))

    class Meta:
        model = Product
        fields = ["name", "category", "series", "description", "list_price", "is_public", "is_active", "needs_partner"]
        widgets = {"description": forms.Textarea(attrs={"rows": 4})}


class ActivityForm(forms.Form):
    """A call, a meeting, a mail or a note."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Activity.Kind.choices, initial="note")
    text = forms.CharField(label=_("What happened"), widget=forms.Textarea(attrs={"rows": 2}), max_length=5000)


FORMS: dict[str, type[forms.BaseForm]] = {
    "deals": DealForm, "accounts": AccountForm, "contacts": ContactForm, "leads": LeadForm, "products": ProductForm,
}  # fmt: skip
NEW_FORMS: dict[str, type[forms.BaseForm]] = {**FORMS, "deals": NewDealForm}
