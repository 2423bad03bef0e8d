"""What people may agree to: each purpose with the words that are shown, and the version of those words.

A change of the words is a new version; what somebody agreed to earlier stays as it was shown to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Purpose:
    """One thing to agree to. `offered`: it can be given on one's own page as well; `after` says what taking it back means."""

    key: str
    label: Any
    text: Any
    version: str
    after: Any
    offered: bool = False


PURPOSES = {
    purpose.key: purpose
    for purpose in (
        Purpose(
            "answer",
            _("Keeping my data to answer me"),
            _("You may keep my data to answer me."),
            "1",
            _("We no longer write to you on our own about what you asked. What you asked for and what runs goes on."),
        ),
        Purpose(
            "newsletter",
            _("Newsletter"),
            _("You may write to me now and then about news and offers. I can take this back at any time."),
            "1",
            _("You get no more letters about news and offers."),
            offered=True,
        ),
    )
}
