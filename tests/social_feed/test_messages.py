"""Messages by audience: who reads what, who is named before sending, what is refused."""

import uuid
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from portal import demo
from portal.access import Actor, Audience
from portal.errors import NotAllowed, Refused
from portal.files import files_for, open_file
from portal.registry import SubjectRef, registry
from social_feed.access import MESSAGE, visible_messages
from social_feed.models import Message
from social_feed.selectors.messages import all_files_for, conversations, messages_for, recipients_of
from social_feed.services.messages import delete_message, edit_message, post_message, restore_message

INTERNAL, PARTNER, CUSTOMER = Audience.INTERNAL, Audience.PARTNER, Audience.CUSTOMER


@pytest.fixture
def acme(people) -> SubjectRef:
    return SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)


@pytest.fixture
def own(people, monkeypatch) -> SubjectRef:
    """A record that every outsider sees, of a kind that doesn't say which organisations take part."""
    kind = registry.subjects["portal.organisation"]
    monkeypatch.setitem(registry.subjects, kind.key, replace(kind, organisations=None))
    return SubjectRef("portal.organisation", people.organisations[demo.OWN].pk)


def bodies(actor, ref, **kwargs):
    return [m.body for m in messages_for(actor, ref, **kwargs)]


def sign_in(client, people, actor: Actor):
    client.force_login(people.users[actor.email])
    return client


def test_each_audience_reads_its_own(people, acme):
    post_message(people.erin, acme, INTERNAL, "between us")
    post_message(people.erin, acme, CUSTOMER, "dear Cara")
    post_message(people.cara, acme, CUSTOMER, "dear Erin")
    assert bodies(people.mona, acme) == ["between us", "dear Cara", "dear Erin"]
    assert bodies(people.cara, acme) == bodies(people.colin, acme) == ["dear Cara", "dear Erin"]
    for stranger in (people.bea, people.paul, people.quinn, Actor.anonymous()):
        assert bodies(stranger, acme) == []
        assert not visible_messages(stranger).exists()
    assert bodies(people.mona, acme, audience=INTERNAL) == ["between us"]


def test_two_organisations_on_one_record_do_not_read_each_other(people, own):
    with pytest.raises(Refused, match="choose which"):
        post_message(people.erin, own, PARTNER, "to whom?")
    post_message(people.erin, own, PARTNER, "for Pine", organisation_id=people.organisations[demo.PINE].pk)
    post_message(people.quinn, own, PARTNER, "from Quill")
    assert bodies(people.paul, own) == bodies(people.pia, own) == ["for Pine"]
    assert bodies(people.quinn, own) == ["from Quill"]
    assert bodies(people.cara, own) == []


def test_recipients_are_named_before_sending(people, acme, own):
    reach = recipients_of(people.erin, acme, CUSTOMER)
    assert [(o.name, [n for _, n in o.people]) for o in reach.organisations] == [
        (demo.ACME, ["Ann Accountant", "Cara Customer", "Colin Colleague"])
    ]
    assert recipients_of(people.erin, acme, PARTNER).organisations == ()
    assert recipients_of(people.erin, acme, INTERNAL).organisations == ()
    # An outsider learns the names of colleagues alone: no employee, no other organisation.
    reach = recipients_of(people.paul, own, PARTNER)
    assert [o.name for o in reach.organisations] == [demo.PINE]
    assert reach.employees == ()
    assert recipients_of(people.paul, own, CUSTOMER).people == []


def test_outsiders_write_in_their_own_audience_alone(people, acme):
    for audience in (INTERNAL, PARTNER):
        with pytest.raises(NotAllowed):
            post_message(people.cara, acme, audience, "hello")
    with pytest.raises(Refused):
        post_message(people.bea, acme, CUSTOMER, "not my record")
    with pytest.raises(Refused, match="no one to write to"):
        post_message(people.erin, acme, PARTNER, "nobody there")
    for nothing in ("", "  \n "):
        with pytest.raises(Refused):
            post_message(people.cara, acme, CUSTOMER, nothing)
    with pytest.raises(Refused):
        post_message(people.cara, acme, CUSTOMER, "x" * 10_001)
    assert not Message.objects.exists()


def test_sent_twice_is_written_once(people, acme):
    key = uuid.uuid4()
    assert post_message(people.cara, acme, CUSTOMER, "once", key=key) == post_message(people.cara, acme, CUSTOMER, "once", key=key)
    assert bodies(people.cara, acme) == ["once"]


def test_only_the_author_changes_and_takes_back(people, acme):
    number = post_message(people.cara, acme, CUSTOMER, "first")
    for other in (people.colin, people.erin, people.bea):
        with pytest.raises(Refused):
            edit_message(other, number, "hers")
        with pytest.raises(Refused):
            delete_message(other, number)
    edit_message(people.cara, number, "second")
    (shown,) = messages_for(people.erin, acme)
    assert shown.body == "second" and shown.edited and not shown.is_own
    delete_message(people.cara, number)
    assert bodies(people.erin, acme) == []
    restore_message(people.cara, number)
    assert bodies(people.erin, acme) == ["second"]


def test_files_go_with_the_message(people, acme):
    post_message(people.erin, acme, INTERNAL, "ours", [SimpleUploadedFile("secret.txt", b"a")])
    post_message(people.erin, acme, CUSTOMER, "theirs", [SimpleUploadedFile("offer.txt", b"b")])
    (shown,) = messages_for(people.cara, acme)
    assert [f.name for f in shown.files] == ["offer.txt"]
    assert [f.name for f in all_files_for(people.cara, acme)] == ["offer.txt"]
    assert {f.name for f in all_files_for(people.mona, acme)} == {"offer.txt", "secret.txt"}
    secret = next(f for f in all_files_for(people.erin, acme) if f.name == "secret.txt")
    assert open_file(people.dan, secret.id) is not None
    for outsider in (people.cara, people.bea, people.paul):
        assert open_file(outsider, secret.id) is None
    assert open_file(people.bea, shown.files[0].id) is None
    assert files_for(people.bea, SubjectRef(MESSAGE, shown.id)) == []


def test_mentions_name_only_those_who_read(people, acme):
    post_message(people.erin, acme, CUSTOMER, "@Cara Customer and @[Mona Manager](user:3) and @Bea Birch")
    (shown,) = messages_for(people.erin, acme)
    assert set(Message.objects.get().mentions.values()) == {"Cara Customer", "Mona Manager"}
    assert shown.html.count('class="mention"') == 2 and "user:" not in shown.html


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '<img src=x onerror="a()">', "[x](javascript:alert(1))", "![x](http://e/x.png)"]
)
def test_hostile_text_is_shown_as_text(people, acme, text):
    post_message(people.cara, acme, CUSTOMER, text)
    (shown,) = messages_for(people.erin, acme)
    assert "<script" not in shown.html and "<img" not in shown.html and 'href="javascript' not in shown.html


def test_the_database_refuses_a_message_without_its_organisation(people):
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(subject_kind="x", subject_id=1, audience="partner", author_name="x", author_audience="internal", body="x")


def test_panel_page(client, people, acme):
    sign_in(client, people, people.erin)
    page = client.get(f"/messages/{acme}/")
    assert page.status_code == 200 and b"Internal note" in page.content and b"To the customer" in page.content
    assert "Cara Customer" in client.get(f"/messages/{acme}/recipients/?audience=customer").content.decode()
    sent = client.post(f"/messages/{acme}/", {"audience": "customer", "body": "From the page"})
    assert sent.status_code == 200 and b"From the page" in sent.content
    refused = client.post(f"/messages/{acme}/", {"audience": "partner", "body": "What I typed"})
    assert refused.status_code == 400 and b"What I typed" in refused.content and b"no one to write to" in refused.content
    sign_in(client, people, people.cara)
    page = client.get(f"/messages/{acme}/").content.decode()
    assert "From the page" in page and "Internal" not in page and "Erin" in page
    # Whatever an outsider's form says, the message is for their own audience.
    client.post(f"/messages/{acme}/", {"audience": "internal", "body": "Mine"})
    assert Message.objects.get(body="Mine").audience == "customer"
    number = Message.objects.get(body="Mine").pk
    assert client.get(f"/message/{number}/edit/").status_code == 200
    assert b"Changed" in client.post(f"/message/{number}/edit/", {"body": "Changed"}).content
    assert "undo_url" in client.post(f"/message/{number}/delete/").headers["HX-Trigger"]
    assert client.post(f"/message/{number}/restore/").status_code == 204
    sign_in(client, people, people.bea)
    for address in (
        f"/messages/{acme}/",
        f"/record-files/{acme}/",
        f"/message/{number}/edit/",
        "/messages/portal.organisation:99999/",
        "/messages/nonsense/",
    ):
        assert client.get(address).status_code == 404


def test_files_page(client, people, acme):
    sign_in(client, people, people.erin)
    sent = client.post(f"/record-files/{acme}/", {"files": SimpleUploadedFile("plan.pdf", b"%PDF"), "audiences": ["customer"]})
    assert sent.status_code == 200 and b"plan.pdf" in sent.content
    client.post(f"/record-files/{acme}/", {"files": SimpleUploadedFile("ours.pdf", b"%PDF")})
    assert client.post(f"/record-files/{acme}/", {}).status_code == 400
    assert b"run on" in client.post(f"/record-files/{acme}/", {"files": SimpleUploadedFile("a.exe", b"MZ")}).content
    sign_in(client, people, people.cara)
    page = client.get(f"/record-files/{acme}/").content.decode()
    assert "plan.pdf" in page and "ours.pdf" not in page


def test_the_list_costs_the_same_however_long(people, acme, django_assert_num_queries):
    erin = people.erin
    for number in range(3):
        post_message(people.erin, acme, CUSTOMER, f"{number}", [SimpleUploadedFile("a.txt", b"a")])
    with django_assert_num_queries(6):
        messages_for(erin, acme)
    for number in range(20):
        post_message(people.erin, acme, CUSTOMER, f"{number}", [SimpleUploadedFile("a.txt", b"a")])
    with django_assert_num_queries(6):
        messages_for(erin, acme)


def test_what_comes_while_somebody_looks_is_read(client, people, acme):
    """The list that a live page reads again says whether it is before somebody's eyes."""
    post_message(people.erin, acme, CUSTOMER, "dear Cara")
    sign_in(client, people, people.cara)
    address = f"/messages/{acme}/?part=list"
    client.get(address)
    assert [one.unread for one in conversations(people.cara)] == [1]
    client.get(address, headers={"X-Seen": "yes"})
    assert [one.unread for one in conversations(people.cara)] == [0]
    assert [one.unread for one in conversations(people.colin)] == [1]
