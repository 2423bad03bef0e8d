"""What the runtime keeps about time: calendars, service levels and their clocks, questions that may stop them."""

from __future__ import annotations

from django.db import models


class BusinessCalendar(models.Model):
    """When an organisation works. One without a calendar of its own goes by ours."""

    organisation = models.OneToOneField("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    time_zone = models.CharField(max_length=64)
    country = models.CharField(max_length=3, blank=True)  # its public holidays are days off
    region = models.CharField(max_length=40, blank=True)
    hours = models.JSONField(default=list)  # seven lists, Monday first, of [from, to] in minutes after midnight

    def __str__(self) -> str:
        return f"calendar of {self.organisation_id}"


class CalendarDay(models.Model):
    """A day that isn't as its weekday: a holiday of one's own, or a Saturday on which people work."""

    calendar = models.ForeignKey(BusinessCalendar, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    name = models.CharField(max_length=100)
    hours = models.JSONField(default=list)  # empty: nobody works

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "day"], name="calendar_day_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.name}"
