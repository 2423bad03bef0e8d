"""Consents: given with the words that were shown, taken back at any time, both kept."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.audit import record
from portal.consents import PURPOSES
from portal.errors import Refused
from portal.events import ConsentChanged, emit
from portal.models import Consent
from portal.querysets import visible_consents
from portal.registry import SubjectRef

KIND = "portal.consent"


def give_consent(actor: Actor, purpose: str, *, source: str, email: str = "", text: str = "") -> int:
    """Keep that somebody agrees, in the words of today or in `text` as a form showed it; agreeing twice is once. Gives the row's id.

    A visitor is known by `email` alone. Raises Refused for an unknown purpose and without anybody to keep it for.
    """
    if purpose not in PURPOSES:
        raise Refused(_("There is nothing like this to agree to."), "purpose")
    email = (email or actor.email).strip().lower()
    if not email:
        raise Refused(_("Give an e-mail address."), "email")
    known = PURPOSES[purpose]
    words = text or str(known.text)
    with transaction.atomic():
        same = Consent.objects.filter(email=email, purpose=purpose, withdrawn=None, text=words).first()
        if same is not None:
            return same.pk
        row = Consent.objects.create(
            user_id=actor.user_id, email=email, purpose=purpose, text=words, text_version=known.version, source=source[:120]
        )
        record(actor, "consent.given", SubjectRef(KIND, row.pk), after={"purpose": purpose, "version": known.version, "source": source})
        emit(ConsentChanged(actor, email, purpose, given=True))
    return row.pk


def withdraw_consent(actor: Actor, consent_id: int) -> None:
    """Take back one's own consent; that it was given once stays on record. Doing it twice changes nothing."""
    with transaction.atomic():
        row = visible_consents(actor).select_for_update().filter(pk=consent_id).first()
        if row is None:
            raise Refused(_("This consent isn't there any more."))
        same = visible_consents(actor).filter(email=row.email, purpose=row.purpose, withdrawn=None)
        if not same.update(withdrawn=timezone.now()):
            return
        record(actor, "consent.withdrawn", SubjectRef(KIND, row.pk), after={"purpose": row.purpose})
        emit(ConsentChanged(actor, row.email, row.purpose, given=False))
