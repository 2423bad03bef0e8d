"""Projects in the palette's search."""

from __future__ import annotations

from portal.access import Actor
from portal.registry import SearchHit, SubjectRef, registry
from projects.access import visible_projects


def search_projects(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Projects whose name holds the text."""
    kind = registry.subjects["projects.project"]
    rows = visible_projects(actor).select_related("customer_organisation").filter(name__icontains=text).order_by("-pk")[:limit]
    return [
        SearchHit(
            row.name,
            row.customer_organisation.name if row.customer_organisation else "",
            kind.url(actor, SubjectRef(kind.key, row.pk).id) or "",
            kind.icon,
        )
        for row in rows
    ]
