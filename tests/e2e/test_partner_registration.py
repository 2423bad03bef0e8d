"""A partner brings deals: a conflict said while typing, a question and its answer, an approval, a refusal; each shows by itself."""

from __future__ import annotations

from playwright.sync_api import expect

from partners.models import DealRegistration, JointDeal
from tests.e2e.conftest import SOON
from workflows.models import HumanTask, Incident

QUESTION, ANSWER = "Which site is it for?", "The new bakery by the river."
WELCOME, SORRY = "Welcome: nobody of ours works on the new site.", "We have delivered there for years, so it stays with us."


def test_registration_question_approval_and_refusal(company, person, number_in):
    paul, mona = person("paul@pine.example"), person("mona@northwind.example")
    mona.go("/work/inbox/")
    mona.sees("All done")

    # A company that we know already is said while it is typed, without a word of who has it; the receipt comes at once.
    paul.go("/partner/registrations/new/")
    paul.page.locator("#id_company").press_sequentially("Birch Bakery")
    paul.sees("may already be known to us")
    paul.sees_not("Erin")
    paul.accessible()
    paul.fill(need="An oven control that does not stop.", amount="12000")
    paul.shoot("partner-registration-conflict")
    paul.click("Register")
    paul.sees("Receipt")
    first = number_in(paul.page)
    row = DealRegistration.objects.get(pk=first)
    paul.sees(row.number)
    paul.sees("We look at your registration and decide")
    paul.accessible()

    # A question, answered on the page that stood open.
    mona.take("Decide on the registration")
    mona.sees("Our account “Birch Bakery (demo)”")
    mona.accessible()
    mona.shoot("work-registration-decide")
    mona.click("Ask the partner")
    expect(mona.page.locator("main .t-error")).to_be_visible(timeout=SOON)
    mona.fill(reason=QUESTION)
    mona.click("Ask the partner")
    paul.sees(QUESTION)
    expect(paul.page.locator("#registration-head")).to_contain_text("We have a question", timeout=SOON)
    paul.shoot("partner-registration-question")
    paul.click("Answer our question")
    paul.sees(QUESTION)
    paul.accessible()
    paul.shoot("partner-registration-answer")
    paul.fill(answer=ANSWER)
    paul.click("Send the answer")
    paul.sees_not("Waits for you")

    # Approved, with words.
    mona.go("/work/inbox/")
    mona.take("Decide on the registration")
    mona.sees(ANSWER)
    assert mona.value("reason") == ""
    mona.shoot("work-registration-answered")
    mona.fill(reason=WELCOME)
    mona.click("Approve")
    paul.sees(WELCOME)
    paul.sees("Open the joint deal")
    expect(paul.page.get_by_role("button", name="Take back")).to_have_count(0)
    paul.accessible()
    paul.shoot("partner-registration-approved")

    # The second one is nobody's, is refused with a reason, and its own double is said while typing.
    paul.go("/partner/registrations/new/")
    paul.page.locator("#id_company").press_sequentially("Cedar Mill")
    paul.sees("Nobody has registered this company.")
    paul.fill(need="A saw that thinks.")
    paul.click("Register")
    paul.sees("Receipt")
    second = number_in(paul.page)
    pia = person("pia@pine.example", phone=True)
    pia.go("/partner/registrations/new/")
    pia.page.locator("#id_company").press_sequentially("cedar mill")
    pia.sees("You have already registered this company")
    mona.go("/work/inbox/")
    mona.take("Decide on the registration")
    mona.fill(reason=SORRY)
    mona.click("Don’t approve")
    paul.sees(SORRY)
    paul.sees("Not approved")
    paul.shoot("partner-registration-refused")

    states = dict(DealRegistration.objects.values_list("pk", "state"))
    assert states == {first: "approved", second: "rejected"}
    row.refresh_from_db()
    joint = JointDeal.objects.get()
    assert (joint.deal_id, joint.state, row.reason) == (row.deal_id, "accepted", WELCOME)
    left = HumanTask.objects.filter(status=HumanTask.Status.OPEN)
    assert [task.element_id for task in left] == ["qualify"]  # of the joint deal
    assert not Incident.objects.exists()
