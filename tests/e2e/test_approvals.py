"""A purchase is asked for, approved by two of three, one of them from a letter on a phone; the signed sheet lies on the process."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import SOON, Person
from tests.infra.browser import PHONE
from workflows.models import Approval, DecisionLink, HumanTask, Incident
from workflows.services.links import token_of

WHY, WELCOME = "The old saws are blunt.", "The workshop has waited long enough."


def test_a_purchase_approved_on_a_page_and_from_a_letter(company, person, new_page, live_portal):
    erin, mona = person("erin@northwind.example"), person("mona@northwind.example")
    mona.go("/work/inbox/")
    mona.sees("All done")

    # Erin asks; a mistake is told and keeps what she typed.
    erin.go("/work/inbox/")
    erin.click("Start a process")
    erin.sees("Purchase request")
    erin.accessible()
    erin.shoot("approval-start")
    erin.page.locator("main").get_by_role("link", name="Purchase request").click()
    erin.fill(what="Six saws", amount="8000", supplier="Harbour Parts", why=WHY)
    erin.accessible()
    erin.shoot("approval-request")
    erin.click("Ask for it")
    erin.sees("2 of 3 have to approve. Fiona Finance (Finance) can veto.")
    erin.sees("Is asked")
    erin.accessible()
    erin.shoot("approval-open")

    # Mona decides in her inbox; Erin's page moves by itself.
    mona.take("Decide")
    mona.sees(WHY)
    mona.accessible()
    mona.shoot("approval-task")
    mona.fill(reason=WELCOME)
    mona.click("Approve")
    erin.sees(WELCOME)

    # Fiona follows the letter's link on her phone, not signed in. Opening it decides nothing.
    link = DecisionLink.objects.get(user_id=company.fiona.user_id)
    fiona = Person(live_portal, new_page(phone=True), PHONE)
    fiona.go(f"/decide/{token_of(link, 'approve')}/")
    fiona.sees("Approve this?")
    fiona.sees("Purchase: Six saws")
    fiona.accessible()
    fiona.shoot("approval-letter")
    assert Approval.objects.get().state == "open"
    fiona.click("Approve")
    fiona.sees("You have approved it")
    fiona.accessible()
    fiona.shoot("approval-letter-done")
    assert fiona.page.goto(f"{live_portal.base_url}/decide/{token_of(link, 'reject')}/").status == 409
    fiona.sees("This link has been used: You approved")

    # The outcome, the sheet, and what comes next.
    erin.sees("The signed sheet")
    erin.sees("What is kept here is what was signed.")
    erin.sees("No longer needed")
    erin.accessible()
    erin.shoot("approval-closed")
    sheet = erin.page.locator("main").get_by_role("link", name="The signed sheet")
    answer = erin.page.request.get(live_portal.base_url + sheet.get_attribute("href"))
    assert answer.ok and answer.headers["content-type"] == "application/pdf" and answer.body().startswith(b"%PDF")
    assert [task.element_id for task in HumanTask.objects.filter(status="open")] == ["order"]
    assert not Incident.objects.exists()


def test_an_approval_asked_on_a_card_and_taken_back(company, person, number_in):
    from crm.services.accounts import account_for_organisation
    from portal.access import Actor

    account = account_for_organisation(Actor.system(), company.organisations["Acme Bikes (demo)"].pk)
    erin = person("erin@northwind.example")
    erin.go(f"/work/processes/approval/crm.account:{account.pk}/")
    erin.fill(text="May they pay later?")
    erin.page.locator("select[name=approvers]").evaluate(
        "select => { for (const one of select.options) one.selected = /Dan|Finance$/.test(one.text); "
        "(select.tomselect || {sync() {}}).sync(); select.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    erin.fill(mode="All at once, some are enough", needed="1", lock=True)
    erin.accessible()
    erin.shoot("approval-ask")
    erin.click("Ask")
    expect(erin.page.locator("main")).not_to_contain_text("Whose vote counts twice", timeout=SOON)
    row = Approval.objects.get()
    assert (row.mode, row.needed, row.locks) == ("quorum", 1, True)
    erin.go(f"/work/processes/running/{row.instance_id}/")
    erin.sees("can't be changed until this is decided or taken back")
    erin.page.locator("main summary", has_text="Take the question back").click()
    erin.page.locator(f"#withdraw-{row.pk}").fill("They have paid")
    erin.click("Take it back")
    erin.sees("They have paid")
    row.refresh_from_db()
    assert row.state == "withdrawn" and not HumanTask.objects.filter(status="open").exists()
