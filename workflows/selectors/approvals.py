"""Approvals for pages: the rule in words, who decided what and why, and who is still asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.access import Actor
from portal.files import FileView, files_of_ids
from portal.registry import SubjectRef
from portal.selectors import names_of
from workflows.access import visible_approvals, visible_tasks
from workflows.approvers import rule_words
from workflows.models import Approval, HistoryEvent, HumanTask
from workflows.selectors.inbox import acted
from workflows.services.approvals import may_withdraw
from workflows.sheets import holds, seal_of


@dataclass(frozen=True, slots=True)
class Voice:
    """One who decides. `state` is approve, reject, asked, later (not their turn yet) or over (not needed any more)."""

    label: str
    state: str
    who: str = ""
    at: datetime | None = None
    comment: str = ""
    weight: int = 1
    veto: bool = False
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """One question with its decisions."""

    id: int
    instance_id: int
    title: str
    text: str
    facts: list[list[str]]
    amount: Decimal | None
    currency: str
    rule: str
    state: str
    state_label: str
    asked_by: str
    opened: datetime
    closed: datetime | None
    reason: str
    locks: bool
    voices: list[Voice]
    can_withdraw: bool
    sheet: FileView | None
    digest: str
    seal: str
    holds: bool  # what is kept is what the sheet says

    @property
    def waiting(self) -> list[str]:
        """Who is still asked."""
        return [voice.who or voice.label for voice in self.voices if voice.state == "asked"]


def approvals_of(actor: Actor, instance_id: int) -> list[ApprovalView]:
    """The questions of an instance that the actor sees, newest first."""
    return _views(actor, visible_approvals(actor).filter(instance_id=instance_id).order_by("-pk")[:20])


def approvals_about(actor: Actor, ref: SubjectRef) -> list[ApprovalView]:
    """The open questions about a record that the actor sees, newest first."""
    rows = visible_approvals(actor).filter(subject_kind=ref.kind, subject_id=ref.id, state=Approval.State.OPEN)
    return _views(actor, rows.order_by("-pk")[:5])


def approval_of_task(actor: Actor, task_id: int) -> ApprovalView | None:
    """The question that a task decides on, for whoever sees the task."""
    task = visible_tasks(actor).filter(pk=task_id).only("approval_id").first()
    rows = Approval.objects.filter(pk=task.approval_id) if task and task.approval_id and actor.is_internal else Approval.objects.none()
    return next(iter(_views(actor, rows)), None)


def _views(actor: Actor, rows: Iterable[Approval]) -> list[ApprovalView]:
    found = list(rows)
    tasks = list(HumanTask.objects.filter(approval_id__in=[row.pk for row in found]).defer("data").order_by("pk")) if found else []
    lines = HistoryEvent.objects.filter(
        instance_id__in={row.instance_id for row in found}, engine_id__in=[t.engine_id for t in tasks], state="completed"
    )
    said = dict(lines.values_list("engine_id", "reason")) if tasks else {}
    names = names_of(t.assignee_id for t in tasks)
    sheets = {one.id: one for one in files_of_ids(actor, [row.sheet_id for row in found if row.sheet_id])}
    return [_view(actor, row, [t for t in tasks if t.approval_id == row.pk], said, names, sheets) for row in found]


def _view(actor: Actor, row: Approval, tasks: list[HumanTask], said: dict, names: dict, sheets: dict) -> ApprovalView:
    latest = {(task.loop_item or {}).get("voter"): task for task in tasks}
    return ApprovalView(
        id=row.pk,
        instance_id=row.instance_id,
        title=row.title,
        text=row.text,
        facts=row.facts,
        amount=row.amount,
        currency=row.currency,
        rule=rule_words(row.mode, row.needed, row.voters),
        state=row.state,
        state_label=row.get_state_display(),
        asked_by=row.asked_by_name,
        opened=row.opened,
        closed=row.closed,
        reason=row.reason,
        locks=row.locks and row.state == Approval.State.OPEN,
        voices=[_voice(row, one, latest.get(one["voter"]), said, names) for one in row.voters],
        can_withdraw=may_withdraw(actor, row),
        sheet=sheets.get(row.sheet_id),
        digest=row.digest,
        seal=seal_of(row.digest) if row.digest else "",
        holds=holds(row) if row.digest else False,
    )


def _voice(row: Approval, item: dict[str, Any], task: HumanTask | None, said: dict, names: dict) -> Voice:
    told = {"label": item["label"], "weight": item["weight"], "veto": item["veto"]}
    if task is not None and task.status == HumanTask.Status.DONE:
        who = acted(task.done_by_name, task.done_for_name)
        comment = said.get(task.engine_id, "")
        return Voice(**told, state=task.action, who="" if item["label"].startswith(who) else who, at=task.ended, comment=comment)
    if row.state != Approval.State.OPEN or (task is not None and task.status == HumanTask.Status.GONE):
        return Voice(**told, state="over")
    if task is None:
        return Voice(**told, state="later")
    holder = names.get(task.assignee_id or 0, "")
    return Voice(**told, state="asked", who="" if item["label"].startswith(holder) else holder, due=task.due)


def instance_of_approval(actor: Actor, approval_id: int) -> int | None:
    """The visible instance in which a question stands."""
    return visible_approvals(actor).filter(pk=approval_id).values_list("instance_id", flat=True).first()
