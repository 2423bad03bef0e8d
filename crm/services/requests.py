"""A customer's request: from the cabinet, or from a visitor of the public site. Each starts its product's process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import visible_products
from crm.events import RequestClosed, RequestSubmitted
from crm.models import Account, Contact, Lead, Product, Request
from crm.services.accounts import account_for_organisation, contact_for_person
from crm.services.process import PROCESS, start_data
from crm.services.start_form import StartAnswers, again_in
from portal.access import Actor, Audience, PortalPermission
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.events import emit
from portal.files import store_file
from portal.live import ping
from portal.registry import SubjectRef
from portal.services.consents import give_consent
from portal.services.invitations import invite_here, invite_newcomer
from portal.services.memberships import create_organisation
from workflows.services import start_process

MAX_TEXT = 5000


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a customer fills in; `key` makes sending the form twice the same as once."""

    product_id: int
    description: str
    title: str = ""
    key: str = ""
    start: StartAnswers = field(default_factory=StartAnswers)  # of the start form of the product's process


@dataclass(frozen=True, slots=True)
class PublicRequest:
    """What a visitor fills in; `key` makes sending the form twice the same as once."""

    name: str
    email: str
    company: str
    message: str
    product_id: int | None = None
    phone: str = ""
    consent: bool = False
    source: str = "web form"
    key: str = ""
    consent_at: datetime | None = None  # when they agreed, where that was before now
    answers: dict[str, Any] = field(default_factory=dict)  # of the start form of the product's process, as they were typed


def submit_request(actor: Actor, data: NewRequest) -> Request:
    """A customer asks for a product of the catalogue: the request is kept and its process starts, or nothing happens at all."""
    if not (actor.is_customer and actor.organisation_id):
        raise NotAllowed(_("Requests are made from a customer's cabinet."))
    if not actor.can(PortalPermission.DO_STEPS):
        raise NotAllowed(_("Your role doesn't start requests. Ask your administrator for the role of a buyer."))
    if data.key and (found := Request.objects.filter(idempotency_key=data.key).first()):
        return found
    product = _public_product(actor, data.product_id)
    description = data.description.strip()
    if not description:
        raise Refused(_("Tell us in a few words what you need."), "description")
    with transaction.atomic():
        account = account_for_organisation(actor, actor.organisation_id)
        contact = contact_for_person(account, name=actor.name, email=actor.email, user_id=actor.user_id)
        request = Request.objects.create(
            title=data.title.strip()[:200] or product.name,
            description=description[:MAX_TEXT],
            account=account,
            contact=contact,
            product=product,
            customer_organisation_id=actor.organisation_id,
            source=Request.Source.CABINET,
            submitted_by_id=actor.user_id,
            submitted_by_name=actor.name,
            idempotency_key=data.key or None,
            answers=data.start.answers,
        )
        values = dict(data.start.values)
        for name, upload in data.start.files.items():
            values[name] = str(store_file(actor, SubjectRef("crm.request", request.pk), upload, {Audience.CUSTOMER}).id)
        _begin(actor, request, product, account, values)
    return request


def checked_public_request(data: PublicRequest) -> PublicRequest:
    """What a visitor filled in, trimmed. Raises Refused with the field for what is missing, or a product that isn't offered any more."""
    name, email, company, message = data.name.strip(), data.email.strip().lower(), data.company.strip(), data.message.strip()
    if not name:
        raise Refused(_("Tell us your name."), "name")
    if "@" not in email:
        raise Refused(_("Give an e-mail address where we can answer."), "email")
    if not message:
        raise Refused(_("Tell us in a few words what you need."), "message")
    if not data.consent:
        raise Refused(_("We need your consent to keep your data and answer you."), "consent")
    if data.product_id:
        _public_product(Actor.anonymous(), data.product_id)
    return replace(data, name=name[:150], email=email, company=company[:200], phone=data.phone, message=message)


def submit_public_request(data: PublicRequest) -> Lead:
    """A visitor asks: a lead, an account with its organisation, an invitation to the cabinet, and the request with its process.

    A company's name alone never leads into an existing organisation: only the address of a known contact does.
    """
    return submit_confirmed_request(data)[0]


def submit_confirmed_request(data: PublicRequest) -> tuple[Lead, str]:
    """As `submit_public_request`, and gives the token of the invitation that it made; empty where none was needed."""
    data = checked_public_request(data)
    name, email, company, message = data.name, data.email, data.company, data.message
    if data.key and (found := Lead.objects.filter(request__idempotency_key=data.key).first()):
        return found, ""
    visitor = Actor.anonymous()
    product = _public_product(visitor, data.product_id) if data.product_id else None
    system, token = Actor.system(_("Web form")), ""
    start = again_in(visitor, data.product_id, data.answers)
    with transaction.atomic():
        known = Contact.objects.select_related("account").filter(email__iexact=email, account__organisation__isnull=False).first()
        if known is not None and known.account is not None:
            account, contact = known.account, known
            token = invite_newcomer(system, organisation_id=account.organisation_id, email=email, name=contact.name)
        else:
            organisation = create_organisation(system, company or name, is_customer=True)
            account = Account.objects.create(name=company or name, organisation_id=organisation.pk, phone=data.phone)
            record(system, "account.created", SubjectRef("crm.account", account.pk), after={"name": account.name})
            contact = contact_for_person(account, name=name, email=email, phone=data.phone)
            _invited, token = invite_here(
                system,
                organisation_id=organisation.pk,
                audience=Audience.CUSTOMER,
                email=email,
                name=name,
                roles=["customer_admin", "customer_member"],
            )
        request = Request.objects.create(
            title=product.name if product else _("Enquiry from the site"),
            description=message,
            account=account,
            contact=contact,
            product=product,
            customer_organisation_id=account.organisation_id,
            source=Request.Source.PUBLIC_FORM,
            submitted_by_name=name,
            idempotency_key=data.key or None,
            answers=start.answers,
        )
        lead = Lead.objects.create(
            name=name,
            company=company,
            email=email,
            phone=data.phone,
            message=message,
            product=product,
            source=data.source,
            account=account,
            contact=contact,
            request=request,
            consent_at=data.consent_at or timezone.now(),
        )
        give_consent(visitor, "answer", source=_("Form on the site"), email=email)
        record(system, "lead.created", SubjectRef("crm.lead", lead.pk), after={"name": name, "source": data.source})
        _begin(system, request, product, account, start.values)
    return lead, token


def _public_product(actor: Actor, product_id: int) -> Product:
    product = visible_products(actor).filter(pk=product_id, is_public=True, is_active=True).first()
    if product is None:
        raise Refused(_("This isn't in the catalogue any more. Choose another."), "product")
    return product


def _begin(actor: Actor, request: Request, product: Product | None, account: Account, values: Mapping[str, Any]) -> None:
    """Start the request's process and tell everybody."""
    ref = SubjectRef("crm.request", request.pk)
    record(actor, "request.submitted", ref, after={"title": request.title, "product": product.name if product else None})
    emit(RequestSubmitted(request.pk, request.number, request.title, account.name, request.customer_organisation_id, actor))
    request.instance_id = start_process(
        actor if actor.user_id else Actor.system(actor.name),
        product.process_key if product else PROCESS,
        subject=ref,
        data={**values}
        | start_data(
            request_id=request.pk,
            title=request.title,
            customer_name=account.name,
            customer_organisation_id=request.customer_organisation_id,
            product_id=product.pk if product else None,
            needs_partner=bool(product and product.needs_partner),
        ),
        idempotency_key=f"crm.request:{request.pk}",
        title=f"{account.name}: {request.title}",
        customer_organisation_id=request.customer_organisation_id,
    )
    request.save(update_fields=["instance_id", "updated_at"])
    ping(str(ref), f"crm.requests:{request.customer_organisation_id}")


def close_request(actor: Actor, request_id: int, *, done: bool, outcome: str = "") -> None:
    """The request's process has ended; closing twice changes nothing."""
    with transaction.atomic():
        request = Request.objects.select_for_update().filter(pk=request_id, state=Request.State.OPEN).first()
        if request is None:
            return
        request.state = Request.State.DONE if done else Request.State.CLOSED
        request.outcome, request.closed_at = outcome[:200], timezone.now()
        request.save(update_fields=["state", "outcome", "closed_at", "updated_at"])
        ref = SubjectRef("crm.request", request.pk)
        record(actor, "request.closed", ref, after={"state": request.state}, reason=outcome)
        emit(RequestClosed(request.pk, request.title, done, outcome, actor))
        ping(str(ref), f"crm.requests:{request.customer_organisation_id}")
