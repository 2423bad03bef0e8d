"""Unsent requests: kept on the server, found on another device, gone once sent."""

from __future__ import annotations

import pytest
from django.urls import reverse

from crm.models import Product
from customer_cabinet.models import RequestDraft
from tests.crm.conftest import shop  # noqa: F401
from tests.customer_cabinet.test_pages import window

pytestmark = pytest.mark.django_db


def test_begun_on_the_phone_sent_from_the_desk(shop):  # noqa: F811
    phone, desk = window(shop, "cara@acme.example"), window(shop, "cara@acme.example")
    pk = shop.rows["planning"].pk
    address, draft = reverse("customer_cabinet:product", args=[pk]), reverse("customer_cabinet:draft", args=[pk])
    for words in ("Two", "Two workshops"):
        assert phone.post(draft, {"title": "Plan", "description": words}).status_code == 204
    for page in ("home", "catalogue"):
        assert "Begun and not sent" in desk.get(reverse(f"customer_cabinet:{page}")).content.decode()
    assert "Two workshops" in desk.get(address).content.decode()
    colleague = window(shop, "colin@acme.example")
    assert "Two workshops" not in colleague.get(address).content.decode() + colleague.get(reverse("customer_cabinet:home")).content.decode()
    assert desk.post(address, {"description": "Two workshops, please.", "idempotency_key": "one"}).status_code == 302
    assert not RequestDraft.objects.exists()
    assert "Two workshops" not in phone.get(address).content.decode()


def test_what_is_not_kept(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    draft = reverse("customer_cabinet:draft", args=[shop.rows["planning"].pk])
    cara.post(draft, {"title": "x" * 900, "description": "y" * 90_000})
    kept = RequestDraft.objects.get()
    assert (len(kept.title), len(kept.description)) == (200, 5000)
    cara.post(draft, {"title": " ", "description": ""})  # emptied
    assert not RequestDraft.objects.exists()
    cara.post(draft, {"title": "Once more"})
    assert cara.post(draft, {"drop": "1"}, follow=True).status_code == 200 and not RequestDraft.objects.exists()
    assert cara.post(reverse("customer_cabinet:draft", args=[10**9]), {"title": "x"}).status_code == 404
    assert window(shop, "erin@northwind.example").post(draft, {"title": "x"}).status_code == 404


def test_a_product_that_is_gone_takes_its_draft_along(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    cara.post(reverse("customer_cabinet:draft", args=[shop.rows["planning"].pk]), {"title": "Plan"})
    Product.objects.filter(pk=shop.rows["planning"].pk).update(is_active=False)
    assert "Begun and not sent" not in cara.get(reverse("customer_cabinet:home")).content.decode()


def test_categories(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    Product.objects.filter(name="Planning").update(category="Software")
    Product.objects.filter(name="Solar roof").update(category="Installation")
    page = cara.get(reverse("customer_cabinet:catalogue"), {"category": "Software"}).content.decode()
    assert "Planning" in page and "Solar roof" not in page and "Installation" in page
