"""Who may do and see what in processes. `visible_tasks` and `visible_instances` are the only ways to rows for people."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet

from portal.access import Actor, Audience, PortalPermission
from workflows.models import (
    Approval,
    BusinessCalendar,
    HumanTask,
    ProcessDefinition,
    ProcessInstance,
    Question,
    ServiceClock,
    TaskBatch,
    TaskCandidate,
)
from workflows.substitution import has_had_a_say, questions_to, represented, theirs_too


class WorkflowPermission(StrEnum):
    """What this package guards beyond visibility."""

    VIEW_ALL = "workflows.view_all"  # every task and instance
    REASSIGN = "workflows.reassign"  # hand anybody's task to another
    VIEW_DATA = "workflows.view_data"  # the variables of an instance
    OPERATE = "workflows.operate"  # retry incidents, cancel instances
    PUBLISH = "workflows.publish"  # publish processes
    TELL_FOR = "workflows.tell_for"  # do a customer's or partner's step for them, as they told it
    EXPORT_LOG = "workflows.export_log"  # take the event log away


def _theirs(actor: Actor) -> Q:
    """An employee's tasks: given to them, asked of them, of a role that they have, or of somebody for whom they stand in."""
    candidate = TaskCandidate.objects.filter(task=OuterRef("pk"), user_id=actor.user_id)
    of_role = Q(audience="internal", is_shared=True) & (Q(role="") | Q(role__in=sorted(actor.roles)))
    asked = Q(Exists(candidate), audience="internal", is_shared=False)
    own = Q(assignee_id=actor.user_id, audience="internal") | of_role | asked
    stood_in = theirs_too(actor)
    return own if stood_in is None else own | stood_in


def visible_tasks(actor: Actor) -> QuerySet[HumanTask]:
    """Employees see what is theirs or their roles', those who may see all see all; outsiders the tasks of their organisation."""
    match actor.audience:
        case Audience.INTERNAL:
            if actor.can(WorkflowPermission.VIEW_ALL):
                return HumanTask.objects.all()
            return HumanTask.objects.filter(_theirs(actor) | Q(done_by_id=actor.user_id))
        case Audience.CUSTOMER | Audience.PARTNER:
            return HumanTask.objects.filter(audience=str(actor.audience), organisation_id=actor.organisation_id).exclude(
                organisation_id=None
            )
        case _:
            return HumanTask.objects.none()


def doable_tasks(actor: Actor) -> QuerySet[HumanTask]:
    """The open tasks that the actor could do now: theirs, and what nobody has taken yet."""
    open_tasks = HumanTask.objects.filter(status=HumanTask.Status.OPEN)
    free = Q(assignee_id=None) | Q(assignee_id=actor.user_id)
    match actor.audience:
        case Audience.INTERNAL:
            stood_in = theirs_too(actor)
            return open_tasks.filter(_theirs(actor)).filter(free if stood_in is None else free | stood_in)
        case Audience.CUSTOMER | Audience.PARTNER:
            mine = visible_tasks(actor) & open_tasks
            asked = Q(role__in=["", *sorted(actor.roles)] if actor.can(PortalPermission.DO_STEPS) else sorted(actor.roles))
            return mine.filter(free, asked).exclude(excluded__holds=actor.user_id)
        case _:
            return HumanTask.objects.none()


def visible_instances(actor: Actor) -> QuerySet[ProcessInstance]:
    """Employees see instances that they started or have a part in, those who may see all see all; outsiders those that serve them."""
    match actor.audience:
        case Audience.INTERNAL:
            if actor.can(WorkflowPermission.VIEW_ALL):
                return ProcessInstance.objects.all()
            part = HumanTask.objects.filter(_theirs(actor) | Q(done_by_id=actor.user_id), instance=OuterRef("pk"))
            return ProcessInstance.objects.filter(Q(started_by_id=actor.user_id) | Exists(part))
        case Audience.CUSTOMER:
            return ProcessInstance.objects.filter(customer_organisation_id=actor.organisation_id or 0, definition__for_customer=True)
        case Audience.PARTNER:
            return ProcessInstance.objects.filter(partner_organisation_id=actor.organisation_id or 0, definition__for_partner=True)
        case _:
            return ProcessInstance.objects.none()


def visible_approvals(actor: Actor) -> QuerySet[Approval]:
    """The questions of the instances that an employee sees; outsiders see none."""
    return Approval.objects.filter(instance__in=visible_instances(actor)) if actor.is_internal else Approval.objects.none()


def visible_definitions(actor: Actor) -> QuerySet[ProcessDefinition]:
    """Employees may look at every process; outsiders at none."""
    return ProcessDefinition.objects.all() if actor.audience is Audience.INTERNAL else ProcessDefinition.objects.none()


def visible_calendars(actor: Actor) -> QuerySet[BusinessCalendar]:
    """Administrators see every organisation's calendar; others see only what comes of it."""
    return BusinessCalendar.objects.all() if actor.can(PortalPermission.ADMINISTER) else BusinessCalendar.objects.none()


def visible_clocks(actor: Actor) -> QuerySet[ServiceClock]:
    """Employees see how promises stand in the instances that they see; outsiders never."""
    if actor.audience is not Audience.INTERNAL:
        return ServiceClock.objects.none()
    if actor.can(WorkflowPermission.VIEW_ALL):
        return ServiceClock.objects.all()
    return ServiceClock.objects.filter(instance__in=visible_instances(actor))


def visible_questions(actor: Actor) -> QuerySet[Question]:
    """Whoever was asked sees the question, in the face in which they were asked; employees see those of the tasks that they see."""
    match actor.audience:
        case Audience.INTERNAL:
            return Question.objects.filter(questions_to(actor) | Q(asked_by_id=actor.user_id) | Q(task__in=visible_tasks(actor)))
        case Audience.CUSTOMER | Audience.PARTNER:
            return Question.objects.filter(to_id=actor.user_id, audience=str(actor.audience), organisation_id=actor.organisation_id)
        case _:
            return Question.objects.none()


def answerable_questions(actor: Actor, *, fresh: bool = False) -> QuerySet[Question]:
    """The questions that the actor may answer: their own, and an employee's those of people for whom they stand in."""
    mine = visible_questions(actor)
    return mine.filter(questions_to(actor, fresh=fresh)) if actor.is_internal else mine


def visible_batches(actor: Actor) -> QuerySet[TaskBatch]:
    """What an employee chose together is theirs alone."""
    return TaskBatch.objects.filter(owner_id=actor.user_id) if actor.is_internal and actor.user_id else TaskBatch.objects.none()


def may_do(actor: Actor, task: HumanTask) -> bool:
    """Whether the actor could do this task: it is theirs, or nobody's and of their role. What one may do one may see."""
    if actor.is_system:
        return True
    if actor.user_id in task.excluded or task.audience != actor.audience:
        return False
    if task.approval_id and has_had_a_say(actor, task):
        return False
    if task.audience != Audience.INTERNAL and (task.organisation_id is None or task.organisation_id != actor.organisation_id):
        return False
    if actor.is_reader:
        return False
    if task.assignee_id == actor.user_id:
        return True
    if task.audience != Audience.INTERNAL:
        fits = task.role in actor.roles if task.role else actor.can(PortalPermission.DO_STEPS)
        return fits and task.assignee_id is None
    if task.assignee_id is None and task.is_shared:
        return not task.role or task.role in actor.roles
    if task.assignee_id is None and was_asked(actor, task):
        return True
    return represented(actor, task) is not None and not has_had_a_say(actor, task)


def was_asked(actor: Actor, task: HumanTask) -> bool:
    """Whether the actor is among those who were asked by name; read once for many rows that are annotated with `asked`."""
    known = task.__dict__.get("asked")
    return known if known is not None else TaskCandidate.objects.filter(task=task, user_id=actor.user_id).exists()


def inbox_topics(actor: Actor) -> str:
    """What an employee's inbox listens to."""
    return " ".join([f"inbox:user:{actor.user_id}", "inbox:role:employee", *(f"inbox:role:{role}" for role in sorted(actor.roles))])
