"""The deal's side of its process: what a start carries, and the reminders."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm.access import JOINT_STATES
from crm.models import Deal
from portal.access import Actor, Audience
from portal.live import ping
from portal.mail import absolute, send_mail_later
from portal.registry import SubjectRef
from portal.selectors import PersonView, employees, people_with_role
from workflows.addresses import task_url
from workflows.selectors import TaskRow, open_tasks_for, stand_ins
from workflows.services import ProcessStart

PROCESS = "request_to_delivery"
ENTRY_OF_STAGE = {"negotiation": "proposal", "proposal": "proposal"}


def start_data(
    *,
    request_id: int | None = None,
    title: str,
    customer_name: str = "",
    customer_organisation_id: int | None = None,
    product_id: int | None = None,
    needs_partner: bool = False,
    partner: int | None = None,
    partner_accepted: bool = False,
    deal: dict[str, Any] | None = None,
    entry: str = "qualification",
) -> dict[str, Any]:
    """Every variable that the process may ask for before the step that sets it."""
    return {
        "entry": entry,
        "request_id": request_id,
        "title": title,
        "customer_name": customer_name,
        "customer_organisation_id": customer_organisation_id,
        "product": product_id,
        "needs_partner": needs_partner or partner is not None,
        "partner": partner,
        "partner_answer": {"partner_accepted": True, "partner_organisation_id": partner} if partner_accepted else {},
        "partner_decided": {},
        "deal": deal or {},
        "manager_answer": {},
        "finance_answer": {},
        "answer": {},
        "delivery_note": "",
        "accepted": {},
        "mended": {},
        "reason": "",
    }


def deal_words(deal: Deal) -> dict[str, Any]:
    """What the process keeps of a deal: its id, the figures that decide, and words for forms."""
    price = deal.list_price or deal.amount
    return {
        "deal_id": deal.pk,
        "title": deal.title,
        "family": deal.product.series if deal.product else "",
        "price": price.amount if price else 0,
        "price_text": str(price) if price else "—",
        "discount": deal.discount_percent,
        "owner_user_id": deal.owner.user_id if deal.owner else None,
        "project_template": (deal.product.project_template if deal.product else "") or "standard_delivery",
    }


def deal_start(deal: Deal, *, entry: str | None = None) -> ProcessStart:
    """How the process of a deal starts that is there already (imported, or opened by hand), at the deal's stage. A partner who is only
    planned for it follows it from the invitation on, which is a step of the process; one who declined isn't asked again."""
    partner = deal.partner_organisation_id if deal.partner_state != Deal.PartnerState.DECLINED else None
    return ProcessStart(
        subject=SubjectRef("crm.deal", deal.pk),
        data=start_data(
            title=deal.title,
            customer_name=deal.account.name if deal.account else "",
            customer_organisation_id=deal.customer_organisation_id,
            product_id=deal.product_id,
            needs_partner=bool(deal.product and deal.product.needs_partner),
            partner=partner,
            partner_accepted=deal.partner_state == Deal.PartnerState.ACCEPTED,
            deal=deal_words(deal),
            entry=entry or ENTRY_OF_STAGE.get(deal.stage, "qualification"),
        ),
        idempotency_key=f"crm.deal:{deal.pk}",
        title=f"{deal.account.name}: {deal.title}" if deal.account else deal.title,
        customer_organisation_id=deal.customer_organisation_id,
        partner_organisation_id=partner if deal.partner_state in JOINT_STATES else None,
    )


def remind_approvers(instance_id: int, element_ids: list[str], *, key: str) -> int:
    """Write to everybody whom one of these open steps of an instance waits for; answers how many letters."""
    deal = Deal.objects.select_related("account").filter(instance_id=instance_id).first()
    if deal is None:
        return 0
    system = Actor.system(_("Reminder"))
    tasks = [task for task in open_tasks_for(system, SubjectRef("crm.deal", deal.pk)) if task.element_id in element_ids]
    letters = 0
    for task in tasks:
        url = absolute(task_url(system, task.id) or "/work/inbox/")
        for person in _asked(task):
            send_mail_later(
                person.email,
                _("Reminder: %(task)s") % {"task": task.name},
                "crm/mail/reminder",
                {
                    "name": person.name,
                    "task": task.name,
                    "deal": str(deal),
                    "url": url,
                    "due": task.due,
                },
                idempotency_key=f"crm.remind:{key}:{task.id}:{person.id}",
            )
            letters += 1
    ping(f"crm.deal:{deal.pk}")
    return letters


def _asked(task: TaskRow) -> list[PersonView]:
    """The holder of a task and, while they are away, their substitute; else everybody of its role."""
    people = people_with_role(task.role or "employee", Audience.INTERNAL)
    holders = [person for person in people if person.id == task.assignee_id]
    if task.assignee_id:
        instead = stand_ins([task.assignee_id], task.process_key)
        holders += [person for person in employees() if person.id in instead]
    return holders or people
