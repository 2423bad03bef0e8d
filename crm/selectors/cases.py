"""Cases, as the customer who told of them reads them; nothing internal in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import visible_cases
from crm.models import Case
from crm.services.cases import promise_words, reopen_until
from portal.access import Actor
from portal.registry import SubjectRef
from portal.rows import PreparedFor


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as its customer sees it."""

    id: int
    number: str
    title: str
    description: str
    category_label: str
    severity: str
    severity_label: str
    state: str
    state_label: str
    solution: str
    rating: int | None
    rating_words: str
    submitted_by_name: str
    created_at: datetime
    closed_at: datetime | None
    answer_by: datetime
    answered_at: datetime | None
    reopen_until: datetime | None
    instance_id: int | None

    @property
    def ref(self) -> SubjectRef:
        """The case as a subject."""
        return SubjectRef("crm.case", self.id)

    @property
    def promise(self) -> str:
        """How soon we answer a case that holds people up as much as this one."""
        return promise_words(self.severity)

    @property
    def is_late(self) -> bool:
        """Whether it is with us, and longer than we promised."""
        return self.state == Case.State.OPEN and self.answer_by < timezone.now()

    @property
    def may_reopen(self) -> bool:
        """Whether it is closed, and not for too long."""
        return self.state == Case.State.CLOSED and self.reopen_until is not None and timezone.now() < self.reopen_until


def _view(row: Case) -> CaseView:
    return CaseView(
        row.pk,
        row.number,
        row.title,
        row.description,
        str(row.get_category_display()),
        row.severity,
        str(row.get_severity_display()),
        row.state,
        str(row.get_state_display()),
        row.solution,
        row.rating,
        row.rating_words,
        row.submitted_by_name,
        row.created_at,
        row.closed_at,
        row.answer_by,
        row.answered_at,
        reopen_until(row.closed_at),
        row.instance_id,
    )


def cases_for(actor: Actor, *, is_open: bool | None = None, limit: int = 100) -> list[CaseView]:
    """The cases that an actor may see, newest first; `is_open` narrows them."""
    return [_view(row) for row in _CASES.rows(actor, is_open, limit)]


def _cases(actor: Actor, is_open: bool | None, limit: int) -> QuerySet[Case]:
    rows = visible_cases(actor).order_by("-created_at", "-pk")
    if is_open is not None:
        rows = rows.exclude(state=Case.State.CLOSED) if is_open else rows.filter(state=Case.State.CLOSED)
    return rows[:limit]


_CASES = PreparedFor(_cases)


def case_view(actor: Actor, case_id: int) -> CaseView | None:
    """One case, or None where the actor may not see it."""
    row = visible_cases(actor).filter(pk=case_id).first()
    return _view(row) if row else None


def case_choices() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What a case may be about, and how much it may hold people up, with what we promise for that."""
    severities = [
        (value, _("%(severity)s: we answer %(promise)s") % {"severity": label, "promise": promise_words(value)})
        for value, label in Case.Severity.choices
    ]
    return [(value, str(label)) for value, label in Case.Category.choices], severities
