"""What the runtime keeps about time: calendars, service levels and their clocks, questions that may stop them."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


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


class ServiceLevel(models.Model):
    """How long a process, or one of its steps, may take, as an administrator set it; it stands instead of what the diagram says."""

    process_key = models.CharField(max_length=100)
    element_id = models.CharField(max_length=150, blank=True)  # empty: the whole process
    target = models.CharField(max_length=60, blank=True)  # “8 working hours”, PT48H; empty: nothing is promised here
    risk_percent = models.PositiveSmallIntegerField(default=75)  # of the target used: from then on it is at risk
    pauses_for_customer = models.BooleanField(default=False)
    tell_holder = models.BooleanField(default=True)
    tell_role = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=120, blank=True)  # the BPMN message that is sent
    starts = models.CharField(max_length=100, blank=True)  # the key of the process that is started at a breach
    caught_up = models.BooleanField(default=False)  # what ran already has its clocks

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process_key", "element_id"], name="service_level_once")]

    def __str__(self) -> str:
        return f"{self.process_key} {self.element_id}: {self.target}"


class ServiceClock(models.Model):
    """The clock of one running process or step that something was promised of. It counts while `since` is set."""

    class State(models.TextChoices):
        ON_TIME = "on_time", _("On time")
        AT_RISK = "at_risk", _("At risk")
        BREACHED = "breached", _("Breached")

    instance = models.ForeignKey("workflows.ProcessInstance", on_delete=models.CASCADE, related_name="clocks")
    task = models.OneToOneField("workflows.HumanTask", null=True, on_delete=models.CASCADE, related_name="clock")
    process_key = models.CharField(max_length=100)
    element_id = models.CharField(max_length=150, blank=True)
    engine_id = models.CharField(max_length=80, blank=True)  # the token of a step that no person does
    name = models.CharField(max_length=250)
    organisation = models.ForeignKey("portal.Organisation", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    target = models.CharField(max_length=60)
    risk_percent = models.PositiveSmallIntegerField(default=75)
    pauses_for_customer = models.BooleanField(default=False)
    started = models.DateTimeField()
    since = models.DateTimeField(null=True)  # it counts since then; empty while it stands still, and when it is over
    used = models.DurationField(default=timedelta)  # until it last stood still
    stops = models.JSONField(default=list)  # why it stands still: held, customer, question:12
    risk_at = models.DateTimeField(null=True)
    breach_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ON_TIME)
    look = models.DateTimeField(null=True)  # when somebody has to look at it again
    told_risk = models.DateTimeField(null=True)
    told_breach = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    kept = models.BooleanField(null=True)  # None: it runs, or came to nothing

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance"], condition=Q(task=None, element_id=""), name="clock_of_a_process_once"),
            models.UniqueConstraint(fields=["instance", "engine_id"], condition=~Q(engine_id=""), name="clock_of_a_token_once"),
        ]
        indexes = [
            models.Index(fields=["look"], condition=Q(ended=None), name="clock_look"),
            models.Index(fields=["state", "breach_at"], condition=Q(ended=None), name="clock_open"),
            models.Index(fields=["ended", "process_key", "element_id"], name="clock_ended"),
        ]

    @property
    def is_of_process(self) -> bool:
        """Whether it counts a whole process, not one of its steps."""
        return self.task_id is None and not self.element_id

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class Question(models.Model):
    """What somebody was asked about a step. While it is open, and where the diagram says so, the step's clock stands still."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    task = models.ForeignKey("workflows.HumanTask", on_delete=models.CASCADE, related_name="questions")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    asked_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    asked_by_name = models.CharField(max_length=150)
    to = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    to_name = models.CharField(max_length=150)
    audience = models.CharField(max_length=10)
    organisation = models.ForeignKey("portal.Organisation", null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    text = models.TextField()
    asked = models.DateTimeField()
    pauses = models.BooleanField(default=False)
    due_before = models.DateTimeField(null=True)  # the step's due date when its clock stopped
    stopped = models.DateTimeField(null=True)  # since when its clock stands still, for this or an earlier question
    answer = models.TextField(blank=True)
    closed = models.DateTimeField(null=True)
    closed_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [models.Index(fields=["to", "status"], name="question_of_person")]

    def __str__(self) -> str:
        return f"{self.asked_by_name} asks {self.to_name}"
