"""The calendar entry that goes along with a letter (iCalendar, RFC 5545 and 5546): the same UID for good, a higher SEQUENCE a change."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from crm.appointments.models import Appointment
from portal.mail import absolute


def calendar_entry(row: Appointment, *, host_email: str, guest_email: str, guest_name: str, url: str = "") -> str:
    """The entry as text: REQUEST for what is agreed, CANCEL for what was called off."""
    cancelled = row.state == Appointment.State.CANCELLED
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.WAGTAIL_SITE_NAME}//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "REQUEST")
    event = Event()
    event.add("uid", row.uid)
    event.add("sequence", row.sequence)
    event.add("dtstamp", timezone.now())
    event.add("dtstart", row.starts)
    event.add("dtend", row.ends)
    event.add("summary", row.title)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    if row.place:
        event.add("location", row.place)
    words = "\n\n".join(filter(None, (row.note, row.reason, absolute(url) if url else "")))
    if words:
        event.add("description", words)
    event.add("organizer", _address(host_email, row.host_name))
    for email, name in ((host_email, row.host_name), (guest_email, guest_name)):
        guest = _address(email, name)
        guest.params["PARTSTAT"], guest.params["ROLE"] = vText("ACCEPTED"), vText("REQ-PARTICIPANT")
        event.add("attendee", guest)
    if not cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", row.title)
        alarm.add("trigger", timedelta(minutes=-15))
        event.add_component(alarm)
    calendar.add_component(event)
    return calendar.to_ical().decode()


def attachment(row: Appointment, entry: str) -> dict[str, str]:
    """The entry as a letter carries it, so that mail programs offer to put it into the calendar."""
    method = "CANCEL" if row.state == Appointment.State.CANCELLED else "REQUEST"
    return {"name": "appointment.ics", "content": entry, "type": f"text/calendar; method={method}; charset=utf-8"}


def _address(email: str, name: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name)
    return address
