"""Doing an outsider's step for them, as they told it: who may, which steps never, and in whose name."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from bpmn.model import Element
from portal.access import Actor, Audience
from portal.errors import NotAllowed, Refused
from portal.selectors import actors_of
from workflows import definitions
from workflows.access import WorkflowPermission, may_do, visible_instances
from workflows.errors import NotFound
from workflows.models import HumanTask

MOST = 1000
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Told:
    """What a step is done by: the person who said it, and how they did."""

    by: Actor
    how: str


def told_task(actor: Actor, task_id: int) -> HumanTask:
    """An outsider's step that the actor could write down for them, with its instance. Raises NotFound where they don't see the process."""
    task = HumanTask.objects.select_related("instance").defer("instance__state").filter(pk=task_id).first()
    if task is None or not actor.is_internal or task.audience == Audience.INTERNAL:
        raise NotFound
    if not visible_instances(actor).filter(pk=task.instance_id).exists():
        raise NotFound
    return task


def people_who_tell(task: HumanTask) -> list[Actor]:
    """The people of the customer or partner who could do a step themselves, so that it can be done in their name."""
    if task.organisation_id is None or task.audience == Audience.INTERNAL:
        return []
    return [person for person in actors_of([task.organisation_id], Audience(task.audience)) if may_do(person, task)]


def why_not_told(actor: Actor, task: HumanTask, element: Element, action: str = "") -> str:
    """Why the actor can't do an outsider's step for them, in words; empty where they can."""
    if actor.is_reader or not actor.can(WorkflowPermission.TELL_FOR):
        return _("Your role doesn't write down what customers and partners tell. Ask a manager.")
    if task.approval_id or task.role.endswith("_approver"):
        return _("“%(name)s” is an approval of their own: nobody else decides in their name.") % {"name": task.name}
    if EVERY in element.in_person:
        return _("“%(name)s” is a signature, or something else that only they themselves can do.") % {"name": task.name}
    if action in element.in_person:
        label = next((a.label for a in element.actions if a.id == action), action)
        return _("“%(action)s” needs their own signature: they do that themselves, on their page.") % {"action": label or action}
    if actor.user_id in task.excluded:
        return _("You asked for this yourself, so somebody else has to write it down.")
    return ""


def check_told(actor: Actor, task: HumanTask, element: Element, action: str, told: Told) -> Told:
    """Raise NotAllowed or Refused (with the field) where an outsider's step can't be done like this; gives what is kept."""
    words = why_not_told(actor, task, element, action)
    if words:
        raise NotAllowed(words)
    if not any(person.user_id == told.by.user_id for person in people_who_tell(task)):
        raise Refused(_("Choose who told you: somebody of the customer or partner who could do this step themselves."), "told_by")
    how = told.how.strip()
    if not how:
        raise Refused(_("Say how they told you: a call, a letter, a visit, and when."), "told_how")
    if len(how) > MOST:
        raise Refused(_("At most %(n)d characters.") % {"n": MOST}, "told_how")
    return Told(told.by, how)


def told_by(task: HumanTask, user_id: int, how: str) -> Told:
    """Who was chosen; raises Refused for somebody who couldn't do the step."""
    by = next((person for person in people_who_tell(task) if person.user_id == user_id), None)
    if by is None:
        raise Refused(_("Choose who told you: somebody of the customer or partner who could do this step themselves."), "told_by")
    return Told(by, how)


@dataclass(frozen=True, slots=True)
class Tellable:
    """An open step of an outsider that the reader may do for them."""

    task_id: int
    name: str
    audience: str


def tellable(actor: Actor, instance_id: int) -> list[Tellable]:
    """The open steps of a visible instance that the actor may write down for a customer or partner."""
    if not actor.is_internal or actor.is_reader or not actor.can(WorkflowPermission.TELL_FOR):
        return []
    rows = HumanTask.objects.filter(instance_id=instance_id, status=HumanTask.Status.OPEN).exclude(audience=Audience.INTERNAL)
    rows = rows.filter(instance__in=visible_instances(actor), organisation_id__isnull=False).select_related("instance")
    found = []
    for task in rows.defer("instance__state", "instance__data", "instance__waits", "data").order_by("pk"):
        if not why_not_told(actor, task, definitions.element_of(task.instance.digest, task.element_id)):
            found.append(Tellable(task.pk, task.name, task.audience))
    return found
