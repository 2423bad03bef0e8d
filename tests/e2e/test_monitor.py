"""The operator's day in a browser: a failing step is found on the map, and its cause is read."""

from __future__ import annotations

from playwright.sync_api import expect

from portal.access import Actor
from tests.e2e.conftest import SOON
from tests.workflows.diagrams import ENDS, chain, diagram, user
from workflows import services
from workflows.models import ProcessInstance

SYSTEM = Actor.system("tests")
SUM = '<bpmn:scriptTask id="sum" name="Add the tax" scriptFormat="python"><bpmn:script>total = net + tax</bpmn:script></bpmn:scriptTask>'
INVOICING = diagram(
    "invoicing",
    ENDS + SUM + user("send", name="Send the invoice") + user("book", name="Book it") + chain("start", "sum", "send", "book", "end"),
)


def test_an_operator_finds_what_fails(company, person):
    services.deploy(SYSTEM, INVOICING)
    acme = company.organisations["Acme Bikes (demo)"].pk
    ids = [
        services.start_process(SYSTEM, "invoicing", title=f"Invoice {n}", data={"net": 100 * n, "tax": None}, customer_organisation_id=acme)
        for n in (1, 2, 3)
    ]
    ProcessInstance.objects.filter(pk__in=ids).update(worth=12_500, worth_currency="EUR")
    mona = person("mona@northwind.example")

    # The map shows where it is hot; each layer says its figures in words too.
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
