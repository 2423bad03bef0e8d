"""Writes on leads."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.access import CrmPermission, visible_leads
from crm.models import Deal, Lead
from crm.services.accounts import contact_for_person, create_account
from crm.services.common import allow, change_fields, check_fresh, locked, seller_for
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, Refused
from portal.events import records_changed
from portal.live import ping
from portal.registry import SubjectRef

LEAD_FIELDS = ["name", "company", "email", "phone", "message", "product", "source", "owner"]


def create_lead(actor: Actor, *, name: str, **fields: Any) -> Lead:
    """Keep a lead that a colleague heard of."""
    allow(actor, CrmPermission.EDIT)
    name = name.strip()
    if not name:
        raise Refused(_("Give the lead a name."), "name")
    with transaction.atomic():
        lead = Lead.objects.create(name=name, owner=seller_for(actor), **fields)
        record(actor, "lead.created", SubjectRef("crm.lead", lead.pk), after={"name": name})
    return lead


def update_lead(actor: Actor, lead_id: int, values: dict[str, Any], *, seen_at: str | None = None) -> Lead:
    """Change a lead's fields."""
    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        lead = locked(visible_leads(actor), lead_id)
        check_fresh(lead, seen_at)
        ref = SubjectRef("crm.lead", lead.pk)
        if change_fields(actor, lead, ref, values, LEAD_FIELDS, "lead.changed"):
            ping(str(ref))
    return lead


def convert_lead(actor: Actor, lead_id: int) -> Deal:
    """Make an account, a contact and a deal of a lead; a lead that came with a request gets its deal from the process instead."""
    from crm.services.deals import create_deal

    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        lead = locked(visible_leads(actor), lead_id)
        if lead.state != Lead.State.NEW:
            raise Conflict(_("This lead has been dealt with already."))
        if lead.request_id:
            raise Refused(_("This lead came with a request: qualify the request in the inbox and the deal appears."))
        account = lead.account or create_account(actor, name=lead.company or lead.name)
        contact = contact_for_person(account, name=lead.name, email=lead.email, phone=lead.phone)
        title = str(lead.product) if lead.product else _("New deal")
        deal = create_deal(actor, title=title, account=account, contact=contact, product=lead.product)
        lead.account, lead.contact, lead.state = account, contact, Lead.State.CONVERTED
        lead.save()
        record(actor, "lead.converted", SubjectRef("crm.lead", lead.pk), after={"deal": deal.pk})
        ping(f"crm.lead:{lead.pk}")
    return deal


def disqualify_lead(actor: Actor, lead_id: int, reason: str) -> None:
    """Put a lead aside, with the reason."""
    allow(actor, CrmPermission.EDIT)
    if not reason.strip():
        raise Refused(_("Say why, so that nobody calls them again for nothing."), "reason")
    with transaction.atomic():
        lead = locked(visible_leads(actor), lead_id)
        if lead.state != Lead.State.NEW:
            raise Conflict(_("This lead has been dealt with already."))
        lead.state, lead.reason = Lead.State.DISQUALIFIED, reason.strip()[:300]
        lead.save()
        record(actor, "lead.disqualified", SubjectRef("crm.lead", lead.pk), reason=lead.reason)
        ping(f"crm.lead:{lead.pk}")


def settle_leads_of(request_id: int, *, converted: bool, reason: str = "") -> None:
    """A request's process decided: its lead follows."""
    state = Lead.State.CONVERTED if converted else Lead.State.DISQUALIFIED
    leads = list(Lead.objects.filter(request_id=request_id, state=Lead.State.NEW).order_by("pk").values_list("pk", flat=True))
    Lead.objects.filter(pk__in=leads, state=Lead.State.NEW).update(state=state, reason=reason[:300])
    records_changed(*(SubjectRef("crm.lead", pk) for pk in leads))
