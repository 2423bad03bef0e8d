"""axe over the pages that no other browser test walks through: one's own pages on every face, and the cabinet's quieter ones."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from crm.models import Appointment, DocumentRequest
from tests.e2e.conftest import SOON, Person
from tests.infra.browser import DESKTOP, PHONE, accessibility_problems
from workflows.models import HumanTask

OWN = ["/me/", "/me/security/", "/me/devices/", "/me/consents/", "/me/data/", "/notifications/"]
CABINET = [
    "/cabinet/appointments/",
    "/cabinet/appointments/{appointment}/",
    "/cabinet/documents/",
    "/cabinet/documents/asked/{asked}/",
    "/cabinet/requests/",
    "/cabinet/projects/",
    "/cabinet/cases/",
    "/cabinet/team/",
]
FACES = {
    "cara@acme.example": [*OWN, *CABINET],
    "paul@pine.example": [*OWN, "/partner/team/"],
    "erin@northwind.example": [*OWN, "/work/crm/documents/", "/work/crm/documents/{asked}/"],
    "mona@northwind.example": ["/work/tasks/{told}/told/"],
}


@pytest.mark.any_database
def test_quiet_pages_are_accessible_and_fit_the_screen(live_portal, new_page):
    """All of them in one go, for what they stand on is made once; a failure names every page and every place."""
    call_command("seed_demo", verbosity=0)
    ids = _places()
    found = []
    for email, paths in FACES.items():
        page = new_page(phone=True)
        live_portal.sign_in(page, email)
        who = Person(live_portal, page, PHONE)
        for path in paths:
            who.go(path.format(**ids))
            expect(page.locator("main .t-skeleton")).to_have_count(0, timeout=SOON)
            for size in (PHONE, DESKTOP):
                page.set_viewport_size(size)
                place = f"{email} {path} at {size['width']} px"
                found += [f"{place}: {problem}" for problem in accessibility_problems(page)]
                wide = page.evaluate("document.documentElement.scrollWidth")
                found += [f"{place}: it is {wide} px wide"] if wide > size["width"] else []
    assert not found, "\n".join(found)


def _places() -> dict[str, int]:
    """Ids of the demo's rows."""
    hers = {"customer_organisation__name__startswith": "Acme"}
    return {
        "asked": DocumentRequest.objects.filter(state="open", **hers).first().pk,
        "told": HumanTask.objects.filter(status="open", audience="customer", element_id="accept_delivery").first().pk,
        "appointment": Appointment.objects.filter(state="booked", **hers).first().pk,
    }
