"""What the cabinet keeps by itself: requests that were begun and not sent."""

from __future__ import annotations

from django.db import models


class RequestDraft(models.Model):
    """What a person has typed into the form of a product, so that they can go on with it on another device."""

    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey("portal.Organisation", on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey("crm.Product", on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    answers = models.JSONField(default=dict)  # of the start form of the product's process, as they were typed
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation", "product"], name="request_draft_once")]

    def __str__(self) -> str:
        return self.title or self.description[:60]
