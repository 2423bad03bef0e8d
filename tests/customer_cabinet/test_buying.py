"""The customer's own side of buying: roles, read only, the rule, and the approval of a quote by another of the same organisation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm import selectors, services
from crm.models import ApprovalRule, Quote, QuoteApproval, QuoteSignature
from portal.access import Actor
from portal.errors import Conflict, NotAllowed, Refused
from portal.models import Membership, MembershipRole
from portal.registry import SubjectRef
from portal.services import people as team
from tests.crm.conftest import ask, do, shop, waiting  # noqa: F401
from tests.customer_cabinet.test_pages import window
from tests.customer_cabinet.test_signing import offer_on, quote, send  # noqa: F401
from workflows.forms import submit_task
from workflows.models import Incident
from workflows.selectors import open_tasks_for, road_for
from workflows.services import complete_task
from workflows.tasks import run_due

pytestmark = pytest.mark.django_db


def give(world, email: str, *roles: str) -> Actor:
    """The actor of a person who now has exactly these roles."""
    place = Membership.objects.get(user=world.users[email])
    MembershipRole.objects.filter(membership=place).delete()
    MembershipRole.objects.bulk_create([MembershipRole(membership=place, role=role) for role in roles])
    return world.actor(email)


def ann(world) -> Actor:
    """The demo's approver."""
    return world.actor("ann@acme.example")


@pytest.fixture
def ruled(shop, quote):  # noqa: F811
    """A quote over the amount above which Acme wants its approver's word."""
    services.set_approval_rule(shop.cara, is_on=True, above="1234")
    return quote


def step_of(actor, found, element_id: str):
    """An open step of a quote's process."""
    return next(t for t in open_tasks_for(actor, SubjectRef("crm.quote", found.pk)) if t.element_id == element_id)


def test_asked_approved_then_signed(shop, ruled):  # noqa: F811
    cara, approver = window(shop, "cara@acme.example"), window(shop, "ann@acme.example")
    page = cara.get(reverse("customer_cabinet:quote", args=[ruled.pk])).content.decode()
    assert "Ask for approval" in page and "Sign and accept" not in page and "Ann Accountant" in page
    assert send(cara, ruled, "whatever").status_code == 409
    assert not QuoteSignature.objects.exists()
    address = reverse("customer_cabinet:quote-approval", args=[ruled.pk])
    assert cara.post(address).status_code == 302
    assert waiting(shop.cara, ruled.request) == {"approve_purchase"}
    assert "Take it back" in cara.get(reverse("customer_cabinet:quote", args=[ruled.pk])).content.decode()
    assert [row.name for row in selectors_home(ann(shop))] == ["Approve the purchase"]
    assert selectors_home(shop.cara) == []
    assert [step.label for step in road_for(shop.cara, SubjectRef("crm.request", ruled.request_id)).now] == ["Your approver decides"]
    card = window(shop, "erin@northwind.example").get(f"/work/crm/deals/{ruled.deal_id}/").content.decode()
    assert "Waits for the customer's approval" in card and "1234" not in card and "1,234" not in card
    task = step_of(ann(shop), ruled, "approve_purchase")
    assert "Approve" in approver.get(reverse("customer_cabinet:request", args=[ruled.request_id])).content.decode()
    assert approver.post(reverse("customer_cabinet:step", args=[task.id]), {"action": "approve"}).status_code == 302
    assert waiting(shop.cara, ruled.request) == {"sign_quote"}
    offer = offer_on(cara, ruled)
    assert send(cara, ruled, offer).status_code == 302
    ruled.refresh_from_db()
    assert ruled.state == "accepted" and QuoteSignature.objects.get().signer_name == "Cara Customer"
    assert waiting(shop.cara, ruled.request) == {"provide_materials"}
    labels = [step.label for step in road_for(shop.cara, SubjectRef("crm.request", ruled.request_id)).steps]
    assert labels.index("Your approver decides") < labels.index("You sign the quote")


def selectors_home(actor):
    """What waits for somebody on their home."""
    from customer_cabinet.selectors import home

    return home(actor).tasks


def test_rejected_with_a_reason_and_asked_again(shop, ruled):  # noqa: F811
    services.ask_for_approval(shop.cara, ruled.pk)
    task = step_of(ann(shop), ruled, "approve_purchase")
    with pytest.raises(Refused):
        complete_task(ann(shop), task.id, {}, action="reject")
    complete_task(ann(shop), task.id, {"reason": "Next quarter."}, action="reject")
    assert waiting(shop.cara, ruled.request) == {"decide_quote"}
    page = window(shop, "cara@acme.example").get(reverse("customer_cabinet:quote", args=[ruled.pk])).content.decode()
    assert "Next quarter." in page and "Ask for approval" in page
    services.ask_for_approval(shop.cara, ruled.pk)
    complete_task(ann(shop), step_of(ann(shop), ruled, "approve_purchase").id, {}, action="approve")
    assert [row.state for row in QuoteApproval.objects.order_by("pk")] == ["rejected", "approved"]
    do(shop.cara, ruled.request, "sign_quote", "change", reason="Cheaper, please.")
    do(shop.erin, ruled.request, "prepare_quote", "send", price="900")
    newest = Quote.objects.order_by("-version").first()
    assert not services.check_of(shop.cara, newest.pk).needed
    do(shop.cara, ruled.request, "decide_quote", "accept")
    newest.refresh_from_db()
    assert newest.state == "accepted"


def test_nobody_approves_what_they_asked_for(shop, ruled):  # noqa: F811
    both = give(shop, "cara@acme.example", "customer_admin", "customer_approver")
    services.ask_for_approval(both, ruled.pk)
    task = step_of(both, ruled, "approve_purchase")
    with pytest.raises(NotAllowed, match="You asked for this yourself"):
        complete_task(both, task.id, {}, action="approve")
    colin = shop.colin
    for other in (colin, give(shop, "colin@acme.example", "customer_viewer")):
        with pytest.raises(NotAllowed):
            complete_task(other, task.id, {}, action="approve")
    with pytest.raises(Refused):
        complete_task(shop.bea, task.id, {}, action="approve")
    assert waiting(shop.cara, ruled.request) == {"approve_purchase"}


def test_where_nobody_else_could_approve_it_is_said(shop, ruled):  # noqa: F811
    both = give(shop, "cara@acme.example", "customer_admin", "customer_member", "customer_approver")
    give(shop, "ann@acme.example", "customer_viewer")
    with pytest.raises(Refused, match="Nobody but you"):
        services.ask_for_approval(both, ruled.pk)
    page = window(shop, "cara@acme.example").get(reverse("customer_cabinet:quote", args=[ruled.pk])).content.decode()
    assert "Nobody but you could approve this" in page and reverse("customer_cabinet:team") in page
    services.ask_for_approval(shop.colin, ruled.pk)
    give(shop, "cara@acme.example", "customer_admin")  # as when our administrator locks the last approver out
    page = window(shop, "colin@acme.example").get(reverse("customer_cabinet:quote", args=[ruled.pk])).content.decode()
    assert "Nobody can approve this now" in page and "Take it back" in page
    services.take_back_purchase(shop.colin, ruled.pk)
    assert waiting(shop.colin, ruled.request) == {"decide_quote"}


def test_the_rule_is_the_organisations_own(shop):  # noqa: F811
    with pytest.raises(NotAllowed):
        services.set_approval_rule(shop.colin, is_on=True, above="5")
    with pytest.raises(NotAllowed):
        services.set_approval_rule(shop.adam, is_on=True, above="5")
    with pytest.raises(Refused, match="Nobody is an approver"):
        services.set_approval_rule(shop.bea, is_on=True, above="5")
    with pytest.raises(Refused, match="only approver is also the only one who buys"):
        services.set_approval_rule(give(shop, "bea@birch.example", "customer_admin", "customer_approver"), is_on=True, above="5")
    cara = window(shop, "cara@acme.example")
    refused = cara.post(reverse("customer_cabinet:team-rule"), {"above": "a lot", "is_on": "on"})
    assert refused.status_code == 400 or refused.status_code == 422
    assert 'value="a lot"' in refused.content.decode() and "isn" in refused.content.decode()
    assert not ApprovalRule.objects.exists()
    assert cara.post(reverse("customer_cabinet:team-rule"), {"above": "2 500", "is_on": "on"}).status_code == 302
    assert selectors.approval_rule(shop.colin).above.amount == 2500
    assert selectors.approval_rule(shop.bea).above is None and selectors.approval_rule(shop.erin).above is None


def test_the_rule_switched_on_after_the_page_was_opened(shop, quote):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    offer = offer_on(cara, quote)
    services.set_approval_rule(shop.cara, is_on=True, above="0")
    assert send(cara, quote, offer).status_code == 409
    quote.refresh_from_db()
    assert quote.state == "sent" and not QuoteSignature.objects.exists() and waiting(shop.cara, quote.request) == {"decide_quote"}


def test_the_quote_runs_out_while_the_approver_thinks(shop, ruled, monkeypatch):  # noqa: F811
    services.ask_for_approval(shop.cara, ruled.pk)
    moment = timezone.now() + timedelta(days=15)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    run_due()
    ruled.refresh_from_db()
    assert ruled.state == "expired" and QuoteApproval.objects.get().state == "withdrawn"
    assert waiting(shop.erin, ruled.request) == {"follow_up"}
    with pytest.raises(Conflict):
        services.take_back_purchase(shop.cara, ruled.pk)


def test_a_yes_by_telephone_is_held_by_the_rule_too(shop, ruled, monkeypatch):  # noqa: F811
    moment = timezone.now() + timedelta(days=15)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    run_due()
    ruled.refresh_from_db()
    step = step_of(shop.erin, ruled, "follow_up")
    form = submit_task(shop.erin, step.id, {"action": "accept"})
    assert form.result is None and "Acme" in form.errors["__all__"][0] and "Ann Accountant" in form.errors["__all__"][0]
    ruled.refresh_from_db()
    assert ruled.state == "expired" and waiting(shop.erin, ruled.request) == {"follow_up"}
    assert not Incident.objects.exists()
    assert submit_task(shop.erin, step.id, {"action": "change", "reason": "By telephone they say yes."}).result
    do(shop.erin, ruled.request, "prepare_quote", "send")
    assert waiting(shop.cara, ruled.request) == {"decide_quote"}


def test_a_yes_by_telephone_below_the_amount_counts(shop, quote, monkeypatch):  # noqa: F811
    services.set_approval_rule(shop.cara, is_on=True, above="999999")
    moment = timezone.now() + timedelta(days=15)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    run_due()
    assert submit_task(shop.erin, step_of(shop.erin, quote, "follow_up").id, {"action": "accept"}).result
    quote.refresh_from_db()
    assert quote.state == "accepted"


def test_the_last_approver_stays_while_the_rule_is_on(shop, ruled):  # noqa: F811
    place = Membership.objects.get(user=shop.users["ann@acme.example"]).pk
    for act in (
        lambda: team.set_roles(shop.cara, place, ["customer_viewer"]),
        lambda: team.set_member_active(shop.cara, place, False),
        lambda: team.remove_member(shop.cara, place),
        lambda: team.leave(ann(shop)),
    ):
        with pytest.raises(Refused, match="last approver"):
            act()
    cara = window(shop, "cara@acme.example")
    answer = cara.post(reverse("customer_cabinet:team-change", args=[place]), {"act": "roles", "roles": ["customer_viewer"]}, follow=True)
    assert "Ann Accountant is the last approver" in answer.content.decode() and ann(shop).has_role("customer_approver")
    team.set_roles(shop.cara, Membership.objects.get(user=shop.users["colin@acme.example"]).pk, ["customer_approver"])
    team.set_roles(shop.cara, place, ["customer_viewer"])
    services.set_approval_rule(shop.cara, is_on=False, above="0")
    team.set_roles(shop.cara, Membership.objects.get(user=shop.users["colin@acme.example"]).pk, ["customer_member"])


def test_our_administrator_may_close_a_customer_down(shop, ruled):  # noqa: F811
    team.remove_member(shop.adam, Membership.objects.get(user=shop.users["ann@acme.example"]).pk, "The customer is gone.")
    assert not selectors.buying.approvers_of(ruled.customer_organisation_id)


def test_a_viewer_looks_after_their_own_account(shop):  # noqa: F811
    """Reading alone is about the organisation's things: one's sign-ins, consents and data stay one's own."""
    give(shop, "colin@acme.example", "customer_viewer")
    viewer = window(shop, "colin@acme.example")
    for name in ("my-devices-end", "my-consent-give", "my-export-start"):
        assert viewer.post(reverse(name)).status_code != 403, name


def test_a_viewer_reads_and_changes_nothing(shop, quote):  # noqa: F811
    give(shop, "colin@acme.example", "customer_viewer")
    colin = window(shop, "colin@acme.example")
    for page in ("home", "catalogue", "requests", "team", "cases"):
        assert colin.get(reverse(f"customer_cabinet:{page}")).status_code == 200, page
    task = step_of(shop.cara, quote, "decide_quote")
    product = shop.rows["planning"].pk
    for address in (
        reverse("customer_cabinet:product", args=[product]),
        reverse("customer_cabinet:step", args=[task.id]),
        reverse("customer_cabinet:quote-sign", args=[quote.pk]),
        reverse("customer_cabinet:quote-approval", args=[quote.pk]),
        reverse("customer_cabinet:team-rule"),
        reverse("shared:messages", args=[f"crm.request:{quote.request_id}"]),
        reverse("shared:files", args=[f"crm.request:{quote.request_id}"]),
    ):
        assert colin.post(address, {"description": "x", "action": "accept", "text": "x"}).status_code == 403, address
    assert colin.post(reverse("shared:notifications-read")).status_code in (200, 204, 302)
    viewer = shop.actor("colin@acme.example")
    assert selectors_home(viewer) == []
    for act in (
        lambda: complete_task(viewer, task.id, {}, action="accept"),
        lambda: services.submit_request(viewer, services.NewRequest(product, "Please.")),
    ):
        with pytest.raises(NotAllowed):
            act()
    page = colin.get(reverse("customer_cabinet:request", args=[quote.request_id])).content.decode()
    assert 'name="action"' not in page and "Accept the quote" not in page


def test_the_administrator_looks_after_colleagues(shop):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    colin_at = Membership.objects.get(user=shop.users["colin@acme.example"])
    address = reverse("customer_cabinet:team-change", args=[colin_at.pk])
    assert cara.post(address, {"act": "roles", "roles": ["customer_approver", "customer_viewer"]}).status_code == 302
    assert shop.actor("colin@acme.example").roles == {"customer_approver", "customer_viewer"}
    colin = window(shop, "colin@acme.example")
    assert colin.get("/cabinet/").status_code == 200
    cara.post(address, {"act": "deactivate"})
    assert colin.get("/cabinet/").status_code in (302, 404)
    assert "deactivated" in cara.get(reverse("customer_cabinet:team")).content.decode()
    cara.post(address, {"act": "activate"})
    assert colin.get("/cabinet/").status_code == 200 and shop.actor("colin@acme.example").has_role("customer_approver")
    for stranger in ("colin@acme.example", "bea@birch.example", "paul@pine.example"):
        window(shop, stranger).post(address, {"act": "roles", "roles": ["customer_admin"]})
    assert "customer_admin" not in shop.actor("colin@acme.example").roles


def test_the_last_administrator_stays(shop):  # noqa: F811
    own = Membership.objects.get(user=shop.users["cara@acme.example"]).pk
    with pytest.raises(Refused, match="last administrator"):
        team.set_roles(shop.cara, own, ["customer_member"])
    with pytest.raises(Refused, match="last administrator"):
        team.leave(shop.cara)
    with pytest.raises(Refused):
        team.set_member_active(shop.cara, own, False)
    team.set_roles(shop.cara, Membership.objects.get(user=shop.users["colin@acme.example"]).pk, ["customer_admin"])
    team.leave(shop.cara)
    assert not Membership.objects.get(pk=own).is_active
    with pytest.raises(Refused, match="last administrator"):
        team.leave(shop.actor("colin@acme.example"))


def test_statements_do_not_grow(shop, ruled):  # noqa: F811
    cara = window(shop, "cara@acme.example")
    counts = []
    for _round in range(2):
        services.ask_for_approval(shop.cara, ruled.pk)
        complete_task(ann(shop), step_of(ann(shop), ruled, "approve_purchase").id, {"reason": "Not yet."}, action="reject")
        cara.get(reverse("customer_cabinet:quote", args=[ruled.pk]))
        with CaptureQueriesContext(
            connection,
        ) as found:
            cara.get(reverse("customer_cabinet:quote", args=[ruled.pk]))
        counts.append(len(found))
    assert counts[0] == counts[1]
