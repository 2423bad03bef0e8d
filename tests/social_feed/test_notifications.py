"""The bell: who is told of what, in which membership, and what they choose."""

import pytest
from django.core import mail

from portal import demo
from portal.access import Audience
from portal.errors import Refused
from portal.registry import SubjectRef, registry
from social_feed.models import Notification
from social_feed.selectors.notifications import choices_of, notifications, unread_count
from social_feed.services import posts
from social_feed.services.follows import set_follow
from social_feed.services.messages import post_message
from social_feed.services.notifications import choose_notifications, mark_read, notify, settle
from social_feed.services.stories import tell_story
from social_feed.stories import Story

INTERNAL, CUSTOMER = Audience.INTERNAL, Audience.CUSTOMER


@pytest.fixture
def acme(people) -> SubjectRef:
    return SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)


def lines(actor) -> list[str]:
    return [f"{n.kind}: {n.plain}" for n in notifications(actor)]


def sign_in(client, people, actor):
    client.force_login(people.users[actor.email])
    return client


def test_a_message_tells_those_it_is_for(people, acme):
    post_message(people.erin, acme, CUSTOMER, "Dear customer")
    assert lines(people.cara) == lines(people.colin) == [f"message: Erin Employee wrote on {demo.ACME}"]
    assert lines(people.erin) == lines(people.bea) == lines(people.mona) == []
    post_message(people.cara, acme, CUSTOMER, "Dear Erin")
    assert lines(people.erin) == [f"message: Cara Customer wrote on {demo.ACME}"]  # she follows by having written
    assert len(lines(people.cara)) == 1
    post_message(people.mona, acme, INTERNAL, "Between us @Dan Delivery")
    assert lines(people.dan) == [f"mention: Mona Manager mentioned you on {demo.ACME}"]
    assert len(lines(people.erin)) == 2 and len(lines(people.cara)) == 1


def test_a_first_message_reaches_sales_when_nobody_follows(people, acme):
    post_message(people.cara, acme, CUSTOMER, "Is anybody there?")
    assert len(lines(people.erin)) == len(lines(people.mona)) == 1
    assert lines(people.dan) == []


def test_outsiders_get_a_letter(people, acme, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        post_message(people.erin, acme, CUSTOMER, "Dear customer")
    assert {to for letter in mail.outbox for to in letter.to} <= {"cara@acme.example", "colin@acme.example"}


def test_posts_and_comments(people):
    number = posts.write_post(people.erin, "Hello @Mona Manager and @Cara Customer")
    assert lines(people.mona) == ["mention: Erin Employee mentioned you on Hello @Mona Manager and @Cara Customer"]
    assert lines(people.cara) == []  # an outsider can't be called into the feed
    posts.write_comment(people.dan, number, "Hi")
    posts.write_comment(people.fiona, number, "Hi")
    assert len(lines(people.erin)) == 2 and len(lines(people.dan)) == 1
    set_follow(people.dora, f"person:{people.erin.user_id}", "follow")
    posts.write_post(people.erin, "Again")
    assert lines(people.dora) == ["follow: Erin Employee posted"]
    posts.delete_post(people.erin, number)
    assert lines(people.mona) == []


def test_followers_hear_news_once_until_they_read(people, acme):
    set_follow(people.mona, str(acme), "follow")
    for _again in range(3):
        tell_story(Story("%(actor)s visited %(x)s", {"x": acme}, acme, people.dan, outside={CUSTOMER: "%(actor)s was with you"}), "Visit")
    assert lines(people.mona) == [f"follow: Dan Delivery visited {demo.ACME}"]
    assert lines(people.cara)[0] == "news: Dan Delivery was with you"
    assert lines(people.bea) == []
    set_follow(people.mona, str(acme), "mute")
    mark_read(people.mona)
    tell_story(Story("%(actor)s visited %(x)s", {"x": acme}, acme, people.dan), "Visit")
    assert unread_count(people.mona) == 0


def test_read_settle_and_source_once(people, acme):
    assert notify("task", [people.erin, people.mona], acme, "x", source="task:1") == 2
    assert notify("task", [people.erin, people.mona], acme, "x", source="task:1") == 0
    assert unread_count(people.erin) == 1
    assert mark_read(people.erin) == 1 and unread_count(people.erin) == 0
    settle("task:1")
    assert unread_count(people.mona) == 0


def test_a_notification_goes_with_its_record(people, acme):
    assert notify("message", [people.bea, people.paul], acme, "x") == 0  # they may not see it, so they aren't told
    assert notify("message", [people.cara], acme, "x") == 1
    other = SubjectRef("portal.organisation", people.organisations[demo.BIRCH].pk)
    Notification.objects.update(subject_id=other.id)  # as when a record is taken out of sight afterwards
    assert registry.resolve(people.cara, other) is None
    assert lines(people.cara) == [] and unread_count(people.cara) == 0


def test_choices(people, acme):
    assert [c.key for c in choices_of(people.cara)] == ["task", "message", "appointment", "mention", "news"]
    choose_notifications(people.cara, {"message": (False, False)})
    post_message(people.erin, acme, CUSTOMER, "Dear customer")
    assert lines(people.cara) == [] and len(lines(people.colin)) == 1
    with pytest.raises(Refused):
        choose_notifications(people.cara, {"comment": (True, True)})


def test_pages_of_every_audience(client, people, acme):
    post_message(people.erin, acme, CUSTOMER, "Dear customer")
    number = Notification.objects.get(user_id=people.cara.user_id).pk
    for actor in (people.erin, people.cara, people.paul):
        sign_in(client, people, actor)
        for address in ("/bell/", "/bell/count/", "/notifications/", "/notifications/?show=unread", "/notifications/choices/"):
            assert client.get(address).status_code == 200, (actor.name, address)
    assert client.get(f"/notifications/{number}/").status_code == 404
    sign_in(client, people, people.cara)
    assert b">1<" in client.get("/bell/count/").content
    assert client.get(f"/notifications/{number}/").status_code == 302
    assert client.get("/bell/count/").content.strip() == b""
    assert client.post("/notifications/choices/", {"message-bell": "on"}).status_code == 302
    assert {c.key: (c.on_bell, c.by_mail) for c in choices_of(people.cara)}["message"] == (True, False)
    assert client.post("/notifications/read/").status_code == 302
