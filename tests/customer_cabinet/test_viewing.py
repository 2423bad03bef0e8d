"""An employee sees what a customer sees: told, audited, and without a way to write."""

from __future__ import annotations

import pytest
from django.urls import reverse

from crm.models import Request
from portal import demo
from portal.audit import entries_for
from portal.models import MembershipRole
from portal.registry import SubjectRef
from social_feed.models import Message, Notification
from tests.crm.conftest import ask, do, ref_of, shop  # noqa: F401
from tests.customer_cabinet.test_pages import window
from workflows.selectors import open_tasks_for

pytestmark = pytest.mark.django_db
TOLD = "You see what Cara Customer of Acme Bikes (demo) sees"


def view_as(client, actor):
    """Press the button on the account's card."""
    return client.post(reverse("view-as", args=[actor.membership_id]))


def test_sees_it_all_and_changes_nothing(shop):  # noqa: F811
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="0")
    do(shop.erin, request, "prepare_quote", "send", quote_note="")
    mona = window(shop, "mona@northwind.example")
    card = mona.get(reverse("crm:card", args=["accounts", request.account_id])).content.decode()
    assert "In the cabinet" in card and "Cara Customer" in card and "Decide on the quote" in card
    assert view_as(mona, shop.cara)["Location"] == "/cabinet/"
    home = mona.get("/cabinet/").content.decode()
    assert TOLD in home and "Decide on the quote" in home
    page = mona.get(reverse("customer_cabinet:request", args=[request.pk])).content.decode()
    assert TOLD in page and "Plan our workshop." in page
    assert mona.get("/work/inbox/").status_code == 404 and mona.get("/work/settings/").status_code == 404

    quote = request.deals.get().quotes.get()
    task = open_tasks_for(shop.cara, ref_of(request))[0].id
    unread = Notification.objects.filter(user_id=shop.cara.user_id, read__isnull=True).count()
    for address, data in (
        (reverse("customer_cabinet:product", args=[shop.rows["small"].pk]), {"description": "Not by me"}),
        (reverse("customer_cabinet:step", args=[task]), {"action": "decline", "reason": "Not by me"}),
        (reverse("customer_cabinet:quote-sign", args=[quote.pk]), {"signed_name": "Not by me"}),
        (reverse("customer_cabinet:draft", args=[shop.rows["small"].pk]), {"title": "Not by me"}),
        (reverse("shared:messages", args=[str(ref_of(request))]), {"body": "Not by me"}),
        (reverse("shared:notifications-read"), {}),
        (reverse("profile"), {"name": "Not by me"}),
        (reverse("account_change_password"), {"password1": "x"}),
    ):
        answer = mona.post(address, data)
        assert answer.status_code == 403 and "Leave the view first" in answer.content.decode(), address
        assert mona.put(address, data).status_code == 403, address
    mona.get(reverse("shared:messages", args=[str(ref_of(request))]))
    quote.refresh_from_db()
    assert quote.state == "sent" and Request.objects.count() == 1 and not Message.objects.exists()
    assert Notification.objects.filter(user_id=shop.cara.user_id, read__isnull=True).count() == unread

    assert mona.post(reverse("view-as-end"), follow=True).status_code == 200
    assert mona.get("/work/inbox/").status_code == 200 and mona.get("/cabinet/").status_code == 404
    told = entries_for(SubjectRef("portal.organisation", shop.organisations[demo.ACME].pk))
    assert [(e.verb, e.actor_name, e.on_behalf_of) for e in told[:2]] == [
        ("viewing.ended", "Mona Manager", "Cara Customer"),
        ("viewing.started", "Mona Manager", "Cara Customer"),
    ]


def test_who_may_and_whom(shop):  # noqa: F811
    assert view_as(window(shop, "erin@northwind.example"), shop.cara).status_code == 404
    assert view_as(window(shop, "bea@birch.example"), shop.cara).status_code == 404
    mona = window(shop, "mona@northwind.example")
    assert view_as(mona, shop.adam).status_code == 400 and mona.get("/work/inbox/").status_code == 200
    assert mona.post(reverse("view-as", args=[10**9])).status_code == 400
    # Whoever loses the permission is themselves again with the next click.
    view_as(mona, shop.cara)
    assert mona.get("/cabinet/").status_code == 200
    MembershipRole.objects.filter(membership__user_id=shop.mona.user_id, role="manager").delete()
    assert mona.get("/cabinet/").status_code == 404
