"""Asking for decisions: a question is opened and closed by the process Approval; here is what those steps do, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bpmn import engine
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import emit, on
from portal.live import ping
from portal.registry import SubjectRef, registry
from portal.selectors import names_of
from workflows import correlation, events
from workflows.access import WorkflowPermission, visible_approvals
from workflows.approvers import voters_of
from workflows.assignment import as_id, as_ids, topics_of
from workflows.connector_registry import ConnectorStep
from workflows.errors import NotFound
from workflows.models import Approval, HumanTask, ProcessInstance
from workflows.runtime import lock_instance, one_step, running, told_of

KEY = "approval"
WITHDRAWN = "approval.withdrawn"
MODES = [
    ("sequential", gettext_lazy("One after another, all have to agree")),
    ("parallel", gettext_lazy("All at once, all have to agree")),
    ("quorum", gettext_lazy("All at once, some are enough")),
    ("weighted", gettext_lazy("All at once, some votes count more")),
]
MAX_FACTS = 30


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, read from the variables of a process; see docs/processes.md for their names."""

    text: str
    mode: str
    locks: bool
    facts: list[list[str]]
    amount: Decimal | None
    currency: str
    asked_by: int | None
    excluded: list[int]

    @classmethod
    def of(cls, data: dict[str, Any], started_by: int | None) -> Question:
        """Read it; raises Refused for a mode or an amount that isn't one."""
        mode = str(data.get("mode") or "parallel")
        if mode not in dict(MODES):
            raise Refused(_("Choose how they decide."), "mode")
        asked_by = as_id(data.get("asked_by_id")) or as_id(data.get("started_by_id")) or started_by
        return cls(
            text=str(data.get("text") or "").strip()[:4000],
            mode=mode,
            locks=data.get("lock") in (True, "true", "yes"),
            facts=[[str(label)[:100], str(value)[:1000]] for label, value in _pairs(data.get("facts"))],
            amount=_amount(data.get("amount")),
            currency=str(data.get("currency") or settings.DEFAULT_CURRENCY)[:3],
            asked_by=asked_by,
            excluded=list(dict.fromkeys([*as_ids(data.get("four_eyes")), *([asked_by] if asked_by else [])])),
        )


def _pairs(facts: Any) -> list[tuple[Any, Any]]:
    pairs = list(facts.items()) if isinstance(facts, dict) else facts if isinstance(facts, list) else []
    return [(pair[0], pair[1]) for pair in pairs[:MAX_FACTS] if len(pair) == 2 and pair[1] not in (None, "")]


def _amount(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value)).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise Refused(_("“%(value)s” isn't an amount.") % {"value": value}, "amount") from None


def needed_of(mode: str, needed: Any, weights: list[int]) -> int:
    """The worth of approvals that is enough; raises Refused for one that can't be reached."""
    total = sum(weights)
    if mode == "parallel" or (mode == "sequential" and needed in (None, "")):
        return total
    try:
        enough = int(needed)
    except (TypeError, ValueError):
        raise Refused(_("Say how many are enough."), "needed") from None
    if not 1 <= enough <= total:
        words = _("Only %(n)d people are asked.") if total == len(weights) else _("All votes together count %(n)d.")
        raise Refused(words % {"n": total}, "needed")
    return enough


def open_approval(step: ConnectorStep) -> dict[str, Any]:
    """The first step of the process Approval: find out who decides, keep the question, lock its record if so asked.

    Gives what the votes go by. Raises Refused where nobody could decide.
    """
    from workflows.sheets import facts_in_words

    data, run = step.data, running(step.instance_id)
    assert run is not None, "a connector runs inside a step"
    question = Question.of(data, run.instance.started_by_id)
    voters = voters_of(data.get("approvers"), question.asked_by, question.excluded)
    weights = [voter.weight if question.mode == "weighted" else 1 for voter in voters]
    items = [voter.as_item(number) | {"weight": weights[number - 1]} for number, voter in enumerate(voters, 1)]
    needed = needed_of(question.mode, data.get("needed"), weights)
    ref = step.subject_of(str(data["about"])) if data.get("about") else (step.subject or next(reversed(step.subjects), None))
    title = _hold(ref) if ref and question.locks else _title(ref)
    row = Approval.objects.create(
        instance_id=step.instance_id,
        title=(title or run.instance.title)[:250],
        text=question.text,
        facts=question.facts,
        amount=question.amount,
        currency=question.currency if question.amount is not None else "",
        subject_kind=ref.kind if ref else "",
        subject_id=ref.id if ref else None,
        mode=question.mode,
        needed=needed,
        voters=items,
        asked_by_id=question.asked_by,
        asked_by_name=names_of([question.asked_by]).get(question.asked_by or 0, "")[:150] or run.instance.started_by_name,
        locks=question.locks and ref is not None,
        opened=step.now,
    )
    if ref:
        ping(str(ref))
    return {
        "id": row.pk,
        "mode": question.mode,
        "needed": needed,
        "voters": items,
        "four_eyes": question.excluded,
        "asked_by": row.asked_by_name,
        "text": question.text or row.title,
        "facts_shown": "\n".join(f"{label}: {value}" for label, value in facts_in_words(row)),
    }


def _hold(ref: SubjectRef) -> str:
    """Lock the record's row for this transaction: a change of it that has begun is finished first. Gives its title."""
    kind = registry.subjects[ref.kind]
    row = kind.visible(Actor.system()).select_for_update(of=("self",)).filter(pk=ref.id).first()
    if row is None:
        raise Refused(_("This record isn't there any more."))
    return kind.title(row)


def _title(ref: SubjectRef | None) -> str:
    shown = registry.resolve(Actor.system(), ref) if ref else None
    return shown.title if shown else ""


def close_approval(step: ConnectorStep, approval_id: int, state: str, reason: str = "") -> dict[str, Any]:
    """The last step of the process Approval: the outcome is kept, the record free again, and the sheet of it is printed."""
    from workflows.sheets import print_sheet

    if state not in (Approval.State.APPROVED, Approval.State.REJECTED, Approval.State.WITHDRAWN):
        raise Refused(_("“%(state)s” is no outcome of an approval.") % {"state": state})
    row = Approval.objects.select_for_update().get(pk=approval_id, instance_id=step.instance_id)
    if row.state != Approval.State.OPEN:
        raise Conflict(_("This has been decided already."))
    row.state, row.closed, row.reason = state, step.now, reason.strip()[:500]
    if state != Approval.State.WITHDRAWN:
        row.digest, row.sheet_id = print_sheet(row, running(step.instance_id))
    row.save(update_fields=["state", "closed", "reason", "sheet", "digest"])
    ref = SubjectRef(row.subject_kind, row.subject_id) if row.subject_kind and row.subject_id else None
    about = ref or SubjectRef("workflows.instance", step.instance_id)
    after = {"approval": row.pk, "rule": f"{row.mode} {row.needed}", "sheet_sha256": row.digest}
    record(step.actor, f"approval.{state}", about, after=after, reason=row.reason or row.text[:1000])
    if ref:
        ping(str(ref))
    run = running(step.instance_id)
    assert run is not None
    told = told_of(run.instance, step.actor)
    emit(events.ApprovalClosed(**told, approval_id=row.pk, state=state, title=row.title, asked_by_id=row.asked_by_id))
    return {"approval_id": row.pk, "state": state, "approved": state == Approval.State.APPROVED}


def withdraw_approval(actor: Actor, approval_id: int, reason: str = "") -> None:
    """Take a question back: whoever asked may, and those who mend processes. Raises Conflict where it has been decided."""
    with transaction.atomic():
        row = visible_approvals(actor).filter(pk=approval_id).first()
        if row is None:
            raise NotFound
        if not _is_theirs(actor, row):
            raise NotAllowed(_("Only %(who)s, who asked, takes this back.") % {"who": row.asked_by_name})
        instance = lock_instance(row.instance_id)
        if instance.status == ProcessInstance.Status.SUSPENDED:
            raise Conflict(_("This process is held; let it go on first."))
        row.refresh_from_db(fields=["state"])
        wait = correlation.waiting_for(WITHDRAWN, {"approval_id": row.pk})
        if row.state != Approval.State.OPEN or wait is None or wait.instance_id != instance.pk:
            raise Conflict(_("This has been decided already."))
        topics = {topic for task in row.tasks.filter(status=HumanTask.Status.OPEN) for topic in topics_of(task)}
        with one_step(instance, actor) as (run, writes):
            writes.topics |= topics
            payload = {"withdraw_reason": reason.strip()[:500]}
            run.take(engine.deliver(run.definition, bytes(instance.state), wait.engine_id, payload, host=run, now=run.now), writes)


def may_withdraw(actor: Actor, row: Approval) -> bool:
    """Whether the actor may take an open question back."""
    return row.state == Approval.State.OPEN and _is_theirs(actor, row)


def _is_theirs(actor: Actor, row: Approval) -> bool:
    return (row.asked_by_id is not None and row.asked_by_id == actor.user_id) or actor.can(WorkflowPermission.OPERATE)


@on(events.ProcessEnded)
def close_with_process(event: events.ProcessEnded) -> None:
    """A process that was cancelled, or failed, leaves no open question behind."""
    if event.outcome != ProcessInstance.Status.COMPLETED:
        rows = Approval.objects.filter(instance_id=event.instance_id, state=Approval.State.OPEN)
        rows.update(state=Approval.State.WITHDRAWN, closed=timezone.now(), reason=_("The process was ended."))
