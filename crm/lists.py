"""Lists of the customer base: what can be searched, filtered, sorted and shown, declared once a kind and read by one engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Model, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import access
from crm.models import (
    OPEN_STAGES,
    Account,
    Case,
    Contact,
    Deal,
    DocumentLine,
    DocumentRequest,
    Lead,
    Product,
    Request,
    SalesTeamMember,
    Stage,
)
from crm.search import deal_words
from portal.access import Actor
from portal.numbers import whole_number
from portal.registry import registry
from portal.saved_views import ViewsMenu, views_menu

PAGE = 25


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row, and how it is shown: text, number, money, chip, when, day, person, yes."""

    kind: str
    value: Any
    tone: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `sort` is the field it sorts by; `shown` False columns are offered but off."""

    key: str
    label: Any
    cell: Callable[[Any], Cell]
    sort: str = ""
    shown: bool = True

    @property
    def is_number(self) -> bool:
        """Whether its values stand at the right."""
        return self.key in {"amount", "price", "discount", "employees", "close_value", "revenue", "year"}


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the list."""

    key: str
    label: Any
    choices: Callable[[Actor], Iterable[tuple[str, Any]]]
    apply: Callable[[QuerySet, str, Actor], QuerySet]


@dataclass(frozen=True, slots=True)
class ListSpec:
    """A kind of record as a list."""

    key: str
    kind: str
    title: Any
    one: Any
    icon: str
    visible: Callable[[Actor], QuerySet]
    search: Callable[[str], Q]
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    sort: str
    related: tuple[str, ...] = ()
    card_related: tuple[str, ...] = ()
    empty: Any = ""
    bulk: bool = False
    can_create: str = access.CrmPermission.EDIT
    mine: Callable[[QuerySet, Actor], QuerySet] | None = None

    @property
    def has_mine(self) -> bool:
        """Whether it knows whose a record is."""
        return self.mine is not None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    id: int
    title: str
    url: str
    peek: str
    cells: list[tuple[Column, Cell]]


@dataclass(slots=True)
class ListPage:
    """Everything that a list's page shows."""

    spec: ListSpec
    rows: list[Row]
    page: Page
    columns: list[Column]
    sort: str
    text: str
    filters: list[tuple[Filter, list[tuple[str, Any]], str]]
    mine: bool
    total: int
    views: ViewsMenu | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.text or self.mine or any(value for _filter, _choices, value in self.filters))


def narrowed(actor: Actor, spec: ListSpec, query: Any) -> QuerySet[Model]:
    """The rows that search and filters of a query leave, in its order."""
    rows = spec.visible(actor)
    text = str(query.get("q", "")).strip()[:100]
    if text:
        rows = rows.filter(spec.search(text))
    for one in spec.filters:
        value = str(query.get(one.key, ""))[:80]
        if value:
            rows = one.apply(rows, value, actor)
    if query.get("mine") and spec.mine:
        rows = spec.mine(rows, actor)
    return rows.order_by(*_order(spec, str(query.get("sort", ""))))


def _order(spec: ListSpec, asked: str) -> list[str]:
    """The asked order where the list has it, then the key, so that pages never overlap."""
    fields = {column.key: column.sort for column in spec.columns if column.sort}
    name, minus = asked.lstrip("-"), "-" if asked.startswith("-") else ""
    chosen = f"{minus}{fields[name]}" if name in fields else spec.sort
    return [chosen, "-pk" if chosen.startswith("-") else "pk"]


def read_list(actor: Actor, spec: ListSpec, query: Any, *, with_views: bool = True) -> ListPage:
    """A page of a list for what the address asks for."""
    rows = narrowed(actor, spec, query).select_related(*spec.related)
    page = Paginator(rows, PAGE).get_page(query.get("page"))
    asked = query.getlist("col") if hasattr(query, "getlist") else []
    columns = [replace(c, label=str(c.label)) for c in spec.columns if (c.key in asked if asked else c.shown)]  # translated once
    url = registry.subjects[spec.kind].url
    peek = reverse("crm:peek", args=[spec.key, 0])
    shown = [
        Row(row.pk, str(row), url(actor, row.pk) or "", peek.replace("/0/", f"/{row.pk}/"), [(c, c.cell(row)) for c in columns])
        for row in page.object_list
    ]
    filters = [(one, list(one.choices(actor)), str(query.get(one.key, ""))) for one in spec.filters]
    sort = str(query.get("sort", "")) or next(
        (f"{'-' if spec.sort.startswith('-') else ''}{c.key}" for c in spec.columns if c.sort == spec.sort.lstrip("-")), ""
    )
    found = ListPage(
        spec, shown, page, columns, sort, str(query.get("q", "")), filters, bool(query.get("mine") and spec.mine), page.paginator.count
    )
    if with_views:
        found.views = views_menu(actor, spec.key)
    return found


# --- what the kinds have in common ------------------------------------------------------------------------------------


def text_cell(name: str) -> Callable[[Any], Cell]:
    """A plain value."""

    def cell(row: Any) -> Cell:
        value = row
        for part in name.split("."):
            value = getattr(value, part, None) if value is not None else None
        return Cell("text", "" if value is None else value)

    return cell


def money_cell(name: str) -> Callable[[Any], Cell]:
    """An amount."""
    return lambda row: Cell("money", getattr(row, name))


def time_cell(name: str, kind: str = "when") -> Callable[[Any], Cell]:
    """A moment or a day."""
    return lambda row: Cell(kind, getattr(row, name))


def person_cell(row: Any) -> Cell:
    """The seller."""
    return Cell("person", row.owner.name if row.owner else "")


STAGE_TONES = {Stage.WON: "good", Stage.LOST: "bad", Stage.APPROVAL: "warn", Stage.DELIVERY: "accent"}


def stage_cell(row: Deal) -> Cell:
    """Where a deal stands."""
    return Cell("chip", row.get_stage_display(), str(STAGE_TONES.get(Stage(row.stage), "")))


def state_cell(row: Any) -> Cell:
    """The state of a lead or a request."""
    tone = {"new": "accent", "open": "accent", "done": "good", "converted": "good"}.get(row.state, "")
    return Cell("chip", row.get_state_display(), tone)


def yes_cell(name: str) -> Callable[[Any], Cell]:
    """A tick where it holds."""
    return lambda row: Cell("yes", getattr(row, name))


def _owners(actor: Actor) -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in SalesTeamMember.objects.filter(is_active=True).order_by("name").values_list("pk", "name")]


def _is_id(value: str) -> bool:
    return whole_number(value) is not None


def by_id(name: str) -> Callable[[QuerySet, str, Actor], QuerySet]:
    """A filter on a reference; anything but a number finds nothing."""
    return lambda rows, value, actor: rows.filter(**{f"{name}_id": int(value)}) if _is_id(value) else rows.none()


def by_value(name: str) -> Callable[[QuerySet, str, Actor], QuerySet]:
    """A filter on a plain value."""
    return lambda rows, value, actor: rows.filter(**{name: value})


def my_deals(rows: QuerySet, actor: Actor) -> QuerySet:
    """Those that the actor owns."""
    return rows.filter(owner__user_id=actor.user_id)


def _by_stage(rows: QuerySet, value: str, actor: Actor) -> QuerySet:
    return rows.filter(stage__in=OPEN_STAGES) if value == "open" else rows.filter(stage=value)


def _products(actor: Actor) -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in access.visible_products(actor).order_by("name").values_list("pk", "name")[:300]]


def _sectors(actor: Actor) -> list[tuple[str, str]]:
    rows = access.visible_accounts(actor).exclude(sector="").order_by("sector").values_list("sector", flat=True).distinct()
    return [(name, name) for name in rows[:100]]


def _distinct(visible: Callable[[Actor], QuerySet], name: str) -> Callable[[Actor], list[tuple[str, str]]]:
    def choices(actor: Actor) -> list[tuple[str, str]]:
        rows = visible(actor).exclude(**{name: ""}).order_by(name).values_list(name, flat=True).distinct()
        return [(value, value) for value in rows[:100]]

    return choices


DEALS = ListSpec(
    key="deals",
    kind="crm.deal",
    title=gettext_lazy("Deals"),
    one=gettext_lazy("Deal"),
    icon="briefcase",
    visible=access.visible_deals,
    search=deal_words,
    related=("account", "product", "owner"),
    card_related=("contact", "request"),
    sort="-updated_at",
    bulk=True,
    mine=my_deals,
    empty=gettext_lazy("A deal appears when sales qualifies a request, or when you open one by hand."),
    columns=(
        Column("title", gettext_lazy("Deal"), text_cell("title"), "title"),
        Column("account", gettext_lazy("Account"), text_cell("account.name"), "account__name"),
        Column("stage", gettext_lazy("Stage"), stage_cell, "stage"),
        Column("amount", gettext_lazy("Amount"), money_cell("amount"), "amount"),
        Column("owner", gettext_lazy("Owner"), person_cell, "owner__name"),
        Column("updated", gettext_lazy("Changed"), time_cell("updated_at"), "updated_at"),
        Column("product", gettext_lazy("Product"), text_cell("product.name"), "product__name", False),
        Column("number", gettext_lazy("Number"), text_cell("number"), "", False),
        Column("engaged", gettext_lazy("Engaged on"), time_cell("engage_date", "day"), "engage_date", False),
        Column("closed", gettext_lazy("Closed on"), time_cell("close_date", "day"), "close_date", False),
        Column("close_value", gettext_lazy("Closed at"), money_cell("close_value"), "close_value", False),
        Column("discount", gettext_lazy("Discount, %"), text_cell("discount_percent"), "discount_percent", False),
        Column("lost_reason", gettext_lazy("Why lost"), text_cell("lost_reason"), "", False),
    ),
    filters=(
        Filter("stage", gettext_lazy("Stage"), lambda actor: [("open", _("All open")), *Stage.choices], _by_stage),
        Filter("owner", gettext_lazy("Owner"), _owners, by_id("owner")),
        Filter("product", gettext_lazy("Product"), _products, by_id("product")),
    ),
)

ACCOUNTS = ListSpec(
    key="accounts",
    kind="crm.account",
    title=gettext_lazy("Accounts"),
    one=gettext_lazy("Account"),
    icon="building",
    visible=access.visible_accounts,
    search=lambda text: Q(name__icontains=text) | Q(office_location__icontains=text),
    related=("owner", "parent"),
    sort="name",
    mine=my_deals,
    empty=gettext_lazy("Accounts come with requests, by import, or by hand."),
    columns=(
        Column("name", gettext_lazy("Account"), text_cell("name"), "name"),
        Column("sector", gettext_lazy("Sector"), text_cell("sector"), "sector"),
        Column("office", gettext_lazy("Office"), text_cell("office_location"), "office_location"),
        Column("employees", gettext_lazy("Employees"), text_cell("employees"), "employees"),
        Column("revenue", gettext_lazy("Revenue, millions"), money_cell("revenue"), "revenue"),
        Column("owner", gettext_lazy("Owner"), person_cell, "owner__name"),
        Column("parent", gettext_lazy("Part of"), text_cell("parent.name"), "parent__name", False),
        Column("year", gettext_lazy("Founded in"), text_cell("year_established"), "year_established", False),
        Column("updated", gettext_lazy("Changed"), time_cell("updated_at"), "updated_at", False),
    ),
    filters=(
        Filter("sector", gettext_lazy("Sector"), _sectors, by_value("sector")),
        Filter("owner", gettext_lazy("Owner"), _owners, by_id("owner")),
    ),
)

CONTACTS = ListSpec(
    key="contacts",
    kind="crm.contact",
    title=gettext_lazy("Contacts"),
    one=gettext_lazy("Contact"),
    icon="user",
    visible=access.visible_contacts,
    search=lambda text: Q(name__icontains=text) | Q(email__icontains=text) | Q(account__name__icontains=text),
    related=("account",),
    sort="name",
    empty=gettext_lazy("People appear here with their first request, or by hand."),
    columns=(
        Column("name", gettext_lazy("Contact"), text_cell("name"), "name"),
        Column("account", gettext_lazy("Account"), text_cell("account.name"), "account__name"),
        Column("job", gettext_lazy("Job title"), text_cell("job_title"), "job_title"),
        Column("email", gettext_lazy("E-mail"), text_cell("email"), "email"),
        Column("phone", gettext_lazy("Phone"), text_cell("phone")),
        Column("updated", gettext_lazy("Changed"), time_cell("updated_at"), "updated_at", False),
    ),
    filters=(),
)

LEADS = ListSpec(
    key="leads",
    kind="crm.lead",
    title=gettext_lazy("Leads"),
    one=gettext_lazy("Lead"),
    icon="user-plus",
    visible=access.visible_leads,
    search=lambda text: Q(name__icontains=text) | Q(company__icontains=text) | Q(email__icontains=text),
    related=("product", "owner"),
    card_related=("account", "request"),
    sort="-created_at",
    mine=my_deals,
    empty=gettext_lazy("Leads come from the site's forms; you can also write one down after a call."),
    columns=(
        Column("name", gettext_lazy("Lead"), text_cell("name"), "name"),
        Column("company", gettext_lazy("Company"), text_cell("company"), "company"),
        Column("state", gettext_lazy("State"), state_cell, "state"),
        Column("product", gettext_lazy("Product"), text_cell("product.name"), "product__name"),
        Column("source", gettext_lazy("Came by"), text_cell("source"), "source"),
        Column("created", gettext_lazy("Came"), time_cell("created_at"), "created_at"),
        Column("email", gettext_lazy("E-mail"), text_cell("email"), "email", False),
        Column("owner", gettext_lazy("Owner"), person_cell, "owner__name", False),
    ),
    filters=(Filter("state", gettext_lazy("State"), lambda actor: Lead.State.choices, by_value("state")),),
)

PRODUCTS = ListSpec(
    key="products",
    kind="crm.product",
    title=gettext_lazy("Products"),
    one=gettext_lazy("Product"),
    icon="package",
    visible=access.visible_products,
    search=lambda text: Q(name__icontains=text) | Q(series__icontains=text) | Q(category__icontains=text),
    sort="name",
    can_create=access.CrmPermission.MANAGE_PRODUCTS,
    empty=gettext_lazy("Add what you sell; what is public stands in the customers' catalogue."),
    columns=(
        Column("name", gettext_lazy("Product"), text_cell("name"), "name"),
        Column("category", gettext_lazy("Category"), text_cell("category"), "category"),
        Column("series", gettext_lazy("Series"), text_cell("series"), "series"),
        Column("price", gettext_lazy("List price"), money_cell("list_price"), "list_price"),
        Column("public", gettext_lazy("In the catalogue"), yes_cell("is_public"), "is_public"),
        Column("partner", gettext_lazy("With a partner"), yes_cell("needs_partner"), "needs_partner"),
    ),
    filters=(Filter("category", gettext_lazy("Category"), _distinct(access.visible_products, "category"), by_value("category")),),
)

REQUESTS = ListSpec(
    key="requests",
    kind="crm.request",
    title=gettext_lazy("Requests"),
    one=gettext_lazy("Request"),
    icon="message-circle",
    visible=access.visible_requests,
    search=lambda text: Q(title__icontains=text) | Q(description__icontains=text) | Q(account__name__icontains=text),
    related=("account", "product"),
    sort="-created_at",
    can_create="",
    empty=gettext_lazy("Customers ask from their cabinet, visitors from the site."),
    columns=(
        Column("title", gettext_lazy("Request"), text_cell("title"), "title"),
        Column("account", gettext_lazy("Account"), text_cell("account.name"), "account__name"),
        Column("state", gettext_lazy("State"), state_cell, "state"),
        Column("product", gettext_lazy("Product"), text_cell("product.name"), "product__name"),
        Column("who", gettext_lazy("Asked by"), text_cell("submitted_by_name")),
        Column("created", gettext_lazy("Came"), time_cell("created_at"), "created_at"),
    ),
    filters=(Filter("state", gettext_lazy("State"), lambda actor: Request.State.choices, by_value("state")),),
)

# The same states in an employee's words: “with you” is the customer's.
SEVERITY_TONES = {"critical": "bad", "high": "warn"}
CASE_TONES = {"open": "accent", "waiting": "", "solved": "good"}


def _severity_cell(row: Case) -> Cell:
    return Cell("chip", row.get_severity_display(), SEVERITY_TONES.get(row.severity, ""))


def _case_cell(row: Case) -> Cell:
    return Cell("chip", row.get_state_display(), CASE_TONES.get(row.state, ""))


def _promise(rows: QuerySet, value: str, actor: Actor) -> QuerySet:
    open_now = rows.filter(state=Case.State.OPEN)
    return open_now.filter(answer_by__lt=timezone.now()) if value == "late" else open_now.filter(answer_by__gte=timezone.now())


CASES = ListSpec(
    key="cases",
    kind="crm.case",
    title=gettext_lazy("Cases"),
    one=gettext_lazy("Case"),
    icon="lifebuoy",
    visible=access.visible_cases,
    search=lambda text: Q(title__icontains=text) | Q(description__icontains=text) | Q(account__name__icontains=text),
    related=("account",),
    card_related=("contact",),
    sort="-created_at",
    can_create="",
    empty=gettext_lazy("Customers open cases in their cabinet."),
    columns=(
        Column("title", gettext_lazy("Case"), text_cell("title"), "title"),
        Column("account", gettext_lazy("Account"), text_cell("account.name"), "account__name"),
        Column("severity", gettext_lazy("Severity"), _severity_cell, "severity"),
        Column("state", gettext_lazy("State"), _case_cell, "state"),
        Column("answer_by", gettext_lazy("Answer by"), time_cell("answer_by"), "answer_by"),
        Column("created", gettext_lazy("Came"), time_cell("created_at"), "created_at"),
        Column("category", gettext_lazy("About"), lambda row: Cell("text", row.get_category_display()), "category", False),
        Column("who", gettext_lazy("Told by"), text_cell("submitted_by_name"), "", False),
        Column("rating", gettext_lazy("Rating"), text_cell("rating"), "rating", False),
        Column("reopened", gettext_lazy("Reopened"), text_cell("reopened"), "reopened", False),
    ),
    filters=(
        Filter("state", gettext_lazy("State"), lambda actor: Case.State.choices, by_value("state")),
        Filter("severity", gettext_lazy("Severity"), lambda actor: Case.Severity.choices, by_value("severity")),
        Filter("promise", gettext_lazy("Promise"), lambda actor: [("late", _("Late")), ("kept", _("In time"))], _promise),
        Filter("category", gettext_lazy("About"), lambda actor: Case.Category.choices, by_value("category")),
    ),
)

DOCUMENT_TONES = {"late": "bad", "check": "accent", "done": "good"}


def _counted_documents(actor: Actor) -> QuerySet[DocumentRequest]:
    """Lists of documents with how many are required, accepted, to be checked, and still to come from the customer."""
    state = DocumentLine.State
    required = Q(lines__is_required=True)
    return access.visible_document_requests(actor).annotate(
        required=Count("lines", filter=required),
        accepted=Count("lines", filter=required & Q(lines__state=state.ACCEPTED)),
        to_check=Count("lines", filter=Q(lines__state=state.GIVEN)),
        lacking=Count("lines", filter=required & Q(lines__state__in=[state.MISSING, state.RETURNED])),
    )


def document_standing(row: Any) -> tuple[str, str]:
    """How a list of documents stands: its key and the word for it."""
    if row.state != DocumentRequest.State.OPEN:
        return row.state, str(row.get_state_display())
    if row.lacking and row.due < timezone.now():
        return "late", _("Overdue")
    if row.to_check and not row.lacking:
        return "check", _("To check")
    return row.state, str(row.get_state_display())


def standing_cell(row: Any) -> Cell:
    """The same, as a chip."""
    key, word = document_standing(row)
    return Cell("chip", word, DOCUMENT_TONES.get(key, ""))


def _documents_of(rows: QuerySet, value: str, actor: Actor) -> QuerySet:
    match value:
        case "late":
            return rows.filter(state=DocumentRequest.State.OPEN, lacking__gt=0, due__lt=timezone.now())
        case "check":
            return rows.filter(state=DocumentRequest.State.OPEN, to_check__gt=0)
        case _:
            return rows.filter(state=value)


DOCUMENTS = ListSpec(
    key="documents",
    kind="crm.document_request",
    title=gettext_lazy("Documents asked for"),
    one=gettext_lazy("Request for documents"),
    icon="clipboard-list",
    visible=_counted_documents,
    search=lambda text: (
        Q(title__icontains=text)
        | Q(customer_organisation__name__icontains=text)
        # Through `lines` it would count fewer lines than there are.
        | Q(pk__in=DocumentLine.objects.filter(name__icontains=text).values("request"))
    ),
    related=("customer_organisation",),
    sort="due",
    can_create="",
    mine=lambda rows, actor: rows.filter(asked_by_id=actor.user_id),
    empty=gettext_lazy("Ask a customer for documents on the card of their request, deal, case or project: all lists stand here then."),
    columns=(
        Column("title", gettext_lazy("Documents"), text_cell("title"), "title"),
        Column("customer", gettext_lazy("Customer"), text_cell("customer_organisation.name"), "customer_organisation__name"),
        Column("state", gettext_lazy("State"), standing_cell, "state"),
        Column("accepted", gettext_lazy("Accepted"), lambda row: Cell("text", f"{row.accepted} / {row.required}"), "accepted"),
        Column("due", gettext_lazy("Needed by"), time_cell("due", "day"), "due"),
        Column("who", gettext_lazy("Asked by"), lambda row: Cell("person", row.asked_by_name), "asked_by_name"),
        Column("created", gettext_lazy("Asked"), time_cell("created_at"), "created_at", False),
        Column("closed", gettext_lazy("Ended"), time_cell("closed_at"), "closed_at", False),
    ),
    filters=(
        Filter(
            "state",
            gettext_lazy("State"),
            lambda actor: [("open", _("Open")), ("late", _("Overdue")), ("check", _("To check")), *DocumentRequest.State.choices[1:]],
            _documents_of,
        ),
    ),
)
LISTS: dict[str, ListSpec] = {spec.key: spec for spec in (DEALS, ACCOUNTS, CONTACTS, LEADS, PRODUCTS, REQUESTS, CASES, DOCUMENTS)}
MODELS: dict[str, type[Model]] = {
    "deals": Deal, "accounts": Account, "contacts": Contact, "leads": Lead, "products": Product, "requests": Request, "cases": Case,
    "documents": DocumentRequest,
}  # fmt: skip
