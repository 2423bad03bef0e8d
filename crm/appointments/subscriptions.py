"""Who hears of an appointment: the other side on the bell and by mail, both with an entry for their calendars."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from crm.appointments.letters import attachment, calendar_entry
from crm.appointments.models import Appointment
from crm.appointments.services import ref_of, when
from crm.events import AppointmentChanged
from portal.access import Actor, Audience
from portal.events import on
from portal.registry import registry
from portal.selectors import actors_of
from portal.services.memberships import actor_for_user
from social_feed.services.notifications import notify, tell_by_letter

WORDS = {
    "offered": gettext_noop("%(actor)s offers you times for %(subject)s: choose one"),
    "asked": gettext_noop("%(actor)s asks for other times for %(subject)s"),
    "booked": gettext_noop("%(actor)s has chosen a time for %(subject)s"),
    "moved": gettext_noop("%(actor)s has moved %(subject)s"),
    "cancelled": gettext_noop("%(actor)s has cancelled %(subject)s"),
    "reminded": gettext_noop("%(subject)s is about to come"),
}
WITH_ENTRY = {"booked", "moved", "cancelled"}


@on(AppointmentChanged)
def tell(event: AppointmentChanged) -> None:
    """An offer goes to all of the customer's people, what is agreed to those who meet."""
    row = Appointment.objects.select_related("host").get(pk=event.appointment_id)
    host = actor_for_user(row.host_id)
    guests = actors_of([row.customer_organisation_id], Audience.CUSTOMER)
    guest = next((person for person in guests if person.user_id == row.booked_by_id), None)
    theirs = [guest] if guest else guests
    entry = _entry(row, host, guest) if event.what in WITH_ENTRY and row.starts and guest else None

    def letter(person: Actor) -> tuple[str, dict[str, Any]]:
        more: dict[str, Any] = {"place": row.place, "note": row.note, "when": when(row.starts) if row.starts else "", "kept": True}
        if entry:
            more["attachments"] = [attachment(row, entry)]
        return "crm/mail/appointment", more

    source = f"appointment:{row.pk}:{event.what}:{row.version}"
    people = theirs if event.actor.is_internal and event.what != "reminded" else [host]
    if event.what == "reminded" or event.actor.is_system:
        people = [host, *theirs]
    by = None if event.actor.is_system else event.actor
    notify("appointment", people, ref_of(row.pk), WORDS[event.what], by=by, source=source, quote=event.reason, letter=letter)
    if entry:  # whoever did it gets the entry as well: their calendar doesn't know yet
        doer = next((person for person in (host, guest) if person and person.user_id == event.actor.user_id), None)
        if doer is not None:
            tell_by_letter("appointment", doer, ref_of(row.pk), WORDS[event.what], by=event.actor, source=f"{source}:own", letter=letter)


def _entry(row: Appointment, host: Actor, guest: Actor) -> str:
    kind = registry.subjects["crm.appointment"]
    return calendar_entry(row, host_email=host.email, guest_email=guest.email, guest_name=guest.name, url=kind.url(guest, row.pk) or "")
