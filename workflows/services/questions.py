"""Asking somebody about a step: the question waits for its answer, and the step's clock with it where the diagram says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine
from bpmn.calendars import NoWorkingTime, add_working_time, working_time_between
from bpmn.model import Outcome
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef
from portal.selectors import PersonView, employees, people_of
from workflows import clocks, definitions, events
from workflows.access import WorkflowPermission, answerable_questions, may_do, visible_questions, visible_tasks
from workflows.calendars import calendar_of
from workflows.errors import NotFound
from workflows.models import HistoryEvent, HumanTask, ProcessInstance, Question
from workflows.runtime import lock_task, one_step, told_of

MOST_TEXT = 4000
MOST_OPEN = 20
Status = Question.Status


def people_to_ask(actor: Actor, task: HumanTask) -> list[PersonView]:
    """Whom an employee may ask about a step: colleagues, and the people of the process's customer and partner."""
    if not actor.is_internal:
        return []
    found = employees()
    for audience, organisation_id in (
        (Audience.CUSTOMER, task.instance.customer_organisation_id),
        (Audience.PARTNER, task.instance.partner_organisation_id),
    ):
        if organisation_id:
            found += people_of(organisation_id, audience)
    return [person for person in found if person.id != actor.user_id]


def ask_question(actor: Actor, task_id: int, user_id: int, audience: str, text: str) -> int:
    """Ask a person of an audience about an open step; gives the question's id.

    Whoever may do the step may ask, and those who may reassign it. Raises NotFound, NotAllowed, Conflict for a step that is over,
    Refused with the field.
    """
    text = _checked(text, _("Write what you want to know."), "text")
    with transaction.atomic():
        instance, task = lock_task(task_id)
        if not visible_tasks(actor).filter(pk=task_id).exists() or not actor.is_internal:
            raise NotFound
        if task.status != HumanTask.Status.OPEN:
            raise Conflict(_over(task))
        if not may_do(actor, task) and not actor.can(WorkflowPermission.REASSIGN):
            raise NotAllowed(_("Only those who may do “%(name)s” ask about it.") % {"name": task.name})
        asked = next((p for p in people_to_ask(actor, task) if p.id == user_id and p.audience == audience), None)
        if asked is None:
            raise Refused(_("Choose a colleague, or somebody of the customer or partner of this process."), "to")
        open_ = list(Question.objects.filter(task=task, status=Status.OPEN))
        if len(open_) >= MOST_OPEN:
            raise Refused(_("Twenty questions are open already; wait for an answer, or withdraw one."), "to")
        now, element = timezone.now(), definitions.element_of(instance.digest, task.element_id)
        row = Question(
            task=task,
            asked_by_id=actor.user_id,
            asked_by_name=actor.name[:150],
            to_id=asked.id,
            to_name=asked.name[:150],
            audience=str(asked.audience),
            organisation_id=asked.organisation_id,
            text=text,
            asked=now,
            pauses=bool(element and element.questions_pause),
        )
        if row.pauses:
            _stop_clock(row, task, instance, open_, now)
        row.save()
        _note(actor, instance, task, row, "asked", {"to": row.to_name, "question": text})
        emit(
            events.QuestionAsked(
                **told_of(instance, actor),
                question_id=row.pk,
                task_id=task.pk,
                name=task.name,
                asked_id=asked.id,
                audience=row.audience,
                organisation_id=asked.organisation_id,
                text=text,
            )
        )
    return row.pk


def answer_question(actor: Actor, question_id: int, text: str) -> None:
    """Answer a question that one was asked, or somebody for whom one stands in. Raises NotFound, Refused for an empty answer, Conflict for
    one that is over."""
    text = _checked(text, _("Write your answer."), "answer")
    with transaction.atomic():
        instance, task, row = _locked(actor, question_id)
        if not answerable_questions(actor, fresh=True).filter(pk=row.pk).exists():
            raise NotFound
        if row.status == Status.ANSWERED:
            raise Conflict(_("You have answered this already; your first answer counts."))
        if row.status == Status.WITHDRAWN:
            raise Conflict(_("%(name)s has withdrawn the question; it needs no answer any more.") % {"name": row.asked_by_name})
        if task.status != HumanTask.Status.OPEN:
            raise Conflict(_over(task))
        _close(actor, instance, task, row, Status.ANSWERED, text)


def withdraw_question(actor: Actor, question_id: int) -> None:
    """Take a question back: whoever asked may, and those who may reassign. Twice is once. Raises NotFound, NotAllowed, Conflict."""
    with transaction.atomic():
        instance, task, row = _locked(actor, question_id)
        if row.asked_by_id != actor.user_id and not (actor.is_internal and actor.can(WorkflowPermission.REASSIGN)):
            raise NotAllowed(_("Only whoever asked takes a question back."))
        if row.status == Status.ANSWERED:
            raise Conflict(_("%(name)s was faster and has answered.") % {"name": row.to_name})
        if row.status == Status.OPEN:
            _close(actor, instance, task, row, Status.WITHDRAWN, "")


def _checked(text: str, words: str, field: str) -> str:
    text = text.strip()
    if not text:
        raise Refused(words, field)
    if len(text) > MOST_TEXT:
        raise Refused(_("At most %(n)d characters.") % {"n": MOST_TEXT}, field)
    return text


def _over(task: HumanTask) -> str:
    if task.status == HumanTask.Status.GONE:
        return _("“%(name)s” isn't needed any more: the process has gone another way.") % {"name": task.name}
    return _("“%(name)s” is done already; nothing has to be asked or answered any more.") % {"name": task.name}


def _locked(actor: Actor, question_id: int) -> tuple[ProcessInstance, HumanTask, Question]:
    """A question that the actor sees, locked behind its instance and task, as every step locks them."""
    task_id = visible_questions(actor).filter(pk=question_id).values_list("task_id", flat=True).first()
    if task_id is None:
        raise NotFound
    instance, task = lock_task(task_id)
    return instance, task, Question.objects.select_for_update(of=("self",)).get(pk=question_id)


def _stop_clock(row: Question, task: HumanTask, instance: ProcessInstance, open_: list[Question], now: datetime) -> None:
    """The first question stops the clock and the timers at the step's edge, and puts the due date aside, until the last answer. The others
    know since when."""
    first = next((one for one in open_ if one.stopped), None)
    row.stopped = first.stopped if first else now
    row.due_before = first.due_before if first else task.due
    if first is None:
        HumanTask.objects.filter(pk=task.pk).update(due=None)
        for clock in _clocks(task, instance):
            clocks.stop(clock, "question", now)
            clocks.keep([clock])
        _timers(engine.hold_timers, task, instance, now)


def _timers(change: Callable[..., Outcome | None], task: HumanTask, instance: ProcessInstance, now: datetime) -> None:
    """Let the timers at the step's edge stand still, or go on; the instance is locked, so none of them fires meanwhile."""
    if not definitions.load(instance.digest).element(task.element_id).boundary:
        return
    with one_step(instance, Actor.system(_("Question")), now) as (run, writes):
        outcome = change(run.definition, bytes(instance.state), task.engine_id, host=run, now=now)
        if outcome is not None:
            run.take(outcome, writes)


def _clocks(task: HumanTask, instance: ProcessInstance) -> list:
    """The step's clock, and the process's where nothing else waits for a person."""
    from workflows.models import ServiceClock

    alone = not HumanTask.objects.filter(instance=instance, status=HumanTask.Status.OPEN).exclude(pk=task.pk).exists()
    found = ServiceClock.objects.filter(instance=instance, ended=None)
    return [clock for clock in found if clock.task_id == task.pk or (clock.is_of_process and (alone or "question" in clock.stops))]


def _close(actor: Actor, instance: ProcessInstance, task: HumanTask, row: Question, status: str, answer: str) -> None:
    now = timezone.now()
    row.status, row.answer, row.closed, row.closed_by_name = status, answer, now, actor.name[:150]
    row.save(update_fields=["status", "answer", "closed", "closed_by_name"])
    if row.stopped and not Question.objects.filter(task=task, status=Status.OPEN).exclude(stopped=None).exists():
        _let_go_on(row, task, instance, now)
    _note(actor, instance, task, row, str(status), {"question": row.text, "answer": answer} if answer else {"question": row.text})
    emit(
        events.QuestionClosed(
            **told_of(instance, actor), question_id=row.pk, task_id=task.pk, name=task.name, asked_by_id=row.asked_by_id, answer=answer
        )
    )


def _let_go_on(row: Question, task: HumanTask, instance: ProcessInstance, now: datetime) -> None:
    """The last answer is there: the clock goes on, and the due date moves by the working time that it stood still."""
    for clock in _clocks(task, instance):
        clocks.go_on(clock, "question", now)
        clocks.keep([clock])
    if task.status == HumanTask.Status.OPEN:
        _timers(engine.release_timers, task, instance, now)
    if row.due_before is None or task.status != HumanTask.Status.OPEN:
        return
    calendar = calendar_of({"customer": instance.customer_organisation_id, "partner": instance.partner_organisation_id}.get(task.audience))
    try:
        due = add_working_time(row.due_before, working_time_between(row.stopped, now, calendar), calendar)
    except NoWorkingTime:
        due = row.due_before
    HumanTask.objects.filter(pk=task.pk, due=None).update(due=due)  # one that an operator set meanwhile stays


def _note(actor: Actor, instance: ProcessInstance, task: HumanTask, row: Question, what: str, told: dict) -> None:
    """Audit, a line in the history, pings."""
    now = timezone.now()
    away = row.to_name if what == "answered" and row.to_id != actor.user_id else ""
    noted = {"question_id": row.pk, "to": row.to_name, **told}
    record(actor, f"question.{what}", SubjectRef("workflows.task", task.pk), on_behalf_of=away, after=noted)
    HistoryEvent.objects.create(
        instance=instance,
        element_id=task.element_id,
        kind="question",
        state=what,
        name=task.name,
        started=task.created,
        ended=now,
        actor_id=actor.user_id,
        actor_name=actor.name[:150],
        on_behalf_of=away[:150],
        audience=str(actor.audience),
        reason=told.get("answer") or row.text,
        action={"asked": _("Question"), "answered": _("Answer"), "withdrawn": _("Withdrawn")}[what],
        detail={"to": row.to_name},
    )
    ping(f"task:{task.pk}", f"process:{instance.pk}", *(f"inbox:user:{user}" for user in (row.to_id, row.asked_by_id) if user))
