"""Service tasks that every process may use: mail, a call over HTTP, a record of the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from bpmn.model import PENDING, ProcessError
from portal.access import Audience
from portal.errors import Refused
from portal.selectors import names_of, people_with_role
from portal.services import erasure
from portal.services.memberships import actor_for_user
from workflows import approvals  # noqa: F401  its connector
from workflows.connector_registry import ConnectorStep, connector
from workflows.services import absences
from workflows.services.outbox import enqueue_call


@connector("mail.send")
def send_mail(step: ConnectorStep, to: str, subject: str, text: str) -> dict[str, Any]:
    """Send a mail after the step is stored; `to` is an address or several with commas between."""
    call = enqueue_call(
        "mail",
        {"to": [part.strip() for part in to.split(",") if part.strip()], "subject": subject, "text": text},
        idempotency_key=f"mail:{step.idempotency_key}",
        instance_id=step.instance_id,
        element_id=step.element_id,
    )
    return {"call_id": call.pk}


@connector("workflows.remind_role")
def remind_role(step: ConnectorStep, role: str, subject: str, text: str) -> dict[str, Any]:
    """Mail everybody who has an internal role, such as the managers of a deadline that comes near."""
    people = [person.email for person in people_with_role(role, Audience.INTERNAL)]
    call_id = None
    if people:
        payload = {"to": people, "subject": subject, "text": text}
        key = f"remind:{step.idempotency_key}"
        call_id = enqueue_call("mail", payload, idempotency_key=key, instance_id=step.instance_id, element_id=step.element_id).pk
    return {"call_id": call_id, "reminded": len(people)}


@connector("workflows.check_absence")
def check_absence(step: ConnectorStep, user: int, first: date, last: date, substitute: int | None = None) -> dict[str, Any]:
    """See whether somebody can be away on these days; where they can't, the error `absence` says why."""
    with _as_error("absence"):
        absences.check_absence(actor_for_user(user), first, last, substitute)
    return {"days": (last - first).days + 1, "substitute_name": names_of([substitute]).get(substitute or 0, "")}


@connector("workflows.plan_absence")
def plan_absence(
    step: ConnectorStep, user: int, first: date, last: date, substitute: int | None = None, note: str | None = None
) -> dict[str, Any]:
    """Plan somebody's absence with a substitute; where the days can't be any more, the error `absence` says why."""
    with _as_error("absence"):
        return {"absence_id": absences.plan_absence(actor_for_user(user), first, last, substitute, note=note or "")}


@contextmanager
def _as_error(code: str) -> Iterator[None]:
    """A refusal that the diagram can catch by its code."""
    try:
        yield
    except Refused as refused:
        raise ProcessError(code, refused.message) from refused


@connector("portal.erase_person")
def erase_person(step: ConnectorStep, erasure_id: int) -> dict[str, Any]:
    """Erase whoever asked; `blocked` says in words why it can't be done yet, and is empty once it is."""
    return {"blocked": erasure.erase_person(step.actor, erasure_id)}


@connector("portal.refuse_erasure")
def refuse_erasure(step: ConnectorStep, erasure_id: int, reason: str) -> dict[str, Any]:
    """Write to whoever asked why it can't be."""
    return {"told": erasure.refuse_erasure(step.actor, erasure_id, reason)}


@connector("http.post")
def post_json(step: ConnectorStep, url: str, **values: Any) -> Any:
    """Post the other parameters as JSON and wait for the answer, which lands in the step's result as `status` and `body`."""
    enqueue_call(
        "http",
        {"url": url, "json": values},
        idempotency_key=f"http:{step.idempotency_key}",
        instance_id=step.instance_id,
        element_id=step.element_id,
        waiting_step=step.task_id,
    )
    return PENDING
