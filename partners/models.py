"""Tables of the partner programme: contracts, joint deals, registrations."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField


class Programme(models.Model):
    """The rules that partners work under; its visibility rules are the contract that both sides read."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)
    decision_hours = models.PositiveIntegerField(_("hours until a decision"), default=48)
    protection_days = models.PositiveIntegerField(_("days of protection"), default=90)
    version = models.PositiveIntegerField(default=1)
    changed = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class VisibilityRule(models.Model):
    """One line of the contract: a field, a step or a kind of file of a joint deal, and whether the partner sees it."""

    class Kind(models.TextChoices):
        FIELD = "field", _("Field")
        STEP = "step", _("Step")
        FILE = "file", _("File")

    programme = models.ForeignKey(Programme, on_delete=models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    key = models.CharField(max_length=80)
    is_visible = models.BooleanField(_("the partner sees it"), default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "kind", "key"], name="one_rule_each")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


class PartnerProfile(models.Model):
    """A partner organisation's place in a programme."""

    organisation = models.OneToOneField("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="profiles")
    manager = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    internal_note = models.TextField(_("internal note"), blank=True)
    joined = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.organisation)


class JointDeal(models.Model):
    """A partner's part in one of our deals."""

    class State(models.TextChoices):
        INVITED = "invited", _("Invited")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        ENDED = "ended", _("Ended")

    deal = models.ForeignKey("crm.Deal", on_delete=models.CASCADE, related_name="+")
    partner_organisation = models.ForeignKey("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.INVITED)
    instance_id = models.BigIntegerField(null=True, blank=True)
    invited = models.DateTimeField(auto_now_add=True)
    invited_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    decided = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deal", "partner_organisation"], name="partner_once_a_deal")]
        indexes = [models.Index(fields=["partner_organisation", "state", "-invited"])]

    def __str__(self) -> str:
        return f"{self.deal} · {self.partner_organisation}"


class DealRegistration(models.Model):
    """A deal that a partner brings; a process decides on it, and an approval protects it for a while."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("Received")
        QUESTION = "question", _("We have a question")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Not approved")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    number = models.CharField(max_length=20, unique=True)
    partner_organisation = models.ForeignKey("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    submitted_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    company = models.CharField(_("company"), max_length=200)
    company_key = models.CharField(max_length=200, db_index=True)
    contact_name = models.CharField(_("contact"), max_length=150, blank=True)
    contact_email = models.EmailField(_("contact's e-mail"), blank=True)
    product = models.ForeignKey("crm.Product", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    amount = MoneyField(_("expected amount"), max_digits=14, decimal_places=2, default_currency="USD", null=True, blank=True)
    expected_close = models.DateField(_("expected close"), null=True, blank=True)
    need = models.TextField(_("what the customer needs"))
    state = models.CharField(max_length=9, choices=State.choices, default=State.SUBMITTED)
    conflict = models.CharField(max_length=20, blank=True)
    conflict_note = models.TextField(_("conflict, for us alone"), blank=True)
    reason = models.TextField(_("reason of the decision"), blank=True)
    instance_id = models.BigIntegerField(null=True, blank=True)
    deal = models.ForeignKey("crm.Deal", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    idempotency_key = models.CharField(max_length=64, blank=True)
    submitted = models.DateTimeField(auto_now_add=True)
    decision_due = models.DateTimeField()
    decided = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    protected_until = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["partner_organisation", "-submitted"]),
            models.Index(fields=["state", "decision_due"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["submitted_by", "idempotency_key"], condition=~models.Q(idempotency_key=""), name="registration_sent_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.company}"
