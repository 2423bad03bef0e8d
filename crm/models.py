"""Tables of the customer base and of sales. No rules here: `services/` keeps them, `access.py` says who reads which rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField


def money(label, **options) -> MoneyField:
    """An amount with its currency, as every table here keeps it."""
    return MoneyField(label, max_digits=14, decimal_places=2, default_currency=settings.DEFAULT_CURRENCY, **options)


class Stage(models.TextChoices):
    """The stages of a deal, in the order in which a deal goes through them; the process moves it."""

    NEW = "new", _("New")
    QUALIFICATION = "qualification", _("Qualification")
    APPROVAL = "approval", _("Approval")
    PARTNER = "partner", _("Partner")
    PROPOSAL = "proposal", _("Proposal")
    NEGOTIATION = "negotiation", _("Negotiation")
    DELIVERY = "delivery", _("Delivery")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


OPEN_STAGES = [Stage.NEW, Stage.QUALIFICATION, Stage.APPROVAL, Stage.PARTNER, Stage.PROPOSAL, Stage.NEGOTIATION]


class SalesTeam(models.Model):
    """A team of sellers under one manager in one office."""

    manager_name = models.CharField(_("manager"), max_length=150, unique=True)
    office = models.CharField(_("regional office"), max_length=100, blank=True)
    manager = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["manager_name"]

    def __str__(self) -> str:
        return self.manager_name


class SalesTeamMember(models.Model):
    """A seller: a colleague who signs in, or a name that came with imported deals."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    team = models.ForeignKey(SalesTeam, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    user = models.OneToOneField("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """A company we sell to; when its people sign in, it stands for one of the portal's organisations."""

    name = models.CharField(_("name"), max_length=200)
    organisation = models.OneToOneField("portal.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sector = models.CharField(_("sector"), max_length=80, blank=True)
    revenue = money(_("yearly revenue, millions"), null=True, blank=True)
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    year_established = models.PositiveSmallIntegerField(_("founded in"), null=True, blank=True)
    office_location = models.CharField(_("office"), max_length=120, blank=True)
    website = models.CharField(_("web site"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="subsidiaries")
    owner = models.ForeignKey(SalesTeamMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    external_key = models.CharField(_("key in the source"), max_length=200, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["name"]), models.Index(fields=["sector"]), models.Index(fields=["-updated_at"])]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person at an account."""

    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(_("name"), max_length=150)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    job_title = models.CharField(_("job title"), max_length=120, blank=True)
    user = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["name"]), models.Index(fields=["email"]), models.Index(fields=["-updated_at"])]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something we sell, with its list price; a public one stands in the cabinet's catalogue and starts a process."""

    name = models.CharField(_("name"), max_length=150)
    series = models.CharField(_("series"), max_length=80, blank=True)
    category = models.CharField(_("category"), max_length=80, blank=True)
    description = models.TextField(_("description"), blank=True)
    list_price = money(_("list price"), null=True, blank=True)
    is_public = models.BooleanField(_("in the public catalogue"), default=False)
    is_active = models.BooleanField(_("on sale"), default=True)
    needs_partner = models.BooleanField(_("delivered with a partner"), default=False)
    process_key = models.CharField(_("process"), max_length=80, default="request_to_delivery")
    project_template = models.CharField(_("project template"), max_length=80, blank=True)
    icon = models.CharField(_("icon"), max_length=40, default="package")
    external_key = models.CharField(_("key in the source"), max_length=200, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["is_public", "is_active"]), models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name


class Request(models.Model):
    """What a customer asked for; its state is where its process stands."""

    class Source(models.TextChoices):
        CABINET = "cabinet", _("Cabinet")
        PUBLIC_FORM = "public_form", _("Public form")
        SALES = "sales", _("Entered by sales")
        IMPORT = "import", _("Import")

    class State(models.TextChoices):
        OPEN = "open", _("In progress")
        DONE = "done", _("Done")
        CLOSED = "closed", _("Closed")

    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="requests")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    customer_organisation = models.ForeignKey("portal.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    source = models.CharField(_("came by"), max_length=12, choices=Source.choices, default=Source.CABINET)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)
    submitted_by = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    submitted_by_name = models.CharField(max_length=150, blank=True)
    answers = models.JSONField(default=list)  # of its process's start form: id, label, raw and words of each
    instance_id = models.BigIntegerField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["customer_organisation", "state", "-created_at"]), models.Index(fields=["state", "-created_at"])]

    def __str__(self) -> str:
        return self.title

    @property
    def number(self) -> str:
        """The number people quote."""
        return f"R-{self.pk:05d}"


class Case(models.Model):
    """Something that went wrong or is unclear; its state is where its process stands, in the same words for the customer and for us.

    A promise to answer goes with the severity.
    """

    class Category(models.TextChoices):
        FAULT = "fault", _("Something doesn't work")
        QUESTION = "question", _("A question")
        ORDER = "order", _("An order or an invoice")
        COMPLAINT = "complaint", _("A complaint")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Work stands still")
        HIGH = "high", _("Work goes on with trouble")
        NORMAL = "normal", _("It can wait a little")

    class State(models.TextChoices):
        OPEN = "open", _("In work")
        WAITING = "waiting", _("Question asked")
        SOLVED = "solved", _("Answered, to be confirmed")
        CLOSED = "closed", _("Closed")

    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"))
    category = models.CharField(_("category"), max_length=10, choices=Category.choices, default=Category.FAULT)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices, default=Severity.NORMAL)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    customer_organisation = models.ForeignKey("portal.Organisation", on_delete=models.PROTECT, related_name="+")
    submitted_by = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    submitted_by_name = models.CharField(max_length=150, blank=True)
    answer_by = models.DateTimeField(_("answer by"))
    answered_at = models.DateTimeField(_("first answered"), null=True, blank=True)
    answered_by_name = models.CharField(max_length=150, blank=True)
    question = models.TextField(_("our question"), blank=True)
    solution = models.TextField(_("solution"), blank=True)
    rating = models.PositiveSmallIntegerField(_("rating"), null=True, blank=True)
    rating_words = models.TextField(_("words with the rating"), blank=True)
    reopened = models.PositiveSmallIntegerField(_("times reopened"), default=0)
    instance_id = models.BigIntegerField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["customer_organisation", "state", "-created_at"]), models.Index(fields=["state", "answer_by"])]
        constraints = [models.CheckConstraint(condition=models.Q(rating=None) | models.Q(rating__range=(1, 5)), name="case_rating_1_to_5")]

    def __str__(self) -> str:
        return self.title

    @property
    def number(self) -> str:
        """The number people quote."""
        return f"C-{self.pk:05d}"


class Deal(models.Model):
    """A chance to sell. Its stage is moved by its process; its outcome is set once."""

    class Outcome(models.TextChoices):
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    class PartnerState(models.TextChoices):
        NONE = "", _("No partner")
        PLANNED = "planned", _("Partner chosen")
        INVITED = "invited", _("Partner invited")
        ACCEPTED = "accepted", _("Joint deal")
        DECLINED = "declined", _("Partner declined")

    title = models.CharField(_("title"), max_length=200)
    external_key = models.CharField(_("key in the source"), max_length=80, null=True, blank=True, unique=True)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="deals")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    owner = models.ForeignKey(SalesTeamMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    request = models.ForeignKey(Request, null=True, blank=True, on_delete=models.SET_NULL, related_name="deals")
    customer_organisation = models.ForeignKey("portal.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    partner_organisation = models.ForeignKey("portal.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    partner_state = models.CharField(_("partner"), max_length=8, choices=PartnerState.choices, blank=True, default="")
    stage = models.CharField(_("stage"), max_length=14, choices=Stage.choices, default=Stage.NEW)
    stage_since = models.DateTimeField(default=timezone.now)
    amount = money(_("expected amount"), null=True, blank=True)
    list_price = money(_("list price"), null=True, blank=True)
    discount_percent = models.DecimalField(_("discount, %"), max_digits=5, decimal_places=2, default=0)
    engage_date = models.DateField(_("engaged on"), null=True, blank=True)
    expected_close = models.DateField(_("expected to close"), null=True, blank=True)
    close_date = models.DateField(_("closed on"), null=True, blank=True)
    close_value = money(_("closed at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=4, choices=Outcome.choices, null=True, blank=True)
    lost_reason = models.CharField(_("why lost"), max_length=300, blank=True)
    next_step = models.CharField(_("next step"), max_length=200, blank=True)
    instance_id = models.BigIntegerField(null=True, blank=True)
    is_sample = models.BooleanField(_("sample"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["stage", "-updated_at", "-id"], name="deal_board"),
            models.Index(fields=["-updated_at", "-id"], name="deal_recent"),
            models.Index(fields=["owner", "stage"], name="deal_owner"),
            models.Index(fields=["account", "-updated_at"], name="deal_account"),
            models.Index(fields=["partner_organisation", "partner_state"], name="deal_partner"),
            models.Index(fields=["outcome", "close_date"], name="deal_outcome"),
            models.Index(fields=["title"], name="deal_title"),
            models.Index(fields=["amount", "id"], name="deal_amount"),
            models.Index(fields=["close_date", "id"], name="deal_close"),
            models.Index(fields=["product", "stage"], name="deal_product"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(discount_percent__gte=0) & models.Q(discount_percent__lte=100), name="deal_discount_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def number(self) -> str:
        """The number people quote: the source's own for imported deals."""
        return self.external_key or f"D-{self.pk:05d}"


class StageChange(models.Model):
    """One move of a deal on the board: who or what moved it, and why."""

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="stage_changes")
    from_stage = models.CharField(max_length=14, choices=Stage.choices, blank=True)
    to_stage = models.CharField(max_length=14, choices=Stage.choices)
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["deal", "-at"]), models.Index(fields=["to_stage", "at"])]

    def __str__(self) -> str:
        return f"{self.deal_id}: {self.from_stage} → {self.to_stage}"


class Lead(models.Model):
    """A visitor's or a partner's word that somebody may want something."""

    class State(models.TextChoices):
        NEW = "new", _("New")
        CONVERTED = "converted", _("Converted")
        DISQUALIFIED = "disqualified", _("Disqualified")

    name = models.CharField(_("name"), max_length=150)
    company = models.CharField(_("company"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    message = models.TextField(_("message"), blank=True)
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    source = models.CharField(_("came by"), max_length=80, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.NEW)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    owner = models.ForeignKey(SalesTeamMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    request = models.ForeignKey(Request, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    consent_at = models.DateTimeField(_("agreed to be contacted"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["state", "-created_at"]), models.Index(fields=["email"])]

    def __str__(self) -> str:
        return f"{self.name} ({self.company})" if self.company else self.name


class Quote(models.Model):
    """One version of what we offer for a deal; a change makes the next version."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SENT = "sent", _("Sent")
        ACCEPTED = "accepted", _("Accepted")
        CHANGED = "changed", _("Change asked for")
        DECLINED = "declined", _("Declined")
        EXPIRED = "expired", _("Expired")

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="quotes")
    request = models.ForeignKey(Request, null=True, blank=True, on_delete=models.SET_NULL, related_name="quotes")
    customer_organisation = models.ForeignKey("portal.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.DRAFT)
    discount_percent = models.DecimalField(_("discount, %"), max_digits=5, decimal_places=2, default=0)
    subtotal = money(_("subtotal"))
    total = money(_("total"))
    valid_until = models.DateField(_("valid until"))
    note = models.TextField(_("note to the customer"), blank=True)
    file = models.ForeignKey("portal.StoredFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    prepared_by_name = models.CharField(max_length=150, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_name = models.CharField(max_length=150, blank=True)
    decision_reason = models.TextField(_("reason"), blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["deal", "version"], name="quote_version_once")]
        indexes = [models.Index(fields=["customer_organisation", "state"])]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number on the paper."""
        return f"Q-{self.deal_id:05d}-{self.version}"


class QuoteLine(models.Model):
    """One line of a quote."""

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    description = models.CharField(_("description"), max_length=300)
    quantity = models.DecimalField(_("quantity"), max_digits=10, decimal_places=2, default=1)
    unit_price = money(_("unit price"))
    total = money(_("total"))

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["quote", "position"], name="quote_line_once")]

    def __str__(self) -> str:
        return self.description


class QuoteSignature(models.Model):
    """Who accepted a quote by signing it, when, from where, and which document; never changed."""

    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="signature")
    signer = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    signer_name = models.CharField(max_length=150)
    signer_email = models.EmailField()
    organisation_name = models.CharField(max_length=200)
    signed_name = models.CharField(max_length=150)
    is_drawn = models.BooleanField(default=False)
    signed_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=300, blank=True)
    document_sha256 = models.CharField(max_length=64)
    drawing = models.BinaryField(default=bytes, blank=True)
    language = models.CharField(max_length=10, blank=True)  # in which the signer read, and the sealed document is written
    time_zone = models.CharField(max_length=64, blank=True)
    sealed_file = models.ForeignKey("portal.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    offer = models.CharField(max_length=64, unique=True)  # the form that was signed: a second sending of it is refused

    def __str__(self) -> str:
        return f"{self.signed_name}: {self.quote_id}"


class DocumentRequest(models.Model):
    """Documents that we ask a customer for, about a record; its state is where its process stands."""

    class State(models.TextChoices):
        OPEN = "open", _("Waiting for documents")
        DONE = "done", _("Complete")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    title = models.CharField(_("title"), max_length=200)
    note = models.TextField(_("what the customer reads"), blank=True)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    customer_organisation = models.ForeignKey("portal.Organisation", on_delete=models.PROTECT, related_name="+")
    due = models.DateTimeField(_("due"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    reason = models.CharField(_("why withdrawn"), max_length=300, blank=True)
    asked_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    asked_by_name = models.CharField(max_length=150)
    reminded_at = models.DateTimeField(null=True, blank=True)
    told_late_at = models.DateTimeField(null=True, blank=True)
    instance_id = models.BigIntegerField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["customer_organisation", "state", "due"]), models.Index(fields=["subject_kind", "subject_id"])]

    def __str__(self) -> str:
        return self.title


class DocumentLine(models.Model):
    """One document on the list; `changes` counts what happened to it, so that a stale page is known."""

    class State(models.TextChoices):
        MISSING = "missing", _("Missing")
        GIVEN = "given", _("Being checked")
        ACCEPTED = "accepted", _("Accepted")
        RETURNED = "returned", _("Sent back")

    request = models.ForeignKey(DocumentRequest, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("document"), max_length=150)
    hint = models.CharField(_("hint"), max_length=300, blank=True)
    is_required = models.BooleanField(_("required"), default=True)
    kinds = models.CharField(_("kind of file"), max_length=10, default="any")
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.MISSING)
    file = models.ForeignKey("portal.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("why sent back"), max_length=500, blank=True)
    given_by_name = models.CharField(max_length=150, blank=True)
    given_at = models.DateTimeField(null=True, blank=True)
    checked_by_name = models.CharField(max_length=150, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    changes = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["request", "position"], name="document_line_once")]

    def __str__(self) -> str:
        return self.name


class Activity(models.Model):
    """A call, a meeting, a mail or a note, kept on the record that it was about."""

    class Kind(models.TextChoices):
        CALL = "call", _("Call")
        MEETING = "meeting", _("Meeting")
        MAIL = "mail", _("Mail")
        NOTE = "note", _("Note")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.NOTE)
    audience = models.CharField(_("for"), max_length=10, default="internal")
    text = models.TextField(_("text"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    author = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=150)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="activities")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="activities")
    deal = models.ForeignKey(Deal, null=True, blank=True, on_delete=models.CASCADE, related_name="activities")
    lead = models.ForeignKey(Lead, null=True, blank=True, on_delete=models.CASCADE, related_name="activities")
    request = models.ForeignKey(Request, null=True, blank=True, on_delete=models.CASCADE, related_name="activities")

    class Meta:
        indexes = [
            models.Index(fields=["deal", "-at"]),
            models.Index(fields=["account", "-at"]),
            models.Index(fields=["request", "-at"]),
            models.Index(fields=["contact", "-at"]),
            models.Index(fields=["lead", "-at"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text[:60]}"


from crm.appointments.models import Appointment, AppointmentSlot  # noqa: E402, F401  parts of this package with tables of their own
from crm.importing.models import ImportRow, ImportRun  # noqa: E402, F401
from crm.models_buying import ApprovalRule, PublicStart, QuoteApproval  # noqa: E402, F401  the customer's own side of buying
