"""Everything that happened on a record, newest first: activities, stage changes, process steps, files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from crm.access import visible_activities
from crm.models import Stage, StageChange
from portal.access import Actor
from portal.files import FileView, files_for
from portal.registry import SubjectRef
from workflows.selectors import steps_for_subject
from workflows.selectors.why import Reason, reasons

ICONS = {"call": "phone", "meeting": "users", "mail": "mail", "note": "note"}
NAMES = {"crm.account": "account", "crm.contact": "contact", "crm.deal": "deal", "crm.lead": "lead", "crm.request": "request"}
HUMAN = {"userTask", "manualTask"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a time line."""

    at: datetime
    kind: str
    icon: str
    title: str
    text: str
    who: str
    audience: str = ""
    tone: str = ""
    url: str = ""


def timeline(actor: Actor, ref: SubjectRef, limit: int = 60) -> list[Happening]:
    """The newest events of a record that the actor sees."""
    found = [*_activities(actor, ref, limit), *_steps(actor, ref), *_files(actor, ref, limit)]
    if ref.kind == "crm.deal":
        found += _stages(ref, limit)
    found.sort(key=lambda one: one.at, reverse=True)
    return found[:limit]


def _activities(actor: Actor, ref: SubjectRef, limit: int) -> list[Happening]:
    name = NAMES.get(ref.kind)
    if name is None:
        return []
    rows = visible_activities(actor).filter(**{f"{name}_id": ref.id}).order_by("-at")[:limit]
    return [
        Happening(row.at, "activity", ICONS.get(row.kind, "note"), row.get_kind_display(), row.text, row.author_name, row.audience)
        for row in rows
    ]


def _stages(ref: SubjectRef, limit: int) -> list[Happening]:
    found = []
    for row in StageChange.objects.filter(deal_id=ref.id).order_by("-at", "-pk")[:limit]:
        tone = {"won": "good", "lost": "bad"}.get(row.to_stage, "")
        if row.from_stage:
            words = _("%(before)s → %(after)s") % {"before": Stage(row.from_stage).label, "after": Stage(row.to_stage).label}
        else:
            words = _("Opened at %(stage)s") % {"stage": Stage(row.to_stage).label}
        found.append(Happening(row.at, "stage", "arrows-exchange", words, row.reason, row.actor_name, tone=tone))
    return found


def _steps(actor: Actor, ref: SubjectRef) -> list[Happening]:
    return [
        Happening(line.at, "step", "checkbox", line.name, line.reason, line.who, line.audience)
        for line in steps_for_subject(actor, ref)
        if line.kind in HUMAN and line.state == "completed"
    ]


def _files(actor: Actor, ref: SubjectRef, limit: int) -> list[Happening]:
    return [
        Happening(one.created, "file", "paperclip", _versioned(one), "", one.uploaded_by, url=f"/files/{one.id}/")
        for file in files_for(actor, ref, limit)
        for one in (file, *file.earlier)
    ]


def _versioned(file: FileView) -> str:
    return _("%(name)s, version %(number)d") % {"name": file.name, "number": file.version} if file.version > 1 else file.name


def why(actor: Actor, ref: SubjectRef) -> list[Reason]:
    """Why a record's process stands where it stands, newest first."""
    return reasons(steps_for_subject(actor, ref))
