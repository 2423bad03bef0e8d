"""What a card of each kind shows at its left: named values, in the kinds of `crm.lists.Cell`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import visible_contacts, visible_deals, visible_quotes
from crm.lists import CASE_TONES, SEVERITY_TONES, STAGE_TONES, Cell, ListSpec, standing_cell
from crm.models import Account, Case, Contact, Deal, DocumentRequest, Lead, Product, Request, Stage
from crm.selectors.quotes import QuoteView, quotes_of_deal
from portal.access import Actor
from portal.registry import SubjectRef, registry
from portal.selectors import organisations
from portal.selectors_account import agreed


@dataclass(frozen=True, slots=True)
class Link:
    """A record beside this one."""

    title: str
    sub: str
    url: str
    icon: str
    chip: str = ""
    tone: str = ""


@dataclass(slots=True)
class Card:
    """A record's page."""

    spec: ListSpec
    id: int
    ref: SubjectRef
    title: str
    number: str
    updated_at: datetime | None
    facts: list[tuple[Any, Cell]]
    chips: list[tuple[str, str]] = field(default_factory=list)
    audiences: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    related: list[tuple[Any, list[Link]]] = field(default_factory=list)
    quotes: list[QuoteView] = field(default_factory=list)
    product_id: int | None = None
    is_closed: bool = False


def card_of(actor: Actor, spec: ListSpec, row: Any) -> Card:
    """The card of a record that the caller has found through its gate."""
    card = Card(spec, row.pk, SubjectRef(spec.kind, row.pk), str(row), getattr(row, "number", ""), getattr(row, "updated_at", None), [])
    match row:
        case Deal():
            _deal(actor, card, row)
        case Account():
            _account(actor, card, row)
        case Contact():
            _contact(actor, card, row)
        case Lead():
            _lead(actor, card, row)
        case Product():
            _product(actor, card, row)
        case Request():
            _request(actor, card, row)
        case Case():
            _case(actor, card, row)
        case DocumentRequest():
            _documents(actor, card, row)
    return card


def _link(actor: Actor, kind: str, row: Any) -> Cell:
    """A reference as a link."""
    if row is None:
        return Cell("text", "")
    return Cell("link", str(row), label=registry.subjects[kind].url(actor, row.pk) or "")


def _deal(actor: Actor, card: Card, row: Deal) -> None:
    companies = organisations(i for i in (row.partner_organisation_id, row.customer_organisation_id) if i)
    partner = companies.get(row.partner_organisation_id or 0)
    customer = companies.get(row.customer_organisation_id or 0)
    card.chips = [(str(row.get_stage_display()), str(STAGE_TONES.get(Stage(row.stage), "accent")))]
    if customer:
        card.audiences.append(("customer", customer.name))
    if partner:
        card.audiences.append(("partner", partner.name))
    card.is_closed = bool(row.outcome)
    card.facts = [
        (_("Account"), _link(actor, "crm.account", row.account)),
        (_("Contact"), _link(actor, "crm.contact", row.contact)),
        (_("Product"), Cell("text", row.product.name if row.product else "")),
        (_("Amount"), Cell("money", row.amount)),
        (_("List price"), Cell("money", row.list_price)),
        (_("Discount"), Cell("text", f"{row.discount_percent.normalize():f} %" if row.discount_percent else "")),
        (_("Owner"), Cell("person", row.owner.name if row.owner else "")),
        (_("Partner"), Cell("text", f"{partner.name} · {row.get_partner_state_display()}" if partner else "")),
        (_("Engaged on"), Cell("day", row.engage_date)),
        (_("Expected to close"), Cell("day", row.expected_close)),
        (_("Next step"), Cell("text", row.next_step)),
    ]
    if row.outcome:
        card.facts += [(_("Closed on"), Cell("day", row.close_date)), (_("Closed at"), Cell("money", row.close_value))]
    if row.lost_reason:
        card.facts.append((_("Why lost"), Cell("text", row.lost_reason)))
    if row.request_id:
        card.facts.append((_("Request"), _link(actor, "crm.request", row.request)))
    card.quotes = quotes_of_deal(actor, row.pk, with_lines=False)


def _deal_links(actor: Actor, rows: Any) -> list[Link]:
    url = registry.subjects["crm.deal"].url
    return [
        Link(
            deal.title,
            " · ".join(filter(None, [deal.number, str(deal.close_value or deal.amount or "")])),
            url(actor, deal.pk) or "",
            "briefcase",
            str(deal.get_stage_display()),
            str(STAGE_TONES.get(Stage(deal.stage), "")),
        )
        for deal in rows
    ]


def _account(actor: Actor, card: Card, row: Account) -> None:
    companies = organisations([row.organisation_id]) if row.organisation_id else {}
    if row.organisation_id in companies:
        card.audiences.append(("customer", _("uses the cabinet")))
    deals = visible_deals(actor).filter(account=row)
    sums = deals.aggregate(open=Count("pk", filter=Q(outcome=None)), won=Count("pk", filter=Q(outcome="won")), value=Sum("close_value"))
    card.facts = [
        (_("Sector"), Cell("text", row.sector)),
        (_("Office"), Cell("text", row.office_location)),
        (_("Employees"), Cell("text", row.employees or "")),
        (_("Founded in"), Cell("text", row.year_established or "")),
        (_("Revenue, millions"), Cell("money", row.revenue)),
        (_("Web site"), Cell("text", row.website)),
        (_("Phone"), Cell("text", row.phone)),
        (_("Part of"), _link(actor, "crm.account", row.parent)),
        (_("Owner"), Cell("person", row.owner.name if row.owner else "")),
        (_("Open deals"), Cell("text", sums["open"])),
        (_("Won deals"), Cell("text", sums["won"])),
        (_("Won in all"), Cell("money", sums["value"])),
    ]
    contacts = visible_contacts(actor).filter(account=row).order_by("name")[:12]
    url = registry.subjects["crm.contact"].url
    card.related = [
        (_("Deals"), _deal_links(actor, deals.order_by("-updated_at", "-pk")[:12])),
        (_("Contacts"), [Link(c.name, c.job_title or c.email, url(actor, c.pk) or "", "user") for c in contacts]),
    ]


def _contact(actor: Actor, card: Card, row: Contact) -> None:
    card.facts = [
        (_("Account"), _link(actor, "crm.account", row.account)),
        (_("Job title"), Cell("text", row.job_title)),
        (_("E-mail"), Cell("mail", row.email)),
        (_("Phone"), Cell("phone", row.phone)),
        *((_("Agreed to: %(what)s") % {"what": what}, Cell("when", since)) for what, since in agreed(actor, row.email)),
    ]
    card.related = [(_("Deals"), _deal_links(actor, visible_deals(actor).filter(contact=row).order_by("-updated_at")[:12]))]


def _lead(actor: Actor, card: Card, row: Lead) -> None:
    card.chips = [(str(row.get_state_display()), "accent" if row.state == Lead.State.NEW else "")]
    card.text = row.message
    card.is_closed = row.state != Lead.State.NEW
    card.facts = [
        (_("Company"), Cell("text", row.company)),
        (_("E-mail"), Cell("mail", row.email)),
        (_("Phone"), Cell("phone", row.phone)),
        (_("Product"), Cell("text", row.product.name if row.product else "")),
        (_("Came by"), Cell("text", row.source)),
        (_("Came"), Cell("when", row.created_at)),
        (_("Agreed to be contacted"), Cell("when", row.consent_at)),
        (_("Account"), _link(actor, "crm.account", row.account)),
        (_("Request"), _link(actor, "crm.request", row.request)),
        (_("Owner"), Cell("person", row.owner.name if row.owner else "")),
        (_("Reason"), Cell("text", row.reason)),
    ]


def _product(actor: Actor, card: Card, row: Product) -> None:
    card.text = row.description
    if row.is_public:
        card.chips.append((_("In the catalogue"), "good"))
    if not row.is_active:
        card.chips.append((_("No longer sold"), ""))
    card.facts = [
        (_("Category"), Cell("text", row.category)),
        (_("Series"), Cell("text", row.series)),
        (_("List price"), Cell("money", row.list_price)),
        (_("Delivered with a partner"), Cell("yes", row.needs_partner)),
        (_("Process"), Cell("text", row.process_key)),
    ]
    card.related = [(_("Newest deals"), _deal_links(actor, visible_deals(actor).filter(product=row).order_by("-updated_at")[:10]))]


def _request(actor: Actor, card: Card, row: Request) -> None:
    card.chips = [(str(row.get_state_display()), "accent" if row.state == "open" else "good" if row.state == "done" else "")]
    card.text = row.description
    card.is_closed = row.state != Request.State.OPEN
    card.facts = [
        (_("Account"), _link(actor, "crm.account", row.account)),
        (_("Asked by"), Cell("person", row.submitted_by_name)),
        (_("Product"), Cell("text", row.product.name if row.product else "")),
        *((one["label"], Cell("text", one["words"])) for one in row.answers),
        (_("Came by"), Cell("text", row.get_source_display())),
        (_("Came"), Cell("when", row.created_at)),
        (_("Closed"), Cell("when", row.closed_at)),
        (_("Outcome"), Cell("text", row.outcome)),
    ]
    card.related = [(_("Deal"), _deal_links(actor, visible_deals(actor).filter(request=row)))]


def _documents(actor: Actor, card: Card, row: DocumentRequest) -> None:
    standing = standing_cell(row)
    card.chips = [(standing.value, standing.tone)]
    card.audiences.append(("customer", row.customer_organisation.name))
    card.text = row.note
    card.is_closed = row.state != DocumentRequest.State.OPEN
    about = registry.resolve(actor, SubjectRef(row.subject_kind, row.subject_id))
    card.facts = [
        (_("Needed by"), Cell("day", row.due)),
        (_("Required and accepted"), Cell("text", _("%(a)d of %(n)d") % {"a": row.accepted, "n": row.required})),  # type: ignore[attr-defined]
        (_("Documents"), Cell("text", ", ".join(f"{line.name} ({line.get_state_display()})" for line in row.lines.all()))),
        (_("Asked by"), Cell("person", row.asked_by_name)),
        (_("Ended"), Cell("when", row.closed_at)),
    ]
    if about is not None:
        card.facts.insert(0, (about.label, Cell("link", about.title, label=about.url or "")))


def _case(actor: Actor, card: Card, row: Case) -> None:
    card.chips = [
        (str(row.get_state_display()), CASE_TONES.get(row.state, "")),
        (str(row.get_severity_display()), SEVERITY_TONES.get(row.severity, "")),
    ]
    if row.state == Case.State.OPEN and row.answer_by < timezone.now():
        card.chips.append((_("Late"), "bad"))
    card.audiences.append(("customer", row.account.name))
    card.text = row.description
    card.is_closed = row.state == Case.State.CLOSED
    card.facts = [
        (_("Account"), _link(actor, "crm.account", row.account)),
        (_("Contact"), _link(actor, "crm.contact", row.contact)),
        (_("Told by"), Cell("person", row.submitted_by_name)),
        (_("About"), Cell("text", row.get_category_display())),
        (_("Answer by"), Cell("when", row.answer_by)),
        (_("First answered"), Cell("when", row.answered_at)),
        (_("Answered by"), Cell("person", row.answered_by_name)),
        (_("Solution"), Cell("text", row.solution)),
        (_("Times reopened"), Cell("text", row.reopened or "")),
        (_("Rating"), Cell("text", f"{row.rating} / 5" if row.rating else "")),
        (_("Words with the rating"), Cell("text", row.rating_words)),
        (_("Closed"), Cell("when", row.closed_at)),
    ]


def quote_of(actor: Actor, pk: int) -> tuple[QuoteView, Link | None] | None:
    """A quote with its deal, for its own page."""
    row = visible_quotes(actor).select_related("deal").filter(pk=pk).first()
    if row is None:
        return None
    [view] = [one for one in quotes_of_deal(actor, row.deal_id) if one.id == pk]
    links = _deal_links(actor, [row.deal])
    return view, (links[0] if links else None)
