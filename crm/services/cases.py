"""Support cases: opened by customers, answered by employees, confirmed and rated by those who asked. The process moves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn.calendars import Working
from crm.access import visible_cases
from crm.events import CaseClosed, CaseOpened
from crm.models import Case
from crm.services.accounts import account_for_organisation, contact_for_person
from crm.services.common import locked
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import emit
from portal.live import ping
from portal.registry import SubjectRef
from social_feed.services.messages import post_message
from workflows.calendars import working_after, working_words
from workflows.services import start_process

PROCESS = "support_case"
ANSWER_WITHIN = {"critical": Working(4, "hour"), "high": Working(1, "day"), "normal": Working(3, "day")}
REOPEN_WITHIN = timedelta(days=30)
MAX_TEXT = 5000


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a customer fills in; `key` makes sending the form twice the same as once."""

    title: str
    description: str
    category: str = Case.Category.FAULT
    severity: str = Case.Severity.NORMAL
    key: str = ""


def open_case(actor: Actor, data: NewCase) -> Case:
    """A customer tells of a trouble: the case is kept and its process starts. Raises Refused for empty words and unknown choices."""
    if not (actor.is_customer and actor.organisation_id):
        raise NotAllowed(_("Cases are opened in a customer's cabinet."))
    if data.key and (found := visible_cases(actor).filter(idempotency_key=data.key).first()):
        return found
    title, description = data.title.strip(), data.description.strip()
    if not title:
        raise Refused(_("Say in a few words what it is about."), "title")
    if not description:
        raise Refused(_("Tell us what happened."), "description")
    if data.category not in Case.Category.values:
        raise Refused(_("Choose what it is about."), "category")
    if data.severity not in Case.Severity.values:
        raise Refused(_("Choose how much it holds you up."), "severity")
    with transaction.atomic():
        account = account_for_organisation(actor, actor.organisation_id)
        case = Case.objects.create(
            title=title[:200],
            description=description[:MAX_TEXT],
            category=data.category,
            severity=data.severity,
            account=account,
            contact=contact_for_person(account, name=actor.name, email=actor.email, user_id=actor.user_id),
            customer_organisation_id=actor.organisation_id,
            submitted_by_id=actor.user_id,
            submitted_by_name=actor.name,
            answer_by=answer_by(data.severity),
            idempotency_key=data.key or None,
        )
        record(actor, "case.opened", _ref(case), after={"title": case.title, "severity": case.severity})
        emit(CaseOpened(case.pk, case.number, case.title, account.name, actor.organisation_id, str(case.get_severity_display()), actor))
        _begin(actor, case)
    return case


def answer_by(severity: str, start: datetime | None = None) -> datetime:
    """Until when we promise an answer, in our calendar's working time: nights, weekends and holidays don't count."""
    return working_after(ANSWER_WITHIN[severity], start)


def promise_words(severity: str) -> str:
    """The promise as people say it: “within 4 working hours”."""
    return _("within %(time)s") % {"time": working_words(ANSWER_WITHIN[severity])}


def _ref(case: Case) -> SubjectRef:
    return SubjectRef("crm.case", case.pk)


def _told(case: Case) -> None:
    ping(str(_ref(case)), f"crm.cases:{case.customer_organisation_id}")


def _begin(actor: Actor, case: Case) -> None:
    case.instance_id = start_process(
        actor,
        PROCESS,
        subject=_ref(case),
        data={
            "case_id": case.pk,
            "title": case.title,
            "description": case.description,
            "customer_name": case.account.name,
            "severity": case.severity,
            "answer_by": case.answer_by,
            "case": {},
            "replied": {},
            "confirmed": {},
        },
        idempotency_key=f"crm.case:{case.pk}:{case.reopened}",
        title=f"{case.account.name}: {case.title}",
        customer_organisation_id=case.customer_organisation_id,
    )
    case.save(update_fields=["instance_id", "updated_at"])
    _told(case)


def _words(case: Case) -> dict[str, Any]:
    """What the process keeps of a case: words for the next form, and the new promise."""
    return {"question": case.question, "solution": case.solution, "severity": case.severity, "answer_by": case.answer_by}


def answer_case(actor: Actor, case_id: int, *, action: str, words: str, severity: str = "") -> dict[str, Any]:
    """An employee's answer goes to the customer as a message: `ask` asks back, anything else says how it was solved.

    Raises Refused for an empty answer. The customer reads these words; notes for colleagues are messages with their own box.
    """
    words = words.strip()
    if not words:
        raise Refused(_("Write what the customer shall read."), "words")
    with transaction.atomic():
        case = locked(visible_cases(Actor.system()), case_id)
        asks = action == "ask"
        case.question, case.solution = (words, case.solution) if asks else ("", words)
        case.state = Case.State.WAITING if asks else Case.State.SOLVED
        case.answered_at, case.answered_by_name = case.answered_at or timezone.now(), actor.name
        if severity in Case.Severity.values and severity != case.severity:
            record(actor, "case.severity", _ref(case), before={"severity": case.severity}, after={"severity": severity})
            case.severity = severity
        case.save()
        record(actor, "case.asked" if asks else "case.solved", _ref(case))
        post_message(actor, _ref(case), Audience.CUSTOMER, words, organisation_id=case.customer_organisation_id)
        _told(case)
        return _words(case)


def reply_to_case(actor: Actor, case_id: int, words: str) -> dict[str, Any]:
    """The customer's answer to our question: the case is with us again, with a new promise."""
    with transaction.atomic():
        case = locked(visible_cases(Actor.system()), case_id)
        case.state, case.question, case.answer_by = Case.State.OPEN, "", answer_by(case.severity)
        case.save()
        record(actor, "case.replied", _ref(case))
        if words.strip() and actor.is_customer:
            post_message(actor, _ref(case), Audience.CUSTOMER, words.strip()[:MAX_TEXT])
        _told(case)
        return _words(case)


def settle_case(actor: Actor, case_id: int, *, action: str, rating: Any = None, words: str = "", reason: str = "") -> dict[str, Any]:
    """What the customer says to the solution: solved (with a rating, where they give one), or not yet, with the reason."""
    with transaction.atomic():
        case = locked(visible_cases(Actor.system()), case_id)
        if action == "again":
            case.state, case.reopened, case.answer_by = Case.State.OPEN, case.reopened + 1, answer_by(case.severity)
            case.save()
            record(actor, "case.reopened", _ref(case), reason=reason)
            if reason.strip() and actor.is_customer:
                post_message(actor, _ref(case), Audience.CUSTOMER, reason.strip()[:MAX_TEXT])
        else:
            case.state, case.closed_at = Case.State.CLOSED, timezone.now()
            if str(rating or "") in {"1", "2", "3", "4", "5"}:
                case.rating, case.rating_words = int(rating), words.strip()[:1000]
            case.save()
            record(actor, "case.closed", _ref(case), after={"rating": case.rating})
            emit(CaseClosed(case.pk, case.title, case.rating, actor))
        _told(case)
        return _words(case)


def reopen_until(closed_at: datetime | None) -> datetime | None:
    """Until when a closed case may be opened again."""
    return closed_at + REOPEN_WITHIN if closed_at else None


def reopen_case(actor: Actor, case_id: int, reason: str) -> Case:
    """Open a closed case again, in a process of its own. Raises Refused without a reason, Conflict when it is too late."""
    if not reason.strip():
        raise Refused(_("Say what is wrong still."), "reason")
    with transaction.atomic():
        case = locked(visible_cases(actor), case_id, actor=actor)
        if not actor.is_customer:
            raise NotAllowed(_("The customer opens a case again."))
        if case.state != Case.State.CLOSED:
            raise Conflict(_("This case is open already."))
        until = reopen_until(case.closed_at)
        if until is None or timezone.now() > until:
            raise Conflict(_("It was closed too long ago to open it again. Open a new case; we see the old one beside it."))
        case.state, case.closed_at, case.reopened, case.answer_by = Case.State.OPEN, None, case.reopened + 1, answer_by(case.severity)
        case.save()
        record(actor, "case.reopened", _ref(case), reason=reason)
        post_message(actor, _ref(case), Audience.CUSTOMER, reason.strip()[:MAX_TEXT])
        _begin(actor, case)
    return case


def close_with_process(case_id: int, actor: Actor) -> None:
    """The process ended in another way, such as by being cancelled: the case is over as well."""
    with transaction.atomic():
        case = Case.objects.select_for_update().filter(pk=case_id).exclude(state=Case.State.CLOSED).first()
        if case is not None:
            case.state, case.closed_at = Case.State.CLOSED, timezone.now()
            case.save(update_fields=["state", "closed_at", "updated_at"])
            record(actor, "case.closed", _ref(case))
            _told(case)
