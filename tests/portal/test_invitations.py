"""People come in by invitation: who may invite whom, and what the link does."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from portal import demo
from portal.access import Actor, Audience
from portal.errors import Conflict, NotAllowed, Refused
from portal.mail import use_sender
from portal.models import AuditEntry, Invitation, Membership, User
from portal.selectors import invitations_for
from portal.services.invitations import accept_as_new_person, invite, resend_invitation, withdraw_invitation
from tests.infra.letters import letters

pytestmark = pytest.mark.django_db
NEW = "nora@acme.example"
GOOD = "a-long-and-good-one"


def acme(people):
    return people.organisations[demo.ACME].pk


def link_in_last_mail() -> str:
    return re.search(r"/join/([\w-]+)/", letters()[-1].body).group(1)


@pytest.fixture
def invited(people):
    view = invite(people.cara, organisation_id=acme(people), audience="customer", email=NEW, name="Nora", roles=["customer_member"])
    return view, link_in_last_mail()


def test_letter_says_who_and_where(invited):
    letter = letters()[-1]
    assert letter.to == [NEW]
    assert "Cara Customer" in letter.body and demo.ACME in letter.body
    assert letter.alternatives[0][1] == "text/html"


def test_newcomer_chooses_password_and_is_in(invited, people, client):
    view, token = invited
    page = client.get(f"/join/{token}/")
    assert page.status_code == 200 and demo.ACME in page.content.decode()
    answer = client.post(f"/join/{token}/", {"name": "Nora New", "password": GOOD})
    assert answer.status_code == 302 and answer["Location"] == "/home/"
    assert client.get("/home/")["Location"] == "/cabinet/"
    user = User.objects.get(email=NEW)
    assert user.check_password(GOOD) and user.name == "Nora New"
    assert Membership.objects.get(user=user).organisation_id == acme(people)
    assert AuditEntry.objects.filter(verb="invitation.accepted").exists()


def test_used_link_says_so(invited, client):
    _view, token = invited
    client.post(f"/join/{token}/", {"name": "Nora New", "password": GOOD})
    client.logout()
    again = client.get(f"/join/{token}/")
    assert again.status_code == 409 and "accepted already" in again.content.decode()


def test_weak_password_keeps_the_name(invited, client):
    _view, token = invited
    page = client.post(f"/join/{token}/", {"name": "Nora New", "password": "short"})
    assert page.status_code == 400 and "Nora New" in page.content.decode()
    assert not User.objects.filter(email=NEW).exists()


@pytest.mark.parametrize(("change", "words"), [("expired", "too old"), ("withdrawn", "withdrawn"), ("unknown", "valid")])
def test_dead_links_have_words(invited, people, client, change, words):
    view, token = invited
    if change == "expired":
        Invitation.objects.update(expires=timezone.now() - timedelta(minutes=1))
    elif change == "withdrawn":
        withdraw_invitation(people.cara, view.id)
    else:
        token = "x" * 40
    for page in (client.get(f"/join/{token}/"), client.post(f"/join/{token}/", {"name": "N", "password": GOOD})):
        assert page.status_code == 400 and words in page.content.decode()
    assert not User.objects.filter(email=NEW).exists()


def test_resend_makes_the_old_link_void(invited, people, client):
    view, token = invited
    resend_invitation(people.cara, view.id)
    assert link_in_last_mail() != token
    assert client.get(f"/join/{token}/").status_code == 400
    assert client.get(f"/join/{link_in_last_mail()}/").status_code == 200


def test_somebody_known_signs_in_and_joins(people, client):
    invite(people.erin, organisation_id=acme(people), audience="customer", email="bea@birch.example", roles=["customer_member"])
    token = link_in_last_mail()
    assert "sign in" in client.get(f"/join/{token}/").content.decode().lower()
    assert client.post(f"/join/{token}/", {"name": "X", "password": GOOD})["Location"].startswith("/accounts/login/")
    client.force_login(User.objects.get(email="colin@acme.example"))
    assert client.post(f"/join/{token}/").status_code == 403
    client.force_login(User.objects.get(email="bea@birch.example"))
    assert client.post(f"/join/{token}/")["Location"] == "/home/"
    assert Membership.objects.filter(user__email="bea@birch.example").count() == 2


@pytest.mark.parametrize(
    ("who", "organisation", "audience", "role"),
    [
        ("colin", demo.ACME, "customer", "customer_member"),  # no administrator
        ("cara", demo.BIRCH, "customer", "customer_member"),  # another's organisation
        ("cara", demo.OWN, "internal", "administrator"),
        ("paul", demo.PINE, "customer", "customer_member"),
        ("erin", demo.OWN, "internal", "employee"),  # sales invites outsiders alone
        ("dan", demo.ACME, "customer", "customer_member"),
    ],
)
def test_who_may_not_invite(people, who, organisation, audience, role):
    with pytest.raises(NotAllowed):
        invite(getattr(people, who), organisation_id=people.organisations[organisation].pk, audience=audience, email=NEW, roles=[role])
    assert not Invitation.objects.exists()


def test_visitor_may_not_invite(people):
    with pytest.raises(NotAllowed):
        invite(Actor.anonymous(), organisation_id=acme(people), audience="customer", email=NEW, roles=["customer_member"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"roles": []}, "roles"),
        ({"roles": ["administrator"]}, "roles"),
        ({"audience": "partner", "roles": ["partner_member"]}, "audience"),
        ({"organisation_id": 10**9}, "organisation"),
        ({"email": "colin@acme.example"}, "email"),
    ],
)
def test_mistakes_are_named(people, change, field):
    good = {"organisation_id": acme(people), "audience": "customer", "email": NEW, "roles": ["customer_member"]}
    with pytest.raises(Refused) as refusal:
        invite(people.adam, **(good | change))
    assert refusal.value.field == field


def test_inviting_twice(people):
    wanted = {"organisation_id": acme(people), "audience": "customer", "email": NEW, "roles": ["customer_member"]}
    first = invite(people.cara, **wanted)
    with pytest.raises(Conflict):
        invite(people.cara, **wanted)
    assert invite(Actor.system("web form"), **wanted).id == first.id


def test_each_sees_the_invitations_they_look_after(people):
    system = Actor.system()
    mine = invite(system, organisation_id=acme(people), audience="customer", email=NEW, roles=["customer_member"])
    birch = people.organisations[demo.BIRCH].pk
    other = invite(system, organisation_id=birch, audience="customer", email="ben@birch.example", roles=["customer_member"])
    assert [i.id for i in invitations_for(people.cara)] == [mine.id]
    assert invitations_for(people.colin) == []
    assert {i.id for i in invitations_for(people.adam)} == {mine.id, other.id}
    with pytest.raises(Refused):
        withdraw_invitation(people.cara, other.id)


def test_a_link_works_once_even_when_raced(invited):
    _view, token = invited
    accept_as_new_person(token, name="Nora", password=GOOD)
    with pytest.raises(Conflict):
        accept_as_new_person(token, name="Nora", password=GOOD)


def test_letters_go_through_the_registered_sender(people):
    from portal import mail as post

    before, kept = list(post._senders), []
    use_sender(lambda letter, key: kept.append((letter.to, key)))
    try:
        invite(people.cara, organisation_id=acme(people), audience=Audience.CUSTOMER, email=NEW, roles=["customer_member"])
    finally:
        post._senders[:] = before
    assert kept[0][0] == NEW and kept[0][1].startswith("invitation:")
    assert letters() == []
