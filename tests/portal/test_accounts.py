"""Signing in by every way, keeping the account safe, and what happens when a session ends."""

import re

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from portal import demo
from portal.access import Actor, Audience
from portal.cache import RedisCache
from portal.demo import PASSWORD
from portal.services.memberships import add_member
from tests.infra.letters import letters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]
CARA = "cara@acme.example"


def user(email=CARA):
    return get_user_model().objects.get(email=email)


@pytest.fixture
def signed_in(client):
    assert sign_in(client).status_code == 302
    return client


def sign_in(client, password=PASSWORD, email=CARA):
    return client.post("/accounts/login/", {"login": email, "password": password})


def confirm_password(client):
    """What changes the ways in asks for the password once more."""
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def who(client) -> str | None:
    return client.session.get("_auth_user_id")


def test_password_signs_in_and_a_wrong_one_says_so(client):
    wrong = sign_in(client, "not-the-password")
    assert wrong.status_code == 200 and not who(client) and "password" in wrong.content.decode()
    assert sign_in(client)["Location"] == "/home/"
    assert client.get("/home/")["Location"] == "/cabinet/"


def test_a_locked_out_person_does_not_get_in(client):
    get_user_model().objects.filter(email=CARA).update(is_active=False)
    sign_in(client)
    assert not who(client)


def test_nobody_signs_up_alone(client):
    page = client.post("/accounts/signup/", {"email": "x@x.example", "password1": "a-long-and-good-one"})
    assert not get_user_model().objects.filter(email="x@x.example").exists() and page.status_code == 200


def test_a_mailed_code_signs_in(client):
    client.post("/accounts/login/code/", {"email": CARA})
    code = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", letters()[-1].body, re.MULTILINE).group(1)
    answer = client.post("/accounts/login/code/confirm/", {"code": "WRONG1"})
    assert answer.status_code == 200 and not who(client)
    assert client.post("/accounts/login/code/confirm/", {"code": code}).status_code == 302
    assert who(client) == str(user().pk)


def test_an_unknown_address_is_not_betrayed(client):
    known = client.post("/accounts/login/code/", {"email": CARA})
    unknown = Client().post("/accounts/login/code/", {"email": "nobody@nowhere.example"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert client.post("/accounts/password/reset/", {"email": "nobody@nowhere.example"}).status_code == 302


def test_password_is_reset_by_a_mailed_link(client):
    client.post("/accounts/password/reset/", {"email": CARA})
    path = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", letters()[-1].body).group(1)
    page = client.get(path, follow=True)
    assert page.status_code == 200
    new = "another-long-password"
    client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert user().check_password(new)
    assert "no longer works" in Client().get(path, follow=True).content.decode() or not Client().get(path, follow=True).context.get("form")


def test_password_change_needs_the_old_one(signed_in):
    new = "another-long-password"
    signed_in.post("/accounts/password/change/", {"oldpassword": "wrong", "password1": new, "password2": new})
    assert user().check_password(PASSWORD)
    signed_in.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert user().check_password(new)


def test_second_step_by_authenticator_app_and_recovery_codes(signed_in):
    confirm_password(signed_in)
    page = signed_in.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    counters = list(yield_hotp_counters_from_time())
    code = format_hotp_value(hotp_value(secret, counters[1]))  # of now; the code before it is good as well
    assert signed_in.post("/accounts/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    assert signed_in.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    codes = signed_in.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert len(codes) >= 8

    visitor = Client()
    assert sign_in(visitor)["Location"].startswith("/accounts/2fa/authenticate/")
    assert not who(visitor)
    assert visitor.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert visitor.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302 and who(visitor)

    again = Client()
    sign_in(again)
    again.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert not who(again), "a recovery code is good once"


def test_a_code_of_the_authenticator_is_good_once_for_as_long_as_it_is_good_at_all(signed_in, monkeypatch):
    """Whoever looks over the shoulder has more than half a minute to type the same code again, for that before it is good as well."""
    confirm_password(signed_in)
    secret = signed_in.get("/accounts/2fa/totp/activate/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))
    assert signed_in.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.TOTP._mark_code_used", lambda self, code: True)  # it forgets after thirty seconds
    cleared = []
    monkeypatch.setattr("allauth.mfa.base.forms.check_rate_limit", lambda user: lambda: cleared.append(user))
    first, second = Client(), Client()
    for visitor in (first, second):
        sign_in(visitor)
    assert first.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302 and who(first)
    answer = second.post("/accounts/2fa/authenticate/", {"code": f"{code[:3]} {code[3:]}"})
    assert not who(second) and answer.status_code == 200 and "Incorrect code" in answer.content.decode()
    assert len(cleared) == 1, "a used code gives nobody more guesses"


def test_the_second_step_works_while_the_cache_is_away(signed_in, monkeypatch):
    confirm_password(signed_in)
    secret = signed_in.get("/accounts/2fa/totp/activate/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))
    assert signed_in.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    cache.clear()  # allauth's own memory of the code that turned it on
    visitor = Client()
    sign_in(visitor)
    monkeypatch.setattr(RedisCache, "_try", lambda self, call, default, keys=None: default)
    assert visitor.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    monkeypatch.undo()
    assert who(visitor)


def test_passkey_pages_offer_a_challenge(signed_in, client):
    confirm_password(signed_in)
    page = signed_in.get("/accounts/2fa/webauthn/add/")
    assert page.status_code == 200 and b"creation_options" in page.content
    assert Client().get("/accounts/2fa/webauthn/login/", headers={"x-requested-with": "XMLHttpRequest"}).json()["request_options"]


def test_sessions_are_listed_and_ended_elsewhere(signed_in):
    other = Client()
    sign_in(other)
    page = signed_in.get("/accounts/sessions/", follow=True)
    assert page.status_code == 200 and UserSession.objects.filter(user=user()).count() == 2
    signed_in.post("/me/devices/others/end/")
    assert other.get("/home/")["Location"].startswith("/accounts/login/")
    assert signed_in.get("/home/")["Location"] == "/cabinet/"


def test_a_new_address_counts_once_confirmed(signed_in):
    signed_in.post("/accounts/email/", {"action_add": "", "email": "cara.new@acme.example"})
    assert user().email == CARA
    link = re.search(r"https?://[^/]+(/accounts/confirm-email/\S+)", letters()[-1].body).group(1)
    signed_in.post(link)
    signed_in.post("/accounts/email/", {"action_primary": "", "email": "cara.new@acme.example"})
    assert get_user_model().objects.filter(email="cara.new@acme.example").exists()


def test_account_mail_holds_no_secret_once_sent(client):
    from workflows.models import OutboxCall

    client.post("/accounts/login/code/", {"email": CARA})
    letters()
    assert OutboxCall.objects.latest("pk").payload["text"] == ""


def test_profile(signed_in):
    page = signed_in.get("/me/")
    assert page.status_code == 200 and "Cara Customer" in page.content.decode()
    bad = signed_in.post("/me/", {"name": "", "time_zone": "Europe/Berlin"})
    assert bad.status_code == 400 and user().name == "Cara Customer"
    good = {"name": "Cara C.", "job_title": "Buyer", "phone": "+49 30 1", "language": "ru", "time_zone": "Europe/Berlin"}
    assert signed_in.post("/me/", good).status_code == 302
    assert (user().name, user().time_zone, user().language) == ("Cara C.", "Europe/Berlin", "ru")
    assert signed_in.post("/me/", good | {"time_zone": "Moon/Base"}).status_code == 400


def test_switching_organisation(signed_in, people):
    place = add_member(Actor.system(), user(), people.organisations[demo.PINE].pk, Audience.PARTNER, ["partner_member"])
    assert signed_in.get("/partner/").status_code == 404
    assert signed_in.post("/switch/", {"membership": place.pk})["Location"] == "/partner/"
    assert signed_in.get("/cabinet/").status_code == 404
    assert signed_in.post("/switch/", {"membership": 10**6}).status_code == 400


def test_an_ended_session_leads_to_sign_in_and_back(client):
    assert client.get("/me/")["Location"] == "/accounts/login/?next=/me/"
    sent = client.post("/work/inbox/chosen/", headers={"referer": "http://testserver/work/inbox/?box=group"})
    assert sent["Location"] == "/accounts/login/?next=/work/inbox/%3Fbox%3Dgroup&ended=yes"
    assert "session has ended" in client.get(sent["Location"]).content.decode()
    for page, back in {"https://evil.example/work/": "/home/", "http://testserver//evil.example/": "/evil.example/", "": "/home/"}.items():
        sent = client.post("/me/", {"name": "X"}, headers={"referer": page})
        assert sent["Location"] == f"/accounts/login/?next={back}&ended=yes"


def test_an_ended_session_is_told_to_a_form_sent_by_htmx(client):
    answer = client.post("/me/", {"name": "X"}, headers={"hx-request": "true"})
    assert answer.status_code == 401 and "session has ended" in answer.content.decode()
    assert "/accounts/login/" in answer.headers["HX-Trigger"]


def test_a_stale_form_is_refused_in_words(people):
    client = Client(enforce_csrf_checks=True)
    page = client.post("/accounts/login/", {"login": CARA, "password": PASSWORD})
    assert page.status_code == 403 and "session has ended" in page.content.decode()
    assert client.post("/accounts/login/", headers={"hx-request": "true"}).status_code == 401


def test_demo_page_signs_in_by_one_click_only_in_a_demo(client, settings):
    assert client.get("/demo/").status_code == 404 and client.post("/demo/", {"email": CARA}).status_code == 404
    settings.DEMO = True
    page = client.get("/demo/").content.decode()
    assert all(person.email in page for person in demo.PEOPLE)
    assert client.post("/demo/", {"email": CARA})["Location"] == "/home/" and who(client) == str(user().pk)
    assert client.post("/demo/", {"email": "bea@birch.example"}).status_code == 302
    assert who(client) == str(user("bea@birch.example").pk)
    assert client.post("/demo/", {"email": "somebody@else.example"}).status_code == 400
