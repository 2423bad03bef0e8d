"""Tables of the feed: messages by audience, posts with comments and reactions, groups, follows, notifications."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class MessageAudience(models.TextChoices):
    """Whom a message is for; employees always read along."""

    INTERNAL = "internal", _("Internal")
    PARTNER = "partner", _("Partner")
    CUSTOMER = "customer", _("Customer")


class Message(models.Model):
    """A message on a record, for one audience. One that leaves the company names the organisation it is for."""

    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    audience = models.CharField(max_length=10, choices=MessageAudience.choices)
    organisation = models.ForeignKey("portal.Organisation", null=True, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=150)
    author_audience = models.CharField(max_length=10, choices=MessageAudience.choices)
    author_organisation = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    mentions = models.JSONField(default=dict, blank=True)
    file_count = models.PositiveSmallIntegerField(default=0)
    key = models.UUIDField(null=True, blank=True, unique=True)
    created = models.DateTimeField(default=timezone.now)
    edited = models.DateTimeField(null=True, blank=True)
    deleted = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject_kind", "subject_id", "created", "id"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(audience="internal", organisation__isnull=True)
                | models.Q(audience__in=["partner", "customer"], organisation__isnull=False),
                name="message_names_its_organisation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.author_name} → {self.audience}"


class Group(models.Model):
    """A team or topic that people post to. An open group is read by every employee, a closed one by its members."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    purpose = models.CharField(_("what it is for"), max_length=300, blank=True)
    is_open = models.BooleanField(_("every employee may read it"), default=True)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """A person in a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="member_rows")
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    is_admin = models.BooleanField(default=False)
    joined = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="group_member_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class Post(models.Model):
    """What somebody wrote to all or to a group, or the story of an event on a record."""

    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=150)
    body = models.TextField(blank=True)
    mentions = models.JSONField(default=dict, blank=True)
    story = models.CharField(max_length=60, blank=True)
    values = models.JSONField(default=dict, blank=True)
    icon = models.CharField(max_length=40, blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(null=True, blank=True)
    file_count = models.PositiveSmallIntegerField(default=0)
    key = models.UUIDField(null=True, blank=True, unique=True)
    created = models.DateTimeField(default=timezone.now)
    edited = models.DateTimeField(null=True, blank=True)
    deleted = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created", "-id"]),
            models.Index(fields=["group", "-created", "-id"]),
            models.Index(fields=["subject_kind", "subject_id", "-created"]),
        ]

    def __str__(self) -> str:
        return f"{self.author_name}: {self.body[:40] or self.story}"


class Comment(models.Model):
    """An answer to a post; read by whoever reads the post."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comment_rows")
    author = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=150)
    body = models.TextField()
    mentions = models.JSONField(default=dict, blank=True)
    key = models.UUIDField(null=True, blank=True, unique=True)
    created = models.DateTimeField(default=timezone.now)
    edited = models.DateTimeField(null=True, blank=True)
    deleted = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["post", "created", "id"])]

    def __str__(self) -> str:
        return f"{self.author_name}: {self.body[:40]}"


class Reaction(models.Model):
    """One person's sign under a post."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="reaction_rows")
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    sign = models.CharField(max_length=16)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "user", "sign"], name="reaction_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.sign} {self.post_id}"


class Follow(models.Model):
    """A person follows or mutes a record, a group or another person; `target` is a subject reference, `group:<id>` or `person:<id>`."""

    class State(models.TextChoices):
        FOLLOWED = "follow", _("Followed")
        MUTED = "mute", _("Muted")

    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    target = models.CharField(max_length=64)
    state = models.CharField(max_length=6, choices=State.choices)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "target"], name="follow_once")]
        indexes = [models.Index(fields=["target", "state"])]

    def __str__(self) -> str:
        return f"{self.user_id} {self.state} {self.target}"


class Notification(models.Model):
    """Something a person should know, in the membership it concerns; shown only while they may see its record."""

    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    audience = models.CharField(max_length=10, choices=MessageAudience.choices)
    organisation = models.ForeignKey("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30)
    by_name = models.CharField(max_length=150, blank=True)
    text = models.CharField(max_length=300, blank=True)
    values = models.JSONField(default=dict, blank=True)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    source = models.CharField(max_length=60, blank=True)
    created = models.DateTimeField(default=timezone.now)
    read = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created", "-id"]),
            models.Index(fields=["user"], condition=models.Q(read__isnull=True), name="notification_unread"),
            models.Index(fields=["source"]),
        ]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "source"], condition=~models.Q(source=""), name="notified_once")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class NotificationChoice(models.Model):
    """A person's choice for one kind of notification; without a row the kind's own default holds."""

    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30)
    on_bell = models.BooleanField(_("on the bell"), default=True)
    by_mail = models.BooleanField(_("by mail"), default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="choice_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
