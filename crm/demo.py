"""The demo's products, teams, accounts and a few requests on their way, made through the services that people use."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from djmoney.money import Money

from crm import services
from crm.demo_documents import seed_documents
from crm.models import Account, Case, Contact, Deal, Product, Quote, Request, SalesTeam, SalesTeamMember, Stage
from crm.services import NewRequest
from portal.access import Audience
from portal.demo import ACME, BIRCH, World
from portal.registry import SubjectRef
from workflows.selectors import open_tasks_for
from workflows.services import complete_task

CURRENCY = "USD"
APPROVED_ABOVE = 50_000  # what the demo's customer lets its buyers sign alone
CATALOGUE = [
    ("Workshop planning", "Software", "GTX", "Plan jobs, people and machines of a workshop on one board. Set up by us, ready in two weeks.", 4800, False, "calendar"),
    ("Online shop connection", "Software", "GTX", "Orders from your shop arrive as jobs, stock goes back to the shop.", 2400, False, "shopping-cart"),
    ("Energy audit", "Consulting", "Advice", "A partner's engineer looks at your building and machines and tells you where the money goes.", 1900, True, "bolt"),
    ("Solar roof", "Installation", "GTK", "Planning, panels and installation together with a certified partner near you.", 26500, True, "sun"),
    ("Service contract", "Service", "MG", "Somebody answers within four hours, and comes within a day.", 950, False, "headset"),
    ("Training day", "Service", "MG", "A day with your team, at your place, on your own data.", 1200, False, "school"),
]  # fmt: skip


def seed(world: World) -> None:
    """Make them once; running it again changes nothing."""
    products = {row.name: row for row in seed_catalogue()}
    seed_teams(world)
    if Request.objects.exists():
        return
    seed_accounts(world)
    services.set_approval_rule(world.actor("cara@acme.example"), is_on=True, above=APPROVED_ABOVE)
    seed_requests(world, products)
    seed_cases(world)
    seed_documents(world)
    seed_history(products)
    Deal.objects.update(is_sample=True)  # figures leave them out as soon as there are real deals


def seed_catalogue() -> list[Product]:
    """The public catalogue."""
    rows = []
    for name, category, series, description, price, needs_partner, icon in CATALOGUE:
        row, _made = Product.objects.get_or_create(
            name=name,
            defaults={
                "category": category,
                "series": series,
                "description": description,
                "list_price": Money(Decimal(price), CURRENCY),
                "is_public": True,
                "needs_partner": needs_partner,
                "icon": icon,
            },
        )
        rows.append(row)
    return rows


def seed_teams(world: World) -> None:
    """The demo's own sellers."""
    mona, erin = world.users["mona@northwind.example"], world.users["erin@northwind.example"]
    team, _made = SalesTeam.objects.get_or_create(manager_name=mona.name, defaults={"office": "Central", "manager": mona})
    for user in (erin, mona):
        SalesTeamMember.objects.get_or_create(name=user.name, defaults={"team": team, "user": user})


def seed_accounts(world: World) -> None:
    """The accounts of the demo's customers, with what sales knows of them."""
    erin = SalesTeamMember.objects.get(name="Erin Employee")
    facts = {
        ACME: ("retail", Money(12, CURRENCY), 48, 2009, "Germany", ["cara@acme.example", "colin@acme.example"]),
        BIRCH: ("food", Money(3, CURRENCY), 17, 1987, "Austria", ["bea@birch.example"]),
    }
    for name, (sector, revenue, employees, year, place, people) in facts.items():
        account, _made = Account.objects.get_or_create(
            organisation_id=world.organisations[name].pk,
            defaults={
                "name": name,
                "sector": sector,
                "revenue": revenue,
                "employees": employees,
                "year_established": year,
                "office_location": place,
                "owner": erin,
            },
        )
        for email in people:
            user = world.users[email]
            Contact.objects.get_or_create(
                account=account, email=email, defaults={"name": user.name, "user": user, "job_title": user.job_title}
            )


def seed_requests(world: World, products: dict[str, Product]) -> None:
    """Requests at different steps: one new, one in approval, one with a quote out, one that still needs its partner."""
    cara, colin, bea = (world.actor(email) for email in ("cara@acme.example", "colin@acme.example", "bea@birch.example"))
    erin = world.actor("erin@northwind.example")
    services.submit_request(
        bea, NewRequest(products["Service contract"].pk, "Our oven's control stops twice a week. Can you look after it?", key="demo-1")
    )
    over = services.submit_request(
        colin,
        NewRequest(products["Workshop planning"].pk, "Two workshops, twelve people, one plan. We would start in spring.", key="demo-2"),
    )
    _do(erin, over, "qualify", {"product": products["Workshop planning"].pk, "price": "14400", "discount": "18"}, "qualify")
    quoted = services.submit_request(
        cara, NewRequest(products["Training day"].pk, "A day of training for six new colleagues.", key="demo-3")
    )
    _do(erin, quoted, "qualify", {"product": products["Training day"].pk, "price": "1200", "discount": "5"}, "qualify")
    _do(erin, quoted, "prepare_quote", {"price": "1200", "valid_days": "14", "quote_note": _("We are looking forward to it.")}, "send")
    joint = services.submit_request(cara, NewRequest(products["Solar roof"].pk, "Panels on the hall's roof, about 400 m².", key="demo-4"))
    values = {"product": products["Solar roof"].pk, "price": "26500", "discount": "0", "needs_partner": "on"}
    _do(erin, joint, "qualify", values, "qualify")
    Deal.objects.filter(request__idempotency_key__startswith="demo-").update(is_sample=True)
    deal = Deal.objects.filter(request=joint).first()
    if deal is not None:
        ref = SubjectRef("crm.deal", deal.pk)
        services.log_activity(
            erin, ref, kind="call", text="Cara wants to begin before the summer; the roof is new.", audience=Audience.INTERNAL
        )


def seed_cases(world: World) -> None:
    """Three cases on their way: one new and critical, one with a question to the customer, one answered."""
    cara, colin, bea = (world.actor(email) for email in ("cara@acme.example", "colin@acme.example", "bea@birch.example"))
    dan = world.actor("dan@northwind.example")
    services.open_case(
        bea,
        services.NewCase(
            _("The oven stops in the middle of the day"), _("The display shows E7, then it is dark."), "fault", "critical", "demo-case-1"
        ),
    )
    asked = services.open_case(
        colin,
        services.NewCase(_("Jobs appear twice on the board"), _("Since Monday, only those from the shop."), "fault", "high", "demo-case-2"),
    )
    _do(
        dan,
        asked,
        "answer_case",
        {"words": _("Which shop are they from, and may we look into it with you?"), "severity": "high"},
        "ask",
        "crm.case",
    )
    solved = services.open_case(
        cara,
        services.NewCase(_("Where do I find last year’s invoices?"), _("Our auditor asks for them."), "order", "normal", "demo-case-3"),
    )
    _do(
        dan,
        solved,
        "answer_case",
        {"words": _("All of them stand among the files of the request they belong to."), "severity": "normal"},
        "solve",
        "crm.case",
    )


def seed_history(products: dict[str, Product]) -> None:
    """A year of closed sample deals, so that the dashboard of an empty company shows what it will look like."""
    accounts = list(Account.objects.filter(organisation__isnull=False).order_by("pk"))
    sellers = list(SalesTeamMember.objects.order_by("pk"))
    goods, today = list(products.values()), timezone.localdate()
    rows = []
    for number in range(48):
        product, won = goods[number * 5 % len(goods)], number % 3 != 1
        closed = today - timedelta(days=7 * number + 3)
        price = product.list_price * (1 + number % 4)
        rows.append(
            Deal(
                title=product.name,
                account=accounts[number % len(accounts)],
                product=product,
                owner=sellers[number % len(sellers)],
                stage=Stage.WON if won else Stage.LOST,
                outcome=Deal.Outcome.WON if won else Deal.Outcome.LOST,
                stage_since=timezone.now() - timedelta(days=7 * number + 3),
                engage_date=closed - timedelta(days=14 + number * 7 % 50),
                close_date=closed,
                amount=price,
                list_price=price,
                close_value=price if won else Money(0, CURRENCY),
                lost_reason="" if won else _("The price of another was lower."),
            )
        )
    Deal.objects.bulk_create(rows)


def put_into_the_past(request_id: int, began: datetime, ended: datetime) -> None:
    """Date a finished sample request, its deal and its quote back, as if they had been made then."""
    Request.objects.filter(pk=request_id).update(created_at=began, closed_at=ended)
    middle = began + (ended - began) / 3
    Deal.objects.filter(request_id=request_id).update(
        is_sample=True, engage_date=began.date(), close_date=middle.date(), stage_since=ended, created_at=began
    )
    Quote.objects.filter(request_id=request_id).update(sent_at=middle - timedelta(days=1), decided_at=middle)


def _do(actor, record: Request | Case, element_id: str, values: dict, action: str, kind: str = "crm.request") -> None:
    """Do a step of a record's process as its page would."""
    for task in open_tasks_for(actor, SubjectRef(kind, record.pk)):
        if task.element_id == element_id:
            complete_task(actor, task.id, values, action=action)
