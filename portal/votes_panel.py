"""What readers thought of an article, in its editor."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import Panel


class VotesPanel(Panel):
    """Counts of votes, and what readers missed; nothing to fill in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"heading": _("What readers think"), **kwargs})

    class BoundPanel(Panel.BoundPanel):
        """The panel on one article."""

        template_name = "portal/cms/votes.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Votes so far."""
            from portal.selectors_site import votes_of

            return super().get_context_data(parent_context) | {"votes": votes_of(self.instance.pk) if self.instance.pk else None}
