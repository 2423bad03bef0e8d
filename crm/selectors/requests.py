"""Requests, as the customer who asked and the employees who serve read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from crm.access import visible_requests
from crm.models import Request
from portal.access import Actor
from portal.registry import SubjectRef
from portal.rows import PreparedFor


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as its customer sees it; nothing internal in it."""

    id: int
    number: str
    title: str
    description: str
    product_id: int | None
    product_name: str
    account_name: str
    state: str
    state_label: str
    outcome: str
    submitted_by_name: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    instance_id: int | None
    answers: tuple[tuple[str, str], ...] = ()  # of the start form: label and words

    @property
    def ref(self) -> SubjectRef:
        """The request as a subject."""
        return SubjectRef("crm.request", self.id)


# What a view needs: half of the columns, and a third of what reading them costs.
NEEDED = (
    *("title", "description", "product_id", "product__name", "account__name", "state", "outcome", "submitted_by_name"),
    *("created_at", "updated_at", "closed_at", "instance_id", "answers"),
)


def _view(row: Request) -> RequestView:
    return RequestView(
        row.pk,
        row.number,
        row.title,
        row.description,
        row.product_id,
        row.product.name if row.product else "",
        row.account.name,
        row.state,
        row.get_state_display(),
        row.outcome,
        row.submitted_by_name,
        row.created_at,
        row.updated_at,
        row.closed_at,
        row.instance_id,
        tuple((one["label"], one["words"]) for one in row.answers),
    )


def requests_for(actor: Actor, *, state: str = "", limit: int = 100) -> list[RequestView]:
    """The requests an actor may see, newest first; `state` narrows to open, done or closed, or to `over`: done or closed."""
    return [_view(row) for row in _REQUESTS.rows(actor, state, limit)]


def _requests(actor: Actor, state: str, limit: int) -> QuerySet[Request]:
    rows = visible_requests(actor).select_related("product", "account").only(*NEEDED).order_by("-created_at", "-pk")
    if state == "over":
        rows = rows.exclude(state=Request.State.OPEN)
    elif state:
        rows = rows.filter(state=state)
    return rows[:limit]


_REQUESTS = PreparedFor(_requests)


def request_view(actor: Actor, request_id: int) -> RequestView | None:
    """One request, or None where the actor may not see it."""
    return next((_view(row) for row in _REQUEST.rows(actor, values=[request_id])), None)


_REQUEST = PreparedFor(lambda actor, pk: visible_requests(actor).select_related("product", "account").only(*NEEDED).filter(pk=pk))
