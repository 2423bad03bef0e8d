"""The way back from what an operator did: a link to the page that previews it, where there is one."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from workflows.models import HistoryEvent


def undo_url(line: HistoryEvent) -> str:
    """Where the opposite of an operation is shown before it is done; empty for what can't be undone."""
    detail: dict[str, Any] = line.detail or {}
    before = detail.get("before") or {}
    match line.state:
        case "corrected":
            return f"{reverse('workflows:instance-data', args=[line.instance_id])}?{urlencode({'undo': line.pk})}"
        case "migrated" if before.get("definition"):
            return _change(line, kind="version", version=before["definition"])
        case "changed":
            return _back(line, before.get("active") or [], detail.get("active") or [])
    return ""


def _change(line: HistoryEvent, **wish: Any) -> str:
    return f"{reverse('workflows:instance-change', args=[line.instance_id])}?{urlencode(wish)}"


def _back(line: HistoryEvent, before: list[str], after: list[str]) -> str:
    gone, came = [e for e in before if e not in after], [e for e in after if e not in before]
    match gone, came:
        case [one], [other]:
            return _change(line, kind="move", source=other, target=one)
        case [one], []:
            return _change(line, kind="start", target=one)
        case [], [other]:
            return _change(line, kind="cancel", source=other)
    return ""


def values_before(instance_id: int, line_id: int) -> tuple[dict[str, Any], list[str]]:
    """The values that a correction replaced, and the names that it added; nothing for another line."""
    line = HistoryEvent.objects.filter(pk=line_id, instance_id=instance_id, kind="operation", state="corrected").first()
    detail = (line.detail or {}) if line else {}
    before = (detail.get("before") or {}).get("data") or {}
    return before, [name for name in detail.get("data") or {} if name not in before]
