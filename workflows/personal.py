"""What processes keep about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.personal import CLEAR, DROP, KEEP, NAME, Trace, register_traces

DECIDED = _("Who decided what in a process is part of its record, as in the audit.")


def register() -> None:
    """Steps done, processes started, questions, approvals, absences."""
    register_traces(
        Trace(
            "steps",
            _("Steps you did"),
            "workflows.HumanTask",
            "done_by",
            ("name", "action", "created", "ended"),
            KEEP,
            why=DECIDED,
        ),
        Trace("steps-handed-on", _("Steps you handed on"), "workflows.HumanTask", "delegated_by", ("name", "note", "created"), KEEP),
        Trace(
            "steps-waiting",
            _("Steps that are yours"),
            "workflows.HumanTask",
            "assignee",
            ("name", "created", "due"),
            CLEAR,
            {"assignee": None},
            where={"status": "open"},
        ),
        Trace("asked-to-do", _("Steps you were asked to do"), "workflows.TaskCandidate", "user", ("task__name",), DROP),
        Trace("snoozed", _("Steps you put off"), "workflows.TaskSnooze", "user", ("task__name", "until"), DROP),
        Trace("batches", _("Steps you did together"), "workflows.TaskBatch", "owner", ("act", "state", "note"), DROP),
        Trace("batches-to-you", _("Steps handed to you together"), "workflows.TaskBatch", "user", ("act",), CLEAR, {"user_name": NAME}),
        Trace(
            "processes",
            _("Processes you started"),
            "workflows.ProcessInstance",
            "started_by",
            ("key", "title", "status", "started", "ended"),
            CLEAR,
            {"started_by_name": NAME},
        ),
        Trace(
            "published", _("Processes you published"), "workflows.ProcessDefinition", "published_by", ("key", "version", "published"), KEEP
        ),
        Trace(
            "history",
            _("What you did in processes"),
            "workflows.HistoryEvent",
            "actor",
            ("name", "kind", "action", "reason", "ended"),
            KEEP,
            why=DECIDED,
        ),
        Trace(
            "approvals",
            _("Decisions you asked for"),
            "workflows.Approval",
            "asked_by",
            ("title", "text", "state", "opened", "closed"),
            KEEP,
            why=DECIDED,
        ),
        Trace(
            "mailed-links", _("Links mailed to you to decide with"), "workflows.DecisionLink", "user", ("created", "expires", "used"), DROP
        ),
        Trace("questions", _("Questions you asked"), "workflows.Question", "asked_by", ("text", "asked"), CLEAR, {"asked_by_name": NAME}),
        Trace(
            "questions-to-you",
            _("Questions you were asked"),
            "workflows.Question",
            "to",
            ("text", "asked", "answer", "closed"),
            CLEAR,
            {"to_name": NAME, "closed_by_name": NAME},
        ),
        Trace("absences", _("Your absences"), "workflows.Absence", "user", ("starts", "ends", "note"), DROP),
        Trace(
            "stood-in",
            _("Absences in which you stand in"),
            "workflows.Absence",
            "substitute",
            ("starts", "ends"),
            CLEAR,
            {"substitute": None},
        ),
    )
