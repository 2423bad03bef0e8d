"""Deciding from a letter: a signed link for one person, one task and one answer, used once, that needs no sign-in.

Opening a link changes nothing, for mail scanners follow links; its page asks, and what is sent from there is done as if the person had
done it on the task's page. The addresses are signed and never stored; the row says whether the link was used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed
from portal.mail import absolute
from portal.registry import SubjectRef, registry
from portal.selectors import actors_of, organisations_of
from workflows import definitions
from workflows.access import may_do
from workflows.assignment import decides
from workflows.errors import NotFound
from workflows.models import Approval, DecisionLink, HumanTask
from workflows.runtime import subjects_of
from workflows.services.tasks import complete_task, words_of_end

SALT = "workflows.decision-link"
LIFE = timedelta(days=7)
ACTIONS = ("approve", "reject")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link's page shows: who decides what, and how."""

    person: Actor
    task_id: int
    action: str
    label: str
    title: str
    record: str
    facts: list[tuple[str, str]]
    expires: datetime

    @property
    def needs_comment(self) -> bool:
        """Whether it can't be sent without words."""
        return self.action == "reject"


def token_of(link: DecisionLink, action: str) -> str:
    """The address's secret part, for one answer."""
    return signing.dumps([link.pk, action], salt=SALT)


def letter_context(person: Actor, task_id: int) -> dict[str, Any] | None:
    """What a letter about a task needs to be answered by: fresh links for this person. None for a task that takes more than a yes or no."""
    task = HumanTask.objects.select_related("instance").defer("instance__state").filter(pk=task_id).first()
    if task is None or not person.is_internal or person.user_id is None or not may_do(person, task):
        return None
    if not decides(definitions.load(task.instance.digest).element(task.element_id)):
        return None
    link = DecisionLink.objects.create(task=task, user_id=person.user_id, expires=timezone.now() + LIFE)
    urls = {f"{action}_url": absolute(reverse("decide", args=[token_of(link, action)])) for action in ACTIONS}
    return urls | {
        "title": task.instance.title,
        "record": _record(person, task),
        "facts": _facts(person, task),
        "expires": link.expires,
        "task_url": absolute(reverse("workflows:task", args=[task.pk])),
    }


def read_link(token: str, visitor_id: int | None = None) -> Offer:
    """What a link offers, to whoever holds it; `visitor_id` is who is signed in, if anybody.

    Raises NotFound, Conflict or NotAllowed with words for one that was used, is over, was meant for another, or needs no answer any more.
    """
    link, action = _link(token)
    return _offer(link, action, visitor_id)


def use_link(token: str, comment: str, visitor_id: int | None = None) -> Offer:
    """Decide. Raises as `read_link`, and FormRefused where a comment is missing; then the link can be used again."""
    with transaction.atomic():
        link, action = _link(token, lock=True)
        offer = _offer(link, action, visitor_id)
        complete_task(offer.person, link.task_id, {"reason": comment.strip()}, action=action, idempotency_key=f"link:{link.pk}")
        DecisionLink.objects.filter(pk=link.pk).update(used=timezone.now(), used_action=action)
        record(offer.person, "task.decided_by_mail", SubjectRef("workflows.task", link.task_id), after={"action": action})
    return offer


def _link(token: str, *, lock: bool = False) -> tuple[DecisionLink, str]:
    rows = DecisionLink.objects.select_for_update() if lock else DecisionLink.objects.all()
    try:
        pk, action = signing.loads(token, salt=SALT)
        link = rows.get(pk=pk)
    except (signing.BadSignature, DecisionLink.DoesNotExist, TypeError, ValueError):
        raise NotFound(_("This link is incomplete, or isn't one of ours. Copy the whole address from the letter, or sign in.")) from None
    return link, action


def _offer(link: DecisionLink, action: str, visitor_id: int | None) -> Offer:
    if link.used is not None:
        done = {"approve": _("You approved"), "reject": _("You rejected")}.get(link.used_action, _("You decided"))
        when = date_format(timezone.localtime(link.used), "DATETIME_FORMAT")
        raise Conflict(_("This link has been used: %(done)s on %(when)s. A link works once.") % {"done": done, "when": when})
    if link.expires <= timezone.now():
        raise Conflict(_("This link is too old; links work for %(n)d days. Sign in to decide.") % {"n": LIFE.days})
    if visitor_id is not None and visitor_id != link.user_id:
        raise NotAllowed(_("This link was sent to somebody else than you, who are signed in. Sign out first if it is yours."))
    person = _person(link.user_id)
    if person is None:
        raise NotAllowed(_("This link was sent to somebody who no longer works here."))
    task = HumanTask.objects.select_related("instance", "approval").defer("instance__state").get(pk=link.task_id)
    _check_waits(person, task)
    element = definitions.load(task.instance.digest).element(task.element_id)
    label = next((a.label for a in element.actions if a.id == action), "")
    return Offer(
        person=person,
        task_id=task.pk,
        action=action,
        label=label or (_("Approve") if action == "approve" else _("Reject")),
        title=task.instance.title,
        record=_record(person, task),
        facts=_facts(person, task),
        expires=link.expires,
    )


def _person(user_id: int) -> Actor | None:
    """The employee, as long as they may sign in."""
    own = [one.id for one in organisations_of(Audience.INTERNAL)]
    return next((actor for actor in actors_of(own, Audience.INTERNAL) if actor.user_id == user_id), None)


def _check_waits(person: Actor, task: HumanTask) -> None:
    """Raise Conflict or NotAllowed where there is nothing left for this person to decide."""
    if task.status == HumanTask.Status.DONE and task.done_by_id == person.user_id:
        raise Conflict(_("You have decided on this already: %(what)s.") % {"what": _word(task.action)})
    if task.approval and task.approval.state == Approval.State.WITHDRAWN:
        raise Conflict(_("%(who)s has taken the question back. Nothing is left to decide.") % {"who": task.approval.asked_by_name})
    if task.approval and task.approval.state != Approval.State.OPEN:
        words = _("This has been decided meanwhile: %(what)s. Your vote isn't needed any more.")
        raise Conflict(words % {"what": task.approval.get_state_display().lower()})
    if task.status != HumanTask.Status.OPEN:
        raise Conflict(words_of_end(task))
    if not may_do(person, task):
        from workflows.services.tasks import _why_not

        raise NotAllowed(_why_not(person, task))


def _word(action: str) -> str:
    return {"approve": _("approved"), "reject": _("rejected")}.get(action, action)


def _record(person: Actor, task: HumanTask) -> str:
    refs = subjects_of(task.instance)
    seen = registry.resolve_many(person, refs) if refs else {}
    return next((seen[ref].title for ref in reversed(refs) if ref in seen), "")


def _facts(person: Actor, task: HumanTask) -> list[tuple[str, str]]:
    """What the task's form shows."""
    from workflows.forms import form_of

    return form_of(person, task).display
