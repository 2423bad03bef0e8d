"""A visitor becomes a customer: from the landing page's form, over the letter with the invitation, to their own request's page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from crm.models import Account, Deal, Lead, Request
from portal.models import Invitation, LandingPage, Membership
from portal.services.site import ensure_site
from tests.e2e.conftest import SOON, Person
from tests.infra.browser import PHONE
from tests.infra.letters import letters_to

NEEDS = "The saws stop twice a day, and nobody knows why."


def test_a_visitor_becomes_a_customer(company, live_portal, person, new_page):
    ensure_site().add_child(instance=LandingPage(title="Workshop check", slug="workshop-check", form="request", show_in_menus=True))
    erin = person("erin@northwind.example")
    erin.go("/work/inbox/")
    ada = Person(live_portal, new_page(phone=True), PHONE)

    # The form on the landing page; what is wrong is said beside its field, and nothing typed is lost.
    ada.go("/workshop-check/")
    ada.sees("What do you need?")
    ada.accessible()
    ada.shoot("site-landing")
    ada.fill(message=NEEDS, name="Ada Quarry", email="ada@quarry", company="Quarry & Sons", phone="+43 1 234", consent=True)
    ada.click("Send")
    ada.sees("Enter a valid email address.")
    assert (ada.value("message"), ada.value("company"), ada.value("email")) == (NEEDS, "Quarry & Sons", "ada@quarry")
    assert ada.page.locator("main [name=consent]").is_checked()
    assert not Lead.objects.exists()
    _fits(ada)
    ada.accessible()
    ada.shoot("site-form-refused")
    ada.fill(email="ada@quarry.example")
    ada.click("Send")
    ada.sees("We have your request")
    ada.accessible()
    ada.shoot("site-thanks")
    lead, request = Lead.objects.get(), Request.objects.get()
    assert (lead.state, lead.request_id, lead.account.name) == ("new", request.pk, "Quarry & Sons")
    assert lead.consent_at and request.customer_organisation_id == lead.account.organisation_id

    # The letter's link, a password that is too easy, then a good one.
    (letter,) = letters_to("ada@quarry.example")
    assert "Hello Ada Quarry," in letter and "Quarry & Sons" in letter
    link = re.search(r"http://\S+", letter).group()
    assert link.startswith(live_portal.base_url)
    ada.page.goto(link)
    ada.sees("Join Quarry & Sons")
    assert ada.value("name") == "Ada Quarry"
    ada.accessible()
    ada.fill(name="Ada Q. Quarry", password="1234567890")
    ada.click("Create my account")
    ada.sees("too common")
    assert ada.value("name") == "Ada Q. Quarry"
    _fits(ada)
    ada.shoot("site-join")
    ada.fill(password="saws that never stop")
    ada.click("Create my account")
    ada.page.wait_for_url("**/cabinet/", timeout=SOON)

    # Their own request, with its road; what sales does shows on it at once.
    ada.sees("Enquiry from the site")
    ada.sees("We are looking at your request")
    ada.accessible()
    ada.shoot("cabinet-home-newcomer")
    ada.click("Enquiry from the site")
    ada.sees(NEEDS)
    _fits(ada)
    erin.take("Qualify the request")
    erin.shoot("work-qualify-visitor")
    erin.fill(product="Workshop planning", discount="0")
    erin.click("Qualify")
    expect(ada.page.locator(".t-road [aria-current=step]")).to_contain_text("We prepare your quote", timeout=SOON)
    ada.accessible()
    ada.shoot("cabinet-request-newcomer")
    ada.page.goto(link)
    ada.sees("accepted already")
    ada.shoot("site-join-used")

    lead.refresh_from_db()
    deal = Deal.objects.get()
    assert (lead.state, deal.account_id, deal.request_id) == ("converted", lead.account_id, request.pk)
    assert Account.objects.filter(name="Quarry & Sons").count() == 1
    assert Invitation.objects.get().accepted
    assert Membership.objects.get(user__email="ada@quarry.example").audience == "customer"
    assert len(letters_to("ada@quarry.example")) == 1


def _fits(one: Person) -> None:
    """Nothing is wider than the screen."""
    assert one.page.evaluate("document.documentElement.scrollWidth") <= one.page.viewport_size["width"], f"{one.page.url} scrolls sideways"
