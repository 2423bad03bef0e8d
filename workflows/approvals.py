"""Asking for an approval by hand: the form, the start of the shipped process, and the steps of that process as connectors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.registry import SubjectRef, registry
from portal.selectors import employees, manager_of, names_of, roles_with_people
from workflows.approvers import voters_of
from workflows.connector_registry import ConnectorStep, connector
from workflows.services.approvals import KEY, MODES, close_approval, needed_of, open_approval
from workflows.services.instances import start_process


class ApprovalForm(forms.Form):
    """Who decides, how, and about what."""

    text = forms.CharField(label=gettext_lazy("What is to be decided"), widget=forms.Textarea(attrs={"rows": 4}), max_length=4000)
    amount = forms.DecimalField(label=gettext_lazy("Amount"), max_digits=14, decimal_places=2, min_value=0, required=False)
    approvers = forms.MultipleChoiceField(label=gettext_lazy("Who decides"))
    mode = forms.ChoiceField(label=gettext_lazy("How"), choices=MODES, initial="parallel")
    needed = forms.IntegerField(label=gettext_lazy("How many are enough"), min_value=1, required=False)
    twice = forms.MultipleChoiceField(label=gettext_lazy("Whose vote counts twice"), required=False)
    veto = forms.MultipleChoiceField(label=gettext_lazy("Who can veto"), required=False)
    lock = forms.BooleanField(
        label=gettext_lazy("Nobody changes the record meanwhile"),
        required=False,
        help_text=gettext_lazy("Until it is decided, or you take the question back."),
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = approver_choices(actor)
        for name in ("approvers", "twice", "veto"):
            self.fields[name].choices = choices

    def clean(self) -> dict[str, Any]:
        """A quorum needs a number; whose vote counts twice, or who can veto, has to be asked."""
        cleaned = super().clean() or self.cleaned_data
        asked = set(cleaned.get("approvers") or ())
        if cleaned.get("mode") in ("quorum", "weighted") and not cleaned.get("needed") and "needed" not in self.errors:
            self.add_error("needed", _("Say how many are enough."))
        for name in ("twice", "veto"):
            if asked and not set(cleaned.get(name) or ()) <= asked:
                self.add_error(name, _("Choose among those who decide."))
        return cleaned

    def spec(self) -> list[str]:
        """Who decides, as `approvers.voters_of` reads it."""
        values = self.cleaned_data
        twice = set(values["twice"]) if values["mode"] == "weighted" else set()
        veto = set(values["veto"]) if values["mode"] in ("quorum", "weighted") else set()
        return [f"{who}{' x2' if who in twice else ''}{' veto' if who in veto else ''}" for who in values["approvers"]]


def approver_choices(actor: Actor) -> list[tuple[str, str]]:
    """Whom the actor may ask: their manager, colleagues, and one voice of a role."""
    manager = manager_of(actor.user_id) if actor.user_id else None
    own = [("manager", _("Your manager (%(name)s)") % {"name": names_of([manager])[manager]})] if manager else []
    people = [(str(p.id), p.name) for p in employees() if p.id != actor.user_id]
    peopled = roles_with_people()
    roles = [r for r in registry.roles.values() if r.audience == Audience.INTERNAL and r.key in peopled]
    return [*own, *people, *((f"role:{r.key}", _("Anybody of: %(role)s") % {"role": r.label}) for r in roles)]


def start_approval(
    actor: Actor,
    ref: SubjectRef,
    approvers: Iterable[int | str],
    *,
    mode: str = "parallel",
    needed: int | None = None,
    text: str,
    amount: Any = None,
    lock: bool = False,
    key: str = "",
) -> int:
    """Ask colleagues to decide on a record that the actor sees; gives the instance's id. Whoever asks can't decide.

    `approvers` are ids, or words as `workflows.approvers` reads them. Raises Refused with the field where nobody could decide so.
    """
    if not actor.is_internal or actor.user_id is None:
        raise NotAllowed(_("Only employees ask for approvals."))
    shown = registry.resolve(actor, ref)
    if shown is None:
        raise Refused(_("This record isn't there any more."))
    asked = list(dict.fromkeys(approvers))
    if {actor.user_id, str(actor.user_id), f"user:{actor.user_id}"} & set(asked):
        raise Refused(_("You ask for this yourself, so somebody else has to decide on it."), "approvers")
    if mode not in dict(MODES):
        raise Refused(_("Choose how they decide."), "mode")
    voters = voters_of(asked, actor.user_id, [actor.user_id])
    enough = needed_of(mode, needed, [voter.weight if mode == "weighted" else 1 for voter in voters])
    data = {
        "text": text.strip(),
        "approvers": [str(one) for one in asked],
        "mode": mode,
        "needed": enough,
        "amount": amount,
        "lock": lock,
        "asked_by_id": actor.user_id,
    }
    title = _("Approval: %(title)s") % {"title": shown.title}
    return start_process(actor, KEY, subject=ref, data=data, title=title, idempotency_key=key or None)


@connector("approval.open")
def open_question(step: ConnectorStep) -> dict[str, Any]:
    """Find out who decides (variables approvers, mode, needed …) and keep the question; the votes go by what it gives."""
    return open_approval(step)


@connector("approval.close")
def close_question(step: ConnectorStep, approval_id: int, state: str, reason: str = "") -> dict[str, Any]:
    """Keep what came of a question (approved, rejected, withdrawn), free its record, and print the sheet."""
    return close_approval(step, approval_id, state, reason)


@connector("approval.record")
def record_decision(step: ConnectorStep, approved: bool, votes: list[str]) -> dict[str, Any]:
    """Write the decision down on the record, in approvals that began before there were sheets."""
    if step.subject is not None:
        verb = "approval.approved" if approved else "approval.rejected"
        record(step.actor, verb, step.subject, after={"votes": votes}, reason=str(step.data.get("text", ""))[:1000])
    return {"approved": approved}
