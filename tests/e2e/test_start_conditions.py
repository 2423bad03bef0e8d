"""A process designer draws what begins a process, publishes it, and a deal that fits begins one."""

from __future__ import annotations

from playwright.sync_api import expect

from crm.services.deals import create_deal
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import chain, diagram, user
from workflows import services
from workflows.models import ProcessInstance

DRAWN = diagram(
    "watching",
    '<bpmn:startEvent id="start" name="It is large" tandem:watches="crm.lead"><bpmn:conditionalEventDefinition>'
    '<bpmn:condition xsi:type="bpmn:tFormalExpression" language="feel">state = "new"</bpmn:condition></bpmn:conditionalEventDefinition>'
    '</bpmn:startEvent><bpmn:endEvent id="end"/>' + user("look", name="Look at the large deal") + chain("start", "look", "end"),
)


def test_a_designer_says_of_which_records_and_a_deal_begins_it(company, person):
    services.deploy(SYSTEM, DRAWN)
    dora = person("dora@northwind.example")
    dora.go("/work/processes/draw/p/watching/")
    dora.page.locator("[data-element-id=start]").first.click()
    panel = dora.page.locator("main")
    expect(panel.get_by_label("Of which records")).to_have_value("crm.lead")
    expect(panel.get_by_label("Condition")).to_have_value('state = "new"')
    panel.get_by_label("Of which records").select_option(label="Deal")
    dora.sees("It may read: title, stage")
    panel.get_by_label("Condition").fill("amount in [90000..200000]")  # stays FEEL, as the drawing says
    panel.get_by_label("Condition").press("Tab")
    dora.accessible()
    dora.shoot("work-start-condition")
    dora.click("Publish…")
    dora.page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    dora.sees("How it begins")
    dora.sees("This comes true of a record (Deal):")
    dora.sees("amount in [90000..200000]", exact=True)
    dora.accessible()
    dora.fits()
    dora.shoot("work-how-it-begins")
    erin = person("erin@northwind.example")
    deal = create_deal(company.erin, title="A whole street", amount=100_000)
    erin.go(f"/work/crm/deals/{deal.pk}/")
    erin.sees("Look at the large deal")  # the portal's own worker has looked
    assert ProcessInstance.objects.filter(key="watching").get().subject_id == deal.pk
