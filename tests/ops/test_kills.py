"""`kill -9` of each process of a portal in the middle of the main job: it goes on, nothing is lost or doubled."""

from __future__ import annotations

import sys

import pytest
from django.conf import settings
from django.core import signing

from crm.models import Deal, Lead, PublicStart, Request
from crm.services.public_start import SALT
from social_feed.models import Post
from tests.e2e.conftest import Person, seed_company
from tests.infra import browser as browsers
from tests.infra.letters import letters_to
from tests.infra.supervised import Running, until
from workflows.models import HistoryEvent, HumanTask, Incident, OutboxCall, ProcessInstance

# Steps killed in the middle on either database: tests/workflows/test_kills.py.
pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"), pytest.mark.any_database]


def _database_url() -> str:
    """This test's database, as the product reads it from its environment."""
    own = settings.DATABASES["default"]
    if own["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{own['NAME']}"
    return f"postgres://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}/{own['NAME']}"


@pytest.fixture
def portal(transactional_db, people, tmp_path):
    """The product under its own supervisor, with an embedded Valkey, on this test's database."""
    if not (settings.FRONTEND_DIST / "manifest.json").exists():
        pytest.skip("the front end isn't built (make build)")
    seed_company(people)
    running = Running(tmp_path / "home", DATABASE_URL=_database_url(), SECRET_KEY=settings.SECRET_KEY)
    running.start()
    until(lambda: running.answers() or running.process.poll() is not None)
    assert running.process.poll() is None, running.log
    yield running
    running.process.kill()
    running.process.wait()
    until(lambda: not running.pids(), 20)


def test_each_process_is_killed_in_the_middle_of_the_job(portal, new_page):
    def person(email: str, path: str) -> Person:
        window = new_page()
        browsers.LivePortal(portal).sign_in(window, email)
        one = Person(portal, window, browsers.DESKTOP)
        one.go(path)
        return one

    erin, mona, fiona = (person(f"{name}@northwind.example", "/work/inbox/") for name in ("erin", "mona", "fiona"))
    visitor = Person(portal, new_page(), browsers.DESKTOP)

    def ask(name: str, email: str) -> None:
        visitor.go("/start/form/")
        visitor.fill(message="Something for the hall", name=name, email=email, consent=True)
        visitor.click("Send")
        visitor.sees("Look into your mailbox")
        row = PublicStart.objects.get(email=email)  # the link of the letter, which a dead worker hasn't sent yet
        visitor.go(f"/start/confirm/{signing.dumps([row.pk, row.nonce], salt=SALT)}/")
        visitor.click("Confirm and start")
        visitor.sees("Choose a password")

    # The worker: a visitor asks meanwhile; the letter leaves once, when a worker is back.
    until(lambda: len(portal.pids("celery", "worker")) >= 3)
    portal.kill("celery", "worker")
    ask("Ada Quarry", "ada@quarry.example")
    erin.take("Qualify the request")

    # The web process, as a form is sent: no answer comes; back at the form all that was typed is there.
    erin.fill(product="Solar roof", discount="18", note="Typed before the crash")
    form = erin.page.url
    portal.kill("daphne")
    erin.page.get_by_role("button", name="Qualify", exact=True).click()
    erin.page.wait_for_url("chrome-error://**")
    until(portal.answers)
    erin.page.goto(form)
    assert (erin.value("discount"), erin.value("note")) == ("18", "Typed before the crash")
    erin.click("Qualify")
    mona.take("Approve the discount")  # on the inbox that stood open

    # Valkey, as the manager approves: it is done all the same; open pages hear of what comes after.
    fiona.take("Approve the discount for finance")
    erin.go("/work/inbox/")
    portal.kill("valkey-server")
    mona.click("Approve")
    mona.sees("All done")

    # Beat: another visitor asks, and finance approves meanwhile.
    portal.kill("celery", "beat")
    ask("Ben Basalt", "ben@basalt.example")
    fiona.click("Approve")
    erin.sees("Prepare the quote")

    for address in ("ada@quarry.example", "ben@basalt.example"):
        assert len(letters_to(address, 90, portal.home / "mail", at_least=2)) == 2
    for process in ("web", "worker", "valkey", "beat"):
        assert f"{process} was killed by SIGKILL" in portal.log
    first, second = Request.objects.order_by("pk")
    assert [lead.state for lead in Lead.objects.order_by("pk")] == ["converted", "new"]
    assert Deal.objects.get().request_id == first.pk
    assert ProcessInstance.objects.filter(status="running").count() == ProcessInstance.objects.count() == 2
    decided = ["qualify", "approve_discount_manager", "approve_discount_finance"]
    tasks = HumanTask.objects.filter(instance_id=first.instance_id).order_by("pk").values_list("element_id", "status")
    assert sorted(tasks) == sorted([*((element, "done") for element in decided), ("prepare_quote", "open")])
    history = HistoryEvent.objects.filter(instance_id=first.instance_id, kind="userTask", state="completed")
    assert sorted(history.values_list("element_id", flat=True)) == sorted(decided)
    assert [task.element_id for task in HumanTask.objects.filter(instance_id=second.instance_id)] == ["qualify"]
    assert not Incident.objects.exists() and set(OutboxCall.objects.values_list("status", flat=True)) == {"sent"}
    stories = [str(story) for story in Post.objects.values_list("story", "subject_kind", "subject_id", "values")]
    assert len(stories) == len(set(stories)) >= 4
