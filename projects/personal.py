"""What projects keep about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.personal import CLEAR, KEEP, Trace, register_traces

ACCEPTED = _("Who accepted a delivery and when is part of the contract.")


def register() -> None:
    """Projects led, tasks, milestones, acceptances."""
    register_traces(
        Trace("projects", _("Projects you lead"), "projects.Project", "manager", ("name", "state", "starts", "due"), KEEP),
        Trace("milestones", _("Milestones you reached"), "projects.Milestone", "reached_by", ("name", "reached"), KEEP),
        Trace(
            "project-tasks",
            _("Your tasks in projects"),
            "projects.ProjectTask",
            "assignee",
            ("title", "state", "due"),
            CLEAR,
            {"assignee": None},
        ),
        Trace(
            "acceptances",
            _("Deliveries you accepted or not"),
            "projects.Acceptance",
            "said_by",
            ("accepted", "reason", "rating", "rating_words", "at"),
            KEEP,
            why=ACCEPTED,
        ),
    )
