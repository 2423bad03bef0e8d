"""Calls, meetings, mails and notes on records."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import CrmPermission, visible_accounts, visible_contacts, visible_deals, visible_leads, visible_requests
from crm.models import Activity
from crm.services.common import allow
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Refused
from portal.live import ping
from portal.registry import SubjectRef

GATES = {
    "crm.account": ("account", visible_accounts),
    "crm.contact": ("contact", visible_contacts),
    "crm.deal": ("deal", visible_deals),
    "crm.lead": ("lead", visible_leads),
    "crm.request": ("request", visible_requests),
}


def log_activity(
    actor: Actor, ref: SubjectRef, *, kind: str, text: str, audience: Audience = Audience.INTERNAL, at: datetime | None = None
) -> Activity:
    """Keep a call, meeting, mail or note on a record; internal unless another audience is said."""
    allow(actor, CrmPermission.EDIT)
    if kind not in Activity.Kind.values:
        raise Refused(_("Choose a call, a meeting, a mail or a note."), "kind")
    if not text.strip():
        raise Refused(_("Write what happened."), "text")
    if ref.kind not in GATES:
        raise Refused(_("Nothing can be noted on this record."))
    name, gate = GATES[ref.kind]
    if not gate(actor).filter(pk=ref.id).exists():
        raise Refused(_("This record isn't there any more."))
    with transaction.atomic():
        activity = Activity.objects.create(
            kind=kind,
            text=text.strip(),
            audience=str(audience),
            at=at or timezone.now(),
            author_id=actor.user_id,
            author_name=actor.name,
            **{f"{name}_id": ref.id},
        )
        record(actor, f"activity.{kind}", ref, after={"activity": activity.pk})
        ping(str(ref))
    return activity
