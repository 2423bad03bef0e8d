"""What processes keep about a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from portal.personal import CLEAR, DROP, KEEP, NAME, Person, Trace, register_traces
from workflows.models import OutboxCall
from workflows.services.outbox import without_reader

DECIDED = _("Who decided what in a process is part of its record, as in the audit.")


@dataclass(frozen=True, slots=True)
class Letters(Trace):
    """Letters in the outbox: found by the address that they went to, and made unreadable; one that still waits is, once it is sent."""

    def rows(self, person: Person) -> QuerySet:
        """Those to one of the person's addresses."""
        found = Q(pk__in=[])
        for address in person.emails:
            found |= Q(payload__to__icontains=address)
        mine = {address.lower() for address in person.emails}
        letters = OutboxCall.objects.filter(found, kind="mail").values_list("pk", "payload")
        return OutboxCall.objects.filter(pk__in=[pk for pk, payload in letters if mine & {one.lower() for one in payload["to"]}])

    def export(self, person: Person) -> list[dict[str, Any]]:
        """When we wrote and what about."""
        rows = self.rows(person).order_by("pk").values_list("created", "payload")
        return [{"created": created, "subject": payload.get("subject", "")} for created, payload in rows]

    def forget(self, person: Person) -> int:
        """Take the address, and with it the words, out of each."""
        letters = list(self.rows(person).select_for_update())
        for letter in letters:
            letter.payload, letter.last_error = without_reader(letter, person.emails), ""
        OutboxCall.objects.bulk_update(letters, ["payload", "last_error"])
        return len(letters)


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
        Trace("steps-of-yours", _("Steps in processes you started"), "workflows.HumanTask", "started_by", (), CLEAR, {"started_by": None}),
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
        Letters(
            "letters", _("Letters that we sent you"), "workflows.OutboxCall", "payload", ("created", "payload"), CLEAR, {"payload": {}}
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
