"""A product's start form: its fields come from the process, are shown when others say so, and are filled with what is known."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crm.models import Contact, Request
from customer_cabinet.models import RequestDraft
from portal.files import files_for
from portal.models import User
from tests.crm.conftest import ref_of, shop, waiting  # noqa: F401
from tests.customer_cabinet.test_pages import window
from tests.customer_cabinet.test_public_start import FORM, last_link
from workflows.models import ProcessInstance

pytestmark = pytest.mark.django_db


def page_of(client, product) -> str:
    """The request form of a product."""
    return client.get(reverse("customer_cabinet:product", args=[product.pk])).content.decode()


def send(client, product, **answers):
    """Send the request form."""
    given = {"description": "Panels, please.", **{f"ask-{name}": value for name, value in answers.items()}}
    return client.post(reverse("customer_cabinet:product", args=[product.pk]), given)


def test_only_the_product_that_needs_it_is_asked_more(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    roof = page_of(cara, shop.rows["roof"])
    assert 'name="ask-roof_kind"' in roof and "GTK" not in roof
    assert re.search(r"<div data-shown-when=[^>]*hidden[^>]*>(?:(?!</div>).)*ask-roof_other", roof, re.S)
    assert "ask-" not in page_of(cara, shop.rows["planning"])


def test_the_answers_reach_the_process_and_people(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    plan = SimpleUploadedFile("plan.txt", b"a plan")
    assert (
        send(
            cara, shop.rows["roof"], roof_kind="pitched", roof_area="450", roof_rented="on", roof_owner="Mr Landlord", roof_plan=plan
        ).status_code
        == 302
    )
    request = Request.objects.get()
    assert {one["id"]: one["words"] for one in request.answers} == {
        "roof_kind": "A pitched roof", "roof_area": "450", "roof_rented": "yes", "roof_owner": "Mr Landlord", "roof_plan": "plan.txt",
    }  # fmt: skip
    data = ProcessInstance.objects.get().data
    assert (data["roof_kind"], data["roof_area"], data["roof_rented"], data["request_id"]) == ("pitched", 450, True, request.pk)
    assert [file.name for file in files_for(shop.cara, ref_of(request))] == ["plan.txt"] and data["roof_plan"]
    for reader, address in (
        (cara, reverse("customer_cabinet:request", args=[request.pk])),
        (window(shop, "erin@northwind.example"), f"/work/crm/requests/{request.pk}/"),
    ):
        shown = reader.get(address).content.decode()
        assert "Mr Landlord" in shown and "A pitched roof" in shown, address


def test_what_is_not_shown_is_neither_asked_nor_kept(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    refused = send(cara, shop.rows["roof"], roof_kind="other", roof_area="-4")
    words = refused.content.decode()
    assert refused.status_code == 400 and "Panels, please." in words and 'value="-4"' in words and not Request.objects.exists()
    assert words.count('id="f-ask-roof_other_error"') == 1
    sly = send(cara, shop.rows["roof"], roof_kind="flat", roof_other="sent all the same", roof_owner="nobody", roof_area="90")
    assert sly.status_code == 302
    data = ProcessInstance.objects.get().data
    assert (data["roof_other"], data["roof_owner"]) == (None, None)
    assert {one["id"] for one in Request.objects.get().answers} == {"roof_kind", "roof_area"}
    foreign = send(cara, shop.rows["planning"], roof_kind="flat", request_id="999", customer_organisation_id="1")
    assert foreign.status_code == 302 and "roof_kind" not in ProcessInstance.objects.order_by("pk").last().data


def test_filled_with_what_is_known(shop):  # noqa: F811
    cara, roof = window(shop, "cara@acme.example"), shop.rows["roof"]
    send(cara, shop.rows["planning"])
    Contact.objects.filter(user_id=shop.cara.user_id).update(phone="+49 contact")
    assert 'value="+49 contact"' in page_of(cara, roof)
    User.objects.filter(pk=shop.cara.user_id).update(phone="+49 profile")
    assert 'value="+49 profile"' in page_of(cara, roof)
    send(cara, roof, roof_kind="facade", visit_phone="+49 typed")
    again = page_of(cara, roof)
    assert 'value="+49 typed"' in again and '<option value="facade" selected>' in again
    for other in ("colin@acme.example", "bea@birch.example"):
        assert "+49" not in page_of(window(shop, other), roof)


def test_a_draft_keeps_the_answers_on_any_device(shop):  # noqa: F811
    roof = shop.rows["roof"]
    address = reverse("customer_cabinet:draft", args=[roof.pk])
    typed = {"ask-roof_kind": "other", "ask-roof_other": "A carport.", "ask-nothing_of_ours": "x" * 9000, "ask-roof_area": "not yet"}
    assert window(shop, "cara@acme.example").post(address, typed).status_code == 204
    assert RequestDraft.objects.get().answers == {"roof_kind": "other", "roof_other": "A carport.", "roof_area": "not yet"}
    page = page_of(window(shop, "cara@acme.example"), roof)
    assert "A carport." in page and '<option value="other" selected>' in page and 'value="not yet"' in page
    assert not re.search(r"<div data-shown-when=[^>]*hidden[^>]*>(?:(?!</div>).)*ask-roof_other", page, re.S)
    assert "A carport." not in page_of(window(shop, "colin@acme.example"), roof)


def test_a_visitors_answers_wait_for_the_confirmation(shop):  # noqa: F811
    address = reverse("public_start:form-product", args=[shop.rows["roof"].pk])
    page = Client().get(address).content.decode()
    assert 'name="ask-roof_kind"' in page and "ask-roof_plan" not in page
    refused = Client().post(address, FORM | {"ask-roof_kind": "other"})
    assert refused.status_code == 400 and "Plan our yard." in refused.content.decode()
    assert Client().post(address, FORM | {"ask-roof_kind": "other", "ask-roof_other": "A fence.", "ask-roof_area": "40"}).status_code == 302
    assert Client().post(last_link()).status_code == 302
    request = Request.objects.get()
    assert {one["id"]: one["words"] for one in request.answers} == {
        "roof_kind": "Something else",
        "roof_other": "A fence.",
        "roof_area": "40",
    }
    assert ProcessInstance.objects.get().data["roof_area"] == 40 and waiting(shop.erin, request) == {"qualify"}
