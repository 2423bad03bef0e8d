"""Who reads which rows of the customer base: the permissions, and `visible_<things>(actor)`, the only way to rows."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import QuerySet

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
    ImportRun,
    Lead,
    Product,
    PublicStart,
    Quote,
    QuoteApproval,
    Request,
)
from portal.access import Actor, Audience


class CrmPermission(StrEnum):
    """What this package guards."""

    VIEW = "crm.view"
    EDIT = "crm.edit"
    ASSIGN = "crm.assign"
    EXPORT = "crm.export"
    MANAGE_PRODUCTS = "crm.manage_products"
    IMPORT = "crm.import"
    ASK_DOCUMENTS = "crm.ask_documents"  # ask customers for documents, and check them
    SET_APPROVAL_RULE = "crm.set_approval_rule"  # a customer's administrator: which quotes need their own approver


# An outsider never sees a draft.
SHOWN_QUOTES = [Quote.State.SENT, Quote.State.ACCEPTED, Quote.State.CHANGED, Quote.State.DECLINED, Quote.State.EXPIRED]
# A partner sees a deal from the invitation on, and no longer once it declined.
JOINT_STATES = [Deal.PartnerState.INVITED, Deal.PartnerState.ACCEPTED]


def visible_accounts(actor: Actor) -> QuerySet[Account]:
    """The base of accounts is for employees alone."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Account.objects.all()
        case _:
            return Account.objects.none()


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    """The base of contacts is for employees alone."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Contact.objects.all()
        case _:
            return Contact.objects.none()


def visible_leads(actor: Actor) -> QuerySet[Lead]:
    """Leads are for employees alone."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Lead.objects.all()
        case _:
            return Lead.objects.none()


def visible_products(actor: Actor) -> QuerySet[Product]:
    """Employees see all products, everybody else what stands in the public catalogue."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Product.objects.all()
        case Audience.INTERNAL | Audience.CUSTOMER | Audience.PARTNER | Audience.PUBLIC:
            return Product.objects.filter(is_public=True, is_active=True)
        case _:
            return Product.objects.none()


def visible_requests(actor: Actor) -> QuerySet[Request]:
    """Employees see all requests, a customer's people those of their own organisation."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Request.objects.all()
        case Audience.CUSTOMER if actor.organisation_id:
            return Request.objects.filter(customer_organisation_id=actor.organisation_id)
        case _:
            return Request.objects.none()


def visible_cases(actor: Actor) -> QuerySet[Case]:
    """Employees see all cases, a customer's people those of their own organisation."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Case.objects.all()
        case Audience.CUSTOMER if actor.organisation_id:
            return Case.objects.filter(customer_organisation_id=actor.organisation_id)
        case _:
            return Case.objects.none()


def visible_document_requests(actor: Actor) -> QuerySet[DocumentRequest]:
    """Employees see all, a customer's people what their own organisation is asked for."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return DocumentRequest.objects.all()
        case Audience.CUSTOMER if actor.organisation_id:
            return DocumentRequest.objects.filter(customer_organisation_id=actor.organisation_id)
        case _:
            return DocumentRequest.objects.none()


def visible_document_lines(actor: Actor) -> QuerySet[DocumentLine]:
    """The lines of what one sees."""
    return DocumentLine.objects.filter(request__in=visible_document_requests(actor))


def visible_deals(actor: Actor) -> QuerySet[Deal]:
    """Employees see all deals, a partner's people the joint ones that their organisation was invited to."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Deal.objects.all()
        case Audience.PARTNER if actor.organisation_id:
            return Deal.objects.filter(partner_organisation_id=actor.organisation_id, partner_state__in=JOINT_STATES)
        case _:
            return Deal.objects.none()


def visible_quotes(actor: Actor) -> QuerySet[Quote]:
    """Employees see all quotes, a customer's people those that were sent to their organisation."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Quote.objects.all()
        case Audience.CUSTOMER if actor.organisation_id:
            return Quote.objects.filter(customer_organisation_id=actor.organisation_id, state__in=SHOWN_QUOTES)
        case _:
            return Quote.objects.none()


def visible_approval_rules(actor: Actor) -> QuerySet[ApprovalRule]:
    """An organisation's own rule is for its own people alone: what they may spend unasked isn't our business."""
    match actor.audience:
        case Audience.CUSTOMER if actor.organisation_id:
            return ApprovalRule.objects.filter(organisation_id=actor.organisation_id)
        case _:
            return ApprovalRule.objects.none()


def visible_quote_approvals(actor: Actor) -> QuerySet[QuoteApproval]:
    """The organisation's own people see who asked and what was answered; employees see that it waits, through `approval_state`."""
    match actor.audience:
        case Audience.CUSTOMER if actor.organisation_id:
            return QuoteApproval.objects.filter(customer_organisation_id=actor.organisation_id)
        case _:
            return QuoteApproval.objects.none()


def visible_public_starts(actor: Actor) -> QuerySet[PublicStart]:
    """What a visitor hasn't confirmed is nobody's to read: it is a lead only when the address has been shown to be theirs."""
    return PublicStart.objects.all() if actor.is_system else PublicStart.objects.none()


def visible_activities(actor: Actor) -> QuerySet[Activity]:
    """Employees see all; outsiders those of records they see that were kept for their own audience."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Activity.objects.all()
        case Audience.CUSTOMER:
            return Activity.objects.filter(audience=str(Audience.CUSTOMER), request__in=visible_requests(actor))
        case Audience.PARTNER:
            return Activity.objects.filter(audience=str(Audience.PARTNER), deal__in=visible_deals(actor))
        case _:
            return Activity.objects.none()


def visible_imports(actor: Actor) -> QuerySet[ImportRun]:
    """Those who import see all imports: they are the team's work."""
    return ImportRun.objects.all() if actor.can(CrmPermission.IMPORT) else ImportRun.objects.none()


def visible_appointments(actor: Actor) -> QuerySet[Appointment]:
    """Employees see all appointments, a customer's people those of their own organisation, partners none."""
    match actor.audience:
        case Audience.INTERNAL if actor.can(CrmPermission.VIEW):
            return Appointment.objects.all()
        case Audience.CUSTOMER if actor.organisation_id:
            return Appointment.objects.filter(customer_organisation_id=actor.organisation_id)
        case _:
            return Appointment.objects.none()
