"""At one time: two approvers, an approver and a buyer who takes it back, two administrators who take each other's role."""

from __future__ import annotations

import pytest
from django.core import signing

from crm import services
from crm.models import Lead, PublicStart, Quote, QuoteApproval, Request
from portal.errors import Refused
from portal.models import Invitation, Membership, MembershipRole
from portal.registry import SubjectRef
from portal.services import people as team
from tests.crm.conftest import ask, do, shop, waiting  # noqa: F401
from tests.workflows.test_exactness import together
from workflows.selectors import open_tasks_for
from workflows.services import complete_task


@pytest.fixture
def asked(transactional_db, shop):  # noqa: F811
    """A quote that waits for one of two approvers."""
    MembershipRole.objects.create(membership=Membership.objects.get(user=shop.users["colin@acme.example"]), role="customer_approver")
    services.set_approval_rule(shop.cara, is_on=True, above="0")
    request = ask(shop.cara, shop.rows["planning"])
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="0")
    do(shop.erin, request, "prepare_quote", "send", quote_note="")
    quote = Quote.objects.get()
    services.ask_for_approval(shop.cara, quote.pk)
    return quote


def refused(results) -> int:
    """How many were told no; anything else that went wrong is an error."""
    wrong = [one for one in results if isinstance(one, Exception) and not isinstance(one, Refused)]
    assert not wrong, wrong
    return sum(isinstance(one, Refused) for one in results)


def step(actor, quote) -> int:
    """The approver's step."""
    return next(t.id for t in open_tasks_for(actor, SubjectRef("crm.quote", quote.pk)) if t.element_id == "approve_purchase")


def test_two_approvers_at_once(shop, asked):  # noqa: F811
    ann, colin = shop.actor("ann@acme.example"), shop.actor("colin@acme.example")
    pk = step(ann, asked)
    results = together(
        lambda: complete_task(ann, pk, {}, action="approve"), lambda: complete_task(colin, pk, {"reason": "No."}, action="reject")
    )
    assert refused(results) == 1
    state = QuoteApproval.objects.get().state
    assert (state, waiting(shop.cara, asked.request)) in (("approved", {"sign_quote"}), ("rejected", {"decide_quote"}))


def test_approved_while_the_buyer_takes_it_back(shop, asked):  # noqa: F811
    ann = shop.actor("ann@acme.example")
    pk = step(ann, asked)
    results = together(lambda: complete_task(ann, pk, {}, action="approve"), lambda: services.take_back_purchase(shop.cara, asked.pk))
    assert refused(results) == 1
    state = QuoteApproval.objects.get().state
    assert (state, waiting(shop.cara, asked.request)) in (("approved", {"sign_quote"}), ("withdrawn", {"decide_quote"}))


def test_two_administrators_take_each_others_role(shop, asked):  # noqa: F811
    cara, colin = (Membership.objects.get(user=shop.users[f"{name}@acme.example"]) for name in ("cara", "colin"))
    MembershipRole.objects.create(membership=colin, role="customer_admin")
    one, other = shop.cara, shop.actor("colin@acme.example")
    results = together(
        lambda: team.set_roles(one, colin.pk, ["customer_viewer"]), lambda: team.set_roles(other, cara.pk, ["customer_viewer"])
    )
    assert refused(results) == 1
    assert MembershipRole.objects.filter(role="customer_admin", membership__organisation=cara.organisation).count() == 1


def test_a_link_confirmed_by_two_at_once(transactional_db, shop):  # noqa: F811
    wish = services.PublicRequest("Vera", "vera@new.example", "New", "Hello", consent=True)
    services.begin_public_start(wish)
    row = PublicStart.objects.get()
    token = signing.dumps([row.pk, row.nonce], salt=services.public_start.SALT)
    results = together(*[lambda: services.confirm_public_start(token) for _n in range(3)])
    assert refused(results) == 2
    assert (Lead.objects.count(), Request.objects.count(), Invitation.objects.count()) == (1, 1, 1)
