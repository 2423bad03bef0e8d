"""The knowledge base: for whom an article is, search, fitting answers, votes; and what search engines and caches are given."""

import xml.etree.ElementTree as ET

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from portal.demo_site import seed_site
from portal.models import ArticleVote, HomePage, KnowledgeIndexPage, KnowledgePage
from portal.registry import registry
from portal.selectors_site import fitting_articles, site_map, votes_of

pytestmark = pytest.mark.django_db
READERS = {
    None: {"public"},
    "cara@acme.example": {"public", "customer"},
    "paul@pine.example": {"public", "partner"},
    "erin@northwind.example": {"public", "customer", "partner", "internal"},
}


@pytest.fixture
def articles(people):
    seed_site()
    index = KnowledgeIndexPage.objects.get()
    for audience in ("public", "customer", "partner", "internal"):
        words = {"topic": "Grinding", "intro": "How wheels are dressed."}
        index.add_child(instance=KnowledgePage(title=f"Grinding {audience}", slug=f"grinding-{audience}", audience=audience, **words))
    return index


def as_(email: str | None) -> Client:
    client = Client()
    if email:
        client.force_login(get_user_model().objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("email", READERS)
def test_an_article_is_there_for_its_readers_alone(articles, email):
    client, mine = as_(email), READERS[email]
    places = {
        "list": client.get("/help/?topic=Grinding").content.decode(),
        "search of the list": client.get("/help/?q=grinding").content.decode(),
        "search of the site": client.get("/search/?q=grinding").content.decode(),
        "fitting": client.post("/answers/fitting/", {"message": "The grinding wheels need to be dressed"}).content.decode(),
        "beside others": client.get("/help/grinding-public/").content.decode() + "Grinding public",
    }
    if email:
        places["palette"] = client.get("/palette/?q=grinding").content.decode()
    for audience in ("public", "customer", "partner", "internal"):
        page = KnowledgePage.objects.get(slug=f"grinding-{audience}")
        may = audience in mine
        assert client.get(f"/help/{page.slug}/").status_code == (200 if may else 404)
        assert client.get(f"/answers/{page.pk}/vote/").status_code == (200 if may else 404)
        assert client.post(f"/answers/{page.pk}/vote/", {"helped": "yes"}).status_code == (200 if may else 404)
        for place, text in places.items():
            if place != "fitting" or not may:  # three at most are offered
                assert (page.title in text) is may, f"{page.title} in {place} for {email}"


def test_the_map_names_what_visitors_see_and_nothing_else(articles, client):
    addresses = [url for url, _changed in site_map()]
    assert "/help/grinding-public/" in addresses
    assert not [url for url in addresses if "customer" in url or "partner" in url.split("/")[-2] and "grinding" in url or "internal" in url]
    answer = client.get("/sitemap.xml")
    assert answer["Content-Type"].startswith("application/xml")
    found = [node.text for node in ET.fromstring(answer.content).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert len(found) == len(addresses) and all(client.get(url).status_code == 200 for url in addresses)
    assert "Sitemap: " in client.get("/robots.txt").content.decode()


@pytest.mark.parametrize(("text", "first"), [
    ("I would like to sign in, but I have no password any more", "Can I sign in without a password?"),
    ("how can my colleague be invited", "How do I invite a colleague?"),
])  # fmt: skip
def test_fitting_answers_come_first(articles, people, text, first):
    assert fitting_articles(people.cara, text)[0].title == first


@pytest.mark.parametrize("text", ["", "a b c", "%%%", "'; drop table portal_user; --", "ж" * 9000, "\x00"])
def test_nothing_fits_odd_words(articles, client, text):
    answer = client.post("/answers/fitting/", {"message": text})
    assert answer.status_code == 200 and b"Is it one of these" not in answer.content


def test_a_reader_votes_once_and_may_change_their_mind(articles, client):
    page = KnowledgePage.objects.get(slug="grinding-public")
    address = f"/answers/{page.pk}/vote/"
    assert client.post(address, {"helped": "yes"}).status_code == 200
    text = client.post(address, {"helped": "no"}).content.decode()
    assert "What was missing?" in text
    client.post(address, {"helped": "no", "missing": "Which wheel?"})
    assert (votes_of(page.pk).helped, votes_of(page.pk).not_helped, votes_of(page.pk).missing) == (0, 1, ["Which wheel?"])
    Client().post(address, {"helped": "yes"})
    cara = as_("cara@acme.example")
    cara.post(address, {"helped": "yes"})
    as_("cara@acme.example").post(address, {"helped": "yes"})  # another device, the same person
    assert (votes_of(page.pk).helped, votes_of(page.pk).not_helped) == (2, 1)
    forged = Client()
    forged.cookies["reader"] = "user:1"
    forged.post(address, {"helped": "no"})
    assert not ArticleVote.objects.filter(voter="mark:user:1").exists()


def test_a_flood_of_votes_is_refused(articles, client):
    page = KnowledgePage.objects.get(slug="grinding-public")
    statuses = [Client().post(f"/answers/{page.pk}/vote/", {"helped": "yes"}).status_code for _n in range(62)]
    assert statuses.count(400) == 2


def test_editors_see_the_votes_and_the_versions(articles, client):
    page = KnowledgePage.objects.get(slug="grinding-public")
    client.post(f"/answers/{page.pk}/vote/", {"helped": "no", "missing": "A drawing of it"})
    adam = as_("adam@northwind.example")
    assert "A drawing of it" in adam.get(f"/cms/pages/{page.pk}/edit/").content.decode()
    assert f"/cms/pages/{page.pk}/history/" in adam.get("/help/grinding-public/").content.decode()
    assert adam.get(f"/cms/pages/{page.pk}/history/").status_code == 200
    assert "/cms/" not in client.get("/help/grinding-public/").content.decode()


def test_a_visitors_page_may_be_kept_and_a_persons_may_not(articles, client):
    page = client.get("/")
    assert page["Cache-Control"] == "public, max-age=60" and not page.cookies
    assert "Good to see you" not in page.content.decode()
    cara = as_("cara@acme.example").get("/")
    assert cara["Cache-Control"] == "private, no-cache" and "Good to see you, Cara" in cara.content.decode()
    assert {"Cookie", "Accept-Language"} <= {part.strip() for part in cara["Vary"].split(",")}


def test_pages_tell_search_engines_what_they_are(articles, client):
    home = HomePage.objects.get()
    text = client.get("/").content.decode()
    assert f'<meta name="description" content="{home.hero_text[:40]}' in text
    assert 'property="og:title"' in text and 'rel="canonical" href="http' in text
    assert '"@type": "FAQPage"' in client.get("/workshop-check/").content.decode()
    assert "noindex" in client.get("/search/?q=x").content.decode()


def test_what_an_editor_writes_cant_end_the_facts_for_search_engines(articles, client):
    home = HomePage.objects.get()
    home.body = [("questions", {"title": "", "items": [{"question": "</script><script>alert(1)</script>", "answer": "<p>No</p>"}]})]
    home.save_revision().publish()
    assert "<script>alert(1)" not in client.get("/").content.decode()


def test_a_lost_visitor_is_helped(articles, client):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert 'action="/search/"' in answer.content.decode()


def test_queries_dont_grow_with_the_site(articles, django_assert_max_num_queries, client):
    client.get("/help/")
    for number in range(30):
        articles.add_child(
            instance=KnowledgePage(title=f"Wheel {number}", slug=f"wheel-{number}", topic="Wheels", intro="Wheels.", audience="public")
        )
    with django_assert_max_num_queries(22):
        client.get("/help/?q=wheel")
    with django_assert_max_num_queries(22):
        client.get("/search/?q=wheel")
    with django_assert_max_num_queries(12):
        client.get("/sitemap.xml")
    assert registry.site_forms() is not None
