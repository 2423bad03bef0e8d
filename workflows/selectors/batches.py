"""What a person chose together, for its pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.access import Actor
from workflows.access import visible_batches
from workflows.models import TaskBatch
from workflows.services.batches import ACTS


@dataclass(frozen=True, slots=True)
class BatchView:
    """A set of chosen tasks: `state` is chosen, running, done, undoing or undone."""

    id: int
    act: str
    label: str
    state: str
    total: int
    changed: int
    user_name: str
    until: datetime | None
    view: str
    refused: list[tuple[int, str, str]]
    kept: list[tuple[int, str, str]]

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return self.state == TaskBatch.State.DONE and self.changed > 0


def batch_view(actor: Actor, batch_id: int) -> BatchView | None:
    """One of the actor's own sets, or None."""
    row = visible_batches(actor).filter(pk=batch_id).first()
    if row is None:
        return None
    return BatchView(
        row.pk,
        row.act,
        str(ACTS[row.act]),
        row.state,
        len(row.task_ids),
        len(row.before),
        row.user_name,
        row.until,
        row.view,
        [tuple(line) for line in row.refused],  # type: ignore[misc]
        [tuple(line) for line in row.kept],  # type: ignore[misc]
    )
