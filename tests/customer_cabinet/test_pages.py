"""The cabinet's pages, empty and full; what belongs to somebody else isn't there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Quote, Request
from projects.models import Project
from tests.crm.conftest import ask, do, shop  # noqa: F401
from workflows.models import HumanTask

pytestmark = pytest.mark.django_db
PAGES = ["home", "home-body", "catalogue", "requests", "projects", "team"]


def window(world, email: str) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(world.users[email], backend="django.contrib.auth.backends.ModelBackend")
    return client


def to_delivery(shop):  # noqa: F811
    """A request whose project has begun."""
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="0")
    do(shop.erin, request, "prepare_quote", "send", quote_note="")
    do(shop.cara, request, "decide_quote", "accept")
    return request


def test_every_page_empty_and_full(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    for page in PAGES:
        assert cara.get(reverse(f"customer_cabinet:{page}")).status_code == 200, page
    request = to_delivery(shop)
    for page in PAGES:
        assert cara.get(reverse(f"customer_cabinet:{page}")).status_code == 200, page
    answer = cara.get(reverse("customer_cabinet:request", args=[request.pk])).content.decode()
    project = reverse("customer_cabinet:project", args=[Project.objects.get().pk])
    assert "You give us what we need to begin" in answer and project in answer
    assert cara.get(project).status_code == 200


def test_anothers_request_is_not_there(shop):  # noqa: F811
    request = to_delivery(shop)
    bea = window(shop, "bea@birch.example")
    project, quote, task = (model.objects.order_by("pk").first().pk for model in (Project, Quote, HumanTask))
    for name, pk in (("request", request.pk), ("request-body", request.pk), ("project", project), ("quote", quote), ("step", task)):
        assert bea.get(reverse(f"customer_cabinet:{name}", args=[pk])).status_code == 404, name


def test_the_form_sent_twice_is_one_request(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    address = reverse("customer_cabinet:product", args=[shop.rows["planning"].pk])
    for _turn in range(2):
        assert cara.post(address, {"description": "Plan it.", "idempotency_key": "one"}).status_code == 302
    assert Request.objects.count() == 1
    answer = cara.post(address, {"description": "", "title": "Kept words"})
    assert answer.status_code == 400 and "Kept words" in answer.content.decode()
    assert Request.objects.count() == 1
