"""A process designer tries a drawing out before it is published."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from workflows.models import ProcessInstance


@pytest.mark.any_database
def test_a_drawing_is_tried_with_other_answers(company, person):
    dora = person("dora@northwind.example")
    dora.go("/work/processes/draw/p/request_to_delivery/")
    dora.click("Try it")
    dora.sees("Trial run")
    dora.sees("What functions answer")
    dora.accessible()
    dora.shoot("work-trial")
    main = dora.page.locator("main")
    main.get_by_label("Button", exact=True).first.select_option(label="Not for us")
    main.get_by_role("button", name="Try again with these answers").click()
    dora.sees("It came to its end.")
    expect(main.locator(".trial-taken[data-element-id=drop_request]")).to_have_count(1)
    assert not ProcessInstance.objects.exists()
