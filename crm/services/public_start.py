"""A visitor's request begins with a letter: it starts its process when the link in it is opened and confirmed, and not before.

The link is signed, good once and for some days; a scanner that opens it changes nothing, for a button confirms. Only the newest
letter's link is good. What was never confirmed is deleted.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from crm.models import PublicStart
from crm.services.requests import PublicRequest, checked_public_request, submit_confirmed_request
from portal.errors import Conflict, Refused
from portal.mail import absolute, send_mail_later

SALT, AGAIN = "crm.public_start", "crm.public_start.again"
HOURS = 72  # how long a link is good
MOST_LETTERS = 5  # about one request
HOURLY = 5  # letters to one address: nobody fills another's mailbox through us
PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StartView:
    """What a link leads to. `state`: open, expired, replaced (a newer letter was sent) or used; `again` is what asks for a new letter."""

    state: str
    email: str
    name: str
    product: str
    message: str
    again: str


@dataclass(frozen=True, slots=True)
class ConfirmedStart:
    """What came of a confirmed link: the request, and the invitation's token where the visitor has yet to make an account."""

    request_id: int | None
    join_token: str


def begin_public_start(data: PublicRequest) -> str:
    """Keep what a visitor wants and mail the link that starts it; gives what asks for the letter again. Sent twice it is kept once.

    Raises Refused with the field for mistakes, and for too many letters to one address.
    """
    data = checked_public_request(data)
    known = PublicStart.objects.filter(key=data.key).first() if data.key else None
    if known is not None:
        return again_of(known)
    since = timezone.now() - timedelta(hours=1)
    if PublicStart.objects.filter(email=data.email, sent_at__gt=since).count() >= HOURLY:
        raise Refused(_("We have sent several letters to this address already. Look into your mailbox, or try again in an hour."), "email")
    try:
        with transaction.atomic():
            row = PublicStart.objects.create(
                name=data.name,
                email=data.email,
                company=data.company,
                phone=data.phone,
                message=data.message,
                product_id=data.product_id,
                answers=data.answers,
                source=data.source,
                language=get_language() or "",
                key=data.key or None,
                nonce=secrets.token_hex(16),
            )
            _mail(row)
    except IntegrityError:  # the same form a second time, at the same time
        row = PublicStart.objects.get(key=data.key)
    return again_of(row)


def read_public_start(token: str) -> StartView:
    """What a link leads to; raises Refused for one that isn't ours, or whose request was deleted meanwhile."""
    row, nonce = _by_token(token)
    return StartView(_state(row, nonce), row.email, row.name, row.product.name if row.product else "", row.message, again_of(row))


def confirm_public_start(token: str) -> ConfirmedStart:
    """The visitor confirms their address: now the request is made and its process starts. Raises Conflict for a link that was used, is too
    old or was replaced by a newer letter."""
    with transaction.atomic():
        row, nonce = _by_token(token, lock=True)
        state = _state(row, nonce)
        if state != "open":
            raise Conflict(words_of(state))
        lead, join_token = submit_confirmed_request(
            PublicRequest(
                name=row.name,
                email=row.email,
                company=row.company,
                message=row.message,
                product_id=_still_offered(row),
                phone=row.phone,
                consent=True,
                source=row.source,
                key=f"public-start:{row.pk}",
                consent_at=row.created_at,
                answers=row.answers,
            )
        )
        row.confirmed_at, row.request_id = timezone.now(), lead.request_id
        row.save(update_fields=["confirmed_at", "request"])
    return ConfirmedStart(lead.request_id, join_token)


def send_start_again(again: str) -> None:
    """Mail the link anew; the older one stops working. Raises Refused for what isn't ours, Conflict where it was confirmed already, or
    where enough letters went out."""
    try:
        pk = signing.loads(again, salt=AGAIN)
    except signing.BadSignature:
        raise Refused(words_of("unknown")) from None
    with transaction.atomic():
        row = PublicStart.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            raise Refused(words_of("unknown"))
        if row.confirmed_at:
            raise Conflict(words_of("used"))
        if row.letters >= MOST_LETTERS:
            raise Conflict(_("We have sent this letter several times. Look into the spam folder, or call us."))
        if row.sent_at > timezone.now() - PAUSE:
            raise Conflict(_("The letter is on its way. Wait a minute before you ask for another."))
        row.nonce, row.sent_at = secrets.token_hex(16), timezone.now()
        row.save(update_fields=["nonce", "sent_at"])
        _mail(row)


def forget_unconfirmed(days: int | None = None) -> int:
    """Delete what nobody has confirmed for so many days, and what was confirmed as long ago (the request keeps it); gives how many."""
    before = timezone.now() - timedelta(days=days if days is not None else settings.PUBLIC_START_DAYS)
    deleted, _each = PublicStart.objects.filter(created_at__lt=before).delete()
    return deleted


def words_of(state: str) -> str:
    """Why a link can't be used, in words."""
    return {
        "used": _("This was confirmed already. Nothing happens twice."),
        "expired": _("This link is too old. We send you a new one; what you wrote is kept."),
        "replaced": _("We have sent you a newer letter: use the link in that one."),
    }.get(state, _("This link leads nowhere any more. Send us your request anew."))


def again_of(row: PublicStart) -> str:
    """What asks for the letter again: it names the request and gives nothing away."""
    return signing.dumps(row.pk, salt=AGAIN)


def _still_offered(row: PublicStart) -> int | None:
    """A product that was taken out of the catalogue meanwhile stays in the words; the request is made all the same."""
    return row.product_id if row.product and row.product.is_public and row.product.is_active else None


def _state(row: PublicStart, nonce: str) -> str:
    if row.confirmed_at:
        return "used"
    if row.nonce != nonce:
        return "replaced"
    return "open" if row.sent_at > timezone.now() - timedelta(hours=HOURS) else "expired"


def _by_token(token: str, *, lock: bool = False) -> tuple[PublicStart, str]:
    try:
        pk, nonce = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(words_of("unknown")) from None
    rows = PublicStart.objects.select_for_update(of=("self",)) if lock else PublicStart.objects.all()
    row = rows.select_related("product").filter(pk=pk).first()
    if row is None:
        raise Refused(words_of("unknown"))
    return row, nonce


def _mail(row: PublicStart) -> None:
    row.letters += 1
    row.save(update_fields=["letters"])
    token = signing.dumps([row.pk, row.nonce], salt=SALT)
    language = row.language or settings.LANGUAGE_CODE
    with override(language):
        until = date_format(timezone.localtime(row.sent_at + timedelta(hours=HOURS)), "SHORT_DATETIME_FORMAT")
    send_mail_later(
        row.email,
        gettext_lazy("Confirm your request"),
        "crm/mail/confirm_start",
        {
            "name": row.name,
            "product": row.product.name if row.product else "",
            "words": row.message,
            "url": absolute(reverse("public_start:confirm", args=[token])),
            "until": until,
        },
        idempotency_key=f"public-start:{row.pk}:{row.nonce}",
        language=language,
        is_secret=True,
    )
