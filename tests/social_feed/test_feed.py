"""The feed: who reads what, comments and signs, follow and mute, pages of it, stories of events."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from portal import demo
from portal.access import Actor
from portal.amounts import Amount
from portal.errors import NotAllowed, Refused
from portal.events import bulk, emit
from portal.registry import SubjectRef
from social_feed import stories
from social_feed.access import visible_posts
from social_feed.models import Group, Post
from social_feed.selectors.follows import follows_of
from social_feed.selectors.groups import groups_for, may_read_group
from social_feed.selectors.posts import FeedFilter, count_newer, feed_page, newer, post, search_posts
from social_feed.services import posts
from social_feed.services.follows import set_follow
from social_feed.services.groups import create_group, join_group, set_members
from social_feed.stories import Story, register_story


def bodies(actor, **what):
    return [p.body for p in feed_page(actor, FeedFilter(**what)).posts]


def sign_in(client, people, actor: Actor):
    client.force_login(people.users[actor.email])
    return client


def test_employees_read_and_outsiders_never_do(people):
    number = posts.write_post(people.erin, "Hello all")
    assert bodies(people.dan) == ["Hello all"]
    for outsider in (people.cara, people.paul, Actor.anonymous()):
        assert not visible_posts(outsider).exists()
        assert bodies(outsider) == [] and post(outsider, number) is None
        with pytest.raises(NotAllowed):
            posts.write_post(outsider, "Hello")
        with pytest.raises(NotAllowed):
            posts.write_comment(outsider, number, "Hello")
        with pytest.raises(NotAllowed):
            posts.set_reaction(outsider, number, "like", True)
        with pytest.raises(NotAllowed):
            set_follow(outsider, f"social_feed.post:{number}", "follow")


def test_a_closed_group_is_its_members_own(people):
    group = create_group(people.fiona, "Money", is_open=False, member_ids=[people.mona.user_id])
    number = posts.write_post(people.fiona, "Secret figures", group_id=group)
    assert bodies(people.mona) == ["Secret figures"]
    assert bodies(people.erin) == [] and post(people.erin, number) is None and search_posts(people.erin, "Secret", 5) == []
    assert not may_read_group(people.erin, str(group)) and [g.name for g in groups_for(people.erin)] == []
    for refused in (
        lambda: posts.write_post(people.erin, "Let me in", group_id=group),
        lambda: posts.write_comment(people.erin, number, "Let me in"),
        lambda: posts.set_reaction(people.erin, number, "like", True),
        lambda: join_group(people.erin, group),
        lambda: set_members(people.erin, group, [people.erin.user_id]),
    ):
        with pytest.raises(Refused):
            refused()
    set_members(people.fiona, group, [people.erin.user_id])
    assert bodies(people.erin) == ["Secret figures"] and bodies(people.mona) == []


def test_comments_signs_and_changes(people):
    number = posts.write_post(people.erin, "Lunch?", files=[SimpleUploadedFile("menu.pdf", b"%PDF")])
    comment = posts.write_comment(people.mona, number, "Yes @Dan Delivery")
    for _twice in range(2):
        posts.set_reaction(people.dan, number, "like", True)
    shown = post(people.dan, number)
    assert [c.body for c in shown.comments] == ["Yes @Dan Delivery"] and shown.files[0].name == "menu.pdf"
    assert [(s.key, s.count, s.mine) for s in shown.signs if s.count] == [("like", 1, True)]
    posts.set_reaction(people.dan, number, "like", False)
    assert not any(s.count for s in post(people.dan, number).signs)
    for other in (people.mona, people.dan):
        with pytest.raises(Refused):
            posts.edit_post(other, number, "Mine")
        with pytest.raises(Refused):
            posts.delete_post(other, number)
    with pytest.raises(Refused):
        posts.edit_comment(people.erin, comment, "No")
    posts.edit_post(people.erin, number, "Supper?")
    posts.delete_comment(people.mona, comment)
    shown = post(people.dan, number)
    assert shown.body == "Supper?" and shown.edited and shown.comments == ()
    posts.restore_comment(people.mona, comment)
    posts.delete_post(people.adam, number)  # an administrator moderates
    assert post(people.erin, number) is None
    posts.restore_post(people.adam, number)
    assert post(people.erin, number).comment_count == 1


def test_posting_twice_posts_once(people):
    key = uuid.uuid4()
    assert posts.write_post(people.erin, "Once", key=key) == posts.write_post(people.erin, "Once", key=key)
    number = Post.objects.get().pk
    assert posts.write_comment(people.erin, number, "Once", key=key) == posts.write_comment(people.erin, number, "Once", key=key)


def test_pages_neither_lose_nor_double(people):
    for number in range(47):
        posts.write_post(people.erin, f"{number}")
    Post.objects.update(created=Post.objects.first().created)  # the hardest case: all at one moment
    seen, cursor = [], ""
    while True:
        page = feed_page(people.dan, cursor=cursor)
        seen += [p.body for p in page.posts]
        posts.write_post(people.mona, "newer") if not cursor else None
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == [f"{number}" for number in reversed(range(47))]
    assert feed_page(people.dan, cursor="nonsense").posts


def test_news_since_a_page_was_drawn(people):
    posts.write_post(people.erin, "first")
    at = feed_page(people.dan).newest_cursor
    assert count_newer(people.dan, FeedFilter(), at) == 0
    posts.write_post(people.erin, "second")
    posts.write_post(people.mona, "third")
    assert count_newer(people.dan, FeedFilter(), at) == 2
    assert [p.body for p in newer(people.dan, FeedFilter(), at)] == ["third", "second"]
    assert count_newer(people.dan, FeedFilter(), feed_page(people.dan).newest_cursor) == 0


def test_follow_and_mute(people):
    acme = SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)
    group = create_group(people.erin, "Sport")
    posts.write_post(people.erin, "by Erin")
    posts.write_post(people.mona, "by Mona")
    posts.write_post(people.dan, "to the group", group_id=group)
    posts.write_post(people.mona, "for @Fiona Finance")
    from social_feed.services.stories import tell_story

    tell_story(Story("%(actor)s visited %(x)s", {"x": acme}, acme, people.dan), "Visit")
    fiona = people.fiona
    assert len(bodies(fiona)) == 5 and bodies(fiona, show="following") == ["for @Fiona Finance"]
    assert "%(actor)s visited %(x)s" not in bodies(fiona, show="posts")
    set_follow(fiona, str(acme), "follow")
    set_follow(fiona, f"person:{people.erin.user_id}", "follow")
    assert bodies(fiona, show="following") == ["%(actor)s visited %(x)s", "for @Fiona Finance", "by Erin"]
    set_follow(fiona, str(acme), "mute")
    set_follow(fiona, f"group:{group}", "mute")
    set_follow(fiona, f"person:{people.mona.user_id}", "mute")
    assert bodies(fiona) == ["by Erin"]
    assert {(f.label, f.state) for f in follows_of(fiona)} == {
        (demo.ACME, "mute"), ("Sport", "mute"), ("Mona Manager", "mute"), ("Erin Employee", "follow")
    }  # fmt: skip
    set_follow(fiona, str(acme), "")
    assert len(bodies(fiona)) == 2
    for nonsense in ("person:999999", "group:999999", "portal.organisation:999999", "x", "crm.nothing:1", f"person:{people.cara.user_id}"):
        with pytest.raises(Refused):
            set_follow(fiona, nonsense, "follow")


@dataclass(frozen=True)
class Visited:
    company: SubjectRef
    actor: Actor


@pytest.fixture
def visits():
    register_story(Visited, lambda e: Story("%(actor)s visited %(company)s, 100%% happy", {"company": e.company}, e.company, e.actor))
    yield
    stories._writers.pop(Visited, None)
    from portal import events

    events._handlers.pop(Visited, None)


def test_an_event_becomes_a_story(people, visits):
    acme = SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)
    with transaction.atomic():
        emit(Visited(acme, people.dan))
        with bulk():
            emit(Visited(acme, people.dan))  # one of a mass: nobody wants a thousand stories
    (story,) = feed_page(people.erin).posts
    assert "".join(piece.text for piece in story.pieces) == f"Dan Delivery visited {demo.ACME}, 100% happy"
    assert story.subject.title == demo.ACME and not story.may_delete
    with pytest.raises(Refused):
        posts.edit_post(people.dan, story.id, "x")


def test_a_story_goes_with_its_record(people, visits, monkeypatch):
    from dataclasses import replace

    from portal.registry import registry

    acme = SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)
    with transaction.atomic():
        emit(Visited(acme, people.dan))
    kind = registry.subjects[acme.kind]
    hidden = replace(kind, visible=lambda actor: kind.visible(actor).exclude(pk=acme.id))
    monkeypatch.setitem(registry.subjects, acme.kind, hidden)
    assert feed_page(people.erin).posts == []


def test_money_in_a_story_is_shown_in_the_readers_manner(people):
    from social_feed.services.stories import tell_story

    acme = SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)
    tell_story(Story("%(actor)s sold %(value)s", {"value": Amount(Decimal("26500.00"), "USD")}, acme, people.dan), "Sale")
    words = {}
    for language in ("en", "ru"):
        with override(language):
            words[language] = next(piece.text for piece in feed_page(people.dan).posts[0].pieces if "26" in piece.text)
    assert (words["en"], words["ru"].replace("\xa0", " ")) == ("$26,500", "26 500 $")


def test_queries_do_not_grow_with_posts(people):
    acme = SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)
    from social_feed.services.stories import tell_story

    def write(count):
        for number in range(count):
            pk = posts.write_post(people.erin, f"{number}", files=[SimpleUploadedFile("a.txt", b"a")])
            posts.write_comment(people.mona, pk, "yes")
            tell_story(Story("%(actor)s visited %(x)s", {"x": acme}, acme, people.dan), "Visit")

    def cost():
        dan = people.dan
        with CaptureQueriesContext(
            connection,
        ) as counted:
            feed_page(dan)
        return len(counted)

    write(5)
    few = cost()
    write(100)
    assert cost() == few <= 12


def test_pages(client, people):
    sign_in(client, people, people.erin)
    assert b"Nothing posted yet" in client.get("/work/feed/").content
    assert client.post("/work/feed/write/", {"body": ""}, headers={"hx-request": "true"}).status_code == 400
    page = client.post("/work/feed/write/", {"body": "From the page", "newest": "0-0"}, headers={"hx-request": "true"})
    assert page.status_code == 200 and b"From the page" in page.content and b"hx-swap-oob" in page.content
    number = Post.objects.get().pk
    author, one = f"/work/feed/?author={people.erin.user_id}", f"/work/feed/{number}/"
    for address in (
        "/work/feed/", "/work/feed/?show=following", "/work/feed/?q=page", author, "/work/feed/groups/", "/work/feed/following/", one,
        f"{one}?part=inner", f"{one}edit/", "/work/feed/news/?after=0-0", "/work/feed/news/?after=0-0&take=1",
        f"/work/follow/social_feed.post:{number}/",
    ):  # fmt: skip
        assert client.get(address).status_code == 200, address
    assert b"1 new post" in client.get("/work/feed/news/?after=0-0").content
    htmx = {"hx-request": "true"}
    assert client.post(f"/work/feed/{number}/comment/", {"body": ""}, headers=htmx).headers["HX-Retarget"] == f"#comment-box-{number}"
    assert b"A comment" in client.post(f"/work/feed/{number}/comment/", {"body": "A comment"}, headers=htmx).content
    assert b"is-on" in client.post(f"/work/feed/{number}/sign/", {"sign": "like", "on": "1"}, headers=htmx).content
    assert b"Followed" in client.post("/work/follow/", {"target": f"person:{people.mona.user_id}", "state": "follow"}, headers=htmx).content
    assert b"Changed" in client.post(f"/work/feed/{number}/edit/", {"body": "Changed"}).content
    assert "undo_url" in client.post(f"/work/feed/{number}/delete/").headers["HX-Trigger"]
    assert client.get(f"/work/feed/{number}/").status_code == 404
    assert client.post(f"/work/feed/{number}/restore/").status_code == 204
    assert client.post("/work/feed/groups/", {"name": "Climbers"}).status_code == 302
    assert client.post("/work/feed/groups/", {"name": "climbers"}).status_code == 400
    group = Group.objects.get(name="Climbers").pk
    assert client.get(f"/work/feed/?group={group}").status_code == 200
    assert client.get(f"/work/feed/?group={group + 99}").status_code == 404
    assert [p["title"] for p in client.get("/work/feed/people/?q=man").json()["results"]] == ["Mona Manager"]
    sign_in(client, people, people.cara)
    for address in ("/work/feed/", f"/work/feed/{number}/", "/work/feed/people/?q=a", "/work/feed/news/?after=0-0"):
        assert client.get(address).status_code == 404
