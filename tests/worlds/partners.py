"""The partner programme's rows: both partners under a contract that hides the customer and our people; foreign texts are marked."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from partners.contract import FIELD
from partners.models import DealRegistration, JointDeal, VisibilityRule
from partners.services import ensure_programme, join_programme
from portal import demo
from portal.access import Actor
from workflows.models import HumanTask

# What the world's contract shows; the account, the contact, our seller and the customer's words carry others' marks.
SHOWN = ("title", "product", "stage", "amount", "expected_close")


def build(world) -> None:
    """A programme, and for each partner a joint deal and three registrations."""
    programme = ensure_programme("Standard programme")
    VisibilityRule.objects.filter(programme=programme, kind=FIELD).exclude(key__in=SHOWN).update(is_visible=False)
    now = timezone.now()
    for name, owner, customer, person in (
        (demo.PINE, "pine", "acme", "paul@pine.example"),
        (demo.QUILL, "quill", "birch", "quinn@quill.example"),
    ):
        organisation = world.organisations[name]
        profile = join_programme(Actor.system("world"), organisation.pk, programme, manager_id=world.users["mona@northwind.example"].pk)
        profile.internal_note = "LEAK:internal"
        profile.save(update_fields=["internal_note"])
        deal = world.rows[f"{customer}_deal"]
        JointDeal.objects.create(deal=deal, partner_organisation=organisation, state=JointDeal.State.ACCEPTED, decided=now)
        for number, state in enumerate(
            (DealRegistration.State.SUBMITTED, DealRegistration.State.APPROVED, DealRegistration.State.REJECTED)
        ):
            world.rows[f"{owner}_registration"] = DealRegistration.objects.create(
                number=f"R-{owner}-{number}",
                partner_organisation=organisation,
                submitted_by=world.users[person],
                company=f"LEAK:{owner} company {number}",
                company_key=f"{owner}{number}",
                contact_name=f"LEAK:{owner} contact",
                need=f"LEAK:{owner} need",
                state=state,
                conflict="registered",
                conflict_note="LEAK:internal",
                reason=f"LEAK:{owner} reason",
                decision_due=now + timedelta(hours=48),
                decided=None if state == DealRegistration.State.SUBMITTED else now,
                protected_until=timezone.localdate() + timedelta(days=60) if state == DealRegistration.State.APPROVED else None,
                deal=deal if state == DealRegistration.State.APPROVED else None,
            )


def samples(world) -> dict[str, list[dict]]:
    """A step that waits for a partner."""
    task = HumanTask.objects.filter(audience="partner", status=HumanTask.Status.OPEN, organisation=world.organisations[demo.PINE]).first()
    return {"partners:step": [{"task_id": task.pk}]} if task else {}
