"""The kinds of notifications that a person may choose between, and where each goes unless they say otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from portal.access import Audience

EVERYBODY = (Audience.INTERNAL, Audience.PARTNER, Audience.CUSTOMER)
EMPLOYEES = (Audience.INTERNAL,)
OUTSIDERS = (Audience.PARTNER, Audience.CUSTOMER)


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """One kind; `mailed` names the audiences who get a letter by default."""

    key: str
    label: Any
    help: Any
    icon: str
    audiences: tuple[Audience, ...] = EVERYBODY
    mailed: tuple[Audience, ...] = ()


KINDS = {
    kind.key: kind
    for kind in (
        NotificationKind(
            "task", _("A step waits for you"), _("Somebody or a process gave you something to do."), "checkbox", mailed=OUTSIDERS
        ),
        NotificationKind(
            "approval",
            _("Approvals"),
            _("Your decision is asked, or what you asked for is decided. The letter can be answered without signing in."),
            "clipboard-check",
            audiences=EMPLOYEES,
            mailed=EMPLOYEES,
        ),
        NotificationKind(
            "incident",
            _("A process stopped"),
            _("A step failed in a process that is yours, and trying again by itself didn’t help."),
            "alert-triangle",
            audiences=EMPLOYEES,
            mailed=EMPLOYEES,
        ),
        NotificationKind("message", _("Messages"), _("Somebody wrote to you on a record."), "message", mailed=OUTSIDERS),
        NotificationKind(
            "appointment",
            _("Appointments"),
            _("A time is offered, chosen, moved or cancelled, and the day before. The letter puts it into your calendar."),
            "calendar-event",
            audiences=(Audience.INTERNAL, Audience.CUSTOMER),
            mailed=(Audience.INTERNAL, Audience.CUSTOMER),
        ),
        NotificationKind("mention", _("Mentions"), _("Somebody wrote your name after an @."), "at"),
        NotificationKind("news", _("Progress"), _("Something you take part in went on."), "activity", audiences=OUTSIDERS),
        NotificationKind("comment", _("Comments"), _("On your posts and those you commented on."), "message", audiences=EMPLOYEES),
        NotificationKind(
            "follow", _("What you follow"), _("News of records, people and groups that you follow."), "bell", audiences=EMPLOYEES
        ),
    )
}


def kinds_for(audience: Audience) -> list[NotificationKind]:
    """The kinds that concern an audience."""
    return [kind for kind in KINDS.values() if audience in kind.audiences]
