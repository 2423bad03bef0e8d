"""Accepting a quote by signature: the step of the process is done and the evidence kept; the sealed document follows by the outbox."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from crm.access import visible_quotes
from crm.models import Quote, QuoteApproval, QuoteSignature
from crm.services.buying import accepting_step, needs_approval
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.files import files_of_ids, open_file, store_file
from portal.live import ping
from portal.registry import SubjectRef
from portal.seal import pages_of, seal_pdf
from workflows.services import complete_task, enqueue_call
from workflows.services.outbox import SendFailed, sender

TEMPLATE = Path(__file__).resolve().parent.parent / "typst" / "signed.typ"
SALT, SEAL = "crm.quote.sign", "crm.seal"
HOURS = 24
LARGEST_DRAWING = 400_000
LARGEST_SIDE = 4000


@dataclass(frozen=True, slots=True)
class GivenSignature:
    """What a person has signed with: the offer that their page showed, their name, and a drawing (a PNG data address) or none."""

    offer: str
    name: str
    drawing: str = ""
    address: str | None = None
    browser: str = ""


def offer_for(actor: Actor, quote_id: int) -> str:
    """What the page of an open quote carries: this document, for this person, for a day; it can be signed once."""
    quote = _open_quote(actor, quote_id)
    shown = files_of_ids(actor, [quote.file_id] if quote.file_id else [])
    digest = shown[0].sha256 if shown else ""
    return signing.dumps([quote.pk, digest, actor.user_id, actor.organisation_id, secrets.token_hex(8)], salt=SALT)


def sign_quote(actor: Actor, quote_id: int, given: GivenSignature) -> QuoteSignature:
    """Accept a quote: its step is done, the signature kept, and the sealed document ordered; all of it or nothing.

    Raises Refused for a missing name or a drawing that is none, Conflict for an offer that is too old, was used already, or shows
    another document than the quote now has, and whatever the step itself refuses with.
    """
    name = " ".join(given.name.split())[:150]
    if len(name) < 2:
        raise Refused(_("Type your full name: it is your signature."), "signed_name")
    drawing = _drawing(given.drawing)
    quote = _open_quote(actor, quote_id)
    stored = open_file(actor, quote.file_id) if quote.file_id else None
    if stored is None:
        raise Conflict(_("The document of this quote isn't there any more. Ask us for a new version."))
    with stored.content.open() as file:
        document = file.read()
    digest = hashlib.sha256(document).hexdigest()
    _check_offer(actor, quote, given.offer, digest)
    if needs_approval(quote):
        raise Conflict(_("Your organisation wants this quote approved first. Nothing was accepted: ask your approver."))
    with transaction.atomic():
        _do_step(actor, quote)
        quote.refresh_from_db(fields=["state"])
        if quote.state != Quote.State.ACCEPTED:  # the rule was switched on in this very moment
            raise Conflict(_("Your organisation wants this quote approved first. Nothing was accepted: ask your approver."))
        signature = QuoteSignature(
            quote=quote,
            signer_id=actor.user_id,
            signer_name=actor.name,
            signer_email=actor.email,
            organisation_name=actor.organisation_name,
            signed_name=name,
            is_drawn=bool(drawing),
            signed_at=timezone.now(),
            address=given.address,
            browser=given.browser[:300],
            document_sha256=digest,
            offer=_mark(given.offer),
            drawing=drawing,
            language=(translation.get_language() or "")[:10],
            time_zone=timezone.get_current_timezone_name()[:64],
        )
        signature.save()
        enqueue_call(SEAL, {"signature": signature.pk}, idempotency_key=f"{SEAL}:{signature.pk}", instance_id=quote.deal.instance_id)
        after = {"document": digest, "name": name, "address": given.address}
        record(actor, "quote.signed", SubjectRef("crm.quote", quote.pk), after=after)
    return signature


def seal_signature(signature_id: int) -> bool:
    """Make the sealed document of a signature and share it with both sides, once; gives whether it was made now.

    What takes long is done before the row is locked, so that two at once make one document. Raises SendFailed where the signed
    document isn't there as it was.
    """
    signature = QuoteSignature.objects.select_related("quote").filter(pk=signature_id, sealed_file=None).first()
    if signature is None:
        return False
    quote, by = signature.quote, Actor.system(signature.signer_name)
    stored = open_file(by, quote.file_id) if quote.file_id else None
    if stored is None or stored.sha256 != signature.document_sha256:
        raise SendFailed(_("The document that was signed isn't there as it was signed."), for_good=True)
    with stored.content.open() as file:
        document = file.read()
    with translation.override(signature.language or settings.LANGUAGE_CODE), timezone.override(signature.time_zone or settings.TIME_ZONE):
        reason = _("Accepted by %(name)s") % {"name": signature.signed_name}
        sealed = seal_pdf(signed_document(signature, document, bytes(signature.drawing)), reason=reason)
        name = _("Quote %(number)s, signed.pdf") % {"number": quote.number}
    with transaction.atomic():
        row = QuoteSignature.objects.select_for_update().filter(pk=signature_id, sealed_file=None).first()
        if row is None:
            return False
        home = SubjectRef(stored.subject_kind, int(stored.subject_id))
        kept = store_file(by, home, sealed, {Audience.INTERNAL, Audience.CUSTOMER}, name=name, kind="signed")
        row.sealed_file_id = kept.id
        row.save(update_fields=["sealed_file"])
        ref = SubjectRef("crm.quote", quote.pk)
        record(by, "quote.sealed", ref, after={"file": str(kept.id), "sha256": kept.sha256})
        ping(str(ref))
    return True


@sender(SEAL)
def _send_seal(call: Any) -> None:
    seal_signature(call.payload["signature"])


def signed_document(signature: QuoteSignature, document: bytes, drawing: bytes) -> bytes:
    """The quote's own pages, then one with the signature and the evidence; not sealed yet."""
    at = timezone.localtime(signature.signed_at)
    facts = [
        (_("Document"), signature.quote.number),
        (_("Accepted by"), f"{signature.signer_name} <{signature.signer_email}>"),
        (_("For"), signature.organisation_name),
        *_approved(signature.quote),
        (_("When"), f"{formats.date_format(at, 'DATE_FORMAT')} {at:%H:%M:%S %Z} · {signature.signed_at:%Y-%m-%dT%H:%M:%SZ}"),
        (_("From"), signature.address or "—"),
        (_("With"), signature.browser or "—"),
        (_("How"), _("drawn by hand and typed") if drawing else _("typed")),
        (_("SHA-256 of the document"), signature.document_sha256),
    ]
    data = {
        "language": (translation.get_language() or "en")[:2],
        "pages": pages_of(document),
        "drawn": bool(drawing),
        "name": signature.signed_name,
        "title": _("Signature and evidence"),
        "facts": facts,
        "words": _(
            "The pages before this one are the document as it was accepted; it is attached unchanged. "
            "This file is sealed: a reader of PDF documents shows any later change."
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        (room / "document.pdf").write_bytes(document)
        (room / "drawing.png").write_bytes(drawing)
        (room / "signed.typ").write_bytes(TEMPLATE.read_bytes())
        return typst.compile(room / "signed.typ", root=room, sys_inputs={"data": json.dumps(data)}, ignore_system_fonts=True)


def _approved(quote: Quote) -> list[tuple[str, str]]:
    """Who approved it on the customer's side, where their rule asked for it."""
    rows = quote.approvals.filter(state=QuoteApproval.State.APPROVED)
    return [
        (_("Approved by"), f"{row.decided_by_name}, {formats.date_format(timezone.localtime(row.decided_at), 'SHORT_DATETIME_FORMAT')}")
        for row in rows
    ]


def _open_quote(actor: Actor, quote_id: int) -> Quote:
    if not actor.is_customer:
        raise NotAllowed(_("The customer decides on a quote."))
    quote = visible_quotes(actor).select_related("deal").filter(pk=quote_id).first()
    if quote is None:
        raise Refused(_("This record isn't there any more."))
    if hasattr(quote, "signature"):
        raise Conflict(_("This quote was signed already by %(name)s.") % {"name": quote.signature.signed_name})
    if quote.state != Quote.State.SENT:
        raise Conflict(_("This quote can't be answered any more: %(state)s.") % {"state": quote.get_state_display()})
    return quote


def _mark(offer: str) -> str:
    return hashlib.sha256(offer.encode()).hexdigest()


def _check_offer(actor: Actor, quote: Quote, offer: str, digest: str) -> None:
    """The form must be one of ours, made for this person and this very document, and not older than a day."""
    try:
        facts = signing.loads(offer, salt=SALT, max_age=HOURS * 3600)
    except signing.BadSignature:
        raise Conflict(_("This page is too old to be signed. Nothing was accepted: read the quote again, then sign.")) from None
    if facts[:4] != [quote.pk, digest, actor.user_id, actor.organisation_id]:
        raise Conflict(_("The document has changed since you opened this page. Nothing was accepted: read the quote again, then sign."))
    if QuoteSignature.objects.filter(offer=_mark(offer)).exists():
        raise Conflict(_("This signature was sent already."))


def _do_step(actor: Actor, quote: Quote) -> None:
    """Do the step that waits for the answer; a process that has gone on refuses it."""
    task = accepting_step(actor, quote.pk)
    if task is None:
        raise Conflict(_("This quote doesn't wait for an answer any more."))
    complete_task(actor, task.id, {}, action="accept")


def _drawing(address: str) -> bytes:
    """The bytes of a drawing, made anew from its pixels; empty where there is none. Raises Refused for anything but a picture."""
    if not address:
        return b""
    wrong = Refused(_("Your drawing couldn't be read. Clear it and draw again, or sign with your typed name alone."), "signature")
    head, _comma, body = address.partition(",")
    if head != "data:image/png;base64" or len(body) > LARGEST_DRAWING:
        raise wrong
    try:
        with Image.open(io.BytesIO(base64.b64decode(body, validate=True)), formats=["PNG"]) as picture:
            if max(picture.size) > LARGEST_SIDE:
                raise wrong
            clean = io.BytesIO()
            picture.convert("RGBA").save(clean, "PNG")
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError):
        raise wrong from None
    return clean.getvalue()
