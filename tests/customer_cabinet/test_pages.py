"""The cabinet's pages, empty and full; what belongs to somebody else isn't there."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.models import Account, Quote, Request, SalesTeamMember
from portal.access import Audience
from portal.demo import ACME
from portal.registry import SubjectRef
from projects.models import Project
from social_feed.services.messages import post_message
from tests.crm.conftest import ask, do, shop  # noqa: F401
from workflows.models import HumanTask, ProcessInstance

pytestmark = pytest.mark.django_db
PAGES = ["home", "home-body", "catalogue", "requests", "messages", "messages-list", "messages-company", "projects", "team"]


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


def test_a_request_shows_its_project_behind_any_number_of_others(shop):  # noqa: F811
    request = to_delivery(shop)
    own = Project.objects.get(instance_id=request.instance_id)
    Project.objects.bulk_create(
        Project(name=f"Sooner {n}", customer_organisation_id=own.customer_organisation_id, starts=own.starts, due=own.starts)
        for n in range(60)
    )
    page = window(shop, "cara@acme.example").get(reverse("customer_cabinet:request", args=[request.pk]))
    assert [row.id for row in page.context["projects"]] == [own.pk]


def test_home_tells_who_looks_after_them_and_what_comes_next(shop):  # noqa: F811
    cara, home = window(shop, "cara@acme.example"), reverse("customer_cabinet:home")
    empty = cara.get(home).content.decode()
    assert "Nothing here yet" in empty and "Write to us" in empty
    account = Account.objects.create(name="Acme", organisation=shop.organisations[ACME])
    account.owner = SalesTeamMember.objects.create(name="The seller's list name", user=shop.users["erin@northwind.example"])
    account.save()
    to_delivery(shop)
    full = cara.get(home).content.decode()
    assert "Erin Employee" in full and "The seller's list name" not in full
    assert "Next dates" in full and "You send us what we need" in full


def test_home_and_request_ask_the_same_number_of_questions_beside_50_requests(shop, django_assert_num_queries):  # noqa: F811
    cara, request = window(shop, "cara@acme.example"), to_delivery(shop)
    addresses = [reverse("customer_cabinet:home"), reverse("customer_cabinet:home-body"), reverse("customer_cabinet:requests")]
    addresses += [reverse(f"customer_cabinet:{name}", args=[request.pk]) for name in ("request", "request-body")]
    ask(shop.cara, shop.rows["small"], "Wish")
    asked = {}
    for address in addresses * 2:
        with CaptureQueriesContext(connection) as caught:
            cara.get(address)
        asked[address] = len(caught)
    for number in range(48):
        ask(shop.cara, shop.rows["small"], f"Wish {number}")
    for address in addresses:
        cara.get(address)
        with django_assert_num_queries(asked[address]):
            cara.get(address)
    assert asked[addresses[0]] <= 30 and asked[addresses[3]] <= 24, asked


def test_the_request_says_when_it_will_be_done(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    for _number in range(5):
        request = to_delivery(shop)
        do(shop.cara, request, "provide_materials")
        do(shop.dan, request, "deliver")
        do(shop.cara, request, "accept_delivery", "accept")
    waiting = ask(shop.cara, shop.rows["small"], "One more.")
    body = reverse("customer_cabinet:request-body", args=[waiting.pk])
    assert "Learnt from 5 requests like this one" in cara.get(body).content.decode()
    cache.clear()
    ProcessInstance.objects.filter(status="completed").update(status="failed")
    assert "No idea yet" in cara.get(body).content.decode()


def test_the_conversation_with_the_company(shop):  # noqa: F811
    """Written in the cabinet it stands on the account's card; the answer is counted as new until it is read."""
    cara, erin = window(shop, "cara@acme.example"), window(shop, "erin@northwind.example")
    request = ask(shop.cara, shop.rows["small"])
    organisation = shop.organisations[ACME].pk
    panel = reverse("shared:messages", args=[f"portal.organisation:{organisation}"])
    assert panel in cara.get(reverse("customer_cabinet:messages-company")).content.decode()
    assert cara.post(panel, {"body": "When do you open in August?", "audience": "customer"}).status_code == 200
    card = erin.get(reverse("crm:organisation", args=[organisation]), follow=True)
    assert card.status_code == 200 and panel in card.content.decode()
    assert "When do you open in August?" in erin.get(panel).content.decode()
    erin.post(panel, {"body": "LEAK from the third on.", "audience": "internal"})
    erin.post(panel, {"body": "From the third on.", "audience": "customer", "organisation": str(organisation)})
    listed = cara.get(reverse("customer_cabinet:messages")).content.decode()
    assert "From the third on." in listed and "1 new" in listed and "LEAK" not in listed and request.title not in listed
    cara.get(panel)
    assert "1 new" not in cara.get(reverse("customer_cabinet:messages-list")).content.decode()
    assert "From the third on." not in window(shop, "bea@birch.example").get(reverse("customer_cabinet:messages")).content.decode()


def test_on_a_phone_the_rest_of_the_pages_stands_behind_more(shop):  # noqa: F811
    """Five entries fit at the bottom: what doesn't is one touch away, and marked where one is."""
    cara = window(shop, "cara@acme.example")
    bottom = cara.get(reverse("customer_cabinet:documents")).content.decode().partition("t-tabs-phone-nav")[2]
    shown, _more, rest = bottom.partition("<details")
    assert shown.count("<li>") == 5 and "data-current" in rest.partition("</summary>")[0]
    for name in ("cases", "documents", "projects", "team"):
        assert reverse(f"customer_cabinet:{name}") not in shown and f'href="{reverse(f"customer_cabinet:{name}")}"' in rest
    elsewhere = cara.get(reverse("customer_cabinet:home")).content.decode().partition("t-tabs-phone-nav")[2]
    assert "data-current" not in elsewhere.partition("</summary>")[0]
    words = cara.get(reverse("customer_cabinet:messages")).content.decode()
    post_message(shop.erin, SubjectRef("portal.organisation", shop.cara.organisation_id), Audience.CUSTOMER, "Welcome.")
    assert "With us, about everything else" not in words
    assert "With us, about everything else" in cara.get(reverse("customer_cabinet:messages")).content.decode()
