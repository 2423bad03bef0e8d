"""What the runtime keeps: definitions, instances and everything that waits. Rows hold facts; the rules are in `services/`."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows.models_time import BusinessCalendar, CalendarDay, Question, ServiceClock, ServiceLevel  # noqa: F401  tables of this package, in a file of their own


class ProcessDefinition(models.Model):
    """One published version of a process. Never changed: a change is a new version."""

    key = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True)
    xml = models.BinaryField()
    decisions = models.JSONField(default=dict)  # file name → DMN text
    called = models.JSONField(default=dict)  # key of a called process → its definition's id
    documentation = models.TextField(blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    startable_by = models.JSONField(default=list)
    for_customer = models.BooleanField(default=False)  # it has steps that a customer does or sees
    for_partner = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=200, blank=True)  # the shipped file, or empty where a person uploaded it
    starts = models.JSONField(default=list)  # message and signal start events: [kind, name, element id, correlation names]
    is_current = models.BooleanField(default=True)  # new instances start with it
    published = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="definition_version_once"),
            models.UniqueConstraint(fields=["key"], condition=Q(is_current=True), name="definition_current_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class ProcessInstance(models.Model):
    """One running or ended process. `state` is the engine's; the rest is there to be found and shown."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        SUSPENDED = "suspended", _("Held")
        COMPLETED = "completed", _("Completed")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    definition = models.ForeignKey(ProcessDefinition, on_delete=models.PROTECT, related_name="instances", db_index=False)
    digest = models.CharField(max_length=64)  # the definition's, so that a step needs no second read
    key = models.CharField(max_length=100)
    title = models.CharField(max_length=250)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    state = models.BinaryField(default=b"")
    version = models.PositiveIntegerField(default=0)  # rises with every step
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    waits = models.JSONField(default=dict)  # what waits, by engine id: tasks, timers, messages, incidents
    active = models.JSONField(default=list)  # elements that hold a token
    stage = models.CharField(max_length=40, blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(null=True)
    subjects = models.JSONField(default=list)  # every linked record as "kind:id"; InstanceSubject is the way back
    customer_organisation = models.ForeignKey("portal.Organisation", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    partner_organisation = models.ForeignKey("portal.Organisation", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    started = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    started_by_name = models.CharField(max_length=150, blank=True)
    ended = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=300, blank=True)
    has_incident = models.BooleanField(default=False)
    more = models.BooleanField(default=False)  # the step limit was reached: goes on in another transaction
    start_key = models.CharField(max_length=200, null=True, unique=True)
    worth = models.DecimalField(max_digits=16, decimal_places=2, default=0)  # the money at stake, as workflows/worth.py is told
    worth_currency = models.CharField(max_length=3, blank=True)
    is_followed = models.BooleanField(default=False)  # somebody wants to hear of every step

    class Meta:
        indexes = [
            models.Index(fields=["-started", "-id"], name="instance_newest"),
            models.Index(fields=["key", "-started", "-id"], name="instance_newest_of_key"),
            models.Index(fields=["-worth", "-id"], name="instance_worth"),
            models.Index(fields=["definition", "status"], name="instance_of_version"),
            models.Index(fields=["key", "status", "-started"]),
            models.Index(fields=["status", "-started"]),
            models.Index(fields=["customer_organisation", "-started"]),
            models.Index(fields=["partner_organisation", "-started"]),
            models.Index(fields=["subject_kind", "subject_id"]),
            models.Index(fields=["id"], condition=Q(more=True), name="instance_more"),
            models.Index(fields=["id"], condition=Q(status="running", active=[]), name="instance_still"),
            models.Index(fields=["definition", "id"], condition=Q(has_incident=True), name="instance_incident"),
            models.Index(fields=["started_by"], condition=Q(ended__isnull=True, started_by__isnull=False), name="instance_live_started_by"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.key}:{self.pk})"


class InstanceSubject(models.Model):
    """A record that an instance is about."""

    instance = models.ForeignKey(ProcessInstance, on_delete=models.CASCADE, related_name="subject_rows", db_index=False)
    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    role = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "kind", "subject_id"], name="subject_once_an_instance")]
        indexes = [models.Index(fields=["kind", "subject_id"])]

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject_id}"


FREE = Q(status="open", assignee__isnull=True)


class HumanTask(models.Model):
    """A step that waits for a person, or was done by one."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        GONE = "gone", _("No longer needed")

    instance = models.ForeignKey(ProcessInstance, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    engine_id = models.CharField(max_length=40)
    element_id = models.CharField(max_length=150)
    name = models.CharField(max_length=250)
    status = models.CharField(max_length=5, choices=Status.choices, default=Status.OPEN)
    audience = models.CharField(max_length=10)
    role = models.CharField(max_length=40, blank=True)
    organisation = models.ForeignKey("portal.Organisation", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    assignee = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    is_shared = models.BooleanField(default=True)  # anybody with the role may take it; else its candidates or its assignee alone
    excluded = models.JSONField(default=list)  # people who may not do it, because they asked for it (four eyes)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    loop_item = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    stage = models.CharField(max_length=40, blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(null=True)
    created = models.DateTimeField(default=timezone.now)
    due = models.DateTimeField(null=True)
    claimed = models.DateTimeField(null=True)
    started_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)  # the instance's
    stake = models.DecimalField(max_digits=16, decimal_places=2, default=0)  # the instance's, to sort by
    stake_text = models.CharField(max_length=24, blank=True)
    delegated_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    delegated_by_name = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=500, blank=True)
    ended = models.DateTimeField(null=True)
    done_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    done_by_name = models.CharField(max_length=150, blank=True)
    done_for_name = models.CharField(max_length=150, blank=True)  # the person away for whom a substitute did it
    action = models.CharField(max_length=60, blank=True)
    done_key = models.CharField(max_length=80, blank=True)  # the idempotency key of the completion
    approval = models.ForeignKey("Approval", null=True, on_delete=models.SET_NULL, related_name="tasks", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "engine_id"], name="task_once_an_instance")]
        indexes = [
            # One index a list and order of the inbox: the first page is read off it, however many tasks are open or done. No plain index on
            # people and organisations beside them: PostgreSQL would choose it, and read through all that somebody ever did.
            models.Index(fields=["role", "due", "id"], condition=FREE, name="task_open_role"),
            models.Index(fields=["role", "-stake", "id"], condition=FREE, name="task_open_role_stake"),
            models.Index(fields=["role", "-created", "-id"], condition=FREE, name="task_open_role_newest"),
            models.Index(fields=["assignee", "due", "id"], condition=Q(status="open"), name="task_open_assignee"),
            models.Index(fields=["due", "id"], condition=Q(status="open"), name="task_open_due"),
            models.Index(fields=["-stake", "id"], condition=Q(status="open"), name="task_open_stake"),
            models.Index(fields=["delegated_by"], condition=Q(status="open", delegated_by__isnull=False), name="task_open_delegated"),
            models.Index(
                fields=["started_by", "due", "id"], condition=Q(status="open", started_by__isnull=False), name="task_open_started"
            ),
            models.Index(fields=["done_by", "-ended", "-id"], condition=Q(done_by__isnull=False), name="task_done_by"),
            models.Index(fields=["organisation", "due"], condition=Q(status="open"), name="task_open_organisation"),
            models.Index(fields=["subject_kind", "subject_id"], condition=Q(status="open"), name="task_open_subject"),
            models.Index(fields=["approval"], condition=Q(approval__isnull=False), name="task_of_approval"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"


class Approval(models.Model):
    """A question that several people decide on, each by a task of the instance: what is asked, by which rule, and what came of it."""

    class State(models.TextChoices):
        OPEN = "open", _("Being decided")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Taken back")

    instance = models.ForeignKey(ProcessInstance, on_delete=models.CASCADE, related_name="approvals")
    title = models.CharField(max_length=250)
    text = models.TextField(blank=True)
    facts = models.JSONField(default=list)  # what else is approved: [label, value in words]
    amount = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(null=True)
    mode = models.CharField(max_length=12)
    needed = models.PositiveIntegerField()
    voters = models.JSONField(default=list)  # as the diagram's rounds have them; see approvers.as_item
    asked_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    asked_by_name = models.CharField(max_length=150, blank=True)
    locks = models.BooleanField(default=False)  # the record's fields stay as they are while it is open
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    opened = models.DateTimeField(default=timezone.now)
    closed = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)  # why it was taken back
    sheet = models.ForeignKey("portal.StoredFile", null=True, on_delete=models.SET_NULL, related_name="+")
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of what the sheet says

    class Meta:
        indexes = [models.Index(fields=["subject_kind", "subject_id"], condition=Q(state="open"), name="approval_open_subject")]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"


class DecisionLink(models.Model):
    """A mailed link that lets one person decide one task once, without signing in. Its two addresses are signed, not kept."""

    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)
    used_action = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"{self.user_id} → {self.task_id}"


class Absence(models.Model):
    """A time in which somebody is away, and who does their tasks meanwhile: of one process, or of all."""

    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    substitute = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    starts = models.DateTimeField()
    ends = models.DateTimeField(db_index=True)
    process_key = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=models.F("starts")), name="absence_ends_after_start"),
            models.CheckConstraint(condition=Q(substitute=None) | ~Q(substitute=models.F("user")), name="absence_substitute_is_another"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} away {self.starts:%Y-%m-%d} to {self.ends:%Y-%m-%d}"


class TaskCandidate(models.Model):
    """A person who is asked, among others, to do a task."""

    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="candidate_rows", db_index=False)
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    is_open = models.BooleanField(default=True)  # the task's: a desk finds what is asked now without all that ever was

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "user"], name="candidate_once_a_task")]
        indexes = [models.Index(fields=["user", "task"], condition=Q(is_open=True), name="candidate_open")]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.task_id}"


class TaskSnooze(models.Model):
    """Until when a person doesn't want to see a task in their inbox; for the others it stays where it is."""

    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "task"], name="snoozed_once_a_person")]

    def __str__(self) -> str:
        return f"{self.task_id} until {self.until:%Y-%m-%d %H:%M}"


class TaskBatch(models.Model):
    """Tasks that a person chose together, what to do with them, and what came of it: enough to take it back."""

    class State(models.TextChoices):
        CHOSEN = "chosen", _("Chosen")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        UNDOING = "undoing", _("Being taken back")
        UNDONE = "undone", _("Taken back")

    owner = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    act = models.CharField(max_length=10)
    task_ids = models.JSONField(default=list)  # exactly these
    state = models.CharField(max_length=8, choices=State.choices, default=State.CHOSEN)
    user = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)  # to whom
    user_name = models.CharField(max_length=150, blank=True)
    until = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)
    view = models.CharField(max_length=1000, blank=True)  # the list's query, to go back to
    before = models.JSONField(default=list, encoder=DjangoJSONEncoder)  # what each changed task was like
    refused = models.JSONField(default=list)  # [task id, name, why]
    kept = models.JSONField(default=list)  # what could not be taken back: [task id, name, why]
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.act} of {len(self.task_ids)}"


class Timer(models.Model):
    """A time that an instance waits for. The row goes when it has fired or isn't waited for any more."""

    instance = models.ForeignKey(ProcessInstance, on_delete=models.CASCADE, related_name="timers", db_index=False)
    engine_id = models.CharField(max_length=80)
    element_id = models.CharField(max_length=150)
    due = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "engine_id"], name="timer_once_an_instance")]

    def __str__(self) -> str:
        return f"{self.element_id} at {self.due:%Y-%m-%d %H:%M}"


class StartTimer(models.Model):
    """When a timer starts the next instance of a process's current version. The row goes when it won't fire again."""

    definition = models.ForeignKey(ProcessDefinition, on_delete=models.CASCADE, related_name="start_timers")
    element_id = models.CharField(max_length=150)
    due = models.DateTimeField(db_index=True)
    left = models.IntegerField(default=1)  # how often it fires yet; -1: without end
    cycle = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["definition", "element_id"], name="start_timer_once_a_definition")]

    def __str__(self) -> str:
        return f"{self.element_id} at {self.due:%Y-%m-%d %H:%M}"


class StartCondition(models.Model):
    """A condition that starts a process's current version each time it comes true of a record."""

    definition = models.ForeignKey(ProcessDefinition, on_delete=models.CASCADE, related_name="start_conditions")
    element_id = models.CharField(max_length=150)
    kind = models.CharField(max_length=40, db_index=True)  # of the records
    condition = models.TextField()
    look_again = models.DateTimeField(db_index=True)  # when all records are looked through once more
    seen_to = models.BigIntegerField(default=0)  # how far that is
    failed = models.DateTimeField(null=True)
    failed_id = models.BigIntegerField(null=True)  # of which record
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["definition", "element_id"], name="start_condition_once_a_definition")]

    def __str__(self) -> str:
        return f"{self.element_id}: {self.condition[:60]}"


class ConditionMet(models.Model):
    """A record of which a condition holds: it starts nothing for it before it has been false again."""

    start = models.ForeignKey(StartCondition, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["start", "subject_id"], name="condition_met_once_a_record")]

    def __str__(self) -> str:
        return f"{self.start_id}: {self.subject_id}"


class RecordChange(models.Model):
    """A watched record that has changed, until somebody has looked at it."""

    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    due = models.DateTimeField(default=timezone.now, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject_id}"


class MessageWait(models.Model):
    """A message or signal that an instance waits for."""

    instance = models.ForeignKey(ProcessInstance, on_delete=models.CASCADE, related_name="message_waits", db_index=False)
    engine_id = models.CharField(max_length=80)
    element_id = models.CharField(max_length=150)
    kind = models.CharField(max_length=8, default="message")
    name = models.CharField(max_length=120)
    key_names = models.CharField(max_length=200, blank=True)  # the correlation's variables, sorted
    key_digest = models.CharField(max_length=64, blank=True)  # digest of the names and values
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "engine_id"], name="message_wait_once")]
        indexes = [models.Index(fields=["kind", "name", "key_digest"])]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class MessageBuffer(models.Model):
    """A message or signal on its way: kept until somebody takes it or its time is over."""

    kind = models.CharField(max_length=8, default="message")
    name = models.CharField(max_length=120)
    keys = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    received = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    taken = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(ProcessInstance, null=True, on_delete=models.SET_NULL, related_name="+")
    idempotency_key = models.CharField(max_length=200, null=True, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["name", "expires"], condition=Q(taken=None), name="message_untaken"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class OutboxCall(models.Model):
    """A call to the world outside, sent after commit under a lease, with an idempotency key."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=20)
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    idempotency_key = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(default=timezone.now)  # while leased: the lease's end
    lease = models.CharField(max_length=32, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    answer = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    instance = models.ForeignKey(ProcessInstance, null=True, on_delete=models.CASCADE, related_name="calls")
    element_id = models.CharField(max_length=150, blank=True)
    waiting_step = models.CharField(max_length=40, blank=True)  # the engine's step that takes the answer
    created = models.DateTimeField(default=timezone.now)
    sent = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_try"], condition=Q(status="waiting"), name="call_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.idempotency_key} ({self.status})"


class Incident(models.Model):
    """Something that failed and waits for a person."""

    instance = models.ForeignKey(ProcessInstance, on_delete=models.CASCADE, related_name="incidents")
    engine_id = models.CharField(max_length=80, blank=True)
    element_id = models.CharField(max_length=150, blank=True)
    call = models.ForeignKey(OutboxCall, null=True, on_delete=models.CASCADE, related_name="+")
    timer = models.ForeignKey(Timer, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")  # may be gone
    code = models.CharField(max_length=80)
    message = models.TextField()
    raised = models.DateTimeField(default=timezone.now)
    resolved = models.DateTimeField(null=True)
    resolved_by_name = models.CharField(max_length=150, blank=True)
    resolution = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=1)
    next_try = models.DateTimeField(null=True)  # when it is tried again by itself; until then nobody needs to look
    trace = models.TextField(blank=True)  # where in the code, without values; for operators

    class Meta:
        indexes = [
            models.Index(fields=["-raised"], condition=Q(resolved=None), name="incident_open"),
            models.Index(fields=["next_try"], condition=Q(resolved=None, next_try__isnull=False), name="incident_next_try"),
        ]

    def __str__(self) -> str:
        return f"{self.code} at {self.element_id}"


class HistoryEvent(models.Model):
    """One thing that happened in an instance; never changed."""

    instance = models.ForeignKey(ProcessInstance, on_delete=models.CASCADE, related_name="history", db_index=False)
    element_id = models.CharField(max_length=150, blank=True)
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=20)
    name = models.CharField(max_length=250, blank=True)
    engine_id = models.CharField(max_length=80, blank=True)
    started = models.DateTimeField()
    ended = models.DateTimeField()
    actor = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    actor_name = models.CharField(max_length=150, blank=True)
    on_behalf_of = models.CharField(max_length=150, blank=True)
    audience = models.CharField(max_length=10, blank=True)
    action = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    data_delta = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    detail = models.JSONField(null=True, encoder=DjangoJSONEncoder)

    class Meta:
        indexes = [models.Index(fields=["instance", "ended"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.element_id} {self.state}"
