"""The sheet of a decision: what was approved, by which rule, who decided when and why, under one digest, as PDF on the instance.

`content_of` is the whole of it as plain values; `digest_of` its SHA-256, which is printed, kept with the approval and written into the
audit. The PDF carries the content itself as the attachment `approval.json`, so that anybody can work the digest out again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import typst
from django.core.signing import Signer
from django.utils import formats, timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.text import slugify
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.files import store_file
from portal.registry import SubjectRef
from portal.selectors import organisations_of
from workflows.approvers import rule_words
from workflows.models import Approval, HistoryEvent, HumanTask
from workflows.runtime import Run

TEMPLATE = Path(__file__).resolve().parent / "typst" / "approval.typ"
SEAL = "workflows.approval.sheet"


def decided(row: Approval, run: Run | None = None) -> list[dict[str, Any]]:
    """The decisions of an approval in their order; those of a running step are taken from it, for they aren't written yet."""
    now = {done.task.pk: done for done in run.by.values()} if run else {}
    tasks = {task.pk: task for task in row.tasks.filter(status=HumanTask.Status.DONE)}
    tasks |= {pk: done.task for pk, done in now.items() if done.task.approval_id == row.pk}
    engine_ids = [task.engine_id for task in tasks.values()]
    lines = HistoryEvent.objects.filter(instance_id=row.instance_id, engine_id__in=engine_ids, state="completed")
    said = dict(lines.values_list("engine_id", "reason"))
    said |= {done.task.engine_id: done.reason for done in now.values()}
    return [
        {
            "voter": (task.loop_item or {}).get("voter", ""),
            "decision": task.action,
            "by": task.done_by_name,
            "for": task.done_for_name,
            "at": task.ended.isoformat() if task.ended else "",
            "comment": said.get(task.engine_id, ""),
        }
        for task in sorted(tasks.values(), key=lambda task: (task.ended or timezone.now(), task.pk))
    ]


def content_of(row: Approval, run: Run | None = None) -> dict[str, Any]:
    """Everything that the sheet says, as plain values; the same from the rows at any later time."""
    return {
        "approval": row.pk,
        "process": row.instance_id,
        "record": f"{row.subject_kind}:{row.subject_id}" if row.subject_kind else "",
        "title": row.title,
        "question": row.text,
        "amount": f"{row.amount:.2f}" if row.amount is not None else "",
        "currency": row.currency,
        "fields": row.facts,
        "asked_by": row.asked_by_name,
        "asked": row.opened.isoformat(),
        "rule": {"mode": row.mode, "needed": row.needed, "voters": [_voice(one) for one in row.voters]},
        "decisions": decided(row, run),
        "outcome": row.state,
        "closed": row.closed.isoformat() if row.closed else "",
    }


def _voice(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("voter", "label", "weight", "veto")}


def packed(content: dict[str, Any]) -> bytes:
    """The content as the one text whose digest is printed."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest_of(content: dict[str, Any]) -> str:
    """The SHA-256 of a sheet's content."""
    return hashlib.sha256(packed(content)).hexdigest()


def holds(row: Approval) -> bool:
    """Whether what is kept is still what was signed."""
    return bool(row.digest) and digest_of(content_of(row)) == row.digest


def seal_of(digest: str) -> str:
    """What only this installation, with its secret key, makes of a digest; printed on the sheet and shown beside it."""
    return Signer(salt=SEAL).signature(digest)


def print_sheet(row: Approval, run: Run | None) -> tuple[str, UUID]:
    """Print a closed approval and keep it as a file of its instance; gives the digest and the file's id."""
    content = content_of(row, run)
    digest = digest_of(content)
    pdf = typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        sys_inputs={"data": json.dumps(_shown(row, content, digest)), "content": packed(content).decode()},
        ignore_system_fonts=True,
    )
    name = f"{slugify(row.title)[:60] or 'approval'}-{row.pk}.pdf"
    kept = store_file(Actor.system(), SubjectRef("workflows.instance", row.instance_id), pdf, (Audience.INTERNAL,), name=name, kind="sheet")
    return digest, kept.id


def _shown(row: Approval, content: dict[str, Any], digest: str) -> dict[str, Any]:
    """The content in words, in the installation's language and zone."""
    own = next(iter(organisations_of(Audience.INTERNAL)), None)
    labels = {one["voter"]: one["label"] for one in row.voters}
    spoke = {one["voter"] for one in content["decisions"]}
    return {
        "language": (translation.get_language() or "en")[:2],
        "company": own.name if own else "",
        "number": str(row.pk),
        "title": row.title,
        "outcome": str(row.get_state_display()),
        "approved": row.state == Approval.State.APPROVED,
        "question": row.text,
        "facts": facts_in_words(row),
        "asked": _("%(who)s, %(when)s") % {"who": row.asked_by_name, "when": _moment(content["asked"])},
        "closed": _moment(content["closed"]),
        "rule": rule_words(row.mode, row.needed, row.voters),
        "decisions": [_line(row, one, labels) for one in content["decisions"]],
        "unasked": [label for voter, label in labels.items() if voter not in spoke],
        "digest": digest,
        "seal": seal_of(digest),
        "words": {
            "heading": _("Approval"),
            "asked": _("Asked by"),
            "closed": _("Decided"),
            "what": _("What was decided"),
            "rule": _("The rule"),
            "decisions": _("Decisions"),
            "who": _("Who"),
            "decision": _("Decision"),
            "when": _("When"),
            "comment": _("Comment"),
            "unasked": _("No longer needed"),
            "digest": _("SHA-256 of the content"),
            "seal": _("Seal of this installation"),
            "how": _("The content is attached as approval.json. Its SHA-256 is the digest above, which stands in the audit too."),
        },
    }


def facts_in_words(row: Approval) -> list[list[str]]:
    """What is approved beside the question: the amount, then what the process names."""
    amount = (
        [[_("Amount"), f"{formats.number_format(row.amount, 2, force_grouping=True)} {row.currency}"]] if row.amount is not None else []
    )
    return [*amount, *row.facts]


def _line(row: Approval, one: dict[str, str], labels: dict[str, str]) -> dict[str, str]:
    weight = next((item["weight"] for item in row.voters if item["voter"] == one["voter"]), 1)
    who = _("%(who)s for %(away)s") % {"who": one["by"], "away": one["for"]} if one["for"] else one["by"]
    return {
        "who": who,
        "voice": "" if labels.get(one["voter"], "") == one["by"] else labels.get(one["voter"], ""),
        "weight": f"× {weight}" if weight != 1 else "",
        "decision": _("Approved") if one["decision"] == "approve" else _("Rejected"),
        "approved": one["decision"] == "approve",  # type: ignore[dict-item]
        "when": _moment(one["at"]),
        "comment": one["comment"],
    }


def _moment(text: str) -> str:
    moment = parse_datetime(text) if text else None
    if moment is None:
        return ""
    there = timezone.localtime(moment)
    return f"{formats.date_format(there, 'DATETIME_FORMAT')} {there.tzname()}"
