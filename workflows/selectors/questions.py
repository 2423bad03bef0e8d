"""Questions about steps, for those who asked and those who are asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from portal.access import Actor
from portal.rows import PreparedFor
from workflows import definitions
from workflows.access import answerable_questions, visible_questions, visible_tasks
from workflows.models import HumanTask, Question
from workflows.selectors.inbox import acted


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question as its reader may see it: an outsider sees neither the step nor the process."""

    id: int
    text: str
    asked_by: str
    asked: datetime
    to: str  # who was asked
    by: str  # who answered, and for whom where that was another
    audience: str
    status: str
    answer: str
    closed: datetime | None
    pauses: bool
    is_mine: bool  # the reader may answer: it was asked of them, or of somebody for whom they stand in
    is_over: bool  # its step doesn't wait any more
    can_withdraw: bool
    task_id: int | None = None
    task_name: str = ""

    @property
    def waits(self) -> bool:
        """Whether an answer is still wanted."""
        return self.status == "open" and not self.is_over


def _view(actor: Actor, row: Question, mine: bool) -> QuestionView:
    answered_by_another = row.status == "answered" and row.closed_by_name and row.closed_by_name != row.to_name
    return QuestionView(
        id=row.pk,
        text=row.text,
        asked_by=row.asked_by_name,
        asked=row.asked,
        to=row.to_name,
        by=acted(row.closed_by_name, row.to_name) if answered_by_another else row.to_name,
        audience=row.audience,
        status=row.status,
        answer=row.answer,
        closed=row.closed,
        pauses=row.stopped is not None,
        is_mine=mine,
        is_over=row.task.status != HumanTask.Status.OPEN,
        can_withdraw=row.status == "open" and row.asked_by_id == actor.user_id,
        task_id=row.task_id if actor.is_internal else None,
        task_name=row.task.name if actor.is_internal else "",
    )


def _rows(actor: Actor):
    return visible_questions(actor).select_related("task").defer("task__data")


def questions_to(actor: Actor, limit: int = 50) -> list[QuestionView]:
    """What waits for the actor's answer, oldest first."""
    return [_view(actor, row, True) for row in _WAITING.rows(actor, limit)]


def _waiting(actor: Actor, limit: int) -> QuerySet[Question]:
    rows = answerable_questions(actor).filter(status="open", task__status="open").select_related("task").defer("task__data")
    return rows.order_by("asked", "pk")[:limit]


_WAITING = PreparedFor(_waiting, personal=True)


def question_count(actor: Actor) -> int:
    """How many questions wait for the actor's answer."""
    return answerable_questions(actor).filter(status="open", task__status="open").count()


def question(actor: Actor, question_id: int) -> QuestionView | None:
    """One question, or None out of sight."""
    row = _rows(actor).filter(pk=question_id).first()
    return _view(actor, row, answerable_questions(actor).filter(pk=row.pk).exists()) if row else None


def questions_about(actor: Actor, task_id: int) -> list[QuestionView]:
    """What was asked about a step, oldest first; for employees."""
    if not actor.is_internal:
        return []
    mine = set(answerable_questions(actor).filter(task_id=task_id).values_list("pk", flat=True))
    return [_view(actor, row, row.pk in mine) for row in _rows(actor).filter(task_id=task_id).order_by("asked", "pk")]


def people_to_ask_about(actor: Actor, task_id: int) -> list[Any]:
    """Whom the actor may ask about a visible open step."""
    from workflows.services.questions import people_to_ask

    task = (
        visible_tasks(actor)
        .filter(pk=task_id, status=HumanTask.Status.OPEN)
        .select_related("instance")
        .defer("instance__state", "data")
        .first()
    )
    return people_to_ask(actor, task) if task else []


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """The task that a question would be about."""

    id: int
    name: str
    title: str
    pauses: bool


def task_asked_about(actor: Actor, task_id: int) -> AskedAbout | None:
    """The visible task, and whether a question about it stops its clock."""
    if not actor.is_internal:
        return None
    task = visible_tasks(actor).filter(pk=task_id).select_related("instance").defer("instance__state", "data").first()
    if task is None:
        return None
    element = definitions.element_of(task.instance.digest, task.element_id)
    return AskedAbout(task.pk, task.name, task.instance.title, bool(element and element.questions_pause))
