"""Forms of projects."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.access import Audience
from portal.selectors import employees, organisations_of
from projects.selectors import templates


class DateField(forms.DateField):
    """A day, with the browser's own picker."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class TaskForm(forms.Form):
    """A task on the board."""

    title = forms.CharField(label=_("What is to be done"), max_length=200)
    assignee = forms.TypedChoiceField(label=_("Who"), required=False, coerce=int, empty_value=None)
    due = DateField(label=_("Until when"), required=False)
    milestone = forms.TypedChoiceField(label=_("For the milestone"), required=False, coerce=int, empty_value=None)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, milestones=(), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].choices = [("", _("Nobody yet")), *((p.id, p.name) for p in employees())]  # type: ignore[attr-defined]
        self.fields["milestone"].choices = [("", _("None")), *((m.id, m.name) for m in milestones)]  # type: ignore[attr-defined]


class ProjectForm(forms.Form):
    """A project started by hand."""

    name = forms.CharField(label=_("Name"), max_length=200)
    template = forms.ChoiceField(label=_("Template"))
    customer = forms.TypedChoiceField(label=_("Customer"), required=False, coerce=int, empty_value=None)
    partner = forms.TypedChoiceField(label=_("Partner"), required=False, coerce=int, empty_value=None)
    starts = DateField(label=_("Starts"))

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].choices = templates()  # type: ignore[attr-defined]
        for name, audience in (("customer", Audience.CUSTOMER), ("partner", Audience.PARTNER)):
            listed = [(o.id, o.name) for o in organisations_of(audience)]
            self.fields[name].choices = [("", _("None")), *listed]  # type: ignore[attr-defined]
