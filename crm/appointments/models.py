"""Tables of appointments."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def new_uid() -> str:
    """What names an appointment in everybody's calendar, for good."""
    return f"{uuid.uuid4()}@tandem"


class Appointment(models.Model):
    """A meeting of an employee and a customer about a record. `sequence` rises with every change that calendars must hear of."""

    class Mode(models.TextChoices):
        SLOTS = "slots", _("I propose times")
        DAYS = "days", _("The customer chooses within these days")

    class State(models.TextChoices):
        OFFERED = "offered", _("The customer chooses a time")
        ASKED = "asked", _("Other times are wanted")
        BOOKED = "booked", _("Agreed")
        CANCELLED = "cancelled", _("Cancelled")

    uid = models.CharField(max_length=80, unique=True, default=new_uid)
    sequence = models.PositiveIntegerField(default=0)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    customer_organisation = models.ForeignKey("portal.Organisation", on_delete=models.PROTECT, related_name="+")
    host = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    host_name = models.CharField(max_length=150)
    title = models.CharField(_("what it is about"), max_length=150)
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=30)
    place = models.CharField(_("where"), max_length=200, blank=True)
    note = models.TextField(_("what to know before"), blank=True)
    mode = models.CharField(max_length=5, choices=Mode.choices, default=Mode.SLOTS)
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OFFERED)
    starts = models.DateTimeField(null=True, blank=True)
    ends = models.DateTimeField(null=True, blank=True)
    booked_by = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    booked_by_name = models.CharField(max_length=150, blank=True)
    wish = models.TextField(blank=True)  # the customer's words where no time fits
    reason = models.TextField(blank=True)  # why it was moved or cancelled last, and by whom
    changed_by_name = models.CharField(max_length=150, blank=True)
    version = models.PositiveIntegerField(default=1)
    reminded_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["host", "state", "starts"]),
            models.Index(fields=["customer_organisation", "state", "starts"]),
            models.Index(fields=["subject_kind", "subject_id"]),
            models.Index(fields=["starts"], condition=models.Q(state="booked", reminded_at=None), name="appointment_to_remind"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="booked") | models.Q(starts__isnull=False, ends__gt=models.F("starts")), name="booked_has_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.title


class AppointmentSlot(models.Model):
    """One of the times that an employee proposes."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="slots")
    starts = models.DateTimeField()

    class Meta:
        ordering = ["starts"]
        constraints = [models.UniqueConstraint(fields=["appointment", "starts"], name="slot_once")]

    def __str__(self) -> str:
        return f"{self.starts:%Y-%m-%d %H:%M}"
