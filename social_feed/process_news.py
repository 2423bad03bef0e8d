"""What happens in processes, as stories and as notifications of steps that wait for somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_noop

from portal.access import Actor, Audience, PortalPermission
from portal.events import on
from portal.registry import SubjectRef, registry
from portal.selectors import actors_of, people_with_role
from social_feed.selectors.follows import colleagues, followers_of
from social_feed.services.follows import follow_by_taking_part
from social_feed.services.notifications import notify, settle, settle_all, tell_followers, unused
from social_feed.stories import Story, register_story
from workflows.events import (
    ApprovalClosed,
    IncidentRaised,
    IncidentResolved,
    ProcessEnded,
    ProcessEvent,
    ProcessStarted,
    QuestionAsked,
    QuestionClosed,
    ServiceLevelReached,
    TaskAssigned,
    TaskCompleted,
    TaskCreated,
    TaskReminded,
)
from workflows.selectors import stand_ins
from workflows.services.links import letter_context

STARTED = gettext_noop("%(actor)s started “%(process)s”")
STARTED_ON = gettext_noop("%(actor)s started “%(process)s” on %(record)s")
ENDED = gettext_noop("“%(process)s” is completed")
ENDED_ON = gettext_noop("“%(process)s” on %(record)s is completed")
CANCELLED = gettext_noop("%(actor)s cancelled “%(process)s”")
INCIDENT = gettext_noop("“%(process)s” stopped and needs a hand: %(message)s")
WAITS = gettext_noop("“%(step)s” waits for you")
DECIDE = gettext_noop("Your decision is asked: %(process)s")
DECIDE_GIVEN = gettext_noop("%(actor)s hands you a decision: %(process)s")
OUTCOMES = {
    "approved": gettext_noop("“%(title)s” is approved"),
    "rejected": gettext_noop("“%(title)s” is rejected"),
}
STILL_WAITS = gettext_noop("“%(step)s” still waits for you")
GIVEN = gettext_noop("%(actor)s gave you “%(step)s”")
AT_RISK = gettext_noop("“%(step)s” is at risk: its target is used up %(when)s")
BREACHED = gettext_noop("“%(step)s” has broken its target")
ASKED = gettext_noop("%(actor)s asks you about “%(step)s”")
ASKED_OUTSIDE = gettext_noop("%(actor)s asks you something")
ANSWERED = gettext_noop("%(actor)s answered your question about “%(step)s”")
DONE_FOR_YOU = gettext_noop("%(actor)s did “%(step)s” for you, as you told us")
DID = gettext_noop("%(actor)s did “%(step)s” of %(subject)s")
OVER = gettext_noop("%(subject)s is over")
NEEDS_HAND = gettext_noop("“%(process)s” stopped and needs a hand")


def _instance(event: ProcessEvent) -> SubjectRef:
    return SubjectRef("workflows.instance", event.instance_id)


def _record(event: ProcessEvent) -> SubjectRef | None:
    return event.subjects[-1] if event.subjects else event.subject


def started(event: ProcessStarted) -> Story | None:
    """A colleague started a process; what an outsider or the product itself starts is told by the record's own story."""
    if event.actor.is_system or not event.actor.is_internal:
        return None
    record = _record(event)
    if record is None:
        return Story(STARTED, {"process": event.title}, _instance(event), event.actor, icon="route")
    return Story(STARTED_ON, {"process": event.title, "record": record}, record, event.actor, icon="route")


def ended(event: ProcessEnded) -> Story | None:
    """A process came to its end, or somebody ended it."""
    record = _record(event)
    subject = record or _instance(event)
    if event.outcome == "cancelled":
        return Story(CANCELLED, {"process": event.title}, subject, event.actor, icon="circle-x")
    if event.outcome != "completed":
        return None
    if record is None:
        return Story(ENDED, {"process": event.title}, subject, event.actor, icon="circle-check")
    return Story(ENDED_ON, {"process": event.title, "record": record}, subject, event.actor, icon="circle-check")


def stopped(event: IncidentRaised) -> Story:
    """A step failed: those who may look into it see it."""
    return Story(
        INCIDENT, {"process": event.title, "message": event.message[:160]}, _instance(event), Actor.system(), icon="alert-triangle"
    )


def register_process_stories() -> None:
    """Give the words for the runtime's events."""
    register_story(ProcessStarted, started)
    register_story(ProcessEnded, ended)
    register_story(IncidentRaised, stopped)


@on(TaskCreated)
def tell_of_task(event: TaskCreated) -> None:
    """The person a step is for; an outsider's step goes to the whole organisation. A role's queue is seen in the inbox alone."""
    source = f"task:{event.task_id}"
    if event.audience == Audience.INTERNAL:
        asked = {event.assignee_id} if event.assignee_id else set(event.candidate_ids)
        people, task = colleagues(asked | stand_ins(asked, event.process_key)), SubjectRef("workflows.task", event.task_id)
    else:
        people, task = _outsiders(event)
    if event.decides and event.audience == Audience.INTERNAL:
        values = {"process": event.title, "step": event.name}
        notify("approval", people, task, DECIDE, values=values, source=source, even_muted=True, letter=_answerable(event.task_id))
        return
    notify("task", people, task, WAITS, values={"step": event.name}, source=source, even_muted=True)


def _answerable(task_id: int) -> Callable[[Actor], tuple[str, dict[str, Any]] | None]:
    """The letter of a step that is answered with yes or no carries both answers."""

    def letter(person: Actor) -> tuple[str, dict[str, Any]] | None:
        context = letter_context(person, task_id)
        return ("workflows/mail/decision", context) if context else None

    return letter


def _outsiders(event: TaskCreated | TaskReminded) -> tuple[list[Actor], SubjectRef]:
    """Whose step it is, and the record on whose page they do it."""
    people = actors_of([event.organisation_id], Audience(event.audience)) if event.organisation_id else []
    if event.assignee_id:
        people = [p for p in people if p.user_id == event.assignee_id]
    elif event.role:
        people = [p for p in people if p.has_role(event.role) and p.user_id not in event.excluded_ids]
    else:
        people = [p for p in people if p.can(PortalPermission.DO_STEPS)]
    task = SubjectRef("workflows.task", event.task_id)
    refs = [ref for ref in [*reversed(event.subjects), event.subject] if ref] if people else []
    return people, next((ref for ref in refs if registry.resolve(people[0], ref)), task)


@on(TaskReminded)
def remind_of_task(event: TaskReminded) -> None:
    """Those outside who have the step hear once more that it waits."""
    people, task = _outsiders(event)
    source = unused(_reminders(event.task_id))
    settle_all(_reminders(event.task_id))  # the newest is the one to read
    notify("task", people, task, STILL_WAITS, values={"step": event.name}, source=source, even_muted=True)


def _reminders(task_id: int) -> list[str]:
    """What reminders of a step are called, so that they are found when it is done."""
    return [f"remind:{task_id}:{number}" for number in range(1, 31)]


@on(TaskAssigned)
def tell_of_assignment(event: TaskAssigned) -> None:
    """The person who was handed a step."""
    task = SubjectRef("workflows.task", event.task_id)
    source = f"task:{event.task_id}"
    settle(source)
    people = colleagues({event.assignee_id} | stand_ins({event.assignee_id}, event.process_key))
    if event.decides:
        notify(
            "approval",
            people,
            task,
            DECIDE_GIVEN,
            by=event.actor,
            values={"process": event.title, "step": event.name},
            source=f"{source}:{event.assignee_id}",
            quote=event.note,
            letter=_answerable(event.task_id),
        )
        return
    notify(
        "task", people, task, GIVEN, by=event.actor, values={"step": event.name}, source=f"{source}:{event.assignee_id}", quote=event.note
    )


@on(ApprovalClosed)
def tell_of_outcome(event: ApprovalClosed) -> None:
    """Whoever asked for a decision learns how it went."""
    if event.asked_by_id and event.state in OUTCOMES:
        people = colleagues({event.asked_by_id})
        source = f"approval:{event.approval_id}"
        notify("approval", people, _instance(event), OUTCOMES[event.state], values={"title": event.title}, source=source, even_muted=True)


@on(IncidentRaised)
def alert_owner(event: IncidentRaised) -> None:
    """Whoever started the process, else the managers: it stopped, and nothing in it goes on by itself."""
    owners = colleagues({event.owner_id}) if event.owner_id else []
    people = owners or colleagues({person.id for person in people_with_role("manager", Audience.INTERNAL)})
    values = {"process": event.title}
    notify(
        "incident", people, _instance(event), NEEDS_HAND, values=values, source=f"incident:{event.incident_id}", quote=event.message,
        even_muted=True,
    )  # fmt: skip


@on(IncidentResolved)
def settle_incident(event: IncidentResolved) -> None:
    """It goes on: nobody need look any more."""
    settle(f"incident:{event.incident_id}")


@on(TaskCompleted)
def settle_task(event: TaskCompleted) -> None:
    """Done is done: the step leaves every bell, and the colleague who did it follows its records from then on."""
    if event.announced:
        settle(f"task:{event.task_id}", f"task:{event.task_id}:{event.actor.user_id}" if event.actor.user_id else "")
    if event.audience != Audience.INTERNAL:  # those inside are reminded by letter alone
        settle_all(_reminders(event.task_id))
    if event.told_by_id:
        tell_in_whose_name(event)
    if event.actor.user_id and event.subjects:
        follow_by_taking_part(event.actor, *event.subjects)
    if event.is_followed:
        process = _instance(event)
        tell_followers(followers_of(str(process)), process, DID, by=event.actor, values={"step": event.name})


def tell_in_whose_name(event: TaskCompleted) -> None:
    """The customer or partner reads what was done in their name, so that a mistake comes out."""
    people = [p for p in actors_of([event.organisation_id or 0], Audience(event.audience)) if p.user_id == event.told_by_id]
    task = SubjectRef("workflows.task", event.task_id)
    words = (event.public_label if event.audience == Audience.CUSTOMER else event.partner_label) or event.name
    values = {"step": words}
    notify("task", people, task, DONE_FOR_YOU, by=event.actor, values=values, source=f"told:{event.task_id}", even_muted=True)


@on(ProcessEnded)
def tell_of_end(event: ProcessEnded) -> None:
    """Those who follow the process hear that it is over."""
    if event.is_followed:
        process = _instance(event)
        tell_followers(followers_of(str(process)), process, OVER, by=event.actor, values={})


@on(ServiceLevelReached)
def tell_of_service_level(event: ServiceLevelReached) -> None:
    """Those who have to know that a promise is at risk or broken, once each."""
    subject = SubjectRef("workflows.task", event.task_id) if event.task_id else _instance(event)
    when = date_format(timezone.localtime(event.breach_at), "SHORT_DATETIME_FORMAT") if event.breach_at else ""
    text = BREACHED if event.state == "breached" else AT_RISK
    source = f"service-level:{event.clock_id}:{event.state}:{event.target}"[:60]  # another promise is told anew
    notify("task", colleagues(set(event.people)), subject, text, values={"step": event.name, "when": when}, source=source, even_muted=True)


@on(QuestionAsked)
def tell_of_question(event: QuestionAsked) -> None:
    """The person who was asked, and who stands in for them; an outsider learns the question alone."""
    audience = Audience(event.audience)
    subject, source = SubjectRef("workflows.question", event.question_id), f"question:{event.question_id}"
    if audience is Audience.INTERNAL:
        people, text = colleagues({event.asked_id} | stand_ins({event.asked_id}, event.process_key)), ASKED
    else:
        people = [p for p in actors_of([event.organisation_id or 0], audience) if p.user_id == event.asked_id]
        text = ASKED_OUTSIDE
    values = {"step": event.name} if audience is Audience.INTERNAL else {}
    notify("task", people, subject, text, by=event.actor, values=values, source=source, quote=event.text, even_muted=True)


@on(QuestionClosed)
def settle_question(event: QuestionClosed) -> None:
    """Answered or withdrawn it waits for nobody; whoever asked gets the answer."""
    settle(f"question:{event.question_id}")
    if event.answer and event.asked_by_id:
        task = SubjectRef("workflows.task", event.task_id)
        source = f"answer:{event.question_id}"
        people = colleagues({event.asked_by_id})
        notify("task", people, task, ANSWERED, by=event.actor, values={"step": event.name}, source=source, quote=event.answer)
