"""What waits for an outside organisation, as the employees who serve it see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from portal.access import Actor, Audience
from portal.registry import SubjectRef, SubjectView, registry
from workflows.models import HumanTask


@dataclass(frozen=True, slots=True)
class WaitingStep:
    """An open step of an outside organisation, with the record that it is about."""

    name: str
    since: datetime
    due: datetime | None
    subject: SubjectView | None

    @property
    def is_late(self) -> bool:
        """Past its time."""
        return self.due is not None and self.due < timezone.now()


def steps_waiting_for(actor: Actor, organisation_id: int, audience: Audience, limit: int = 20) -> list[WaitingStep]:
    """The open steps of an organisation, the most urgent first; for employees alone, who see the records that they see anyway."""
    if not actor.is_internal:
        return []
    rows = HumanTask.objects.filter(organisation_id=organisation_id, audience=str(audience), status=HumanTask.Status.OPEN)
    tasks = list(rows.defer("data").order_by("due", "pk")[:limit])
    refs = {task.pk: SubjectRef(task.subject_kind, task.subject_id) for task in tasks if task.subject_kind and task.subject_id}
    seen = registry.resolve_many(actor, refs.values())
    return [WaitingStep(task.name, task.created, task.due, seen.get(refs[task.pk]) if task.pk in refs else None) for task in tasks]
