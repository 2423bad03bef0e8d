"""A customer's whole way on a phone: a visitor's form, the invitation, a trouble or two, a request, a quote, a signature, the delivery."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from crm.models import Account, Deal, Lead, Request
from portal.models import Invitation, LandingPage, Membership
from portal.registry import SubjectRef
from portal.services.site import ensure_site
from projects.models import Acceptance
from tests.e2e.conftest import SOON, Person
from tests.infra.browser import PHONE
from tests.infra.letters import letters_to
from workflows.selectors import open_tasks_for
from workflows.services import cancel_instance, complete_task

NEEDS = "The saws stop twice a day, and nobody knows why."
ADA, SECRET = "ada@quarry.example", "saws that never stop"


def test_a_visitor_becomes_a_customer_and_gets_what_was_asked_for(company, live_portal, person, new_page, number_in, end_sessions):
    ensure_site().add_child(instance=LandingPage(title="Workshop check", slug="workshop-check", form="request", show_in_menus=True))
    erin, ada = person("erin@northwind.example"), Person(live_portal, new_page(phone=True), PHONE)
    erin.go("/work/inbox/")
    link = _asks_on_the_site(ada)
    _joins(ada, link)
    _follows_what_sales_does(ada, erin, link)
    _is_told_that_it_was_cancelled(ada, company)
    request_id = _asks_from_the_catalogue(ada, number_in, end_sessions)
    live_portal.sign_in(erin.page, "erin@northwind.example")  # the session that ended was everybody's
    _talks(ada, erin, request_id)
    _signs(ada, company, request_id)
    _accepts(ada, company, request_id)


def _asks_on_the_site(ada: Person) -> str:
    """The form on the landing page; what is wrong is said beside its field, and nothing typed is lost. Gives the letter's link."""
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
    ada.fits()
    ada.accessible()
    ada.shoot("site-form-refused")
    ada.fill(email=ADA)
    ada.click("Send")
    ada.sees("Look into your mailbox")
    ada.accessible()
    ada.shoot("site-thanks")
    assert not Lead.objects.exists() and not Request.objects.exists()
    lead_on = _confirms(ada)
    lead, request = Lead.objects.get(), Request.objects.get()
    assert (lead.state, lead.request_id, lead.account.name) == ("new", request.pk, "Quarry & Sons")
    assert lead.consent_at and request.customer_organisation_id == lead.account.organisation_id
    _asked, letter = letters_to(ADA, at_least=2)
    assert "Hello Ada Quarry," in letter and "Quarry & Sons" in letter
    assert re.search(r"http://\S+", letter).group() == lead_on
    return lead_on


def _confirms(ada: Person) -> str:
    """The first letter asks to confirm: looking at its link starts nothing, its button does and leads on. Gives where it leads."""
    (asked,) = letters_to(ADA)
    assert NEEDS in asked
    confirm = re.search(r"http://\S+", asked).group()
    ada.page.goto(confirm)
    ada.sees(NEEDS)
    ada.fits()
    ada.accessible()
    ada.shoot("site-confirm")
    assert not Lead.objects.exists()
    ada.click("Confirm and start")
    ada.sees("Join Quarry & Sons")
    lead_on = ada.page.url
    ada.page.goto(confirm)
    ada.sees("Confirmed already")
    ada.accessible()
    return lead_on


def _joins(ada: Person, link: str) -> None:
    """The letter's link, a password that is too easy, then a good one."""
    assert link.startswith(ada.portal.base_url)
    ada.page.goto(link)
    ada.sees("Join Quarry & Sons")
    assert ada.value("name") == "Ada Quarry"
    ada.accessible()
    ada.fill(name="Ada Q. Quarry", password="1234567890")
    ada.click("Create my account")
    ada.sees("too common")
    assert ada.value("name") == "Ada Q. Quarry"
    ada.fits()
    ada.shoot("site-join")
    ada.fill(password=SECRET)
    ada.click("Create my account")
    ada.page.wait_for_url("**/cabinet/", timeout=SOON)


def _follows_what_sales_does(ada: Person, erin: Person, link: str) -> None:
    """Their own request, with its road; what sales does shows on it at once."""
    ada.sees("Enquiry from the site")
    ada.sees("We are looking at your request")
    ada.accessible()
    ada.shoot("cabinet-home-newcomer")
    ada.click("Enquiry from the site")
    ada.sees(NEEDS)
    ada.fits()
    erin.take("Qualify the request")
    erin.shoot("work-qualify-visitor")
    erin.fill(product="Workshop planning", discount="0")
    erin.click("Qualify")
    expect(ada.page.locator(".t-road [aria-current=step]")).to_contain_text("We prepare your quote", timeout=SOON)
    ada.accessible()
    ada.shoot("cabinet-request-newcomer")
    here = ada.page.url
    ada.page.goto(link)
    ada.sees("accepted already")
    ada.shoot("site-join-used")
    ada.page.goto(here)

    lead, deal, request = Lead.objects.get(), Deal.objects.get(), Request.objects.get()
    assert (lead.state, deal.account_id, deal.request_id) == ("converted", lead.account_id, request.pk)
    assert Account.objects.filter(name="Quarry & Sons").count() == 1
    assert Invitation.objects.get().accepted
    assert Membership.objects.get(user__email=ADA).audience == "customer"
    assert len(letters_to(ADA)) == 2


def _is_told_that_it_was_cancelled(ada: Person, company) -> None:
    """An employee cancels under the form that Ada is filling in: she reads so, and what she typed is there to copy."""
    request = Request.objects.get()
    _do(company.erin, request.pk, "prepare_quote", {"price": "4800", "valid_days": "14"}, "send")
    ada.sees("Decide on the quote")
    ada.page.get_by_text("Ask for a change, or decline", exact=True).click()
    ada.fill(reason="Could you come on Saturdays?")
    cancel_instance(company.mona, request.instance_id, "Asked for by telephone")
    ada.sees("This step is over")
    ada.sees("Could you come on Saturdays?")
    expect(ada.page.locator("main form[data-keep^='task:']")).to_have_count(0, timeout=SOON)
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-request-cancelled")


def _asks_from_the_catalogue(ada: Person, number_in, end_sessions) -> int:
    """The session ends in the middle of the form: after the sign-in everything typed is back. Gives the request's number."""
    ada.go("/cabinet/")
    ada.click("Start a request")
    ada.sees("Energy audit")
    ada.fits()
    ada.page.locator("main").get_by_role("link", name="Workshop planning").first.click()
    ada.sees("Send the request")
    form = ada.page.url
    hears: list[bool] = []  # nothing at first: only what is pressed can meet the ended session
    ada.page.route_web_socket("**/ws/live/", lambda socket: socket.connect_to_server() if hears else None)
    ada.page.goto(form)
    ada.fill(description="Two workshops, twelve people, one plan.", title="A plan for the saws")
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-request-typed")
    end_sessions()
    ada.click("Send the request")
    ada.page.wait_for_url("**/accounts/login/**", timeout=SOON)
    ada.sees("Your session has ended")
    ada.accessible()
    ada.shoot("site-session-ended")
    ada.sign_in_by_form(ADA, SECRET)
    ada.sees("Send the request")
    assert (ada.value("description"), ada.value("title")) == ("Two workshops, twelve people, one plan.", "A plan for the saws")
    ada.shoot("cabinet-request-kept")
    assert Request.objects.count() == 1
    hears.append(True)
    ada.click("Send the request")
    ada.sees("We are looking at your request")
    request_id = number_in(ada.page)
    ada.page.goto(form)
    assert ada.value("description") == ""  # the next form of the same kind begins empty
    return request_id


def _talks(ada: Person, erin: Person, request_id: int) -> None:
    """Messages go both ways, on pages that stand open."""
    ada.go(f"/cabinet/requests/{request_id}/")
    erin.go(f"/work/crm/requests/{request_id}/")
    box = ada.page.locator("main .t-compose")
    box.locator("[name=body]").fill("Do you also plan the night shift?")
    box.get_by_role("button", name="Send", exact=True).click()
    erin.sees("Do you also plan the night shift?")
    erin.page.locator("main .t-compose label.is-customer").click()
    expect(erin.page.locator("main .t-recipients")).to_contain_text("Ada Q. Quarry", timeout=SOON)  # her name stood on the page before
    box = erin.page.locator("main .t-compose")
    box.locator("[name=body]").fill("Yes, all three shifts.")
    box.get_by_role("button", name="Send", exact=True).click()
    ada.sees("Yes, all three shifts.")
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-request-messages")
    ada.go("/cabinet/messages/")
    ada.sees("A plan for the saws")
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-messages")


def _signs(ada: Person, company, request_id: int) -> None:
    """The quote comes to the page that stands open, and is accepted by a signature."""
    ada.go(f"/cabinet/requests/{request_id}/")
    product = Request.objects.get(pk=request_id).product_id
    _do(company.erin, request_id, "qualify", {"product": str(product), "price": "4800", "discount": "0"}, "qualify")
    _do(company.erin, request_id, "prepare_quote", {"price": "4800", "valid_days": "14", "quote_note": "We begin on Monday."}, "send")
    ada.sees("We begin on Monday.")
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-request-quote")
    ada.click("Accept the quote")
    ada.sees("Sign and accept")
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-quote-sign")
    ada.click("Sign and accept")
    ada.sees("Signature and evidence")
    ada.fits()
    ada.shoot("cabinet-quote-signed")


def _accepts(ada: Person, company, request_id: int) -> None:
    """The project: what the customer gives, what is delivered, the acceptance with a rating, and the home page of it all."""
    ada.go(f"/cabinet/requests/{request_id}/")
    ada.sees("You give us what we need to begin")
    ada.fill(materials_note="Drawings of the hall follow.")
    ada.click("Everything is with you")
    ada.sees("We deliver")
    ada.click("A plan for the saws")
    ada.page.wait_for_url("**/cabinet/projects/**", timeout=SOON)
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-project")
    ada.page.go_back()
    _do(company.dan, request_id, "deliver", {"delivery_note": "The plan runs."}, "")
    ada.sees("Accept the delivery")
    ada.sees("The plan runs.")
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-acceptance-phone")
    ada.fill(rating="Good", rating_words="A day earlier would have been better.")
    ada.click("Accept the delivery")
    ada.sees("Done")
    kept = Acceptance.objects.get()
    assert (kept.rating, kept.rating_words) == (4, "A day earlier would have been better.")
    assert Request.objects.get(pk=request_id).state == Request.State.DONE
    ada.shoot("cabinet-request-finished")
    ada.go("/cabinet/")
    ada.sees("A plan for the saws")
    ada.fits()
    ada.accessible()
    ada.shoot("cabinet-home-finished")


def _do(actor, request_id: int, element_id: str, values: dict, action: str) -> None:
    """Do a step of a request as its page would."""
    task = next(t for t in open_tasks_for(actor, SubjectRef("crm.request", request_id)) if t.element_id == element_id)
    complete_task(actor, task.id, values, action=action)
