"""What the browser tests share: the company with its processes, and people at their screens."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from portal.demo import PASSWORD
from tests.infra.browser import ARTIFACTS, DESKTOP, PHONE, assert_accessible

SOON = 30_000  # milliseconds within which a change must show on another person's page, on a busy machine


@dataclass
class Person:
    """Somebody signed in, in a browser window of their own."""

    portal: object
    page: Page
    size: dict

    def go(self, path: str) -> None:
        """Open a page of the portal."""
        answer = self.page.goto(self.portal.base_url + path)
        assert answer.status < 400, f"{path} answered {answer.status}"

    def sees(self, words: str, *, exact: bool = False) -> None:
        """The words are, or soon come, on the page that is open."""
        expect(self.page.locator("main").get_by_text(words, exact=exact).first).to_be_visible(timeout=SOON)

    def sees_not(self, words: str) -> None:
        """The words aren't on the open page, or soon go."""
        expect(self.page.locator("main").get_by_text(words)).to_have_count(0, timeout=SOON)

    def click(self, name: str) -> None:
        """Press the button or follow the link of that name, which are there or soon come; the button where there are both."""
        main = self.page.locator("main")
        button, link = main.get_by_role("button", name=name, exact=True), main.get_by_role("link", name=name)
        expect(button.or_(link)).not_to_have_count(0, timeout=SOON)  # counted before it came, a button would be looked for as a link
        (button if button.count() else link).first.click()

    def fill(self, **values: str | bool) -> None:
        """Fill fields by their names."""
        for name, value in values.items():
            field = self.page.locator(f"main [name={name}]").first
            kind = field.evaluate("field => field.type")
            if kind == "checkbox":
                field.set_checked(bool(value))
            elif kind == "select-one":
                field.select_option(label=str(value))
            else:
                field.fill(str(value))

    def take(self, task: str) -> None:
        """Open a task from the inbox, which is open."""
        self.sees(task, exact=True)
        self.page.locator("main").get_by_role("link", name=task, exact=True).first.click()
        expect(self.page.locator("main form[data-keep^='task:']")).to_be_visible(timeout=SOON)

    def counts(self, number: int) -> None:
        """The number beside the first counted entry of the navigation, which comes by itself."""
        expect(self.page.locator(".t-count-live .t-count").first).to_have_text(str(number), timeout=SOON)

    def sign_in_by_form(self, email: str, password: str = PASSWORD) -> None:
        """Fill in the sign-in page, which is open or soon opens."""
        self.page.wait_for_url("**/accounts/login/**", timeout=SOON)
        self.fill(login=email, password=password)
        self.click("Sign in")
        self.page.wait_for_url(lambda url: "/accounts/login/" not in url, timeout=SOON)

    def value(self, name: str) -> str:
        """What stands in the field of that name."""
        return self.page.locator(f"main [name={name}]").first.input_value()

    def accessible(self) -> None:
        """Nothing on this page is against WCAG 2.2 AA."""
        assert_accessible(self.page)

    def fits(self) -> None:
        """Nothing is wider than the screen."""
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.page.viewport_size["width"], f"{self.page.url} scrolls sideways"

    def shoot(self, name: str) -> None:
        """Keep pictures of the open page, wide and narrow."""
        if not os.environ.get("TANDEM_SCREENSHOTS"):
            return
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(PlaywrightTimeout):
            self.page.wait_for_load_state("networkidle", timeout=SOON)
        for label, size in (("1440", DESKTOP), ("390", PHONE)):
            self.page.set_viewport_size(size)
            self.page.evaluate("scrollTo(0, 0)")
            self.page.wait_for_timeout(300)
            self.page.screenshot(path=str(ARTIFACTS / f"{name}-{label}.png"), full_page=True)
        self.page.set_viewport_size(self.size)


@pytest.fixture
def company(live_portal, people):
    """The company, ready to work; letters of an earlier test are gone."""
    for letter in Path(settings.EMAIL_FILE_PATH).glob("*.log"):
        letter.unlink()
    seed_company(people)
    return people


def seed_company(people) -> None:
    """The shipped processes and what they stand on: the programme, templates, a catalogue; nothing asked for yet."""
    from crm.demo import seed_accounts, seed_catalogue, seed_teams
    from partners.demo import seed as seed_partners
    from projects.demo import seed as seed_projects
    from workflows.packs import deploy_shipped

    deploy_shipped()
    seed_projects(people)
    seed_partners(people)
    seed_catalogue()
    seed_teams(people)
    seed_accounts(people)


@pytest.fixture
def person(company, live_portal, new_page):
    """`person("erin@northwind.example")`, or with `phone=True`: a window in which they are signed in."""

    def open_window(email: str, *, phone: bool = False) -> Person:
        window = new_page(phone=phone)
        window.on("pageerror", lambda error: pytest.fail(f"{email}: {error}"))
        live_portal.sign_in(window, email)
        return Person(live_portal, window, PHONE if phone else DESKTOP)

    return open_window


@pytest.fixture
def number_in():
    """The number at the end of an address: `number_in(page)`."""
    return lambda page: int(re.search(r"(\d+)/?$", page.url).group(1))


@pytest.fixture
def end_sessions():
    """End everybody's session, as time would: `end_sessions()`."""

    def end() -> None:
        Session.objects.all().delete()
        cache.clear()

    return end
