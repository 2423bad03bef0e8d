"""The shipped process Approval: ask colleagues to decide on any record, one after another, all at once, or any n of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.registry import SubjectRef, registry
from portal.selectors import employees
from workflows.connector_registry import ConnectorStep, connector
from workflows.services.instances import start_process

KEY = "approval"
MODES = [
    ("sequential", gettext_lazy("One after another, all have to agree")),
    ("parallel", gettext_lazy("All at once, all have to agree")),
    ("quorum", gettext_lazy("All at once, some are enough")),
]
MAX_APPROVERS = 20


class ApprovalForm(forms.Form):
    """Who decides, how, and about what."""

    text = forms.CharField(label=gettext_lazy("What is to be decided"), widget=forms.Textarea(attrs={"rows": 4}), max_length=4000)
    approvers = forms.TypedMultipleChoiceField(label=gettext_lazy("Who decides"), coerce=int, widget=forms.SelectMultiple)
    mode = forms.ChoiceField(label=gettext_lazy("How"), choices=MODES, initial="parallel")
    needed = forms.IntegerField(
        label=gettext_lazy("How many are enough"), help_text=gettext_lazy("Only where some are enough."), min_value=1, required=False
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["approvers"].choices = [(p.id, p.name) for p in employees() if p.id != actor.user_id]

    def clean(self) -> dict[str, Any]:
        """A quorum needs a number that can be reached."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("mode") == "quorum" and cleaned.get("approvers"):
            needed = cleaned.get("needed")
            if not needed:
                self.add_error("needed", _("Say how many are enough."))
            elif needed > len(cleaned["approvers"]):
                self.add_error("needed", _("Only %(n)d people are asked.") % {"n": len(cleaned["approvers"])})
        return cleaned


def start_approval(
    actor: Actor, ref: SubjectRef, approvers: Iterable[int], *, mode: str = "parallel", needed: int | None = None, text: str, key: str = ""
) -> int:
    """Ask colleagues to decide on a record that the actor sees; gives the instance's id. Whoever asks can't decide."""
    if not actor.is_internal or actor.user_id is None:
        raise NotAllowed(_("Only employees ask for approvals."))
    shown = registry.resolve(actor, ref)
    if shown is None:
        raise Refused(_("This record isn't there any more."))
    people = {p.id for p in employees()}
    asked = list(dict.fromkeys(approvers))
    if actor.user_id in asked:
        raise Refused(_("You ask for this yourself, so somebody else has to decide on it."), "approvers")
    if not asked or len(asked) > MAX_APPROVERS or not set(asked) <= people:
        raise Refused(_("Choose one to %(n)d colleagues.") % {"n": MAX_APPROVERS}, "approvers")
    if mode not in dict(MODES):
        raise Refused(_("Choose how they decide."), "mode")
    enough = needed if mode == "quorum" and needed else len(asked)
    if not 1 <= enough <= len(asked):
        raise Refused(_("Only %(n)d people are asked.") % {"n": len(asked)}, "needed")
    data = {
        "text": text.strip(),
        "approvers": asked,
        "mode": mode,
        "needed": enough,
        "four_eyes": [actor.user_id],
        "asked_by": actor.name,
    }
    title = _("Approval: %(title)s") % {"title": shown.title}
    return start_process(actor, KEY, subject=ref, data=data, title=title, idempotency_key=key or None)


@connector("approval.record")
def record_decision(step: ConnectorStep, approved: bool, votes: list[str]) -> dict[str, Any]:
    """Write the decision down on the record."""
    if step.subject is not None:
        verb = "approval.approved" if approved else "approval.rejected"
        record(step.actor, verb, step.subject, after={"votes": votes}, reason=str(step.data.get("text", ""))[:1000])
    return {"approved": approved}
