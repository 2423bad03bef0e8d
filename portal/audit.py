"""The audit: one line for every act that changes something people care about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.events import records_changed
from portal.models import AuditEntry
from portal.registry import SubjectRef

if TYPE_CHECKING:
    from portal.access import Actor


def record(
    actor: Actor,
    verb: str,
    ref: SubjectRef,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    on_behalf_of: str = "",
) -> None:
    """Write one line in the caller's transaction. `before` and `after` hold JSON values of what changed, never secrets.

    The record has changed (`portal.events.records_changed`)."""
    AuditEntry.objects.create(
        actor_id=actor.user_id,
        actor_name=actor.name or "—",
        on_behalf_of=on_behalf_of,
        audience=str(actor.audience),
        verb=verb,
        subject_kind=ref.kind,
        subject_id=str(ref.id),
        before=before,
        after=after,
        reason=reason,
    )
    records_changed(ref)


def entries_for(ref: SubjectRef, limit: int = 50) -> list[AuditEntry]:
    """The newest lines of a record; callers have checked that the reader may see the record."""
    return list(AuditEntry.objects.filter(subject_kind=ref.kind, subject_id=str(ref.id)).order_by("-at", "-pk")[:limit])
