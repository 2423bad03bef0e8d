"""From a lane and a step's expressions to the people who may do it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings

from bpmn.model import ActiveTask, Element
from portal.numbers import whole_number
from workflows.models import HumanTask, ProcessInstance


def as_id(value: Any) -> int | None:
    """A user's or organisation's id from what an expression gave; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value > 0 else None
    return whole_number(value)


def as_ids(value: Any) -> list[int]:
    """Ids from a list, or from one id."""
    things = value if isinstance(value, (list, tuple, set)) else [value]
    return list(dict.fromkeys(i for i in map(as_id, things) if i))


def decides(element: Element) -> bool:
    """Whether a step is answered with yes or no, and needs nothing else to be filled in but a reason."""
    actions = {action.id for action in element.actions}
    asked = [spec for spec in element.form.fields if spec.required and spec.id != "reason"] if element.form else []
    return {"approve", "reject"} <= actions and not asked


def stake_fields(worth: Decimal, currency: str) -> dict[str, Any]:
    """What a task keeps of its instance's worth. Only the company's currency is compared, for there are no exchange rates here: an amount
    in another is shown, and comes last."""
    if not worth or currency in ("", settings.DEFAULT_CURRENCY):
        return {"stake": worth, "stake_text": ""}
    return {"stake": Decimal(0), "stake_text": f"{currency} {worth:.2f}"}


def new_task(instance: ProcessInstance, element: Element, active: ActiveTask) -> tuple[HumanTask, list[int]]:
    """The row of a step that begins to wait, and its candidates."""
    assignee, candidates = as_id(active.assignee), as_ids(active.candidates)
    organisation = None
    if element.audience == "customer":
        organisation = as_id(active.organisation) or instance.customer_organisation_id
    elif element.audience == "partner":
        organisation = as_id(active.organisation) or instance.partner_organisation_id
    is_approval = any(action.id == "approve" for action in element.actions)
    is_vote = isinstance(active.loop_item, dict) and "voter" in active.loop_item
    task = HumanTask(
        instance=instance,
        engine_id=active.id,
        element_id=active.element_id,
        name=(element.name or element.id)[:250],
        audience=element.audience,
        role=element.role,
        organisation_id=organisation,
        assignee_id=assignee,
        is_shared=assignee is None and not candidates,
        excluded=as_ids(active.data.get("four_eyes")) if is_approval else [],
        approval_id=as_id(active.data.get("approval_id")) if is_approval and is_vote else None,
        data=active.data,
        loop_item=active.loop_item,
        stage=element.stage,
        subject_kind=instance.subject_kind,
        subject_id=instance.subject_id,
        created=active.entered or instance.started,
        due=active.due,
        started_by_id=instance.started_by_id,
        **stake_fields(instance.worth, instance.worth_currency),
    )
    return task, candidates


def topics_of(task: HumanTask, candidates: list[int] = ()) -> set[str]:  # type: ignore[assignment]
    """The live topics of the inboxes that show a task."""
    topics = {f"inbox:user:{user}" for user in (task.assignee_id, task.done_by_id, *candidates) if user}
    if task.audience == "internal":
        topics.add(f"inbox:role:{task.role or 'employee'}")
    elif task.organisation_id:
        topics.add(f"inbox:{task.audience}:{task.organisation_id}")
    return topics
