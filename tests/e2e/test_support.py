"""A case in two browsers: told on a phone, asked back, answered, not solved, solved and rated, opened again."""

from __future__ import annotations

from playwright.sync_api import expect

from crm.models import Case
from portal.demo_site import seed_site
from tests.e2e.conftest import SOON


def papers(bea, dan) -> None:
    """Dan asks for a photo on the case's card; Bea sends it from her phone, a wrong file first; he accepts it as it comes."""
    dan.click("Ask for documents")
    dan.page.wait_for_url("**/documents/ask/**", timeout=SOON)
    dan.page.locator("#id_lines-0-name").fill("Photo of the display")
    dan.page.locator("#id_lines-0-kinds").select_option("picture")
    dan.accessible()
    dan.click("Ask the customer")
    dan.sees("0 of 1 required accepted")
    dan.accessible()
    bea.go("/cabinet/")
    bea.click("Provide the documents")
    bea.page.wait_for_url("**/documents/asked/**", timeout=SOON)
    bea.accessible()
    bea.fits()
    box = "li:has-text('Photo of the display') input[type=file]"
    bea.page.set_input_files(box, {"name": "display.exe", "mimeType": "image/jpeg", "buffer": b"MZ"})
    bea.sees("could run on a colleague's machine")
    bea.page.set_input_files(box, {"name": "display.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff dark"})
    bea.sees("Being checked")
    bea.shoot("cabinet-documents-asked")
    dan.sees("display.jpg")
    dan.page.get_by_role("button", name="Accept").click()
    dan.sees("All required documents are accepted.")
    bea.sees("All required documents are accepted.")
    bea.go("/cabinet/documents/")
    bea.sees("display.jpg")
    bea.accessible()
    bea.fits()
    bea.shoot("cabinet-documents")


def test_a_case_from_trouble_to_rating_and_again(company, person):
    seed_site()
    bea, dan = person("bea@birch.example", phone=True), person("dan@northwind.example")
    bea.go("/cabinet/cases/")
    bea.accessible()
    bea.click("Open a case")
    bea.page.wait_for_url("**/cases/new/", timeout=SOON)
    bea.fill(title="The oven stops", description="The control of our oven stops during the day, and the display is dark.")
    bea.sees("Is it one of these?")
    expect(bea.page.locator(".s-fitting")).to_contain_text("The control stops during the day", timeout=SOON)
    bea.page.get_by_label("Work stands still: we answer within 4 working hours").check()
    bea.fits()
    bea.accessible()
    bea.shoot("cabinet-case-new")
    bea.click("Send")
    bea.sees("We answer by")
    bea.sees("We look into it")
    case = Case.objects.get()
    page = f"/cabinet/cases/{case.pk}/"
    bea.fits()
    bea.accessible()
    bea.shoot("cabinet-case")

    def answer(words: str, button: str) -> None:
        dan.go("/work/inbox/")
        dan.take("Answer the case")
        dan.fill(words=words)
        dan.click(button)
        expect(dan.page.locator("main form[data-keep^='task:']")).to_have_count(0, timeout=SOON)

    dan.go("/work/crm/cases/")
    dan.sees("The oven stops")
    dan.accessible()
    dan.go(f"/work/crm/cases/{case.pk}/")
    dan.sees("the display is dark")
    dan.accessible()
    dan.shoot("work-case")
    papers(bea, dan)
    answer("Which oven is it?", "Ask back")
    bea.go(page)
    bea.sees("Which oven is it?")
    bea.fill(words="The left one.")
    bea.click("Send the answer")
    bea.page.wait_for_url(f"**{page}", timeout=SOON)
    bea.sees("We look into it")

    answer("The fan was stuck.", "It is solved: send")
    bea.go(page)
    bea.sees("Say whether it is solved")
    bea.accessible()
    bea.shoot("cabinet-case-confirm")
    bea.fill(rating="Very good")
    bea.click("Yes, it is solved")
    bea.sees("You gave our help 5 of 5")
    case.refresh_from_db()
    assert (case.state, case.rating) == ("closed", 5)

    bea.fill(reason="It stopped again at noon.")
    bea.click("Open it again")
    bea.sees("We answer by")
    case.refresh_from_db()
    assert (case.state, case.reopened) == ("open", 1)
    bea.accessible()
