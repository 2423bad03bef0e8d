"""Pages kept for their reader: given again while nothing they follow was pinged, and never to anybody else."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.models import Request
from portal import kept_pages
from portal.live import Hub, hub
from portal.models import MembershipRole
from portal.registry import SubjectRef
from tests.crm.conftest import ask, do, shop  # noqa: F401

pytestmark = pytest.mark.django_db
FRAME = 2  # statements of who reads: the person and the membership


@pytest.fixture(autouse=True)
def listening(monkeypatch):
    """This process hears every ping."""
    monkeypatch.setattr(Hub, "is_listening", True)
    monkeypatch.setattr(hub, "listens_since", 0.0)
    monkeypatch.setattr(hub, "pinged", {})
    kept_pages.forget_all()
    yield
    kept_pages.forget_all()


def window(world, email="cara@acme.example", **words) -> Client:
    """A browser that was here before."""
    client = Client(**words)
    client.force_login(world.users[email], backend="django.contrib.auth.backends.ModelBackend")
    client.get("/cabinet/catalogue/")
    assert "csrftoken" in client.cookies
    return client


def read(client: Client, path: str = "/cabinet/") -> tuple[str, int]:
    """A page and how many statements it took."""
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode(), len(caught)


def is_kept(client: Client, path: str = "/cabinet/") -> bool:
    """Whether a page is given again."""
    return read(client, path)[1] <= FRAME


def test_a_page_is_given_again_until_something_on_it_changes(shop):  # noqa: F811
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    cara = window(shop)
    first, cost = read(cara)
    assert cost > FRAME
    assert read(cara) == (first, FRAME)
    hub._remember([f"crm.requests:{shop.cara.organisation_id + 1}"])
    assert is_kept(cara)
    Request.objects.filter(pk=request.pk).update(title="Another title")
    hub._remember([f"crm.requests:{shop.cara.organisation_id}"])
    assert "Another title" in read(cara)[0]
    assert is_kept(cara)


def test_a_page_is_kept_for_a_short_while_only(shop, monkeypatch):  # noqa: F811
    cara = window(shop)
    assert not is_kept(cara) and is_kept(cara)
    now = time.time()
    monkeypatch.setattr(kept_pages.time, "time", lambda: now + kept_pages.LONGEST + 1)
    assert not is_kept(cara)


def test_nothing_is_kept_where_pings_may_be_missed(shop, monkeypatch):  # noqa: F811
    cara = window(shop)
    monkeypatch.setattr(Hub, "is_listening", False)
    assert not is_kept(cara) and not is_kept(cara)
    monkeypatch.setattr(Hub, "is_listening", True)
    assert not is_kept(cara) and is_kept(cara)
    hub.listens_since = time.time()  # it was away meanwhile
    assert not is_kept(cara)


def test_who_sends_something_sees_what_came_of_it(shop):  # noqa: F811
    cara = window(shop)
    assert not is_kept(cara) and is_kept(cara)
    cara.post(f"/cabinet/catalogue/{shop.rows['planning'].pk}/draft/", {"title": "Half a wish", "description": "…"})
    page, cost = read(cara)
    assert "Half a wish" in page and cost > FRAME
    assert is_kept(cara)


def test_a_page_is_its_readers_alone(shop):  # noqa: F811
    cara = window(shop)
    first, _cost = read(cara)
    assert is_kept(cara)
    assert not is_kept(window(shop))  # another browser of hers
    page, cost = read(window(shop, "ann@acme.example"))
    assert cost > FRAME and page != first
    cara.cookies["theme"] = "dark"
    assert 'data-bs-theme="dark"' in read(cara)[0]
    cara.logout()
    assert cara.get("/cabinet/").status_code == 302


def test_rights_and_words_that_change_make_another_page(shop):  # noqa: F811
    cara = window(shop)
    assert not is_kept(cara) and is_kept(cara)
    user = shop.users["cara@acme.example"]
    user.name = "Cara Renamed"
    user.save()
    assert "Cara Renamed" in read(cara)[0]
    rows = MembershipRole.objects.filter(membership=shop.cara.membership_id)
    rows.exclude(pk=rows.first().pk).delete()
    rows.update(role="customer_viewer")
    assert not is_kept(cara)


def test_a_kept_page_can_still_send(shop):  # noqa: F811
    cara = window(shop, enforce_csrf_checks=True)
    read(cara)
    page, cost = read(cara)
    assert cost == FRAME
    token = (
        page.partition('"X-CSRFToken": "')[2].partition('"')[0] or page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    )
    assert len(token) == 64
    draft = f"/cabinet/catalogue/{shop.rows['planning'].pk}/draft/"
    assert cara.post(draft, {"title": "A", "description": ""}, headers={"X-CSRFToken": token}).status_code == 204
    assert cara.post(draft, {"title": "A", "description": ""}, headers={"X-CSRFToken": "x" * 64}).status_code == 403


def test_words_said_once_are_not_said_again(shop):  # noqa: F811
    cara = window(shop)
    draft = f"/cabinet/catalogue/{shop.rows['planning'].pk}/draft/"
    cara.post(draft, {"drop": "yes"})
    assert "The draft was thrown away." in read(cara)[0]
    assert "The draft was thrown away." not in read(cara)[0]


def test_a_page_with_a_step_is_another_when_the_step_is_done(shop):  # noqa: F811
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    cara, path = window(shop), f"/cabinet/requests/{request.pk}/"
    assert not is_kept(cara, path) and is_kept(cara, path)
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="0")
    do(shop.erin, request, "prepare_quote", "send", quote_note="")
    hub._remember([str(SubjectRef("crm.request", request.pk))])
    step = 'data-keep="task:' + read(cara, path)[0].partition('data-keep="task:')[2].partition('"')[0]
    assert step[-1].isdigit() and is_kept(cara, path)
    do(shop.cara, request, "decide_quote", "accept")
    hub._remember([str(SubjectRef("crm.request", request.pk))])
    assert step not in read(cara, path)[0]


def test_no_more_pages_are_kept_than_said(shop, monkeypatch):  # noqa: F811
    cara = window(shop)
    monkeypatch.setattr(kept_pages, "MOST", 2)
    for word in "abc":
        assert not is_kept(cara, f"/cabinet/?{word}")
    assert len(kept_pages._pages) == 2
    assert is_kept(cara, "/cabinet/?c") and not is_kept(cara, "/cabinet/?a")
