"""Calendars in the world: ours, a customer's of its own."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from workflows.services.calendars import add_calendar_day, save_calendar

OFFICE = ["9:00–17:00"] * 5 + ["", ""]


def build(cast) -> None:
    """Hours of ours and of customer A, each with a day of its own."""
    places = {name.split()[0].lower(): row.pk for name, row in cast.organisations.items()}
    day = timezone.localdate() + timedelta(days=30)
    for name, country in (("northwind", "DE"), ("acme", "FR")):
        save_calendar(cast.adam, places[name], time_zone="Europe/Berlin", country=country, region="", hours=OFFICE)
        add_calendar_day(cast.adam, places[name], day, "LEAK:internal outing", "")
