"""A visitor on a phone: search, an answer and a vote, a calculator, a configurator whose choice becomes a lead, confirmed by mail."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from crm.models import Lead, Request
from portal.demo_site import seed_site
from portal.models import ArticleVote
from tests.e2e.conftest import SOON, Person
from tests.infra.browser import PHONE
from tests.infra.letters import letters_to

FIRST_LOAD = 200 * 1024


def test_a_visitor_finds_calculates_and_asks(company, live_portal, new_page):
    seed_site()
    vera = Person(live_portal, new_page(phone=True), PHONE)

    # From the home page to an answer, by searching.
    vera.go("/")
    vera.fits()
    vera.accessible()
    vera.shoot("site-home")
    vera.page.get_by_role("link", name="Search the site").first.click()
    vera.page.wait_for_url("**/search/", timeout=SOON)
    vera.fill(q="password")
    vera.click("Search")
    vera.sees("Can I sign in without a password?")
    vera.accessible()
    vera.shoot("site-search")
    vera.click("Can I sign in without a password?")
    vera.sees("or with a passkey")

    # One vote, changed, with a word about what is missing.
    vera.page.get_by_role("button", name="Yes", exact=True).click()  # the box comes after the article
    vera.sees("You may change your mind at any time.")
    vera.click("No")
    vera.sees("What was missing?")
    vera.fill(missing="A picture of the button")
    vera.click("Tell us")
    vera.sees("reads your words")
    vote = ArticleVote.objects.get()
    assert (vote.helped, vote.missing) == (False, "A picture of the button")
    vera.fits()
    vera.accessible()
    vera.shoot("site-article")

    # A calculator works out as its answers change, and says what is wrong.
    vera.go("/prices/")
    figure = vera.page.locator(".s-figure")
    vera.fill(people="10", hours="8")
    vera.page.locator("main [name=wage]").select_option(label="Skilled workers")
    expect(figure).to_contain_text("$3,360", timeout=SOON)
    vera.fill(people="9999")
    expect(figure).to_contain_text("Give a number from 0 to 200.", timeout=SOON)
    vera.fill(people="10")
    expect(figure).to_contain_text("$3,360", timeout=SOON)
    vera.fits()
    vera.accessible()
    vera.shoot("site-prices")

    # A configurator: the price follows the choice, the form knows it, and what is sent becomes a lead with a letter.
    vera.go("/solar-roof/")
    vera.page.get_by_text("Middle, 60 panels").click()
    vera.page.get_by_text("Two charging points").click()
    expect(vera.page.locator(".s-figure")).to_contain_text("$29,300", timeout=SOON)
    vera.fits()
    vera.accessible()
    vera.shoot("site-configurator")
    vera.click("Ask for this roof")
    vera.page.wait_for_url("**/start/form/**", timeout=SOON)
    assert "Middle, 60 panels" in vera.value("message") and "$29,300" in vera.value("message")
    vera.fill(name="Vera Visitor", email="vera@orchard.example", company="Orchard", consent=True)
    vera.accessible()
    vera.click("Send")
    vera.sees("Look into your mailbox")
    (letter,) = letters_to("vera@orchard.example")
    assert "Vera Visitor" in letter and "Two charging points" in letter
    vera.page.goto(re.search(r"http://\S+", letter).group())
    vera.click("Confirm and start")
    vera.sees("Join Orchard")
    assert "Two charging points" in Lead.objects.get().message
    assert Request.objects.get().description == Lead.objects.get().message


def test_answers_are_offered_while_a_visitor_types(company, live_portal, new_page):
    seed_site()
    vera = Person(live_portal, new_page(phone=True), PHONE)
    vera.go("/start/form/")
    vera.fill(message="How can I invite my colleague to see this?")
    vera.sees("Is it one of these?")
    expect(vera.page.locator(".s-fitting")).to_contain_text("How do I invite a colleague?", timeout=SOON)
    vera.accessible()
    vera.page.goto(live_portal.base_url + "/no-such-page/")
    vera.sees("There is nothing here")
    vera.accessible()
    vera.fill(q="invite")
    vera.click("Search")
    vera.sees("How do I invite a colleague?")


@pytest.mark.any_database
def test_the_first_load_is_small(company, live_portal, new_page):
    """Everything that a first visit fetches, as it travels: pages and scripts packed, fonts as they are; nothing from elsewhere."""
    seed_site()
    for path in ("/", "/help/", "/products/", "/prices/"):
        page = new_page(phone=True)
        answers = []

        def keep(answer, answers=answers) -> None:
            answers.append(answer)

        page.on("response", keep)
        page.goto(live_portal.base_url + path, wait_until="networkidle")
        page.remove_listener("response", keep)
        sizes = {}
        for answer in answers:
            assert answer.url.startswith((live_portal.base_url, "data:")), f"{path} fetches {answer.url}"
            if not answer.url.startswith("data:"):
                sizes[answer.url] = answer.request.sizes()["responseBodySize"]
        assert 0 < sum(sizes.values()) < FIRST_LOAD, f"{path}: {sizes}"
