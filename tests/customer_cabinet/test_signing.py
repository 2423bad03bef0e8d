"""Accepting a quote by signature: the evidence, the seal, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from datetime import timedelta

import pytest
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from crm.models import Quote, QuoteSignature
from crm.services.signing import seal_signature
from portal.audit import entries_for
from portal.files import open_file
from portal.models import StoredFile
from portal.registry import SubjectRef
from portal.seal import seal_pdf
from tests.crm.conftest import ask, do, shop  # noqa: F401
from tests.customer_cabinet.test_pages import window
from workflows.models import OutboxCall
from workflows.selectors import open_tasks_for
from workflows.services.outbox import send_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def quote(shop):  # noqa: F811
    """A quote that waits for Acme's answer."""
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="0")
    do(shop.erin, request, "prepare_quote", "send", quote_note="")
    return Quote.objects.get()


def offer_on(client, quote) -> str:
    """The offer that the page of a quote carries."""
    page = client.get(reverse("customer_cabinet:quote", args=[quote.pk])).content.decode()
    return re.search(r'name="offer" value="([^"]+)"', page)[1]


def send(client, quote, offer: str, name: str = "Cara Customer", drawing: str = ""):
    """Send the form."""
    address = reverse("customer_cabinet:quote-sign", args=[quote.pk])
    return client.post(address, {"offer": offer, "signed_name": name, "signature": drawing}, headers={"User-Agent": "Firefox on Linux"})


def drawing() -> str:
    """A picture as the pad sends it."""
    data = io.BytesIO()
    Image.new("RGBA", (300, 90), "#123").save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def seal_of(pdf: bytes):
    """What a reader of PDF documents finds out about the seal, trusting its certificate."""
    embedded = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    return validate_pdf_signature(embedded, ValidationContext(trust_roots=[embedded.signer_cert], allow_fetching=False))


def test_signed_once_with_evidence_and_seal(shop, quote):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    offer = offer_on(cara, quote)
    assert send(cara, quote, offer, "Cara  Customer ", drawing()).status_code == 302
    quote.refresh_from_db()
    kept = QuoteSignature.objects.get()
    assert (quote.state, quote.decided_by_name) == ("accepted", "Cara Customer")
    assert (kept.signed_name, kept.signer_email, kept.address, kept.is_drawn) == ("Cara Customer", "cara@acme.example", "127.0.0.1", True)
    document = open_file(shop.cara, quote.file_id).content.read()
    assert kept.document_sha256 == hashlib.sha256(document).hexdigest()
    page = reverse("customer_cabinet:quote", args=[quote.pk])
    assert kept.sealed_file is None and "Your sealed copy is being made" in cara.get(page).content.decode()
    assert "being made" in window(shop, "erin@northwind.example").get(reverse("crm:quote", args=[quote.pk])).content.decode()
    while send_batch():
        pass
    kept.refresh_from_db()
    for reader in (shop.cara, shop.erin):
        sealed = open_file(reader, kept.sealed_file_id).content.read()
    pages = PdfFileReader(io.BytesIO(sealed)).root["/Pages"]["/Count"]
    assert pages == PdfFileReader(io.BytesIO(document)).root["/Pages"]["/Count"] + 1
    assert seal_of(sealed).bottom_line
    assert open_file(shop.bea, kept.sealed_file_id) is None
    assert "quote.signed" in [entry.verb for entry in entries_for(SubjectRef("crm.quote", quote.pk))]
    shown = cara.get(reverse("customer_cabinet:quote", args=[quote.pk])).content.decode()
    assert kept.document_sha256 in shown and "Sign and accept" not in shown
    # Sent again, whoever kept it: nothing happens twice.
    again = send(cara, quote, offer)
    assert again.status_code == 409 and "signed already by Cara Customer" in again.content.decode()
    assert QuoteSignature.objects.count() == 1


def test_the_sealed_document_comes_once_also_after_a_crash(shop, quote, monkeypatch):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    assert send(cara, quote, offer_on(cara, quote)).status_code == 302
    kept = QuoteSignature.objects.get()

    def sealed() -> int:
        return StoredFile.objects.filter(kind="signed").count()

    with monkeypatch.context() as crash:  # the file was written, then the machine stopped
        crash.setattr("crm.services.signing.ping", lambda *_topics: 1 / 0)
        while send_batch():
            pass
    kept.refresh_from_db()
    call = OutboxCall.objects.get(kind="crm.seal")
    assert (kept.sealed_file, sealed(), call.status) == (None, 0, "waiting") and Quote.objects.get().state == "accepted"
    OutboxCall.objects.filter(pk=call.pk).update(next_try=timezone.now())
    while send_batch():
        pass
    kept.refresh_from_db()
    assert kept.sealed_file and sealed() == 1 and not seal_signature(kept.pk)
    assert sealed() == 1 and OutboxCall.objects.get(kind="crm.seal").status == "sent"


def test_nothing_is_sealed_but_what_was_signed(shop, quote):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    send(cara, quote, offer_on(cara, quote))
    QuoteSignature.objects.update(document_sha256="0" * 64)
    while send_batch():
        pass
    assert OutboxCall.objects.get(kind="crm.seal").status == "failed" and not StoredFile.objects.filter(kind="signed").exists()


def test_a_seal_shows_a_later_change(shop, quote):  # noqa: F811
    sealed = seal_pdf(open_file(shop.cara, quote.file_id).content.read(), reason="A test")
    assert seal_of(sealed).bottom_line
    place = sealed.index(b"/MediaBox") + 12
    changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    assert not seal_of(changed).bottom_line


def test_stale_and_foreign_offers_are_refused(shop, quote, monkeypatch):  # noqa: F811
    cara, colin = window(shop, "cara@acme.example"), window(shop, "colin@acme.example")
    offer = offer_on(cara, quote)
    assert send(colin, quote, offer).status_code == 409  # made for Cara
    assert send(cara, quote, offer + "x").status_code == 409
    assert send(cara, quote, "").status_code == 409
    assert send(window(shop, "bea@birch.example"), quote, offer).status_code == 404
    assert send(window(shop, "erin@northwind.example"), quote, offer).status_code == 404
    later = signing.time.time() + timedelta(hours=25).total_seconds()
    with monkeypatch.context() as clock:
        clock.setattr(signing.time, "time", lambda: later)
        answer = send(cara, quote, offer, "Kept Name")
    assert answer.status_code == 409 and "too old to be signed" in answer.content.decode() and "Kept Name" in answer.content.decode()
    quote.refresh_from_db()
    assert quote.state == "sent" and not QuoteSignature.objects.exists()


def test_the_next_version_ends_the_offer_of_the_last(shop, quote):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    offer = offer_on(cara, quote)
    do(shop.cara, quote.request, "decide_quote", "change", reason="With a year of service.")
    do(shop.erin, quote.request, "prepare_quote", "send", price="6500", quote_note="With a year of service.")
    second = Quote.objects.get(version=2)
    assert send(cara, quote, offer).status_code == 409
    assert send(cara, second, offer).status_code == 409
    page = cara.get(reverse("customer_cabinet:quote", args=[second.pk])).content.decode()
    assert f"What changed against {quote.number}" in page and "$6,000" in page and "$6,500" in page and "With a year of service." in page
    assert send(cara, second, offer_on(cara, second)).status_code == 302
    assert not QuoteSignature.objects.filter(quote=quote).exists()


def test_what_is_no_signature(shop, quote):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    offer = offer_on(cara, quote)
    for name, picture in ((" ", ""), ("Cara", "data:text/html;base64,AAAA"), ("Cara", "data:image/png;base64,AAAA"), ("Cara", "x" * 500)):
        assert send(cara, quote, offer, name, picture).status_code == 400
    # The step's own form doesn't accept in passing.
    task = reverse("customer_cabinet:step", args=[open_task(shop, quote)])
    answer = cara.post(task, {"action": "accept"})
    assert answer.status_code == 302 and answer["Location"].endswith("#sign")
    quote.refresh_from_db()
    assert quote.state == "sent"


def open_task(shop, quote) -> int:  # noqa: F811
    """The step that waits for the answer."""
    return open_tasks_for(shop.cara, SubjectRef("crm.quote", quote.pk))[0].id
