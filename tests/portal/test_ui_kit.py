"""The UI kit: its page, its tags, and its behaviours in a real browser."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone

from portal.templatetags import kit
from portal.views.ui_kit import components, icon_names


def test_every_component_says_what_it_takes():
    """A component without a comment on top can't be found on the kit's page."""
    assert [one.name for one in components() if len(one.text) < 10] == []


def test_icons_named_in_components_are_in_the_sprite():
    """A name that the sprite lacks would be an invisible icon."""
    known = set(icon_names())
    for one in components():
        for name in kit_icons(one.path.read_text(encoding="utf-8")):
            assert name in known, f"{one.name} uses {name}"


def kit_icons(text: str) -> set[str]:
    """The literal names given to the icon tag."""
    import re

    return set(re.findall(r'{% icon "([a-z0-9-]+)"', text))


@pytest.mark.parametrize(("amount", "shown"), [(1284000, "$1,284,000"), (Decimal("12.5"), "$12.50"), (None, "–"), (Decimal("-3"), "-$3")])
def test_money_shows_cents_only_where_there_are_any(amount, shown):
    """Whole amounts stay short."""
    assert shown in kit.money(amount, "USD")


def test_when_is_relative_with_the_exact_time_on_hover():
    """The words are the reader's, the exact time is in the title."""
    shown = kit.when(timezone.now() - timedelta(hours=3, minutes=5))
    assert "3 hours ago" in shown
    assert "title=" in shown
    assert "data-relative" in shown


def test_text_in_components_is_escaped():
    """What a person typed never becomes markup, given as an attribute or in the slot."""
    page = Template(
        '{% cotton chip %}{{ word }}{% endcotton %}{% cotton card :title="word" / %}{% cotton card title="{{ word }}" / %}'
        '{% cotton avatar name="{{ word }}" / %}'
    )
    said = page.render(Context({"word": "<b>x</b>"}))
    assert "<b>" not in said
    assert said.count("&lt;b&gt;x&lt;/b&gt;") == 5


@pytest.mark.django_db
def test_only_administrators_see_the_kit_page(client, people):
    """For everybody else the page isn't there."""
    client.force_login(people.users["adam@northwind.example"])
    assert client.get("/ui-kit/").status_code == 200
    client.force_login(people.users["erin@northwind.example"])
    assert client.get("/ui-kit/").status_code == 404
    client.force_login(people.users["cara@acme.example"])
    assert client.get("/ui-kit/").status_code == 404


@pytest.mark.e2e
@pytest.mark.any_database
def test_a_refused_move_returns_the_card_and_says_why(live_portal, people, page):
    """By keyboard menu; the process has the last word."""
    live_portal.sign_in(page, "adam@northwind.example")
    page.goto(f"{live_portal.base_url}/ui-kit/")
    card = page.locator('[data-card="1"]')
    where = '() => document.querySelector("[data-card=\'1\']").closest("[data-column]").dataset.column'
    card.locator("summary").click()
    card.locator("[data-move-to=won]").click()
    page.get_by_text("The customer has not accepted the quote yet.").wait_for()
    assert page.evaluate(where) == "qualification"
    card.locator("summary").click()
    with page.expect_response("**/ui-kit/move/"):
        card.locator("[data-move-to=proposal]").click()
    assert page.evaluate(where) == "proposal"
