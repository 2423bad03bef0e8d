"""Tables of imports."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportRun(models.Model):
    """One table that somebody uploads: how it is read and mapped, how far it came, and what failed."""

    class State(models.TextChoices):
        DRAFT = "draft", _("To be checked")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")

    name = models.CharField(_("file"), max_length=255)
    kind = models.CharField(_("what it holds"), max_length=20)
    state = models.CharField(max_length=7, choices=State.choices, default=State.DRAFT)
    encoding = models.CharField(max_length=40, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    matches = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    job = models.ForeignKey("portal.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_by = models.ForeignKey("portal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    started_by_name = models.CharField(max_length=150, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class ImportRow(models.Model):
    """A row that waits, or that failed and why; a row that went well is deleted."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="waiting_rows")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    cells = models.JSONField()
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="import_row_once")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.line}"
