"""Writes on accounts and contacts."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.access import CrmPermission, visible_accounts, visible_contacts
from crm.models import Account, Contact
from crm.services.common import allow, change_fields, check_fresh, locked
from portal.access import Actor
from portal.audit import record
from portal.errors import Refused
from portal.events import records_changed
from portal.live import ping
from portal.registry import SubjectRef
from portal.selectors import organisation

ACCOUNT_FIELDS = ["name", "sector", "revenue", "employees", "year_established", "office_location", "website", "phone", "parent", "owner"]
CONTACT_FIELDS = ["name", "email", "phone", "job_title", "account"]


def create_account(actor: Actor, *, name: str, **fields: Any) -> Account:
    """Add a company; raises Refused without a name."""
    allow(actor, CrmPermission.EDIT)
    name = name.strip()
    if not name:
        raise Refused(_("Give the account a name."), "name")
    with transaction.atomic():
        account = Account.objects.create(name=name, **fields)
        record(actor, "account.created", SubjectRef("crm.account", account.pk), after={"name": name})
    return account


def account_for_organisation(actor: Actor, organisation_id: int) -> Account:
    """The account that stands for a portal organisation, made at its first request."""
    found = Account.objects.filter(organisation_id=organisation_id).first()
    if found is not None:
        return found
    its = organisation(organisation_id)
    if its is None:
        raise Refused(_("This organisation isn't there any more."))
    account = Account.objects.create(name=its.name, organisation_id=organisation_id)
    record(actor, "account.created", SubjectRef("crm.account", account.pk), after={"name": its.name})
    return account


def update_account(actor: Actor, account_id: int, values: dict[str, Any], *, seen_at: str | None = None) -> Account:
    """Change an account's fields; raises Conflict where somebody else was faster."""
    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        account = locked(visible_accounts(actor), account_id)
        check_fresh(account, seen_at)
        if "name" in values and not str(values["name"]).strip():
            raise Refused(_("Give the account a name."), "name")
        parent = values.get("parent")
        while parent is not None:
            if parent.pk == account.pk:
                raise Refused(_("An account can't be below itself."), "parent")
            parent = parent.parent
        ref = SubjectRef("crm.account", account.pk)
        if change_fields(actor, account, ref, values, ACCOUNT_FIELDS, "account.changed"):
            ping(str(ref))
    return account


def create_contact(actor: Actor, *, name: str, account_id: int | None = None, **fields: Any) -> Contact:
    """Add a person; raises Refused without a name."""
    allow(actor, CrmPermission.EDIT)
    name = name.strip()
    if not name:
        raise Refused(_("Give the contact a name."), "name")
    with transaction.atomic():
        contact = Contact.objects.create(name=name, account_id=account_id, **fields)
        record(actor, "contact.created", SubjectRef("crm.contact", contact.pk), after={"name": name})
    return contact


def contact_for_person(account: Account, *, name: str, email: str, user_id: int | None = None, phone: str = "") -> Contact:
    """The contact of an account with this address, made when missing."""
    found = Contact.objects.filter(account=account, email__iexact=email).first() if email else None
    if found is None:
        found = Contact.objects.create(account=account, name=name or email, email=email, phone=phone, user_id=user_id)
    elif user_id and found.user_id is None:
        found.user_id = user_id
        found.save(update_fields=["user", "updated_at"])
    else:
        return found
    records_changed(SubjectRef("crm.contact", found.pk))
    return found


def update_contact(actor: Actor, contact_id: int, values: dict[str, Any], *, seen_at: str | None = None) -> Contact:
    """Change a contact's fields; raises Conflict where somebody else was faster."""
    allow(actor, CrmPermission.EDIT)
    with transaction.atomic():
        contact = locked(visible_contacts(actor), contact_id)
        check_fresh(contact, seen_at)
        if "name" in values and not str(values["name"]).strip():
            raise Refused(_("Give the contact a name."), "name")
        ref = SubjectRef("crm.contact", contact.pk)
        if change_fields(actor, contact, ref, values, CONTACT_FIELDS, "contact.changed"):
            ping(str(ref))
    return contact
