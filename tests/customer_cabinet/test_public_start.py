"""A visitor's request starts when the link in its letter is confirmed: once, in time, by a button, and kept until then."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm import services
from crm.models import Lead, PublicStart, Request
from crm.tasks import forget_unconfirmed
from portal.models import Invitation, Membership, Organisation
from portal.services import people
from tests.crm.conftest import shop, waiting  # noqa: F401
from workflows.tasks import send_outbox

pytestmark = pytest.mark.django_db
FORM = {"name": "Vera Visitor", "email": "vera@new.example", "company": "New", "message": "Plan our yard.", "consent": "on"}


def post(product=None, **changes):
    """Send the public form."""
    address = reverse("public_start:form-product", args=[product.pk]) if product else reverse("public_start:form")
    return Client().post(address, FORM | changes)


def link_in(letter: str) -> str:
    """The path of a letter's link."""
    return re.search(r"https?://[^/]+(/\S+)", letter)[1]


def last_link() -> str:
    """The path of the link in the newest letter that asks to confirm."""
    send_outbox()
    return link_in(next(letter for letter in reversed(mail.outbox) if "Confirm" in letter.subject).body)


def test_nothing_starts_before_the_button(shop):  # noqa: F811
    answer = post(shop.rows["planning"])
    assert answer.status_code == 302 and "again=" in answer.url
    assert not Lead.objects.exists() and not Request.objects.exists() and not Invitation.objects.exists()
    link, visitor = last_link(), Client()
    assert "Plan our yard." in mail.outbox[-1].body
    for _look in range(2):  # a scanner looks, and looks again
        page = visitor.get(link)
        assert page.status_code == 200 and "Plan our yard." in page.content.decode() and "no-store" in page["Cache-Control"]
    assert visitor.head(link).status_code == 200
    assert not Lead.objects.exists()
    done = visitor.post(link)
    lead = Lead.objects.get()
    assert done.status_code == 302 and "/join/" in done.url and visitor.get(done.url).status_code == 200
    assert (lead.email, lead.message, lead.request.product_id) == ("vera@new.example", "Plan our yard.", shop.rows["planning"].pk)
    assert waiting(shop.erin, lead.request) == {"qualify"}
    assert lead.consent_at == PublicStart.objects.get().created_at
    again = visitor.post(link)
    assert again.status_code == 409 and "confirmed already" in again.content.decode()
    assert visitor.get(link).status_code == 409 and Lead.objects.count() == 1
    joined = Client().post(done.url, {"name": "Vera Visitor", "password": "saws that never stop"})
    assert joined.status_code == 302
    assert Client().get(done.url).status_code != 200


def test_sent_twice_is_one_letter(shop):  # noqa: F811
    for _click in range(2):
        assert post(idempotency_key="same").status_code == 302
    send_outbox()
    assert PublicStart.objects.count() == 1 and len(mail.outbox) == 1


def test_an_old_link_leads_on_to_a_new_one(shop):  # noqa: F811
    post()
    old = last_link()
    PublicStart.objects.update(sent_at=timezone.now() - timedelta(hours=80))
    page = Client().get(old)
    words = page.content.decode()
    assert page.status_code == 409 and "too old" in words and "Send the letter again" in words
    assert Client().post(old).status_code == 409 and not Lead.objects.exists()
    asked = re.search(r'name="again" value="([^"]+)"', words)[1]
    assert Client().post(reverse("public_start:again"), {"again": asked}).status_code == 302
    new = last_link()
    assert new != old
    assert "newer letter" in Client().get(old).content.decode()
    assert Client().post(new).status_code == 302 and Lead.objects.get().message == "Plan our yard."
    services_refuse = Client().post(reverse("public_start:again"), {"again": asked}, follow=True).content.decode()
    assert "confirmed already" in services_refuse


def test_links_that_are_not_ours(shop):  # noqa: F811
    post()
    link = last_link()
    for wrong in (link[:-4] + "aaa/", reverse("public_start:confirm", args=["nonsense"])):
        for answer in (Client().get(wrong), Client().post(wrong)):
            assert answer.status_code == 400 and "leads nowhere" in answer.content.decode()
    assert Client().post(reverse("public_start:again"), {"again": "nonsense"}).status_code == 302
    assert not Lead.objects.exists()


def test_letters_are_few(shop):  # noqa: F811
    for number in range(services.public_start.HOURLY):
        assert post(idempotency_key=f"n{number}").status_code == 302
    refused = post(idempotency_key="one-more")
    assert refused.status_code == 400 and "several letters" in refused.content.decode() and "Plan our yard." in refused.content.decode()
    row = PublicStart.objects.first()
    again = services.public_start.again_of(row)
    with pytest.raises(services.public_start.Conflict, match="Wait a minute"):
        services.send_start_again(again)
    PublicStart.objects.update(sent_at=timezone.now() - timedelta(hours=2), letters=services.public_start.MOST_LETTERS)
    with pytest.raises(services.public_start.Conflict, match="several times"):
        services.send_start_again(again)


def test_what_is_wrong_is_said_and_nothing_is_lost(shop):  # noqa: F811
    answer = post(email="vera@new")
    assert answer.status_code == 400 and "Plan our yard." in answer.content.decode() and not PublicStart.objects.exists()


def test_unconfirmed_requests_are_forgotten(shop, settings):  # noqa: F811
    post(idempotency_key="old")
    link = last_link()
    PublicStart.objects.update(created_at=timezone.now() - timedelta(days=settings.PUBLIC_START_DAYS + 1))
    post(idempotency_key="new", email="other@new.example")
    forget_unconfirmed()
    assert [row.email for row in PublicStart.objects.all()] == ["other@new.example"]
    assert Client().get(link).status_code == 400


def test_a_known_contact_is_led_to_their_cabinet(shop):  # noqa: F811
    from crm.models import Account, Contact

    account = Account.objects.create(name="Acme", organisation_id=shop.cara.organisation_id)
    Contact.objects.create(account=account, name="Cara", email="cara@acme.example")
    post(email="cara@acme.example")
    done = Client().post(last_link(), follow=True)
    assert "We have your request" in done.content.decode()
    assert Request.objects.get().customer_organisation_id == shop.cara.organisation_id and not Invitation.objects.exists()


def test_a_known_contact_without_a_sign_in_is_invited(shop):  # noqa: F811
    """They have shown that the address is theirs; who was put out by their administrator isn't let in this way."""
    from crm.models import Account, Contact

    account = Account.objects.create(name="Acme", organisation_id=shop.cara.organisation_id)
    for name in ("wanda", "colin"):
        Contact.objects.create(account=account, name=name.title(), email=f"{name}@acme.example")
    post(email="Wanda@acme.example")
    visitor = Client()
    done = visitor.post(last_link())
    invited = Invitation.objects.get()
    assert "/join/" in done.url and "Join Acme" in visitor.get(done.url).content.decode()
    assert (invited.email, invited.organisation_id, invited.roles) == ("wanda@acme.example", shop.cara.organisation_id, ["customer_member"])
    assert Request.objects.get().customer_organisation_id == shop.cara.organisation_id
    post(email="wanda@acme.example", message="And the roof.")
    assert Client().post(last_link(), follow=True).status_code == 200  # the open invitation stays the one
    assert Invitation.objects.count() == 1 and Request.objects.count() == 2
    place = Membership.objects.get(user__email="colin@acme.example")
    people.set_member_active(shop.cara, place.pk, False)
    post(email="colin@acme.example")
    assert Client().post(last_link(), follow=True).status_code == 200
    assert Invitation.objects.count() == 1 and Request.objects.count() == 3


def test_the_first_of_an_organisation_looks_after_it(shop):  # noqa: F811
    from crm.models import Account, Contact

    empty = Organisation.objects.create(name="Nobody yet", is_customer=True)
    account = Account.objects.create(name="Nobody yet", organisation_id=empty.pk)
    Contact.objects.create(account=account, name="Fred", email="fred@first.example")
    post(email="fred@first.example")
    Client().post(last_link())
    assert Invitation.objects.get().roles == ["customer_admin", "customer_member"]
