"""The documents page of the cabinet and the lists of what we ask for, as pages on both sides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm import services
from crm.models import DocumentLine, DocumentRequest, Quote
from crm.services import NewDocumentRequest, NewLine
from portal.access import Audience
from portal.files import add_version, store_file
from portal.registry import SubjectRef
from social_feed.services.messages import post_message
from tests.crm.conftest import ask, do, shop  # noqa: F401
from tests.customer_cabinet.test_pages import window
from tests.workflows.test_operator_races import together
from workflows.models import ProcessInstance
from workflows.selectors import open_tasks_for

pytestmark = pytest.mark.django_db
PAGE = "customer_cabinet:documents"
PDF = b"%PDF-1.7\n%%EOF"


def upload(name: str, content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def asked_on(cast, ref: SubjectRef, *names: str) -> DocumentRequest:
    lines = tuple(NewLine(name, kinds="pdf") for name in names or ("Company register", "Last bill"))
    return services.ask_for_documents(cast.erin, NewDocumentRequest(ref, lines, timezone.localdate() + timedelta(days=5), "Papers"))


def test_the_page_gathers_everything_of_the_organisation_alone(shop):  # noqa: F811
    cara, bea = window(shop, "cara@acme.example"), window(shop, "bea@birch.example")
    assert "No documents yet" in cara.get(reverse(PAGE)).content.decode()
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    ref = SubjectRef("crm.request", request.pk)
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="0")
    do(shop.erin, request, "prepare_quote", "send", quote_note="")
    plan = store_file(shop.erin, ref, upload("plan.pdf"), {Audience.CUSTOMER})
    add_version(shop.cara, plan.id, upload("plan.pdf", PDF + b"2"))
    store_file(shop.erin, ref, upload("inside.pdf"), set())
    post_message(shop.cara, ref, Audience.CUSTOMER, "Look at this.", [upload("photo.pdf")])
    other = ask(shop.bea, shop.rows["small"], "Another.")
    store_file(shop.bea, SubjectRef("crm.request", other.pk), upload("bakery.pdf"), {Audience.CUSTOMER})
    made = asked_on(shop, ref)
    services.give_document(shop.colin, made.lines.first().pk, upload("register.pdf"))

    def page(**query) -> str:
        return cara.get(reverse(PAGE), query).content.decode()

    everything = page()
    number = Quote.objects.get().number
    for name in ("plan.pdf", "photo.pdf", "register.pdf", f"Quote {number}.pdf", "1 earlier version", "Papers", "Last bill"):
        assert name in everything, name
    assert "inside.pdf" not in everything and "bakery.pdf" not in everything
    assert "bakery.pdf" in bea.get(reverse(PAGE)).content.decode()
    for query, there, gone in (
        ({"q": "REGISTER"}, "register.pdf", "plan.pdf"),
        ({"kind": "quote"}, f"Quote {number}.pdf", "plan.pdf"),
        ({"kind": "asked"}, "register.pdf", "photo.pdf"),
        ({"kind": "message"}, "photo.pdf", "register.pdf"),
        ({"kind": "file"}, "plan.pdf", "photo.pdf"),
        ({"record": str(ref)}, "photo.pdf", "bakery.pdf"),
        ({"q": "nowhere"}, "Nothing fits", "plan.pdf"),
        ({"record": f"crm.request:{other.pk}"}, "Nothing fits", "bakery.pdf"),
        ({"record": "x", "kind": "x", "page": "x"}, "Nothing fits", "bakery.pdf"),
    ):
        shown = page(**query)
        assert there in shown and gone not in shown, query


def test_the_page_costs_the_same_for_many(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")

    def more(times: int) -> None:
        for number in range(times):
            request = ask(shop.cara, shop.rows["small"], f"No. {number}")
            ref = SubjectRef("crm.request", request.pk)
            plan = store_file(shop.erin, ref, upload(f"plan {number}.pdf"), {Audience.CUSTOMER})
            add_version(shop.cara, plan.id, upload("plan.pdf", PDF + b"2"))
            post_message(shop.cara, ref, Audience.CUSTOMER, "Look.", [upload("photo.pdf")])
            services.give_document(shop.cara, asked_on(shop, ref).lines.first().pk, upload("register.pdf"))

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert cara.get(reverse(PAGE)).status_code == 200
        return len(caught)

    more(1)
    statements()
    few = statements()
    more(5)
    assert statements() == few and few < 45


def test_asking_on_the_page_keeps_what_was_typed(shop):  # noqa: F811
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    ref = SubjectRef("crm.request", request.pk)
    erin, address = window(shop, "erin@northwind.example"), reverse("crm:document-new", args=[str(ref)])
    form = {
        "title": "Papers",
        "due": str(timezone.localdate() + timedelta(days=3)),
        "note": "Please",
        "idempotency_key": "k",
        "lines-TOTAL_FORMS": "3",
        "lines-INITIAL_FORMS": "3",
        "lines-0-name": "Register",
        "lines-0-kinds": "pdf",
        "lines-0-is_required": "on",
        "lines-1-hint": "only a hint",
        "lines-1-kinds": "any",
        "lines-2-kinds": "any",
        "lines-2-is_required": "on",
    }
    assert erin.get(address).status_code == 200
    page = erin.post(address, form | {"add": "1"}).content.decode()
    assert 'name="lines-3-name"' in page and 'value="Register"' in page and "Please" in page
    page = erin.post(address, form | {"remove": "1"}).content.decode()
    assert 'name="lines-2-name"' not in page and 'value="Register"' in page
    refused = erin.post(address, form)
    assert refused.status_code == 400 and "Name this document." in refused.content.decode() and "only a hint" in refused.content.decode()
    late = erin.post(address, form | {"lines-1-name": "Bill", "due": "2020-01-01"})
    assert late.status_code == 400 and "This day is over" in late.content.decode()
    assert erin.post(address, form | {"lines-1-name": "Bill", "due": "never"}).status_code == 400
    assert not DocumentRequest.objects.exists()
    done = erin.post(address, form | {"lines-1-name": "Bill"})
    made = DocumentRequest.objects.get()
    assert done.status_code == 302 and made.lines.count() == 2 and made.instance_id
    assert erin.post(address, form | {"lines-1-name": "Bill"}).status_code == 302 and DocumentRequest.objects.count() == 1
    assert window(shop, "fiona@northwind.example").get(address).status_code in (403, 404)


def test_both_sides_work_on_the_list(shop):  # noqa: F811
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    ref = SubjectRef("crm.request", request.pk)
    made = asked_on(shop, ref)
    cara, erin = window(shop, "cara@acme.example"), window(shop, "erin@northwind.example")
    register, bill = made.lines.all()
    asked = reverse("customer_cabinet:documents-asked", args=[made.pk])
    assert asked in cara.get(reverse("customer_cabinet:home")).content.decode()
    panel = cara.get(reverse("customer_cabinet:documents-panel", args=[str(ref)])).content.decode()
    assert "Company register" in panel and 'accept=".pdf' in panel
    [task] = open_tasks_for(shop.cara, SubjectRef("crm.document_request", made.pk))
    assert cara.get(reverse("customer_cabinet:step", args=[task.id])).headers["Location"] == asked

    give = reverse("customer_cabinet:document-give", args=[register.pk])
    wrong = cara.post(give, {"seen": "0", "file": upload("register.exe")})
    assert wrong.status_code == 400 and "could run" in wrong.content.decode() and "Last bill" in wrong.content.decode()
    assert cara.post(give, {"seen": "0"}).status_code == 400
    assert cara.post(give, {"seen": "0", "file": upload("register.pdf")}).status_code == 302
    late = cara.post(give, {"seen": "0", "file": upload("other.pdf", PDF + b"x")}, headers={"HX-Request": "true"})
    assert late.status_code == 409 and "register.pdf" in late.content.decode()
    assert window(shop, "bea@birch.example").post(give, {"file": upload("a.pdf")}).status_code == 404
    assert window(shop, "bea@birch.example").get(asked).status_code == 404

    decide = reverse("crm:document-decide", args=[register.pk])
    empty = erin.post(decide, {"action": "return", "seen": "1", "reason": ""}, headers={"HX-Request": "true"})
    assert empty.status_code == 400 and "Say what is wrong" in empty.content.decode()
    assert erin.post(decide, {"action": "accept", "seen": "1"}, headers={"HX-Request": "true"}).status_code == 200
    assert erin.post(decide, {"action": "accept", "seen": "1"}).status_code == 409
    assert erin.post(reverse("crm:document-give", args=[bill.pk]), {"seen": "0", "file": upload("bill.pdf")}).status_code == 302
    page = erin.get(reverse("crm:document-request", args=[made.pk])).content.decode()
    assert "1 of 2 required accepted" in page
    assert "To check" in erin.get(reverse("crm:documents-panel", args=[str(ref)])).content.decode()
    refused = erin.post(reverse("crm:document-withdraw", args=[made.pk]), {"reason": " "})
    assert refused.status_code == 400
    assert erin.post(reverse("crm:document-decide", args=[bill.pk]), {"action": "accept", "seen": "1"}).status_code == 302
    assert "All required documents are accepted." in cara.get(asked).content.decode()
    assert erin.post(reverse("crm:document-withdraw", args=[made.pk]), {"reason": "late"}).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_two_at_one_line_and_one_is_told(transactional_db):
    from tests.world import build_people
    from workflows.packs import deploy_shipped

    cast = build_people()
    deploy_shipped()
    ref = SubjectRef("crm.case", services.open_case(cast.cara, services.NewCase("Dark", "All of it", severity="normal")).pk)
    made = asked_on(cast, ref)
    first, second = made.lines.all()
    found = together(
        lambda: services.give_document(cast.cara, first.pk, upload("a.pdf"), 0),
        lambda: services.give_document(cast.colin, first.pk, upload("b.pdf", PDF + b"b"), 0),
    )
    assert sum(isinstance(one, DocumentLine) for one in found) == 1
    services.give_document(cast.cara, second.pk, upload("c.pdf"))
    found = together(
        lambda: services.accept_document(cast.erin, first.pk, 1),
        lambda: services.return_document(cast.mona, first.pk, "Too old.", 1),
        lambda: services.accept_document(cast.mona, second.pk, 1),
    )
    assert [isinstance(one, DocumentLine) for one in found].count(True) == 2 and isinstance(found[2], DocumentLine)
    made.refresh_from_db()
    first.refresh_from_db()
    waits = [task.element_id for task in open_tasks_for(cast.adam, SubjectRef("crm.document_request", made.pk))]
    status = ProcessInstance.objects.get(pk=made.instance_id).status
    if first.state == "accepted":
        assert (made.state, waits, status) == ("done", [], "completed")
    else:
        assert (made.state, waits, status) == ("open", ["provide_documents"], "running")


def test_employees_find_every_list_and_move_its_day(shop):  # noqa: F811
    erin, address = window(shop, "erin@northwind.example"), reverse("crm:documents")
    assert "Nothing here yet" in erin.get(address).content.decode()
    acme, birch = ask(shop.cara, shop.rows["small"], "One."), ask(shop.bea, shop.rows["small"], "Two.")
    first = asked_on(shop, SubjectRef("crm.request", acme.pk))
    second = asked_on(shop, SubjectRef("crm.request", birch.pk), "Trade licence")
    third = asked_on(shop, SubjectRef("crm.request", birch.pk), "Passport")
    DocumentRequest.objects.filter(pk=first.pk).update(title="Papers of Acme", due=timezone.now() - timedelta(days=1))
    DocumentRequest.objects.filter(pk=second.pk).update(title="Papers of Birch")
    DocumentRequest.objects.filter(pk=third.pk).update(title="Ended", asked_by=None)
    services.give_document(shop.bea, second.lines.get().pk, upload("licence.pdf"))
    services.withdraw_documents(shop.erin, third.pk, "Not needed.")
    titles = {"Papers of Acme", "Papers of Birch", "Ended"}
    for query, found in (
        ({}, titles),
        ({"state": "open"}, {"Papers of Acme", "Papers of Birch"}),
        ({"state": "late"}, {"Papers of Acme"}),
        ({"state": "check"}, {"Papers of Birch"}),
        ({"state": "withdrawn"}, {"Ended"}),
        ({"state": "nonsense"}, set()),
        ({"q": "licence"}, {"Papers of Birch"}),
        ({"q": "acme"}, {"Papers of Acme"}),
        ({"mine": "1"}, {"Papers of Acme", "Papers of Birch"}),
    ):
        page = erin.get(address, query).content.decode()
        assert {title for title in titles if f">{title}</a>" in page} == found, query
    assert "0 / 2" in erin.get(address, {"q": "Last bill"}).content.decode()  # counted over all lines, not over those that fit the words
    assert "Trade licence" in erin.get(reverse("crm:peek", args=["documents", second.pk])).content.decode()
    assert erin.get(reverse("crm:card", args=["documents", first.pk])).status_code == 200
    for stranger in ("cara@acme.example", "paul@pine.example"):
        assert window(shop, stranger).get(address).status_code == 404
    day, later = reverse("crm:document-day", args=[first.pk]), timezone.localdate() + timedelta(days=9)
    refused = erin.post(day, {"due": "", "reason": "They asked <b>nicely</b>."})
    assert refused.status_code == 400 and "Choose a day." in refused.content.decode() and "They asked &lt;b&gt;" in refused.content.decode()
    assert erin.post(day, {"due": "2020-01-01", "reason": "x"}).status_code == 400
    assert erin.post(day, {"due": str(later), "reason": "They asked."}).status_code == 302
    assert timezone.localdate(DocumentRequest.objects.get(pk=first.pk).due) == later


def test_the_list_of_all_costs_the_same_for_many(shop):  # noqa: F811
    erin = window(shop, "erin@northwind.example")
    request = ask(shop.cara, shop.rows["small"], "One.")

    def statements() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert erin.get(reverse("crm:documents")).status_code == 200
        return len(caught)

    asked_on(shop, SubjectRef("crm.request", request.pk))
    statements()
    few = statements()
    for number in range(6):
        asked_on(shop, SubjectRef("crm.request", request.pk), f"Paper {number}", "Bill")
    assert statements() == few
