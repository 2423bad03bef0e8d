"""What people do with tasks: take, give back, hand over, complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from bpmn import engine
from bpmn.model import NotWaiting
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef
from portal.selectors import PersonView, employees, names_of, people_of, people_with_role
from workflows import definitions, events
from workflows.access import WorkflowPermission, may_do, visible_tasks
from workflows.assignment import decides, topics_of
from workflows.errors import NotFound
from workflows.models import HumanTask, ProcessInstance, TaskCandidate
from workflows.runtime import Done, Run, Writes, lock_task, told_of
from workflows.services.telling import Told, check_told, told_task
from workflows.substitution import has_had_a_say, represented, voices_of


@dataclass(frozen=True, slots=True)
class CompletionResult:
    """A step that was done. `next_task_id`: the next step of the same process, where it waits for the same person."""

    next_task_id: int | None
    message: str
    instance_id: int = 0
    repeated: bool = False


def complete_task(
    actor: Actor, task_id: int, data: dict[str, Any], *, action: str = "", idempotency_key: str = "", told: Told | None = None
) -> CompletionResult:
    """Do a task: the form is checked, the process goes on to its next waits, all in one transaction. `told`: an employee does an
    outsider's step for them, as they said.

    The same key again gives the same answer and does nothing. Raises NotFound for a task out of sight, Conflict when somebody was
    faster, NotAllowed where it isn't the actor's to do, FormRefused for mistakes in the form.
    """
    from workflows.forms import checked_data

    with transaction.atomic():
        instance, task = _locked(actor, task_id) if told is None else _locked_for_them(actor, task_id)
        if task.status != HumanTask.Status.OPEN:
            if idempotency_key and task.done_key == idempotency_key and task.done_by_id == actor.user_id:
                return CompletionResult(None, _done_words(task), instance.pk, repeated=True)
            raise Conflict(words_of_end(task))
        if told is None and not may_do(actor, task):
            raise NotAllowed(_why_not(actor, task))
        if instance.status == ProcessInstance.Status.SUSPENDED:
            raise Conflict(_("This process is held for now; your step waits until it goes on. Nothing of yours was saved."))
        run, writes = Run(instance, actor, timezone.now()), Writes()
        element = run.definition.element(task.element_id)
        told = check_told(actor, task, element, action, told) if told else None
        values, action, reason = checked_data(told.by if told else actor, task, element, data, action)
        away = _said_by(actor, task, told) if told else _stood_in_for(actor, task)
        writes.together.update(HumanTask, _done(actor, task, run, action, idempotency_key, away), id=task.pk)
        if not task.is_shared:
            writes.together.update(TaskCandidate, {"is_open": False}, task_id=task.pk)
        run.by[task.engine_id] = Done(task, action, reason, away, told.how if told else "")
        label = next((a.label for a in element.actions if a.id == action), "")
        writes.topics |= topics_of(task)
        writes.later.append(
            lambda: events.TaskCompleted(
                **run.told(),
                task_id=task.pk,
                element_id=task.element_id,
                name=task.name,
                audience=task.audience,
                action=action,
                action_label=label,
                reason=reason,
                public_label=element.public_label,
                partner_label=element.partner_label,
                milestone=element.milestone,
                told_by_id=told.by.user_id if told else None,
                organisation_id=task.organisation_id,
                announced=task.audience != Audience.INTERNAL or not task.is_shared or task.delegated_by_id is not None,
            )
        )
        facts = {"action": action, "last_user_id": actor.user_id}
        try:
            outcome = engine.complete(run.definition, bytes(instance.state), task.engine_id, {**values, **facts}, host=run, now=run.now)
        except NotWaiting as error:
            raise Conflict(str(error)) from error
        run.take(outcome, writes)
        writes.flush()
        mine = next((t.pk for t in run.new_tasks if may_do(actor, t)), None)
    return CompletionResult(mine, _done_words(task), instance.pk)


def _locked(actor: Actor, task_id: int) -> tuple[ProcessInstance, HumanTask]:
    """Lock the task's instance and the task. What the actor may do they see; for anything else the visible rows are asked."""
    instance, task = lock_task(task_id)
    if not may_do(actor, task) and not visible_tasks(actor).filter(pk=task_id).exists():
        raise NotFound
    return instance, task


def _locked_for_them(actor: Actor, task_id: int) -> tuple[ProcessInstance, HumanTask]:
    """Lock an outsider's task whose process the actor sees."""
    told_task(actor, task_id)
    return lock_task(task_id)


def _said_by(actor: Actor, task: HumanTask, told: Told) -> str:
    """The name of the outsider for whom a step is done, audited."""
    what = {"task": task.name, "organisation": told.by.organisation_name}
    record(actor, "task.completed_for", SubjectRef("workflows.task", task.pk), on_behalf_of=told.by.name, after=what, reason=told.how)
    return told.by.name


def _stood_in_for(actor: Actor, task: HumanTask) -> str:
    """The name of the person who is away and for whom the actor does a task; empty where it is the actor's own."""
    if task.audience != Audience.INTERNAL or actor.is_system or task.assignee_id == actor.user_id:
        return ""
    if task.assignee_id is None and (task.is_shared or TaskCandidate.objects.filter(task=task, user_id=actor.user_id).exists()):
        return ""
    away = represented(actor, task, fresh=True)
    if away is None:
        raise NotAllowed(_why_not(actor, task))
    name = names_of([away]).get(away, "")
    if name:
        record(actor, "task.completed_for", SubjectRef("workflows.task", task.pk), on_behalf_of=name)
    return name


def _done(actor: Actor, task: HumanTask, run: Run, action: str, key: str, away: str = "") -> dict[str, Any]:
    """What is written down about a task that was done."""
    task.status, task.ended, task.action = HumanTask.Status.DONE, run.now, action[:60]
    task.done_by_id, task.done_by_name, task.done_key, task.done_for_name = actor.user_id, actor.name[:150], key[:80], away[:150]
    fields = ("status", "ended", "action", "done_by_id", "done_by_name", "done_key", "done_for_name")
    return {name: getattr(task, name) for name in fields}


def _done_words(task: HumanTask) -> str:
    return _("Done: %(name)s") % {"name": task.name}


def words_of_end(task: HumanTask) -> str:
    """Why an ended task can't be done any more."""
    if task.status == HumanTask.Status.GONE:
        return _("“%(name)s” isn't needed any more: the process has gone another way.") % {"name": task.name}
    ago = timesince(task.ended) if task.ended else ""
    return _("%(who)s was faster: “%(name)s” was done %(ago)s ago. Nothing of yours was saved.") % {
        "who": task.done_by_name or _("The system"),
        "name": task.name,
        "ago": ago,
    }


def _why_not(actor: Actor, task: HumanTask) -> str:
    if actor.user_id in task.excluded:
        return _("You asked for this yourself, so somebody else has to decide on it.")
    if has_had_a_say(actor, task) and (task.approval_id or represented(actor, task)):
        return _("You have decided on “%(name)s” yourself already; one person decides once.") % {"name": task.name}
    if task.assignee_id and task.assignee_id != actor.user_id:
        return _("A colleague has taken “%(name)s”.") % {"name": task.name}
    return _("“%(name)s” isn't yours to do.") % {"name": task.name}


def _open(actor: Actor, task_id: int) -> tuple[ProcessInstance, HumanTask]:
    instance, task = _locked(actor, task_id)
    if task.status != HumanTask.Status.OPEN:
        raise Conflict(words_of_end(task))
    return instance, task


def check_claim(actor: Actor, task: HumanTask) -> None:
    """Raise Refused where the actor can't take an open task."""
    if task.assignee_id is not None:
        raise Conflict(_("A colleague has taken “%(name)s” already.") % {"name": task.name})
    if not may_do(actor, task):
        raise NotAllowed(_why_not(actor, task))


def claim_task(actor: Actor, task_id: int) -> None:
    """Take a task of one's group. Raises Conflict where a colleague was faster; taking one's own again changes nothing."""
    with transaction.atomic():
        _instance, task = _open(actor, task_id)
        if task.assignee_id == actor.user_id:
            return
        check_claim(actor, task)
        HumanTask.objects.filter(pk=task.pk).update(assignee_id=actor.user_id, claimed=timezone.now())
        tell_holders(task, actor.user_id)


def check_release(actor: Actor, task: HumanTask) -> None:
    """Raise Refused where the actor can't give an open task that somebody has back to its group."""
    if task.assignee_id != actor.user_id and not actor.can(WorkflowPermission.REASSIGN):
        raise NotAllowed(_why_not(actor, task))
    grouped = task.__dict__.get("has_candidates")
    if not (task.is_shared or (TaskCandidate.objects.filter(task=task).exists() if grouped is None else grouped)):
        raise Refused(_("“%(name)s” has no group to go back to; hand it to somebody instead.") % {"name": task.name})


def release_task(actor: Actor, task_id: int) -> None:
    """Give a task back to its group. Raises Refused for one that was meant for this person alone."""
    with transaction.atomic():
        _instance, task = _open(actor, task_id)
        if task.assignee_id is None:
            return
        check_release(actor, task)
        before = task.assignee_id
        HumanTask.objects.filter(pk=task.pk).update(assignee_id=None, claimed=None)
        tell_holders(task, before)


def delegation_targets(actor: Actor, task: HumanTask) -> list[PersonView]:
    """Whom a task may be handed to: colleagues of the task's audience and organisation, but not whom four eyes exclude."""
    if task.audience == Audience.INTERNAL:
        people = employees()
    elif task.organisation_id and task.role:
        people = people_with_role(task.role, Audience(task.audience), task.organisation_id)
    elif task.organisation_id:
        people = people_of(task.organisation_id, Audience(task.audience))
    else:
        people = []
    out = {*task.excluded, task.assignee_id, *(voices_of(task.approval_id) if task.approval_id else ())}
    return [p for p in people if p.id not in out]


def check_delegate(actor: Actor, task: HumanTask) -> None:
    """Raise NotAllowed where an open task isn't the actor's to hand on."""
    if not may_do(actor, task) and not (actor.is_internal and actor.can(WorkflowPermission.REASSIGN)):
        raise NotAllowed(_why_not(actor, task))


def delegate_task(actor: Actor, task_id: int, user_id: int, note: str = "") -> None:
    """Hand a task to a colleague, with a note. The holder may, those who could take it, and those who may reassign."""
    with transaction.atomic():
        instance, task = _open(actor, task_id)
        check_delegate(actor, task)
        target = next((p for p in delegation_targets(actor, task) if p.id == user_id), None)
        if target is None:
            raise Refused(_("This task can't be handed to that person."), "user_id")
        changes = {
            "assignee_id": user_id,
            "claimed": timezone.now(),
            "delegated_by_id": actor.user_id,
            "delegated_by_name": actor.name[:150],
            "note": note.strip()[:500],
        }
        before = task.assignee_id
        HumanTask.objects.filter(pk=task.pk).update(**changes)
        record(
            actor,
            "task.delegated",
            SubjectRef("workflows.task", task.pk),
            before={"assignee": before},
            after={"assignee": user_id},
            reason=note.strip(),
        )
        emit(
            events.TaskAssigned(
                **told_of(instance, actor),
                task_id=task.pk,
                element_id=task.element_id,
                name=task.name,
                assignee_id=user_id,
                note=note.strip(),
                title=instance.title,
                decides=decides(definitions.load(instance.digest).element(task.element_id)),
            )
        )
        tell_holders(task, before, user_id)


def tell_holders(task: HumanTask, *users: int | None) -> None:
    """Ping the inboxes that show a task, these people's, and the pages of its process."""
    people = {f"inbox:user:{user}" for user in users if user}
    ping(*topics_of(task), *people, f"process:{task.instance_id}", f"task:{task.pk}")
