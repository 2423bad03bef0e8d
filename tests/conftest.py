"""Fixtures every test may use. How they work: tests/infra/.

`db` / `transactional_db`  a migrated database of the worker's own (built once, copied)
`people`, `world`          the named cast of tests/world.py: people and organisations alone, or with every package's rows
`live_portal`              a real portal (Daphne, Celery worker, beat) on that database: `.base_url`, `.sign_in(page, email)`
`browser`, `page`, `new_page`  Chromium by Playwright; tests that use them are marked `e2e` and skipped where there is none
"""

import contextlib
import os
import shutil
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.test import TransactionTestCase

from tests.infra import browser as browsers
from tests.infra import database, servers

DATABASE_FIXTURES = {"db", "transactional_db", "live_portal", "people", "world"}
CACHE_FIXTURES = DATABASE_FIXTURES | {"client", "async_client", "valkey"}


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks; browser tests call the database while Playwright's event loop runs in their thread."""
    marks = ("e2e: drives a real portal in a browser", "fuzz: random input, longer with `make fuzz`", "slow: takes seconds")
    for mark in (*marks, "any_database: the database shows in nothing of it, so it runs once, on SQLite"):
        config.addinivalue_line("markers", mark)
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # A busy machine is no bug: property tests have no clock.
    hypothesis.settings.register_profile("tandem", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("tandem")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests, keep a module's on one worker, all of them before the rest, and say so where they can't run.

    So a worker's portal is started once and ended before the first test that has none (`_no_portal_beside`).
    One that fails is tried again, for a busy machine; the summary of the run names it.
    """
    no_browser = pytest.mark.skip(reason="no Chromium on this machine (apt-get install chromium)")
    elsewhere = pytest.mark.skip(reason="runs once, on SQLite: the database shows in nothing of it")
    for item in items:
        if os.environ.get("DATABASE_URL") and item.get_closest_marker("any_database"):
            item.add_marker(elsewhere)
        names = set(getattr(item, "fixturenames", ()))
        if names & {"live_portal", "browser", "page", "new_page"}:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
            if names & {"browser", "page", "new_page"} and browsers.chromium() is None:
                item.add_marker(no_browser)
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remove the homes of runs that were killed."""
    if settings.TEST_WORKER == "main" and settings.TEST_ROOT.exists():
        for folder in settings.TEST_ROOT.iterdir():
            run = folder.name.partition("-")[0]
            if run.isdigit() and not Path(f"/proc/{run}").exists() and Path("/proc").exists():
                shutil.rmtree(folder, ignore_errors=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no home behind."""
    shutil.rmtree(settings.TEST_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey():
    """A real Valkey for cache, live pings and the task queue."""
    with servers.running_valkey():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, valkey):
    """The worker's database, copied from the migrated template."""
    with django_db_blocker.unblock():
        database.prepare()
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: database.restore())
    yield
    patch.undo()
    with django_db_blocker.unblock():
        database.drop()


@pytest.fixture(autouse=True)
def _fresh_cache(request):
    """Start every test that may touch it with an empty cache."""
    names = set(request.fixturenames)
    if names & CACHE_FIXTURES or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("valkey")
        from django.core.cache import cache

        cache.clear()


@pytest.fixture
def people(db):
    """The named cast: organisations and people, nothing else."""
    from tests.world import build_people

    return build_people()


@pytest.fixture
def world(db):
    """The named cast with the rows of every package."""
    from tests.world import build

    return build()


@pytest.fixture(scope="session")
def _portal_processes(django_db_setup):
    """One portal for all tests that want one: a start costs more than most of them."""
    with contextlib.ExitStack() as stack:
        portal = servers.PortalProcesses(stack)
        servers.PortalProcesses.of_this_run = portal
        yield portal


@pytest.fixture(autouse=True)
def _no_portal_beside(request):
    """Before a test without a portal the one that runs is ended: its worker would fire this test's timers."""
    if servers.PortalProcesses.of_this_run and "live_portal" not in request.fixturenames:
        servers.PortalProcesses.of_this_run.end()


@pytest.fixture
def live_portal(transactional_db, _portal_processes):
    """A running portal on this test's committed data."""
    if not (settings.FRONTEND_DIST / "manifest.json").exists():
        pytest.skip("the front end isn't built (make build)")
    _portal_processes.start()
    return browsers.LivePortal(_portal_processes)


@pytest.fixture(scope="module")
def browser():
    """Chromium, one a module: Playwright's event loop must not outlive it, or asynchronous tests couldn't run after."""
    from django.db import connections
    from playwright.sync_api import sync_playwright

    connections.close_all()  # while its loop runs Django keeps other connections; one left open would be found dead after
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browsers.chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()
        connections.close_all()


@pytest.fixture
def new_page(browser, request):
    """Open windows, each with cookies of its own: `new_page()`, `new_page(phone=True)`. A failure leaves their pictures."""
    contexts = []

    def open_page(*, phone: bool = False, **options):
        size = browsers.PHONE if phone else browsers.DESKTOP
        context = browser.new_context(viewport=size, reduced_motion="reduce", **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    failed_before = request.session.testsfailed
    yield open_page
    for number, context in enumerate(contexts):
        for page in context.pages:
            if request.session.testsfailed > failed_before:
                with contextlib.suppress(Exception):
                    browsers.keep_picture(page, f"{request.node.name}-{number}")
        context.close()


@pytest.fixture
def page(new_page):
    """One window."""
    return new_page()


@pytest.fixture
def assert_accessible():
    """The axe check: `assert_accessible(page)`."""
    return browsers.assert_accessible
