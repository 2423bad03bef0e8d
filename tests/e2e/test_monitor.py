"""The operator's day in a browser: a failing step found on the map, its cause read, a value mended, a batch tried again, a token moved."""

from __future__ import annotations

from playwright.sync_api import expect

from portal.access import Actor
from tests.e2e.conftest import SOON
from tests.workflows.diagrams import ENDS, chain, diagram, user
from workflows import services
from workflows.models import HumanTask, Incident, ProcessInstance

SYSTEM = Actor.system("tests")
SUM = '<bpmn:scriptTask id="sum" name="Add the tax" scriptFormat="python"><bpmn:script>total = net + tax</bpmn:script></bpmn:scriptTask>'
INVOICING = diagram(
    "invoicing",
    ENDS + SUM + user("send", name="Send the invoice") + user("book", name="Book it") + chain("start", "sum", "send", "book", "end"),
)


def test_an_operator_mends_what_fails(company, person):
    services.deploy(SYSTEM, INVOICING)
    acme = company.organisations["Acme Bikes (demo)"].pk
    ids = [
        services.start_process(SYSTEM, "invoicing", title=f"Invoice {n}", data={"net": 100 * n, "tax": None}, customer_organisation_id=acme)
        for n in (1, 2, 3)
    ]
    ProcessInstance.objects.filter(pk__in=ids).update(worth=12_500, worth_currency="EUR")
    mona, watcher = person("mona@northwind.example"), person("mona@northwind.example")

    # The map shows where it is hot; each layer says its figures in words too.
    watcher.go("/work/processes/p/invoicing/")
    mona.go("/work/processes/p/invoicing/?layer=money")
    mona.sees("Step by step")
    hot = mona.page.locator('.djs-overlays[data-container-id="sum"] .t-token').first
    expect(hot).to_contain_text("37,500", timeout=SOON)
    mona.accessible()
    mona.shoot("monitor-map")

    # The incident's cause, by group and one by one.
    mona.page.locator("#process-map").get_by_role("link", name="3").last.click()
    mona.sees("Incidents")
    mona.sees("Add the tax")
    mona.accessible()
    mona.shoot("monitor-incidents")
    mona.go(f"/work/processes/running/{ids[0]}/")
    mona.sees("waits for a person")
    mona.shoot("monitor-instance")
    mona.accessible()

    # A value is mended: before and after are seen first.
    mona.click("Correct values")
    mona.fill(v_tax="19")
    mona.click("Show what would change")
    mona.sees("This would change")
    mona.accessible()
    mona.shoot("monitor-values")
    mona.fill(reason="The tax was missing in the order.")
    mona.click("Do it")
    mona.sees("Corrected")
    mona.sees("Values corrected")

    # The batch: exactly the chosen three, and what became of each.
    mona.go("/work/processes/running/?process=invoicing&status=incident")
    mona.sees("3 found")
    mona.shoot("monitor-list")
    mona.accessible()
    mona.page.get_by_label("Choose all", exact=True).check()
    mona.click("Try again…")
    mona.sees("Exactly these 3")
    mona.accessible()
    mona.shoot("monitor-bulk")
    mona.fill(reason="One of them has its tax now.")
    mona.page.locator("main").get_by_role("button", name="Try again: these 3").click()
    mona.sees("1 done, 2 stayed as they were.")
    mona.click("See the result")
    mona.sees("It failed again")
    mona.shoot("monitor-bulk-result")
    assert Incident.objects.filter(instance_id=ids[0], resolved=None).count() == 0

    # A token is moved after a look at what would come of it; the drawing that stood open elsewhere follows.
    mona.go(f"/work/processes/running/{ids[0]}/")
    mona.click("Change")
    mona.fill(target="Book it", reason="It was sent by hand.")
    mona.click("Show what would happen")
    mona.sees("It goes on at: Book it")
    mona.accessible()
    mona.shoot("monitor-move")
    mona.click("Do it")
    mona.sees("Moved by hand")
    expect(mona.page.locator('.djs-overlays[data-container-id="book"] .t-token').first).to_be_visible(timeout=SOON)
    expect(watcher.page.locator('.djs-overlays[data-container-id="book"] .t-token').first).to_be_visible(timeout=SOON)
    mona.shoot("monitor-moved")

    # And back again by the history's own way back.
    mona.click("Undo…")
    mona.fill(reason="It wasn't sent after all.")
    mona.click("Show what would happen")
    mona.click("Do it")
    expect(mona.page.locator('.djs-overlays[data-container-id="send"] .t-token').first).to_be_visible(timeout=SOON)
    mona.go("/work/processes/radar/")
    mona.sees("Radar")
    mona.accessible()
    mona.shoot("monitor-radar")


def test_on_a_phone_the_map_opens_at_the_hottest_step(company, person):
    """Its figures are words (“4 h”), and an incident far away doesn't draw the view there."""
    steps = [f"step{number}" for number in range(9)]
    services.deploy(SYSTEM, diagram("long", ENDS + "".join(user(one, name=one.title()) for one in steps) + chain("start", *steps, "end")))
    for place, count in ((1, 2), (7, 5)):
        for _number in range(count):
            pk = services.start_process(SYSTEM, "long")
            for _step in range(place):
                services.complete_task(SYSTEM, HumanTask.objects.get(instance_id=pk, status="open").pk, {})
            ProcessInstance.objects.filter(pk=pk).update(worth=place * 1000, worth_currency="EUR")
    Incident.objects.create(
        instance_id=ProcessInstance.objects.filter(key="long").first().pk, element_id="step1", code="x", message="It failed"
    )
    mona = person("mona@northwind.example", phone=True)
    for layer in ("count", "money"):
        mona.go(f"/work/processes/p/long/?layer={layer}")
        hot = mona.page.locator('.djs-element[data-element-id="step7"]')
        expect(hot).to_be_visible(timeout=SOON)
        frame, box = mona.page.locator(".t-diagram-canvas").bounding_box(), hot.bounding_box()
        assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"], layer
        assert frame["y"] <= box["y"] and box["y"] + box["height"] <= frame["y"] + frame["height"], layer
    mona.fits()
    mona.shoot("monitor-map-phone")
