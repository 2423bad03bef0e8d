"""Lists kept under a name, of any package: what a person reads of them. The list's own page says who may see the list."""

from __future__ import annotations

from dataclasses import dataclass

from portal.access import Actor, Audience
from portal.querysets import visible_saved_views
from portal.registry import registry

EVERYBODY = "*"
MOST = 60


@dataclass(frozen=True, slots=True)
class ViewChoice:
    """A saved view in the menu. `shared_with`: nobody, a role's key, or EVERYBODY who sees the list."""

    id: int
    name: str
    query: str
    is_own: bool
    shared_with: str
    shared_label: str
    is_default: bool

    @property
    def is_shared(self) -> bool:
        """Whether others see it too."""
        return bool(self.shared_with)


@dataclass(frozen=True, slots=True)
class ViewsMenu:
    """What the menu of a list's views shows; `shares`: with whom the reader can share one."""

    list_key: str
    views: list[ViewChoice]
    shares: list[tuple[str, str]]

    @property
    def own(self) -> list[ViewChoice]:
        """Those that the reader may rename and drop."""
        return [view for view in self.views if view.is_own]

    @property
    def default(self) -> ViewChoice | None:
        """The one that the list opens with."""
        return next((view for view in self.views if view.is_own and view.is_default), None)


def views_menu(actor: Actor, list_key: str) -> ViewsMenu:
    """The reader's own views of a list and those shared with them; one query."""
    labels = {key: str(registry.roles[key].label) for key in registry.roles}
    rows = visible_saved_views(actor).filter(list_key=list_key).order_by("shared_with", "name")[:MOST]
    views = [
        ViewChoice(
            row.pk, row.name, row.query, row.author_id == actor.user_id, row.shared_with, labels.get(row.shared_with, ""), row.is_default
        )
        for row in rows
    ]
    shares = [(key, labels[key]) for key in sorted(actor.roles) if key in labels and registry.roles[key].audience is Audience.INTERNAL]
    return ViewsMenu(list_key, views, shares)
