"""The main job in a browser: from a customer's request to the finished project, by everybody who has a part in it.

Each person has a window of their own; what one does shows on the others' open pages without reload.
"""

from __future__ import annotations

from playwright.sync_api import expect

from crm.models import Deal, Quote, Request
from projects.models import Project
from tests.e2e.conftest import SOON
from workflows.models import HumanTask, Incident, ProcessInstance


def test_from_request_to_finished_project(company, person, number_in):
    cara, erin = person("cara@acme.example"), person("erin@northwind.example")
    mona, fiona, dan = (person(f"{name}@northwind.example") for name in ("mona", "fiona", "dan"))
    paul, colin = person("paul@pine.example"), person("colin@acme.example", phone=True)
    for one in (erin, mona, fiona, dan):
        one.go("/work/inbox/")
    dan.go("/work/feed/")
    erin.sees("All done")
    paul.go("/partner/")
    colin.go("/cabinet/")
    paul.sees("No joint deals yet")

    # The customer asks, from the catalogue.
    cara.go("/cabinet/")
    cara.sees("Nothing here yet")
    cara.accessible()
    cara.shoot("cabinet-home-empty")
    cara.click("Start a request")
    cara.accessible()
    cara.shoot("cabinet-catalogue")
    cara.page.locator("main").get_by_role("link", name="Solar roof").first.click()
    cara.fill(description="Panels on the hall's roof, about 400 m².", title="Panels for the hall")
    cara.shoot("cabinet-request-new")
    cara.click("Send the request")
    cara.sees("We are looking at your request")
    request_id = number_in(cara.page)
    cara.accessible()
    colin.sees("Panels for the hall")

    erin.sees("Qualify the request")
    erin.shoot("work-inbox")

    # Sales qualifies, with a discount over the limit and with a partner.
    erin.take("Qualify the request")
    erin.accessible()
    erin.shoot("work-qualify")
    erin.fill(price="26500", discount="18", needs_partner=True, partner="Pine Partners (demo)", note="A hall with a new roof.")
    erin.click("Qualify")
    deal = _soon(lambda: Deal.objects.filter(request_id=request_id).first())
    dan.sees("Erin Employee opened the deal Panels for the hall")  # in the feed that stood open

    # Manager and finance decide in parallel; a rejection goes back with its reason.
    fiona.take("Approve the discount for finance")
    fiona.sees("18")
    fiona.shoot("work-approve")
    fiona.fill(reason="Eighteen is too much. Eight would do.")
    fiona.click("Reject")
    mona.take("Approve the discount")
    mona.accessible()
    mona.click("Approve")
    erin.go("/work/inbox/")
    erin.take("Qualify the request")
    erin.sees("Eighteen is too much")
    erin.fill(discount="8")
    erin.click("Qualify")
    for one, task in ((mona, "Approve the discount"), (fiona, "Approve the discount for finance")):
        one.go("/work/inbox/")
        one.take(task)
        one.click("Approve")
    cara.sees("We are looking at your request")
    cara.sees_not("Approve")
    cara.sees_not("Eighteen")

    # The partner is asked on the page that stood open, and sees what the contract lists.
    paul.sees("Join the deal?")
    paul.counts(1)
    paul.accessible()
    paul.shoot("partner-home")
    paul.go(f"/partner/deals/{deal.pk}/")
    paul.accessible()
    paul.shoot("partner-deal-invited")
    for hidden in ("A hall with a new roof", "Eighteen", "26,500", "Mona", "Fiona"):
        paul.sees_not(hidden)
    paul.click("Join the deal?")
    paul.click("Join the deal")
    paul.sees("Accepted")
    paul.go(f"/partner/deals/{deal.pk}/")

    # The quote: made, sent, changed, accepted.
    erin.go("/work/inbox/")
    erin.take("Prepare the quote")
    cara.sees("We prepare your quote")
    erin.fill(valid_days="14", quote_note="We look forward to it.")
    erin.click("Make and send the quote")
    cara.sees("Decide on the quote")
    cara.sees("We look forward to it.")
    paul.sees("The customer decides on the quote")
    pdf = cara.page.request.get(cara.page.get_by_role("link", name="Open as PDF").first.evaluate("link => link.href"))
    assert pdf.ok and pdf.body().startswith(b"%PDF") and len(pdf.body()) > 3000
    cara.accessible()
    cara.shoot("cabinet-quote")
    cara.page.get_by_text("Ask for a change, or decline", exact=True).click()
    cara.fill(reason="Please with a year of maintenance.")
    cara.click("Ask for a change")
    erin.go("/work/inbox/")
    erin.take("Prepare the quote")
    erin.sees("Please with a year of maintenance.")
    erin.fill(price="28000")
    erin.click("Make and send the quote")
    cara.sees(f"Q-{deal.pk:05d}-2")
    dan.go("/work/inbox/")
    erin.go(f"/work/crm/deals/{deal.pk}/")
    erin.sees("Decide on the quote")
    erin.shoot("work-deal")
    fiona.go("/work/crm/board/")
    on_board = fiona.page.locator("[data-column=delivery]").get_by_text(deal.title)
    expect(on_board).to_have_count(0)
    mona.go(f"/work/processes/running/{deal.instance_id}/")
    mona.page.wait_for_timeout(2000)  # the drawing comes after the page
    mona.shoot("process-instance")
    cara.click("Accept the quote")
    cara.sees("Sign and accept")
    cara.shoot("cabinet-sign")
    cara.click("Sign and accept")
    cara.sees("Signature and evidence")
    cara.accessible()
    cara.go(f"/cabinet/requests/{request_id}/")
    erin.sees("Provide the materials")
    expect(on_board).to_have_count(1, timeout=SOON)

    # Won: a project with a part for each; the partner's and the colleague's open pages show it.
    cara.sees("You give us what we need to begin")
    paul.sees("Waits for you")
    colin.sees("Provide the materials")
    project = _soon(lambda: Project.objects.first())
    deal.refresh_from_db()
    assert (deal.outcome, deal.close_value.amount) == ("won", 25760)
    colin.accessible()
    cara.shoot("cabinet-request-delivery")
    erin.go("/work/feed/")
    erin.sees("Panels for the hall")
    erin.shoot("work-feed")
    mona.go(f"/work/projects/{project.pk}/")
    mona.accessible()

    cara.fill(materials_note="Drawings of the hall follow.")
    cara.click("Everything is with you")
    cara.sees("We deliver")
    paul.go(f"/partner/deals/{deal.pk}/")
    paul.shoot("partner-deal")
    paul.click("Deliver the partner's part")
    paul.fill(partner_note="Forty panels on the roof.")
    paul.click("Our part is done")
    dan.take("Deliver")
    dan.fill(delivery_note="Everything runs.")
    dan.click("Delivered")
    cara.sees("Accept the delivery")
    cara.sees("Everything runs.")
    cara.accessible()
    cara.shoot("cabinet-acceptance")
    cara.fill(rating="Very good")
    cara.click("Accept the delivery")
    cara.sees("Done")
    mona.sees("Completed")
    cara.shoot("cabinet-request-done")
    mona.shoot("work-project")
    cara.go("/cabinet/")
    cara.accessible()
    cara.shoot("cabinet-home")

    request = Request.objects.get(pk=request_id)
    deal.refresh_from_db()
    project.refresh_from_db()
    assert request.state == Request.State.DONE
    assert (deal.stage, deal.outcome) == ("won", "won")
    assert project.state == "completed"
    assert [quote.state for quote in Quote.objects.filter(deal=deal).order_by("version")][-1] == "accepted"
    assert ProcessInstance.objects.get(pk=request.instance_id).status == "completed"
    assert not HumanTask.objects.filter(status=HumanTask.Status.OPEN).exists()
    assert not Incident.objects.exists()


def _soon(read, seconds: float = 20):
    """What `read` gives as soon as it gives something."""
    import time

    end = time.monotonic() + seconds
    while not (found := read()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found
