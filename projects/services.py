"""Writes of projects."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef
from projects.access import ProjectPermission, visible_project_tasks, visible_projects
from projects.events import DeliveryAnswered, MilestoneReached, ProjectEnded, ProjectStarted
from projects.models import Acceptance, Milestone, Project, ProjectTask, ProjectTemplate
from workflows.services import refuse_locked

KIND = "projects.project"


def ref_of(project_id: int) -> SubjectRef:
    """A project's reference."""
    return SubjectRef(KIND, project_id)


def _tell(project: Project) -> None:
    topics = [str(ref_of(project.pk)), "projects"]
    if project.customer_organisation_id:
        topics.append(f"cabinet:{project.customer_organisation_id}")
    if project.partner_organisation_id:
        topics.append(f"partner:{project.partner_organisation_id}")
    if project.source_kind:
        topics.append(f"{project.source_kind}:{project.source_id}")
    ping(*topics)


def _may_edit(actor: Actor) -> None:
    if not actor.can(ProjectPermission.EDIT):
        raise NotAllowed(_("You may look at projects, but not change them."))


def create_from_template(
    actor: Actor,
    template_key: str,
    name: str,
    *,
    source: SubjectRef | None = None,
    customer_organisation_id: int | None = None,
    partner_organisation_id: int | None = None,
    manager_id: int | None = None,
    instance_id: int | None = None,
    starts: date | None = None,
) -> int:
    """Make a project with the template's milestones and tasks, and give its id. For one process instance only one is ever made.

    Raises Refused for an unknown template.
    """
    template = ProjectTemplate.objects.filter(key=template_key).first()
    if template is None:
        raise Refused(_("There is no project template “%(key)s”.") % {"key": template_key})
    starts = starts or timezone.localdate()
    with transaction.atomic():
        if instance_id is not None:
            made = Project.objects.filter(instance_id=instance_id).values_list("pk", flat=True).first()
            if made is not None:
                return made
        project = Project.objects.create(
            name=name[:200],
            template=template,
            customer_organisation_id=customer_organisation_id,
            partner_organisation_id=partner_organisation_id,
            manager_id=manager_id,
            instance_id=instance_id,
            source_kind=source.kind if source else "",
            source_id=source.id if source else None,
            starts=starts,
            due=starts + timedelta(days=template.duration_days),
        )
        _copy_plan(template, project, starts)
        record(actor, "project.started", ref_of(project.pk), after={"name": name, "template": template_key})
        emit(ProjectStarted(actor, project.pk, name, source, customer_organisation_id, partner_organisation_id))
        _tell(project)
    return project.pk


def _copy_plan(template: ProjectTemplate, project: Project, starts: date) -> None:
    """Copy milestones and tasks; a partner's milestone only where there is a partner."""
    plan = [
        m
        for m in template.milestones.prefetch_related("tasks")
        if project.partner_organisation_id or not (m.only_with_partner or m.audience == Audience.PARTNER)
    ]
    milestones = Milestone.objects.bulk_create(
        Milestone(
            project=project,
            position=m.position,
            name=m.name,
            public_name=m.public_name,
            audience=m.audience,
            element_id=m.element_id,
            due=starts + timedelta(days=m.offset_days),
        )
        for m in plan
    )
    ProjectTask.objects.bulk_create(
        ProjectTask(
            project=project,
            milestone=milestone,
            title=task.title,
            audience=milestone.audience,
            due=milestone.due,
            position=milestone.position * 100 + task.position,
        )
        for milestone, source in zip(milestones, plan, strict=True)
        for task in source.tasks.all()
    )


def reach_milestone(actor: Actor, instance_id: int, element_id: str) -> bool:
    """Mark the milestone that a process step closes; the process calls this, so that plan and process never differ.

    Gives whether there was one to mark.
    """
    with transaction.atomic():
        milestone = (
            Milestone.objects.select_for_update(of=("self",))
            .select_related("project")
            .filter(project__instance_id=instance_id, element_id=element_id, reached=None)
            .first()
        )
        if milestone is None:
            return False
        milestone.reached = timezone.now()
        milestone.reached_by_id = actor.user_id
        milestone.save(update_fields=["reached", "reached_by"])
        ProjectTask.objects.filter(milestone=milestone).exclude(state=ProjectTask.State.DONE).update(
            state=ProjectTask.State.DONE, done=milestone.reached, version=F("version") + 1
        )
        project = milestone.project
        record(actor, "project.milestone_reached", ref_of(project.pk), after={"milestone": milestone.name})
        emit(MilestoneReached(actor, project.pk, project.name, milestone.pk, milestone.name, milestone.audience))
        _tell(project)
    return True


def end_project(actor: Actor, project_id: int, *, state: str = Project.State.COMPLETED) -> None:
    """Complete or cancel a project; doing it twice changes nothing."""
    with transaction.atomic():
        project = Project.objects.select_for_update().filter(pk=project_id).first()
        if project is None or project.state != Project.State.ACTIVE:
            return
        project.state = state
        project.ended = timezone.now()
        project.save(update_fields=["state", "ended"])
        record(actor, f"project.{state}", ref_of(project.pk))
        emit(ProjectEnded(actor, project.pk, project.name, state))
        _tell(project)


def keep_acceptance(
    actor: Actor, project_id: int, element_id: str, *, accepted: bool, reason: str = "", rating: Any = None, words: str = ""
) -> None:
    """Keep what the customer says to the delivery; accepting reaches the milestone that `element_id` closes.

    An employee who writes it down does so in the customer's name, and the record says it. Raises Refused for a project that is
    gone and for defects without words.
    """
    reason, words = reason.strip()[:5000], words.strip()[:1000]
    if not accepted and not reason:
        raise Refused(_("Say what is missing."), "reason")
    given = int(rating) if str(rating or "") in {"1", "2", "3", "4", "5"} else None
    with transaction.atomic():
        project = Project.objects.select_for_update().filter(pk=project_id).first()
        if project is None:
            raise Refused(_("This project isn't there any more."))
        Acceptance.objects.create(
            project=project,
            accepted=accepted,
            reason="" if accepted else reason,
            rating=given,
            rating_words=words,
            said_by_id=actor.user_id,
            said_by_name=actor.name,
            in_their_name=not actor.is_customer,
        )
        if accepted and project.instance_id:
            reach_milestone(actor, project.instance_id, element_id)
        verb = "project.accepted" if accepted else "project.not_accepted"
        record(actor, verb, ref_of(project.pk), after={"rating": given}, reason="" if accepted else reason)
        emit(DeliveryAnswered(actor, project.pk, project.name, accepted, given))
        _tell(project)


def add_task(
    actor: Actor, project_id: int, title: str, *, milestone_id: int | None = None, assignee_id: int | None = None, due: date | None = None
) -> int:
    """Put a task on the project's board, last in “to do”; raises Refused without a title or for a project out of reach."""
    _may_edit(actor)
    title = title.strip()
    if not title:
        raise Refused(_("Say what is to be done."), "title")
    with transaction.atomic():
        project = visible_projects(actor).filter(pk=project_id).first()
        if project is None:
            raise Refused(_("This project isn't there any more."))
        refuse_locked(ref_of(project.pk))
        milestone = project.milestones.filter(pk=milestone_id).first() if milestone_id else None
        last = project.tasks.aggregate(last=Max("position"))["last"] or 0
        task = ProjectTask.objects.create(
            project=project,
            milestone=milestone,
            title=title[:200],
            audience=milestone.audience if milestone else "internal",
            assignee_id=assignee_id,
            due=due,
            position=last + 1,
        )
        record(actor, "project.task_added", ref_of(project.pk), after={"title": title})
        _tell(project)
    return task.pk


def move_task(actor: Actor, task_id: int, state: str, *, version: int | None = None) -> None:
    """Move a task on the board. Outsiders move tasks of their own audience. `version` is the one the person saw.

    Raises Refused for an unknown state or a task out of reach, Conflict when somebody changed it meanwhile.
    """
    if actor.is_internal:
        _may_edit(actor)
    if state not in ProjectTask.State.values:
        raise Refused(_("There is no such column."))
    with transaction.atomic():
        task = visible_project_tasks(actor).select_for_update(of=("self",)).select_related("project").filter(pk=task_id).first()
        if task is None:
            raise Refused(_("This task isn't there any more."))
        if version is not None and version != task.version:
            raise Conflict(_("Somebody changed this task a moment ago. Look at it again, then decide."))
        if task.state == state:
            return
        if not actor.is_internal:
            _still_theirs(task)
        before, task.state = task.state, state
        task.done = timezone.now() if state == ProjectTask.State.DONE else None
        task.version += 1
        task.save(update_fields=["state", "done", "version"])
        record(actor, "project.task_moved", ref_of(task.project_id), before={"state": before}, after={"task": task.title, "state": state})
        _tell(task.project)


def _still_theirs(task: ProjectTask) -> None:
    """Outsiders change their tasks as long as the project runs and the milestone isn't reached; raises Conflict afterwards."""
    if task.project.state != Project.State.ACTIVE:
        raise Conflict(_("This project is over."))
    if task.milestone_id and Milestone.objects.filter(pk=task.milestone_id, reached__isnull=False).exists():
        raise Conflict(_("This part is done already. Write to us if something is still missing."))


def answer_task(actor: Actor, task_id: int, words: str, *, version: int | None = None) -> None:
    """Whoever a task is for answers it in words, and it is done; an empty answer takes the words back and leaves it to do.

    Raises Refused for a task out of reach, Conflict when somebody changed it meanwhile or the part is over.
    """
    words = words.strip()[:5000]
    with transaction.atomic():
        task = visible_project_tasks(actor).select_for_update(of=("self",)).select_related("project").filter(pk=task_id).first()
        if task is None:
            raise Refused(_("This task isn't there any more."))
        if version is not None and version != task.version:
            raise Conflict(_("Somebody changed this task a moment ago. Look at it again, then decide."))
        if actor.is_internal:
            _may_edit(actor)
        else:
            _still_theirs(task)
        before = task.answer
        task.answer, task.answered_by_name = words, actor.name if words else ""
        task.state = ProjectTask.State.DONE if words else ProjectTask.State.TODO
        task.done = timezone.now() if words else None
        task.version += 1
        task.save(update_fields=["answer", "answered_by_name", "state", "done", "version"])
        changed = {"task": task.title, "answer": words}
        record(actor, "project.task_answered", ref_of(task.project_id), before={"answer": before}, after=changed)
        _tell(task.project)


def edit_task(actor: Actor, task_id: int, *, title: str, assignee_id: int | None, due: date | None, version: int) -> None:
    """Change a task's words, person or date; raises Conflict when it changed since the person opened it."""
    _may_edit(actor)
    if not title.strip():
        raise Refused(_("Say what is to be done."), "title")
    with transaction.atomic():
        task = visible_project_tasks(actor).select_for_update(of=("self",)).select_related("project").filter(pk=task_id).first()
        if task is None:
            raise Refused(_("This task isn't there any more."))
        if version != task.version:
            raise Conflict(_("Somebody changed this task a moment ago. Look at it again, then decide."))
        refuse_locked(ref_of(task.project_id))
        before = {"title": task.title, "assignee": task.assignee_id, "due": task.due.isoformat() if task.due else None}
        task.title, task.assignee_id, task.due = title.strip()[:200], assignee_id, due
        task.version += 1
        task.save(update_fields=["title", "assignee", "due", "version"])
        after = {"title": task.title, "assignee": assignee_id, "due": due.isoformat() if due else None}
        record(actor, "project.task_changed", ref_of(task.project_id), before=before, after=after)
        _tell(task.project)


def delete_task(actor: Actor, task_id: int) -> str:
    """Take a task off the board and give its title for the message."""
    _may_edit(actor)
    with transaction.atomic():
        task = visible_project_tasks(actor).select_for_update(of=("self",)).select_related("project").filter(pk=task_id).first()
        if task is None:
            raise Refused(_("This task isn't there any more."))
        refuse_locked(ref_of(task.project_id))
        title, project = task.title, task.project
        task.delete()
        record(actor, "project.task_removed", ref_of(project.pk), before={"title": title})
        _tell(project)
    return title


def set_note(actor: Actor, project_id: int, note: str) -> None:
    """Keep the project's internal note."""
    _may_edit(actor)
    with transaction.atomic():
        project = visible_projects(actor).select_for_update().filter(pk=project_id).first()
        if project is None:
            raise Refused(_("This project isn't there any more."))
        refuse_locked(ref_of(project.pk))
        before, project.internal_note = project.internal_note, note.strip()
        project.save(update_fields=["internal_note"])
        record(actor, "project.note_changed", ref_of(project.pk), before={"note": before}, after={"note": project.internal_note})
        _tell(project)
