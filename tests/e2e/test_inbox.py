"""An employee's day in the inbox: sort, a view of one's own, take, hand on, many at once with a preview and undo, keys, a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm import services as crm
from crm.models import Deal, Product
from crm.services import NewRequest
from tests.e2e.conftest import SOON
from workflows.models import HumanTask
from workflows.services import claim_task


@pytest.fixture
def four(company):
    """Four requests that wait for sales, of different worth."""
    products = [Product.objects.get(name="Solar roof")] * 4
    made = [crm.submit_request(company.cara, NewRequest(p.pk, f"Panels for hall {n}.")) for n, p in enumerate(products)]
    tasks = [HumanTask.objects.get(element_id="qualify", subject_id=row.pk) for row in made]
    for number, task in enumerate(tasks):
        HumanTask.objects.filter(pk=task.pk).update(stake=(number + 1) * 1000)
        assert task.status == "open"
    assert not Deal.objects.exists()
    return tasks


def rows(erin):
    return erin.page.locator("main .t-task")


def test_a_day_at_the_desk(company, person, four):
    erin = person("erin@northwind.example")
    erin.go("/work/inbox/")
    expect(rows(erin)).to_have_count(4, timeout=SOON)
    erin.page.get_by_label("Order").select_option("money")
    expect(rows(erin).first.locator(".t-task-money")).to_contain_text("4,000", timeout=SOON)
    erin.shoot("inbox-list")
    erin.accessible()

    # A view of one's own, found again in the menu.
    erin.page.get_by_text("Views", exact=True).click()
    erin.page.get_by_role("button", name="Save this view…").click()
    dialog = erin.page.get_by_role("dialog", name="Save this view")
    dialog.get_by_label("Name").fill("Big money first")
    dialog.get_by_role("button", name="Save", exact=True).click()
    erin.page.wait_for_url("**/work/inbox/?sort=money", timeout=SOON)
    erin.page.get_by_text("Views", exact=True).click()
    expect(erin.page.get_by_role("link", name="Big money first")).to_be_visible(timeout=SOON)
    erin.page.keyboard.press("Escape")

    # Many at once: what would happen, done, taken back.
    for number in (0, 1):
        rows(erin).nth(number).get_by_role("checkbox").check()
    with erin.page.expect_response("**/work/inbox/**"):  # somebody else's work has the list read again: the choice stays
        erin.page.evaluate("document.querySelector('#inbox-list').dispatchEvent(new CustomEvent('live'))")
    expect(rows(erin).locator("input:checked")).to_have_count(2, timeout=SOON)
    erin.page.get_by_role("button", name="Hand on…").click()
    erin.sees("2 chosen tasks")
    erin.page.locator("#id_user_id-ts-control").click()
    erin.page.locator(".t-picker-row", has_text="Dan Delivery").click()
    erin.sees("will go to Dan Delivery")
    erin.shoot("inbox-bulk-preview")
    erin.accessible()
    erin.click("Hand 2 tasks on")
    erin.sees("2 tasks went to Dan Delivery")
    erin.shoot("inbox-bulk-done")
    erin.click("Undo")
    erin.sees("Taken back")
    assert not HumanTask.objects.exclude(assignee=None).filter(status="open").exists()

    # One by one with the keys: j walks, Enter opens, the next one comes by itself.
    erin.go("/work/inbox/?sort=money")
    erin.page.keyboard.press("j")
    erin.page.keyboard.press("Enter")
    expect(erin.page.locator("main form[data-keep^='task:']")).to_be_visible(timeout=SOON)
    erin.sees("1 of 4")
    erin.shoot("inbox-task")
    erin.accessible()
    erin.page.keyboard.press("?")
    expect(erin.page.get_by_role("dialog", name="Keys")).to_contain_text("Hand on", timeout=SOON)
    erin.page.keyboard.press("Escape")
    erin.page.keyboard.press("c")
    erin.sees("Yours")
    erin.fill(discount="0", needs_partner=False)
    erin.click("Qualify")
    erin.page.wait_for_url("**sort=money**", timeout=SOON)
    assert HumanTask.objects.get(pk=four[3].pk).status == "done"


def test_taken_while_it_lay_open(company, person, four):
    erin = person("erin@northwind.example")
    erin.go("/work/inbox/?box=group")
    expect(rows(erin)).to_have_count(4, timeout=SOON)
    for task in four:
        claim_task(company.mona, task.pk)
    expect(rows(erin)).to_have_count(0, timeout=SOON)
    erin.sees("All done")


def test_on_a_phone_nothing_moves_sideways(company, person, four):
    erin = person("erin@northwind.example", phone=True)
    for address in ("/work/inbox/", f"/work/tasks/{four[0].pk}/"):
        erin.go(address)
        assert erin.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(erin.page.get_by_role("button", name="Qualify", exact=True)).to_be_in_viewport(timeout=SOON)
    erin.accessible()
