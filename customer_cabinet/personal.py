"""What the cabinet itself keeps about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.personal import DROP, Trace, register_traces


def register() -> None:
    """Requests that were begun and not sent."""
    register_traces(
        Trace(
            "drafts",
            _("Requests you began and didn’t send"),
            "customer_cabinet.RequestDraft",
            "user",
            ("product__name", "title", "description", "updated"),
            DROP,
        )
    )
