"""How a customer's organisation buys: its own approval of quotes, and requests of visitors that wait for their address to be confirmed."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models import money


class ApprovalRule(models.Model):
    """From which amount on a customer's organisation wants a quote approved by another of its own people before it is signed."""

    organisation = models.OneToOneField("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    is_on = models.BooleanField(default=False)
    above = money(_("quotes above"))
    changed_by_name = models.CharField(max_length=150)
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.organisation}: > {self.above}"


class QuoteApproval(models.Model):
    """One question to the customer's own approver about one quote, and its answer."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for the customer's approval")
        APPROVED = "approved", _("Approved by the customer's approver")
        REJECTED = "rejected", _("Rejected by the customer's approver")
        WITHDRAWN = "withdrawn", _("Taken back")

    quote = models.ForeignKey("crm.Quote", on_delete=models.CASCADE, related_name="approvals")
    customer_organisation = models.ForeignKey("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    asked_by_name = models.CharField(max_length=150)
    asked_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_by_name = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["quote"], condition=models.Q(state="waiting"), name="quote_approval_waits_once"),
            models.UniqueConstraint(fields=["quote"], condition=models.Q(state="approved"), name="quote_approval_given_once"),
        ]

    def __str__(self) -> str:
        return f"{self.quote}: {self.get_state_display()}"


class PublicStart(models.Model):
    """What a visitor has asked for and not confirmed yet: nothing starts before the link in the letter to their address is used."""

    name = models.CharField(max_length=150)
    email = models.EmailField()
    company = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    message = models.TextField()
    product = models.ForeignKey("crm.Product", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    answers = models.JSONField(default=dict)  # what was filled into the start form of the product's process
    source = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=10, blank=True)
    key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    nonce = models.CharField(max_length=32)  # only the newest letter's link is good
    letters = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    request = models.ForeignKey("crm.Request", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["confirmed_at", "created_at"]), models.Index(fields=["email", "sent_at"])]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"
