"""What happens to projects, as stories of the feed and words for the outsiders who take part."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from portal.access import Audience
from portal.registry import SubjectRef
from projects.events import DeliveryAnswered, MilestoneReached, ProjectEnded, ProjectStarted
from social_feed.stories import Story, register_story

STARTED = gettext_noop("The project %(project)s has started")
REACHED = gettext_noop("%(actor)s reached “%(milestone)s” in %(project)s")
REACHED_OUTSIDE = gettext_noop("“%(milestone)s” is done in your project")
ENDED = gettext_noop("The project %(project)s is finished")
CANCELLED = gettext_noop("The project %(project)s was cancelled")
ACCEPTED = gettext_noop("%(actor)s accepted the delivery of %(project)s")
MISSING = gettext_noop("%(actor)s says what is missing in the delivery of %(project)s")
BOTH = (Audience.CUSTOMER, Audience.PARTNER)


def _ref(project_id: int) -> SubjectRef:
    return SubjectRef("projects.project", project_id)


def started(event: ProjectStarted) -> Story:
    """A project was made."""
    ref = _ref(event.project_id)
    return Story(STARTED, {"project": ref}, ref, event.actor, icon="target-arrow", outside=dict.fromkeys(BOTH, STARTED))


def reached(event: MilestoneReached) -> Story:
    """A milestone was reached; everybody who takes part hears of it."""
    ref = _ref(event.project_id)
    values: dict[str, str | int | SubjectRef] = {"project": ref, "milestone": event.milestone_name}
    return Story(REACHED, values, ref, event.actor, icon="flag", outside=dict.fromkeys(BOTH, REACHED_OUTSIDE))


def ended(event: ProjectEnded) -> Story:
    """A project came to its end."""
    ref = _ref(event.project_id)
    done = event.state == "completed"
    words = ENDED if done else CANCELLED
    return Story(words, {"project": ref}, ref, event.actor, icon="trophy" if done else "circle-x", outside=dict.fromkeys(BOTH, words))


def answered(event: DeliveryAnswered) -> Story:
    """The customer's word on a delivery, for colleagues."""
    ref = _ref(event.project_id)
    icon = "circle-check" if event.accepted else "alert-triangle"
    return Story(ACCEPTED if event.accepted else MISSING, {"project": ref}, ref, event.actor, icon=icon)


def register_project_stories() -> None:
    """Give the words for the package's events."""
    register_story(ProjectStarted, started)
    register_story(MilestoneReached, reached)
    register_story(ProjectEnded, ended)
    register_story(DeliveryAnswered, answered)
