"""Lists, cards, the board: what they show, what they refuse, and what they cost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from djmoney.money import Money

from crm import services
from crm.models import Account, Activity, Deal, Lead, SalesTeamMember, Stage
from portal.models import AuditEntry
from tests.crm.conftest import ask, do

pytestmark = pytest.mark.django_db
FRAME = ("usersessions", "BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def signed_in(people, who: str) -> Client:
    """A browser of somebody of the cast."""
    client = Client()
    email = {"erin": "erin@northwind.example", "mona": "mona@northwind.example", "cara": "cara@acme.example"}[who]
    client.force_login(people.users[email], backend="django.contrib.auth.backends.ModelBackend")
    return client


def many_deals(count: int) -> None:
    """Deals of several accounts over all stages."""
    owner, _made = SalesTeamMember.objects.get_or_create(name="Anna Snelling")
    accounts = Account.objects.bulk_create(Account(name=f"Account {n}") for n in range(20))
    stages = [stage for stage, _label in Stage.choices]
    Deal.objects.bulk_create(
        Deal(title=f"Deal {n}", account=accounts[n % 20], owner=owner, stage=stages[n % len(stages)], amount=Money(100 + n, "USD"))
        for n in range(count)
    )


def cost(client: Client, path: str) -> int:
    """How many statements a page costs, without the session's book-keeping; the second call, when nothing is cold."""
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len([q for q in queries if not any(word in q["sql"] for word in FRAME)])


@pytest.mark.parametrize(("path", "most"), [("/work/crm/deals/", 12), ("/work/crm/board/", 12), ("/work/crm/accounts/", 12)])
def test_cost_stays_the_same_with_many_deals(people, path, most):
    """The same number of statements at 10 and at 900 deals, and no more than promised."""
    client = signed_in(people, "erin")
    many_deals(10)
    few = cost(client, path)
    many_deals(890)
    assert cost(client, path) == few <= most


def test_a_card_costs_the_same_whatever_happened(shop):
    """A deal with a running process, quotes, notes and files: at most 20 statements."""
    client = signed_in(shop, "erin")
    request = ask(shop.cara, shop.rows["planning"])
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk)
    do(shop.erin, request, "prepare_quote", "send")
    deal = Deal.objects.get(request=request)
    path = f"/work/crm/deals/{deal.pk}/"
    first = cost(client, path)
    for _n in range(5):
        client.post(f"{path}note/", {"kind": "call", "text": "They called."})
    assert cost(client, path) == first <= 20
    page = client.get(path).content.decode()
    assert "They called." in page and "Decide on the quote" in page
    why = client.get(f"{path}why/").content.decode()
    assert "Find the discount limit" in why and "Over the limit?" in why


def test_the_board_sums_in_sql_and_caps_its_cards(people):
    """Every column shows count and sum of all, and at most fifteen cards."""
    many_deals(900)
    page = signed_in(people, "erin").get("/work/crm/board/").content.decode()
    assert page.count("data-card=") == 15 * len(Stage.choices)
    total = sum(Decimal(100 + n) for n in range(900) if n % 9 == 1)
    assert f"{total:,.0f}" in page and "85 more" in page


def test_search_filters_sort_and_saved_views(people):
    """What the address says is what the list shows; a view brings it back."""
    many_deals(40)
    client = signed_in(people, "erin")
    page = client.get("/work/crm/deals/?q=Deal+3&stage=won&sort=-amount").content.decode()
    assert "Deal 34" in page and "Deal 33" not in page
    assert "Nothing fits" in client.get("/work/crm/deals/?owner=abc").content.decode()
    assert client.get("/work/crm/deals/?page=99&sort=nonsense&col=title&stage=%00").status_code == 200
    client.post(
        "/work/views/", {"list": "deals", "name": "Won ones", "query": "stage=won&page=3", "shared": "*", "next": "/work/crm/deals/"}
    )
    assert "Won ones" in signed_in(people, "mona").get("/work/crm/deals/").content.decode()


def test_bulk_assign_shows_the_count_first(people):
    """A preview, then the act; only for those who may."""
    many_deals(30)
    ids = list(Deal.objects.filter(stage="won").values_list("pk", flat=True))
    bea = SalesTeamMember.objects.create(name="Bea Seller")
    mona = signed_in(people, "mona")
    preview = mona.post("/work/crm/deals/assign/", {"everything": "yes", "query": "stage=won"}).content.decode()
    assert f"Assign {len(ids)} deals" in preview
    assert not Deal.objects.filter(owner=bea).exists()
    mona.post("/work/crm/deals/assign/", {"id": ids, "owner": bea.pk, "confirm": "yes"})
    assert Deal.objects.filter(owner=bea).count() == len(ids)
    assert AuditEntry.objects.filter(verb="deal.assigned").count() == len(ids)
    assert signed_in(people, "erin").post("/work/crm/deals/assign/", {"id": ids}).status_code == 404


def test_export_needs_the_permission_and_is_audited(people):
    """A departing seller doesn't take the base away; formulas don't run."""
    many_deals(3)
    Deal.objects.filter(title="Deal 1").update(title="=HYPERLINK(1)")
    assert signed_in(people, "erin").get("/work/crm/deals/export/").status_code == 404
    answer = signed_in(people, "mona").get("/work/crm/deals/export/")
    text = b"".join(answer.streaming_content).decode()
    assert "'=HYPERLINK(1)" in text and text.count("\n") == 4
    assert AuditEntry.objects.get(verb="deals.exported").after["rows"] == 3


def test_editing_in_place_and_the_lost_edit_that_isnt(people):
    """A stale save is refused with what the other wrote, and what was typed stays."""
    many_deals(1)
    deal = Deal.objects.get()
    client = signed_in(people, "erin")
    seen = deal.updated_at.isoformat()
    form = {"title": "Mine", "seen_at": seen, "amount": "700"}
    assert client.post(f"/work/crm/deals/{deal.pk}/edit/", form).status_code == 200
    deal.refresh_from_db()
    assert (deal.title, deal.amount.amount) == ("Mine", 700)
    late = client.post(f"/work/crm/deals/{deal.pk}/edit/", {"title": "Theirs", "seen_at": seen, "amount": "1"})
    assert late.status_code == 409 and "Theirs" in late.content.decode() and "$700" in late.content.decode()
    bad = client.post(f"/work/crm/deals/{deal.pk}/edit/", {"title": "", "amount": "many"})
    assert bad.status_code == 400 and "many" in bad.content.decode()
    deal.refresh_from_db()
    assert deal.title == "Mine"


def test_a_move_on_the_board_says_why_not(shop):
    """A card that may not go there comes back with a reason; nothing changed."""
    client = signed_in(shop, "erin")
    deal = services.create_deal(shop.erin, title="By phone", product=shop.rows["planning"])
    refused = client.post(f"/work/crm/deals/{deal.pk}/move/", {"to": "won"})
    assert refused.status_code == 400 and json.loads(refused.content)["message"]
    moved = client.post(f"/work/crm/deals/{deal.pk}/move/", {"to": "proposal"})
    assert moved.status_code == 200, moved.content
    deal.refresh_from_db()
    assert deal.stage == "proposal"
    assert client.post(f"/work/crm/deals/{deal.pk}/move/", {"to": "proposal"}).status_code == 409
    assert client.post("/work/crm/deals/999999/move/", {"to": "won"}).status_code == 404
    assert "t-menu-item" in client.get(f"/work/crm/deals/{deal.pk}/moves/").content.decode()


def test_quick_create_keeps_what_was_typed(people):
    """A form with a mistake comes back filled in."""
    client = signed_in(people, "erin")
    answer = client.post("/work/crm/accounts/new/", {"name": " ", "website": "acme.example"})
    assert answer.status_code == 400 and "acme.example" in answer.content.decode()
    assert client.post("/work/crm/accounts/new/", {"name": "Acme Tools Ltd."}).status_code == 302
    assert "Acme Tools Ltd." in client.get("/work/crm/accounts/similar/?name=acme+tools").content.decode()


def test_leads_are_converted_or_put_aside_once(shop):
    """Twice is told, not done."""
    client = signed_in(shop, "erin")
    lead = services.create_lead(shop.erin, name="Vera", company="New Ltd", email="vera@new.example")
    assert client.post(f"/work/crm/leads/{lead.pk}/decide/", {"decision": "convert"}).status_code == 302
    client.post(f"/work/crm/leads/{lead.pk}/decide/", {"decision": "convert"})
    assert Deal.objects.count() == 1
    lead.refresh_from_db()
    assert lead.state == Lead.State.CONVERTED


def test_outsiders_find_nothing_here(people):
    """A customer guessing addresses gets the same answer as for nothing."""
    many_deals(1)
    client = signed_in(people, "cara")
    for path in ("deals/", "board/", f"deals/{Deal.objects.get().pk}/", "deals/export/", "pick/accounts/", "accounts/1/peek/"):
        assert client.get(f"/work/crm/{path}").status_code == 404
    assert not Activity.objects.exists()


def test_a_list_read_again_takes_its_surroundings_along(people):
    """Count, chips, export and the query of a saved view follow the filter without a full load."""
    many_deals(18)
    client = signed_in(people, "erin")
    part = client.get("/work/crm/deals/?stage=won", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="list").content.decode()
    for id in ("list-count", "list-chips", "view-query", "columns-query"):
        assert f'id="{id}"' in part and "<html" not in part
    assert part.count('hx-swap-oob="true"') == part.count("hx-swap-oob") >= 4
    assert "Remove this filter" in part and 'name="query" value="stage=won"' in part
    assert "hx-swap-oob" not in client.get("/work/crm/deals/?stage=won").content.decode()
