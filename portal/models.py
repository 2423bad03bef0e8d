"""Tables of the kernel: people, organisations, memberships, invitations, audit, files."""

import functools
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.pages import *  # noqa: F403  Wagtail's page types live in pages.py and must be importable as models

if TYPE_CHECKING:
    from portal.rows import Prepared


class UserManager(BaseUserManager):
    """Makes users by e-mail address."""

    def get(self, *args, **kwargs) -> "User":
        """As ever; by the key alone, as every page asks for its reader, in words that are put together once."""
        plain = type(self) is UserManager and not self._db  # a group's users are asked of a manager that inherits from this one
        if not plain or args or list(kwargs) != ["pk"] or type(kwargs["pk"]) is not int or not 0 < kwargs["pk"] < 2**63:
            return super().get(*args, **kwargs)
        found = _by_key().rows(kwargs["pk"])
        if not found:
            raise self.model.DoesNotExist("User matching query does not exist.")
        return found[0]

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        """Make a user; without a password the account can only be entered by a mailed link or code."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields) -> "User":
        """Make a user who may do everything in Wagtail's admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str) -> "User":
        """Find a user by address, whatever its case."""
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do comes from their memberships, never from here."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=150)
    job_title = models.CharField(_("job title"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True, choices=settings.LANGUAGES)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    picture = models.FileField(_("picture"), upload_to="people/", blank=True)
    is_staff = models.BooleanField(_("may edit the site"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name as Wagtail and allauth ask for it."""
        return self.name

    def get_short_name(self) -> str:
        """The first word of the name."""
        return self.name.split(" ")[0] if self.name else self.email

    @property
    def first_name(self) -> str:
        """Wagtail's admin greets by first name."""
        return self.get_short_name()

    @property
    def last_name(self) -> str:
        """The rest of the name."""
        return self.name.partition(" ")[2]


@functools.cache
def _by_key() -> "Prepared[User]":
    from portal.rows import Prepared  # it knows the sign-in's views, and they want to know this model

    return Prepared(lambda pk: User.objects.filter(pk=pk), 987_654_321)


class Organisation(models.Model):
    """A company: ours, a customer, a partner; one may be customer and partner at once."""

    name = models.CharField(_("name"), max_length=200)
    is_own = models.BooleanField(_("our company"), default=False)
    is_customer = models.BooleanField(_("customer"), default=False)
    is_partner = models.BooleanField(_("partner"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["name"])]
        constraints = [
            models.UniqueConstraint(fields=["is_own"], condition=models.Q(is_own=True), name="one_own_organisation"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in an organisation, in one audience; signing in is always as one membership."""

    class AudienceChoices(models.TextChoices):
        INTERNAL = "internal", _("Internal")
        PARTNER = "partner", _("Partner")
        CUSTOMER = "customer", _("Customer")

    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    audience = models.CharField(max_length=10, choices=AudienceChoices.choices)
    is_active = models.BooleanField(default=True)
    manager = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation", "audience"], name="one_membership_each")]
        indexes = [models.Index(fields=["organisation", "audience"])]

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation}"


class MembershipRole(models.Model):
    """One role that a membership carries; roles and what they grant are registered in code."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="role_rows")
    role = models.CharField(max_length=40, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "role"], name="role_once_a_membership")]

    def __str__(self) -> str:
        return self.role


class Invitation(models.Model):
    """An invitation into an organisation; the token's digest is kept, the token itself only mailed."""

    organisation = models.ForeignKey("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    audience = models.CharField(max_length=10, choices=Membership.AudienceChoices.choices)
    email = models.EmailField()
    name = models.CharField(max_length=150, blank=True)
    roles = models.JSONField(default=list)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    accepted = models.DateTimeField(null=True, blank=True)
    withdrawn = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "audience", "email"])]

    def __str__(self) -> str:
        return f"{self.email} → {self.organisation}"


class AuditEntry(models.Model):
    """Who did what to which record, when, why, before and after; never changed, never deleted by the product."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)
    on_behalf_of = models.CharField(max_length=150, blank=True)
    audience = models.CharField(max_length=10)
    verb = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject_kind", "subject_id", "-at"])]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.subject_kind}:{self.subject_id}"


class StoredFile(models.Model):
    """One version of a document on a record, for the audiences that it names; `portal.files` is the only way in and out."""

    class Kind(models.TextChoices):
        """What it came from; only a plain file gets new versions, the others stay as they were said, sent, signed or asked for."""

        FILE = "", _("File")
        MESSAGE = "message", _("In a message")
        QUOTE = "quote", _("Quote")
        SIGNED = "signed", _("Signed")
        ASKED = "asked", _("Asked for")
        SHEET = "sheet", _("Decision")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    for_customer = models.BooleanField(default=False)
    for_partner = models.BooleanField(default=False)
    name = models.CharField(max_length=255)
    content = models.FileField(upload_to="files/%Y/%m/", max_length=300)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_by_name = models.CharField(max_length=150)
    created = models.DateTimeField(auto_now_add=True)
    document = models.UUIDField(default=uuid.uuid4, editable=False)  # the id of its first version
    version = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.FILE, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "version"], name="stored_file_version_once")]
        indexes = [models.Index(fields=["subject_kind", "subject_id", "-created"])]

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A list with its search, filters, sort and columns, kept under a name; the author's own, or shared."""

    list_key = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=80)
    query = models.CharField(max_length=1000, blank=True)
    author = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    shared_with = models.CharField(max_length=40, blank=True)  # a role, or "*" for everybody who sees the list
    is_default = models.BooleanField(default=False)  # its author's list opens with it
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author", "list_key", "name"], name="saved_view_name_once"),
            models.UniqueConstraint(fields=["author", "list_key"], condition=models.Q(is_default=True), name="saved_view_default_once"),
        ]
        indexes = [models.Index(fields=["list_key", "shared_with"])]

    def __str__(self) -> str:
        return self.name


class Job(models.Model):
    """A long piece of work done in chunks, each its own transaction; the row is the truth, workers only push it on."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Stopped by an error")
        CANCELLED = "cancelled", _("Cancelled")

    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    message = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    owner = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    membership_id = models.BigIntegerField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    touched = models.DateTimeField(auto_now=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "touched"]), models.Index(fields=["owner", "-created"])]

    def __str__(self) -> str:
        return self.title

    @property
    def percent(self) -> int:
        """How far it is."""
        return 100 if self.state == self.State.DONE else min(99, 100 * self.done // self.total) if self.total else 0

    @property
    def is_over(self) -> bool:
        """Nothing more will happen."""
        return self.state in (self.State.DONE, self.State.FAILED, self.State.CANCELLED)


class ArticleVote(models.Model):
    """Whether an article helped a reader: one vote a reader, which they may change; `voter` is a person or an unnamed browser."""

    page = models.ForeignKey("portal.KnowledgePage", on_delete=models.CASCADE, related_name="+")
    voter = models.CharField(max_length=80)
    helped = models.BooleanField()
    missing = models.CharField(_("what was missing"), max_length=500, blank=True)
    voted_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "voter"], name="one_vote_a_reader")]

    def __str__(self) -> str:
        return f"{self.page_id}: {'+' if self.helped else '-'}"


class Consent(models.Model):
    """What somebody agreed to, in which words, where and when; taking it back is kept beside it. The words never change."""

    user = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    email = models.EmailField(blank=True, db_index=True)  # visitors agree before they have an account
    purpose = models.CharField(max_length=40)
    text = models.TextField()
    text_version = models.CharField(max_length=20)
    source = models.CharField(max_length=120)
    given = models.DateTimeField(default=timezone.now)
    withdrawn = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "purpose"])]

    def __str__(self) -> str:
        return f"{self.purpose} {self.text_version}: {self.email}"


class DataExport(models.Model):
    """A file with everything that is stored about a person, made by a job, for them alone, for some days."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    content = models.FileField(upload_to="exports/", max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    created = models.DateTimeField(default=timezone.now)
    ready = models.DateTimeField(null=True, blank=True)
    expires = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created"])]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created:%Y-%m-%d}"


class ErasureRequest(models.Model):
    """Somebody asks that their data be erased; the law gives us a month to answer. The row stays, without their name, as our proof."""

    class State(models.TextChoices):
        ASKED = "asked", _("Being decided")
        DONE = "done", _("Erased")
        REFUSED = "refused", _("Refused")
        TAKEN_BACK = "taken_back", _("Taken back")

    user = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    audience = models.CharField(max_length=10, choices=Membership.AudienceChoices.choices)
    organisation = models.ForeignKey("portal.Organisation", null=True, on_delete=models.SET_NULL, related_name="+")
    words = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked = models.DateTimeField(default=timezone.now)
    answer_by = models.DateTimeField()
    decided = models.DateTimeField(null=True, blank=True)
    decided_by_name = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)
    outcome = models.JSONField(default=dict)  # kind of row → how many were changed

    class Meta:
        indexes = [models.Index(fields=["state", "answer_by"])]
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(state="asked"), name="one_open_erasure_a_person"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def number(self) -> str:
        """The number people quote."""
        return f"E-{self.pk:05d}"
