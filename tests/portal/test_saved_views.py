"""Views of lists: one's own, a group's, everybody's; renamed, opened first, dropped by their author alone."""

import pytest
from django.test import Client

from portal.errors import NotAllowed, Refused
from portal.models import SavedView
from portal.saved_views import views_menu
from portal.services import saved_views as services
from tests.world import build_people


@pytest.fixture
def cast(db):
    return build_people()


def names(actor):
    return [view.name for view in views_menu(actor, "inbox").views]


def test_a_view_is_seen_by_those_it_is_shared_with(cast):
    services.save_view(cast.erin, "inbox", name="mine", query="box=mine&page=3&view=x")
    services.save_view(cast.erin, "inbox", name="sales", query="due=late", shared_with="sales")
    services.save_view(cast.erin, "inbox", name="all", query="", shared_with="*")
    services.save_view(cast.erin, "deals", name="elsewhere", query="")
    assert SavedView.objects.get(name="mine").query == "box=mine"
    assert set(names(cast.erin)) == {"mine", "sales", "all"}
    assert names(cast.dan) == ["all"] and names(cast.cara) == []
    with pytest.raises(Refused):
        services.save_view(cast.erin, "inbox", name="x", query="", shared_with="finance")
    with pytest.raises(NotAllowed):
        services.save_view(cast.cara, "inbox", name="x", query="")


def test_only_its_author_changes_a_view(cast):
    view = services.save_view(cast.erin, "inbox", name="all", query="", shared_with="*")
    private = services.save_view(cast.erin, "inbox", name="mine", query="")
    for act in (lambda pk: services.rename_view(cast.mona, pk, "x"), lambda pk: services.delete_view(cast.mona, pk)):
        for pk in (view.pk, private.pk, 10**9):
            with pytest.raises(Refused):
                act(pk)
    services.rename_view(cast.erin, view.pk, " everybody's ")
    with pytest.raises(Refused, match="already"):
        services.rename_view(cast.erin, view.pk, "mine")
    with pytest.raises(Refused):
        services.rename_view(cast.erin, view.pk, " ")
    assert set(names(cast.erin)) == {"everybody's", "mine"}


def test_the_list_opens_with_one_view_at_most(cast):
    one = services.save_view(cast.erin, "inbox", name="one", query="box=mine", is_default=True)
    two = services.save_view(cast.erin, "inbox", name="two", query="due=late", is_default=True)
    assert SavedView.objects.get(is_default=True) == two
    client = Client()
    client.force_login(cast.users["erin@northwind.example"])
    assert client.get("/work/inbox/")["Location"] == "/work/inbox/?due=late"
    assert client.get("/work/inbox/?view=none").status_code == 200
    client.post(f"/work/views/{two.pk}/", {"do": "undefault", "next": "/work/inbox/"})
    assert client.get("/work/inbox/").status_code == 200
    services.open_with_view(cast.erin, one.pk, True)
    assert client.get("/work/inbox/")["Location"] == "/work/inbox/?box=mine"


def test_by_hand(cast):
    client = Client()
    client.force_login(cast.users["erin@northwind.example"])
    sent = client.post("/work/views/", {"list": "inbox", "name": "Late", "query": "due=late", "next": "/work/inbox/?box=mine"})
    assert sent["Location"] == "/work/inbox/?due=late"
    number = SavedView.objects.get().pk
    assert "Late" in client.get("/work/inbox/?due=late").content.decode()
    assert client.post(f"/work/views/{number}/", {"do": "fly", "next": "https://evil.example/"})["Location"] == "/work/"
    assert client.post("/work/views/", {"list": "inbox", "name": " ", "next": "/work/inbox/"})["Location"] == "/work/inbox/"
    assert client.post("/work/views/", {"list": "inbox", "name": "x", "query": "q=" + "x" * 2000}).status_code == 302
    client.post(f"/work/views/{number}/", {"do": "drop", "next": "/work/inbox/"})
    assert not SavedView.objects.exists()
