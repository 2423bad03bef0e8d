"""The customer base's rows: each text that others must not see holds its owner's mark."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.apps import apps
from django.utils import timezone
from djmoney.money import Money

from crm.models import (
    Account,
    Activity,
    Appointment,
    ApprovalRule,
    Case,
    Contact,
    Deal,
    DocumentLine,
    DocumentRequest,
    Lead,
    Product,
    PublicStart,
    Quote,
    QuoteApproval,
    QuoteLine,
    QuoteSignature,
    Request,
    SalesTeam,
    SalesTeamMember,
    Stage,
    StageChange,
)
from portal import demo
from portal.access import Audience
from portal.files import add_version, store_file
from portal.registry import SubjectRef


def usd(amount: int) -> Money:
    """Dollars."""
    return Money(Decimal(amount), "USD")


def asked_ref(row: DocumentRequest) -> SubjectRef:
    """A list of documents as a subject."""
    return SubjectRef("crm.document_request", row.pk)


def build(world) -> None:
    """Make them: for each customer a request, a deal and a quote; a joint deal for each partner; a lead, views, activities."""
    erin = world.users["erin@northwind.example"]
    team = SalesTeam.objects.create(manager_name="LEAK:internal manager", office="LEAK:internal")
    seller = SalesTeamMember.objects.create(name="LEAK:internal seller", team=team, user=erin)
    public = Product.objects.create(
        name="Workshop planning", category="Software", series="GTX", list_price=usd(4800), is_public=True, description="For everybody."
    )
    hidden = Product.objects.create(name="LEAK:internal product", series="LEAK:internal", list_price=usd(99), description="LEAK:internal")
    PublicStart.objects.create(
        name="LEAK:internal visitor", email="LEAK-internal@x.example", message="LEAK:internal wish", company="LEAK:internal", nonce="x"
    )
    world.rows |= {"product": public, "hidden_product": hidden, "seller": seller}
    for name, owner, person, partner, partner_owner in (
        (demo.ACME, "acme", "cara@acme.example", demo.PINE, "pine"),
        (demo.BIRCH, "birch", "bea@birch.example", demo.QUILL, "quill"),
    ):
        organisation, joint_with = world.organisations[name], world.organisations[partner]
        account = Account.objects.create(
            name=f"LEAK:{owner} account", organisation=organisation, sector="LEAK:internal", office_location="LEAK:internal", owner=seller
        )
        contact = Contact.objects.create(
            account=account, name=f"LEAK:{owner} contact", email=f"LEAK-{owner}@x.example", job_title="LEAK:internal"
        )
        request = Request.objects.create(
            title=f"LEAK:{owner} request",
            description=f"LEAK:{owner} words",
            account=account,
            contact=contact,
            product=public,
            customer_organisation=organisation,
            submitted_by=world.users[person],
            submitted_by_name=f"LEAK:{owner} person",
            answers=[{"id": "word", "label": "A word", "raw": f"LEAK:{owner} answer", "words": f"LEAK:{owner} answer"}],
        )
        deal = Deal.objects.create(
            title=f"LEAK:{partner_owner} deal",
            account=account,
            contact=contact,
            product=public,
            owner=seller,
            request=request,
            customer_organisation=organisation,
            partner_organisation=joint_with,
            partner_state=Deal.PartnerState.ACCEPTED,
            stage=Stage.PROPOSAL,
            amount=usd(4700),
            list_price=usd(4800),
            next_step="LEAK:internal",
            engage_date=timezone.localdate(),
        )
        StageChange.objects.create(deal=deal, to_stage=Stage.PROPOSAL, actor_name="LEAK:internal", reason="LEAK:internal")
        quote = Quote.objects.create(
            deal=deal,
            request=request,
            customer_organisation=organisation,
            version=1,
            state=Quote.State.SENT,
            subtotal=usd(4800),
            total=usd(4700),
            valid_until=timezone.localdate() + timedelta(days=10),
            note=f"LEAK:{owner} note",
            prepared_by_name=f"LEAK:{owner} preparer",
            sent_at=timezone.now(),
        )
        QuoteLine.objects.create(quote=quote, position=1, description=f"LEAK:{owner} line", unit_price=usd(4800), total=usd(4800))
        Quote.objects.create(
            deal=deal,
            request=request,
            customer_organisation=organisation,
            version=2,
            subtotal=usd(4800),
            total=usd(4600),
            valid_until=timezone.localdate(),
            note="LEAK:internal draft",
        )
        ApprovalRule.objects.create(organisation=organisation, is_on=True, above=usd(999_999), changed_by_name=f"LEAK:{owner} ruler")
        QuoteApproval.objects.create(
            quote=quote,
            customer_organisation=organisation,
            state=QuoteApproval.State.REJECTED,
            asked_by_name=f"LEAK:{owner} asker",
            decided_by_name=f"LEAK:{owner} approver",
            decided_at=timezone.now(),
            reason=f"LEAK:{owner} too dear",
        )
        file = store_file(
            world.actor("erin@northwind.example"),
            SubjectRef("crm.request", request.pk),
            f"LEAK:{owner}".encode(),
            {Audience.CUSTOMER},
            name=f"LEAK-{owner}-quote.txt",
        )
        Quote.objects.filter(pk=quote.pk).update(file_id=file.id)
        accepted = Quote.objects.create(
            deal=deal,
            request=request,
            customer_organisation=organisation,
            version=3,
            state=Quote.State.ACCEPTED,
            subtotal=usd(4800),
            total=usd(4500),
            valid_until=timezone.localdate(),
            note=f"LEAK:{owner} accepted",
        )
        QuoteSignature.objects.create(
            quote=accepted,
            signer_name=f"LEAK:{owner} signer",
            signer_email=f"LEAK-{owner}@x.example",
            organisation_name=f"LEAK:{owner}",
            signed_name=f"LEAK:{owner} signature",
            signed_at=timezone.now(),
            browser=f"LEAK:{owner}",
            document_sha256="0" * 64,
            sealed_file_id=file.id,
            offer=owner,
        )
        for audience, mark, target in (
            ("internal", "internal", {"deal": deal}),
            ("customer", owner, {"request": request}),
            ("partner", partner_owner, {"deal": deal}),
        ):
            Activity.objects.create(kind="note", audience=audience, text=f"LEAK:{mark} activity", author_name="LEAK:internal", **target)
        inside = SubjectRef("crm.deal", deal.pk)
        store_file(world.actor("erin@northwind.example"), inside, b"LEAK:internal", set(), name="LEAK-internal.txt")
        Lead.objects.create(
            name="LEAK:internal lead", company="LEAK:internal company", message="LEAK:internal", product=public, account=account
        )
        Case.objects.create(
            title=f"LEAK:{owner} case",
            description=f"LEAK:{owner} trouble",
            account=account,
            contact=contact,
            customer_organisation=organisation,
            submitted_by_name=f"LEAK:{owner} person",
            answered_by_name="LEAK:internal",
            answer_by=timezone.now() + timedelta(hours=4),
            solution=f"LEAK:{owner} solution",
        )
        for state, when in (("offered", None), ("booked", timezone.now() + timedelta(days=2))):
            meeting = Appointment.objects.create(
                subject_kind="crm.request",
                subject_id=request.pk,
                customer_organisation=organisation,
                host=erin,
                host_name="Erin Employee",
                title=f"LEAK:{owner} meeting",
                place=f"LEAK:{owner} place",
                note=f"LEAK:{owner} note",
                state=state,
                starts=when,
                ends=when and when + timedelta(minutes=30),
                booked_by_name=f"LEAK:{owner}",
                reason=f"LEAK:{owner} reason",
                wish=f"LEAK:{owner} wish",
            )
            meeting.slots.create(starts=timezone.now() + timedelta(days=3))
        asked = DocumentRequest.objects.create(
            title=f"LEAK:{owner} papers",
            note=f"LEAK:{owner} note",
            subject_kind="crm.deal" if owner == "birch" else "crm.request",
            subject_id=deal.pk if owner == "birch" else request.pk,
            customer_organisation=organisation,
            due=timezone.now() + timedelta(days=3),
            asked_by=erin,
            asked_by_name=f"LEAK:{owner} asker",
        )
        given = store_file(
            world.actor(person),
            asked_ref(asked),
            f"LEAK:{owner}".encode(),
            {Audience.CUSTOMER},
            name=f"LEAK-{owner}-given.txt",
            kind="asked",
        )
        DocumentLine.objects.create(
            request=asked,
            position=1,
            name=f"LEAK:{owner} paper",
            hint=f"LEAK:{owner} hint",
            state=DocumentLine.State.RETURNED,
            file_id=given.id,
            reason=f"LEAK:{owner} reason",
            given_by_name=f"LEAK:{owner} giver",
            checked_by_name="LEAK:internal",
            given_at=timezone.now(),
        )
        shared = store_file(
            world.actor("erin@northwind.example"),
            SubjectRef("crm.request", request.pk),
            f"LEAK:{owner} 1".encode(),
            {Audience.CUSTOMER},
            name=f"LEAK-{owner}-versions.txt",
        )
        add_version(world.actor(person), shared.id, f"LEAK:{owner} 2".encode(), name=f"LEAK-{owner}-versions.txt")
        joint = store_file(
            world.actor("erin@northwind.example"),
            inside,
            f"LEAK:{partner_owner} 1".encode(),
            {Audience.PARTNER},
            name=f"LEAK-{partner_owner}-joint.txt",
        )
        StoredFile = apps.get_model("portal", "StoredFile")
        first = StoredFile.objects.get(pk=joint.id)  # a version that was kept inside: it isn't the partner's
        store_file(world.actor("erin@northwind.example"), inside, b"LEAK:internal 2", set(), name="LEAK-internal-version.txt", after=first)
        world.rows |= {
            f"{owner}_account": account,
            f"{owner}_request": request,
            f"{owner}_deal": deal,
            f"{owner}_quote": quote,
            f"{owner}_asked": asked,
        }
    Deal.objects.create(
        title="LEAK:internal deal",
        external_key="LEAK:internal",
        owner=seller,
        product=hidden,
        stage=Stage.LOST,
        outcome=Deal.Outcome.LOST,
        lost_reason="LEAK:internal",
        partner_organisation=world.organisations[demo.PINE],
        partner_state=Deal.PartnerState.DECLINED,
    )


def samples(world) -> dict[str, list[dict]]:
    """The lists are words, not rows."""
    deal, account = world.rows["acme_deal"].pk, world.rows["acme_account"].pk
    lists = [{"key": "deals"}, {"key": "accounts"}]
    cards = [{"key": "deals", "pk": deal}, {"key": "accounts", "pk": account}]
    return (
        dict.fromkeys(("crm:list", "crm:create", "crm:export"), lists)
        | dict.fromkeys(("crm:card", "crm:peek", "crm:why", "crm:edit", "crm:note"), cards)
        | {"crm:document-card": [{"ref": str(asked_ref(world.rows["acme_asked"]))}, {"ref": str(asked_ref(world.rows["birch_asked"]))}]}
        | dict.fromkeys(
            ("crm_appointments:panel", "crm_appointments:offer", "customer_cabinet:appointments-panel"),
            [{"ref": f"crm.request:{world.rows[f'{owner}_request'].pk}"} for owner in ("acme", "birch")],
        )
        | {"crm:card-panel": [{"ref": f"crm.deal:{deal}"}, {"ref": f"crm.account:{account}"}]}
    )
