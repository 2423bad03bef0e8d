"""The public site: made by itself, searched, edited by administrators alone."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from wagtail.models import Page, PageViewRestriction, Site

from portal import demo
from portal.demo_site import seed_site
from portal.models import HomePage, KnowledgePage, LandingPage, NewsPage
from portal.registry import SiteForm, registry
from portal.selectors_site import newest_news
from portal.services.site import EDITORS, ensure_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    seed_site()
    return HomePage.objects.get()


def test_an_empty_installation_has_a_home_page(client):
    assert client.get("/").status_code == 200
    assert client.get("/news/").status_code == 200
    assert client.get("/help/").status_code == 200


def test_ensuring_and_seeding_again_changes_nothing(site):
    before = list(Page.objects.order_by("pk").values_list("pk", "title", "latest_revision"))
    ensure_site()
    seed_site()
    assert list(Page.objects.order_by("pk").values_list("pk", "title", "latest_revision")) == before
    assert Site.objects.get(is_default_site=True).root_page_id == site.pk


def test_home_shows_values_news_and_the_way_in(site, client):
    page = client.get("/").content.decode()
    assert site.hero_title in page
    for news in NewsPage.objects.all():
        assert news.title in page
    assert "/start/" in page and "/accounts/login/" in page


def test_news_are_kept_and_change_at_once(site, django_capture_on_commit_callbacks, django_assert_num_queries):
    def titles() -> list[str]:
        return [one.title for one in newest_news(9)]

    before = titles()
    with django_assert_num_queries(0):
        assert titles() == before
    newest = NewsPage.objects.live().order_by("-date", "-pk").first()
    newest.title = "Said otherwise"
    with django_capture_on_commit_callbacks(execute=True):
        newest.save_revision().publish()
    assert titles()[0] == "Said otherwise"
    with django_capture_on_commit_callbacks(execute=True):
        hidden = PageViewRestriction.objects.create(page=newest, restriction_type="login")
    assert titles() == before[1:]
    with django_capture_on_commit_callbacks(execute=True):
        hidden.delete()
    assert "Said otherwise" in titles()
    with django_capture_on_commit_callbacks(execute=True):
        newest.unpublish()
    assert titles() == before[1:]
    with django_capture_on_commit_callbacks(execute=True):
        NewsPage.objects.live().first().get_parent().specific.delete()
    assert titles() == []


def test_every_page_of_the_site_answers(site, client):
    inside = KnowledgePage.objects.exclude(audience="public").values("pk")
    for page in Page.objects.live().filter(depth__gte=2).exclude(pk__in=inside):
        assert client.get(page.get_url()).status_code == 200, page.title


@pytest.mark.parametrize(("text", "found"), [("PASSKEY", 1), ("quote pdf", 1), ("nothing-like-this", 0), ("%", 0), ("", 6)])
def test_help_is_searched_by_all_words(site, client, text, found):
    answer = client.get("/help/", {"q": text})
    assert answer.status_code == 200
    assert len(answer.context["entries"]) == found


def test_search_finds_words_in_any_alphabet(site):
    answer = KnowledgePage.objects.first()
    answer.title = "Ёлка и ПРИВЕТ"
    answer.save()
    index = answer.get_parent().specific
    assert list(index.matching("привет ёлка")) == [answer]


def test_a_draft_is_not_shown(site, client):
    page = NewsPage.objects.first()
    page.unpublish()
    assert client.get(page.get_url() or f"/news/{page.slug}/").status_code == 404
    assert page.title not in client.get("/news/").content.decode()


def test_landing_page_embeds_an_offered_form(site, client, monkeypatch):
    page = LandingPage.objects.get(slug="workshop-check")
    page.form = "check"
    page.save()
    monkeypatch.setattr(registry, "form_sources", [lambda: [SiteForm("check", "Book a check", "/start/check/")]])
    assert 'hx-get="/start/check/"' in client.get(page.get_url()).content.decode()
    monkeypatch.setattr(registry, "form_sources", [])
    assert "hx-get" not in client.get(page.get_url()).content.decode()


def test_administrators_edit_the_site_and_nobody_else(people, client):
    users = get_user_model().objects
    assert [user.email for user in users.filter(groups__name=EDITORS)] == ["adam@northwind.example"]
    client.force_login(users.get(email="adam@northwind.example"))
    assert client.get("/cms/").status_code == 200
    assert client.get(f"/cms/pages/{HomePage.objects.get().pk}/edit/").status_code == 200
    for email in ("erin@northwind.example", "cara@acme.example", "paul@pine.example"):
        client.force_login(users.get(email=email))
        assert client.get("/cms/").status_code == 404
    client.logout()
    assert client.get("/cms/")["Location"].startswith("/accounts/login/")


def test_an_outsider_gets_no_way_into_the_editor(people):
    from portal.access import Actor, Audience
    from portal.services.memberships import add_member

    cara = get_user_model().objects.get(email="cara@acme.example")
    add_member(Actor.system(), cara, people.organisations[demo.BIRCH].pk, Audience.CUSTOMER, ["customer_admin"])
    assert not Group.objects.get(name=EDITORS).user_set.filter(pk=cara.pk).exists()
