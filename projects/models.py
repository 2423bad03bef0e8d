"""Tables of projects and of the templates they start from."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

AUDIENCES = [("internal", _("Internal")), ("partner", _("Partner")), ("customer", _("Customer"))]


class ProjectTemplate(models.Model):
    """What a kind of project consists of; processes name it by key."""

    key = models.SlugField(_("key"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    duration_days = models.PositiveIntegerField(_("days"), default=30)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TemplateMilestone(models.Model):
    """A milestone that every project of the template gets; `element_id` names the process step that closes it."""

    template = models.ForeignKey(ProjectTemplate, on_delete=models.CASCADE, related_name="milestones")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    public_name = models.CharField(max_length=200, blank=True)
    audience = models.CharField(max_length=10, choices=AUDIENCES)
    element_id = models.CharField(max_length=120, blank=True)
    offset_days = models.PositiveIntegerField(default=7)
    only_with_partner = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["template", "position"], name="milestone_position_once")]

    def __str__(self) -> str:
        return self.name


class TemplateTask(models.Model):
    """A task under a template's milestone."""

    milestone = models.ForeignKey(TemplateMilestone, on_delete=models.CASCADE, related_name="tasks")
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=200)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.title


class Project(models.Model):
    """Work for a customer, with people of all three audiences; usually started by a process when a deal is won."""

    class State(models.TextChoices):
        ACTIVE = "active", _("In progress")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    name = models.CharField(_("name"), max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    template = models.ForeignKey(ProjectTemplate, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    customer_organisation = models.ForeignKey(
        "portal.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("customer")
    )
    partner_organisation = models.ForeignKey(
        "portal.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("partner")
    )
    manager = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    instance_id = models.BigIntegerField(_("process instance"), null=True, blank=True, unique=True)
    source_kind = models.CharField(max_length=40, blank=True)
    source_id = models.BigIntegerField(null=True, blank=True)
    internal_note = models.TextField(_("internal note"), blank=True)
    starts = models.DateField(_("starts"))
    due = models.DateField(_("due"), null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "due"]),
            models.Index(fields=["customer_organisation", "state"]),
            models.Index(fields=["partner_organisation", "state"]),
            models.Index(fields=["source_kind", "source_id"]),
        ]

    def __str__(self) -> str:
        return self.name


class Milestone(models.Model):
    """A point of the project that one audience reaches; outsiders see it only when it is theirs or has a public name."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="milestones")
    position = models.PositiveIntegerField()
    name = models.CharField(_("name"), max_length=200)
    public_name = models.CharField(_("name for outsiders"), max_length=200, blank=True)
    audience = models.CharField(_("whose"), max_length=10, choices=AUDIENCES)
    element_id = models.CharField(max_length=120, blank=True)
    due = models.DateField(_("due"), null=True, blank=True)
    reached = models.DateTimeField(null=True, blank=True)
    reached_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["project", "element_id"])]

    def __str__(self) -> str:
        return self.name


class ProjectTask(models.Model):
    """A piece of work under a milestone, on the project's board."""

    class State(models.TextChoices):
        TODO = "todo", _("To do")
        DOING = "doing", _("Doing")
        DONE = "done", _("Done")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tasks")
    milestone = models.ForeignKey(Milestone, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    title = models.CharField(_("title"), max_length=200)
    audience = models.CharField(_("whose"), max_length=10, choices=AUDIENCES, default="internal")
    assignee = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    due = models.DateField(_("due"), null=True, blank=True)
    state = models.CharField(max_length=5, choices=State.choices, default=State.TODO)
    position = models.PositiveIntegerField(default=0)
    answer = models.TextField(blank=True)  # what whoever it was for said to it
    answered_by_name = models.CharField(max_length=150, blank=True)
    version = models.PositiveIntegerField(default=1)
    created = models.DateTimeField(auto_now_add=True)
    done = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["project", "state", "position"]), models.Index(fields=["assignee", "state"])]

    def __str__(self) -> str:
        return self.title


class Acceptance(models.Model):
    """What the customer said to a delivery, round by round: accepted, or what was missing. Never changed afterwards."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="acceptances")
    accepted = models.BooleanField()
    reason = models.TextField(blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    rating_words = models.TextField(blank=True)
    said_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    said_by_name = models.CharField(max_length=150)
    in_their_name = models.BooleanField(default=False)  # an employee wrote down what the customer said
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["project", "at"])]
        constraints = [
            models.CheckConstraint(condition=models.Q(rating=None) | models.Q(rating__range=(1, 5)), name="delivery_rating_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id}: {'+' if self.accepted else '-'}"
