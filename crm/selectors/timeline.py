"""Everything that happened on a record, newest first: activities, stage changes, process steps, files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import visible_accounts, visible_activities, visible_appointments
from crm.models import Appointment, Stage, StageChange
from portal.access import Actor
from portal.files import FileView, files_for
from portal.registry import SubjectRef, registry
from workflows.selectors import steps_for_subject
from workflows.selectors.why import Reason, reasons

ICONS = {"call": "phone", "meeting": "users", "mail": "mail", "note": "note"}
NAMES = {"crm.account": "account", "crm.contact": "contact", "crm.deal": "deal", "crm.lead": "lead", "crm.request": "request"}
WITH_APPOINTMENTS = {"crm.request", "crm.deal", "crm.case"}
State = Appointment.State
APPOINTMENTS = {
    State.OFFERED: gettext_lazy("Times offered: %(title)s"),
    State.ASKED: gettext_lazy("Other times wanted: %(title)s"),
    State.BOOKED: gettext_lazy("Appointment agreed: %(title)s"),
    "moved": gettext_lazy("Appointment moved: %(title)s"),
    State.CANCELLED: gettext_lazy("Appointment cancelled: %(title)s"),
}
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
    found = [*_activities(actor, ref, limit), *_steps(actor, ref), *_files(actor, ref, limit), *_appointments(actor, ref, limit)]
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


def _appointments(actor: Actor, ref: SubjectRef, limit: int) -> list[Happening]:
    """Each with how it stands: those about the record, on an account's card those about anything of its organisation."""
    rows = visible_appointments(actor)
    if ref.kind == "crm.account":
        accounts = visible_accounts(actor).filter(pk=ref.id, organisation__isnull=False)
        rows = rows.filter(customer_organisation__in=accounts.values("organisation"))
    elif ref.kind in WITH_APPOINTMENTS:
        rows = rows.filter(subject_kind=ref.kind, subject_id=ref.id)
    else:
        return []
    url = registry.subjects["crm.appointment"].url
    return [
        Happening(
            row.updated_at,
            "appointment",
            "calendar-event",
            str(APPOINTMENTS["moved" if row.state == State.BOOKED and row.sequence else row.state]) % {"title": row.title},
            "\n".join(filter(None, [_time_of(row), row.wish if row.state == State.ASKED else row.reason])),
            (row.changed_by_name or row.booked_by_name) if row.state in (State.BOOKED, State.CANCELLED) else row.host_name,
            tone="bad" if row.state == State.CANCELLED else "",
            url=url(actor, row.pk) or "",
        )
        for row in rows.order_by("-updated_at", "-pk")[:limit]
    ]


def _time_of(row: Appointment) -> str:
    if row.starts is None:
        return ""
    return " · ".join(filter(None, [date_format(timezone.localtime(row.starts), "j F Y, H:i"), row.place]))


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
