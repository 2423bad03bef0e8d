"""A record that waits for a decision which locks it stays as it is, by whatever way somebody would change it."""

from __future__ import annotations

import ast
import inspect

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from crm import services
from crm.importing.kinds import KINDS
from crm.importing.writers import write
from crm.models import Account, Case, Deal, Lead, Product, SalesTeamMember
from crm.services import accounts, cases, common, deals, leads, products, quotes
from partners.models import DealRegistration
from partners.services import RegistrationData, submit_registration, withdraw_registration
from portal.errors import Conflict, Refused
from portal.registry import SubjectRef
from projects import services as projects
from projects.models import Project, ProjectTask
from tests.crm.conftest import do, waiting
from tests.crm.test_request_to_delivery import deal_of, qualified
from tests.workflows.test_exactness import together
from workflows.approvals import start_approval
from workflows.models import Approval, HumanTask
from workflows.selectors import stage_moves
from workflows.services import complete_task, withdraw_approval

pytestmark = pytest.mark.django_db
WORDS = "waits for a decision that Erin Employee asked for; Mona Manager still has to decide"


@pytest.fixture
def deal(shop):
    """A deal at its second step."""
    shop.rows["request"] = qualified(shop)
    return deal_of(shop.rows["request"])


def lock(shop, row):
    """Ask Mona about a record, which is locked until she has decided."""
    return start_approval(shop.erin, SubjectRef(common.kind_of(row), row.pk), [shop.mona.user_id], text="May we?", lock=True)


def decide(shop, instance_id):
    complete_task(shop.mona, HumanTask.objects.get(instance_id=instance_id, status="open").pk, {}, action="approve")


def everything(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def refused_everywhere(shop, row, acts):
    """Each act is refused in words and changes nothing; when the decision is made, it is only the act's own rules that count."""
    instance = lock(shop, row)
    row.refresh_from_db()
    before = everything(row)
    for act in acts:
        with pytest.raises(Conflict, match=WORDS), transaction.atomic():
            act()
        row.refresh_from_db()
        assert everything(row) == before, inspect.getsource(act)
    decide(shop, instance)
    return acts


def test_a_deal(shop, deal):
    other = SalesTeamMember.objects.create(name="Else")
    account = services.create_account(shop.erin, name="Else Ltd")
    free = services.create_deal(shop.erin, title="Another")
    for act in refused_everywhere(
        shop,
        deal,
        [
            lambda: services.update_deal(shop.erin, deal.pk, {"title": "Else"}),
            lambda: services.update_deal(shop.erin, deal.pk, {"account": account}),
            lambda: services.update_deal(shop.erin, deal.pk, {"owner": other}),
            lambda: services.set_discount(shop.erin, deal.pk, "0"),
            lambda: services.assign_owner(shop.mona, [deal.pk], other.pk),
            lambda: services.assign_owner(shop.mona, [deal.pk, free.pk], other.pk),
            lambda: deals.set_partner(shop.erin, deal.pk, organisation_id=None, state=""),
            lambda: quotes.make_quote(shop.erin, deal.pk),
            lambda: services.move_deal(shop.erin, deal.pk, "negotiation"),
        ],
    ):
        act() if "set_partner" not in inspect.getsource(act) else None
    free.refresh_from_db()
    assert free.owner == other, "after the decision all of them change hands"


def test_nothing_of_a_bulk_change_is_made(shop, deal):
    other = SalesTeamMember.objects.create(name="Else")
    free = services.create_deal(shop.erin, title="Another")
    lock(shop, deal)
    with pytest.raises(Conflict, match="Nothing was changed: 1 of the 2 can't be changed now"):
        services.assign_owner(shop.mona, [deal.pk, free.pk], other.pk)
    free.refresh_from_db()
    assert free.owner != other


def test_the_step_that_would_move_the_deal_is_refused_in_the_inbox_too(shop, deal, client):
    instance = lock(shop, deal)
    moves = stage_moves(shop.erin, SubjectRef("crm.deal", deal.pk))
    assert moves and not any(move.allowed for move in moves) and all("still has to decide" in move.why_not for move in moves)
    client.force_login(shop.users["erin@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    assert b"Mona Manager still has to decide" in client.get(reverse("crm:moves", args=[deal.pk])).content
    with pytest.raises(Conflict, match=WORDS):
        do(shop.erin, shop.rows["request"], "prepare_quote", "send", quote_note="As discussed.")
    deal.refresh_from_db()
    assert deal.stage == "proposal" and not deal.quotes.exists() and waiting(shop.erin, shop.rows["request"]) == {"prepare_quote"}
    withdraw_approval(shop.erin, Approval.objects.get(instance_id=instance).pk)
    do(shop.erin, shop.rows["request"], "prepare_quote", "send", quote_note="As discussed.")
    assert deal_of(shop.rows["request"]).stage == "negotiation"


def test_what_the_customer_does_in_the_process_goes_on(shop, deal):
    do(shop.erin, shop.rows["request"], "prepare_quote", "send", quote_note="As discussed.")
    lock(shop, deal)
    do(shop.cara, shop.rows["request"], "decide_quote", "accept")
    assert deal_of(shop.rows["request"]).outcome == "won"


def test_accounts_contacts_leads_and_products(shop):
    account = services.create_account(shop.erin, name="Else Ltd")
    contact = accounts.create_contact(shop.erin, name="Ed", account_id=account.pk)
    product = shop.rows["small"]
    refused_everywhere(shop, account, [lambda: services.update_account(shop.erin, account.pk, {"name": "More"})])
    refused_everywhere(
        shop,
        contact,
        [
            lambda: accounts.update_contact(shop.erin, contact.pk, {"name": "Eddy"}),
            lambda: accounts.update_contact(shop.erin, contact.pk, {"account": None}),
        ],
    )
    refused_everywhere(shop, product, [lambda: products.update_product(shop.mona, product.pk, {"name": "More"})])
    lead = leads.create_lead(shop.erin, name="Lee")
    refused_everywhere(
        shop,
        lead,
        [
            lambda: leads.update_lead(shop.erin, lead.pk, {"name": "Leo"}),
            lambda: leads.convert_lead(shop.erin, lead.pk),
            lambda: leads.disqualify_lead(shop.erin, lead.pk, "gone"),
        ],
    )
    assert Deal.objects.count() == 0 and Lead.objects.get().state == Lead.State.NEW


def test_an_import_leaves_what_is_locked_and_says_so(shop):
    product = Product.objects.create(name="GTX Basic", series="GTX")
    Account.objects.create(name="Else Ltd", sector="retail")
    account = Account.objects.get(name="Else Ltd")
    for row in (product, account):
        lock(shop, row)
    rows = [(0, {"name": "GTX Basic", "series": "MG"}), (1, {"name": "GTX New", "series": "MG"})]
    with transaction.atomic():
        outcome = write(KINDS["products"], rows, {})
    assert (outcome.created, outcome.updated, list(outcome.failed)) == (1, 0, [0]) and "still has to decide" in outcome.failed[0]
    with transaction.atomic():
        outcome = write(KINDS["accounts"], [(0, {"name": "Else Ltd", "sector": "software"})], {})
    assert list(outcome.failed) == [0]
    with transaction.atomic():
        outcome = write(KINDS["accounts"], [(0, {"name": "Else Ltd", "sector": "retail"})], {})
    assert (outcome.unchanged, outcome.failed) == (1, {}), "what wouldn't change isn't refused"
    account.refresh_from_db()
    assert account.sector == "retail"


def test_the_plan_of_a_project(shop):
    from tests.crm.test_request_to_delivery import handed_over

    _request, project = handed_over(shop)
    task = ProjectTask.objects.create(project=project, title="Do it", audience="internal")
    refused_everywhere(
        shop,
        Project.objects.get(pk=project.pk),
        [
            lambda: projects.set_note(shop.dan, project.pk, "Else"),
            lambda: projects.add_task(shop.dan, project.pk, "More"),
            lambda: projects.edit_task(shop.dan, task.pk, title="Else", assignee_id=None, due=None, version=task.version),
            lambda: projects.delete_task(shop.dan, task.pk),
        ],
    )


def test_outsiders_read_that_we_decide_and_not_who(shop):
    account = accounts.account_for_organisation(shop.erin, shop.organisations["Acme Bikes (demo)"].pk)
    case = Case.objects.create(
        title="It broke",
        account=account,
        customer_organisation=account.organisation,
        state=Case.State.CLOSED,
        closed_at=timezone.now(),
        answer_by=timezone.now(),
    )
    lock(shop, case)
    with pytest.raises(Conflict, match="We are deciding on this just now") as refusal:
        cases.reopen_case(shop.cara, case.pk, "Again")
    assert "Mona" not in refusal.value.message and "Erin" not in refusal.value.message


def test_every_service_that_reads_a_record_to_write_it_asks(shop):
    """`locked` asks; whoever reads the row in another way, or asks for it free, asks itself."""
    asks = {"locked", "refuse_locked", "refuse_locked_among"}
    for module in (accounts, deals, leads, products, quotes, cases):
        for function in [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.FunctionDef)]:
            called = {getattr(c.func, "attr", getattr(c.func, "id", "")) for c in ast.walk(function) if isinstance(c, ast.Call)}
            frees = any(k.arg == "free" for c in ast.walk(function) if isinstance(c, ast.Call) for k in c.keywords)
            if "select_for_update" in called or frees:
                own = function.name in ("open_deal", "expire_quotes", "close_with_process")  # a process's own steps
                assert own or called & (asks - ({"locked"} if frees else set())), f"{module.__name__}.{function.name}"


@pytest.mark.django_db(transaction=True)
def test_a_change_and_the_lock_at_one_moment(transactional_db):
    from tests.world import build_people
    from workflows.packs import deploy_shipped

    people = build_people()
    deploy_shipped()
    for number in range(3):
        deal = services.create_deal(people.erin, title=f"Deal {number}")
        row = Deal.objects.get(pk=deal.pk)
        results = together(
            lambda row=row: start_approval(
                people.erin, SubjectRef("crm.deal", row.pk), [people.mona.user_id], text="May we?", lock=True, key=f"k{row.pk}"
            ),
            lambda row=row: services.update_deal(people.erin, row.pk, {"title": "Else"}),
        )
        assert isinstance(results[0], int), results
        row.refresh_from_db()
        assert (row.title == "Else") != isinstance(results[1], Refused), results
        with pytest.raises(Conflict):
            services.update_deal(people.erin, row.pk, {"title": "Later"})


def test_a_partner_takes_back_no_registration_that_we_decide_on(shop):
    row = DealRegistration.objects.get(
        pk=submit_registration(shop.paul, RegistrationData(company="Cedar Mill", need="A saw.")).registration_id
    )
    instance = lock(shop, row)
    with pytest.raises(Conflict, match="We are deciding on this just now"):
        withdraw_registration(shop.paul, row.pk)
    decide(shop, instance)
    withdraw_registration(shop.paul, row.pk)
