"""Reads for the administrators' settings pages: people with their places, organisations, the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q

from portal.access import Actor, Audience
from portal.models import Membership, Organisation, User
from portal.numbers import whole_number
from portal.querysets import visible_audit, visible_organisations
from portal.registry import registry

A_PAGE = 50


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A person's membership with its roles."""

    id: int
    organisation_id: int
    organisation_name: str
    audience: Audience
    roles: tuple[str, ...]
    role_labels: tuple[str, ...]
    manager_id: int | None = None


@dataclass(frozen=True, slots=True)
class AdminPersonView:
    """A person as administrators see them."""

    id: int
    name: str
    email: str
    job_title: str
    is_active: bool
    last_login: datetime | None
    places: tuple[PlaceView, ...]


@dataclass(frozen=True, slots=True)
class AdminOrganisationView:
    """An organisation with the number of its people."""

    id: int
    name: str
    is_own: bool
    is_customer: bool
    is_partner: bool
    is_active: bool
    people: int


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit."""

    at: datetime
    who: str
    on_behalf_of: str
    audience: str
    verb: str
    subject_kind: str
    subject_id: str
    changes: tuple[tuple[str, Any, Any], ...]
    reason: str


def roles_of(audience: Audience) -> list[tuple[str, str]]:
    """The roles of an audience, key and label."""
    return [(role.key, str(role.label)) for role in registry.roles.values() if role.audience == audience]


def people(*, text: str = "", audience: str = "", organisation_id: int | None = None, role: str = "", page: int | str = 1) -> Page:
    """People by name, one page; callers are administrators (the pages declare it)."""
    rows = User.objects.order_by("name", "pk")
    places = Membership.objects.filter(is_active=True)
    if audience:
        places = places.filter(audience=audience)
    if organisation_id is not None:
        places = places.filter(organisation_id=organisation_id)
    if role:
        places = places.filter(role_rows__role=role)
    if audience or role or organisation_id is not None:
        rows = rows.filter(pk__in=places.values("user_id"))
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(email__icontains=text) | Q(job_title__icontains=text))
    found = Paginator(rows, A_PAGE).get_page(page)
    found.object_list = _with_places(list(found.object_list))
    return found


def person(user_id: int) -> AdminPersonView | None:
    """One person."""
    return next(iter(_with_places(list(User.objects.filter(pk=user_id)))), None)


def _with_places(users: list[User]) -> list[AdminPersonView]:
    places: dict[int, list[PlaceView]] = {}
    rows = (
        Membership.objects.filter(user__in=users, is_active=True)
        .select_related("organisation")
        .prefetch_related("role_rows")
        .order_by("organisation__name", "pk")
    )
    for row in rows:
        keys = tuple(sorted(r.role for r in row.role_rows.all()))
        labels = tuple(str(registry.roles[key].label) if key in registry.roles else key for key in keys)
        places.setdefault(row.user_id, []).append(
            PlaceView(row.pk, row.organisation_id, row.organisation.name, Audience(row.audience), keys, labels, row.manager_id)
        )
    return [AdminPersonView(u.pk, u.name, u.email, u.job_title, u.is_active, u.last_login, tuple(places.get(u.pk, ()))) for u in users]


def organisation_list(actor: Actor, *, text: str = "", kind: str = "", page: int | str = 1) -> Page:
    """Organisations by name, one page, with how many people each has."""
    rows = visible_organisations(actor).order_by("name", "pk")
    if text:
        rows = rows.filter(name__icontains=text)
    if kind in ("own", "customer", "partner"):
        rows = rows.filter(**{f"is_{kind}": True})
    found = Paginator(rows, A_PAGE).get_page(page)
    ids = [row.pk for row in found.object_list]
    counts = dict(
        Membership.objects.filter(organisation__in=ids, is_active=True)
        .values_list("organisation_id")
        .annotate(n=Count("user_id", distinct=True))
    )
    found.object_list = [_organisation(row, counts.get(row.pk, 0)) for row in found.object_list]
    return found


def organisation_of(actor: Actor, organisation_id: int) -> AdminOrganisationView | None:
    """One organisation."""
    row = visible_organisations(actor).filter(pk=organisation_id).first()
    return _organisation(row, Membership.objects.filter(organisation=row, is_active=True).count()) if row else None


def _organisation(row: Organisation, people_count: int) -> AdminOrganisationView:
    return AdminOrganisationView(row.pk, row.name, row.is_own, row.is_customer, row.is_partner, row.is_active, people_count)


def audit_page(actor: Actor, *, text: str = "", since: date | None = None, until: date | None = None, page: int | str = 1) -> Page:
    """The audit, newest first: `text` looks in who, what, the record (`crm.deal:12`) and the reason."""
    rows = visible_audit(actor).order_by("-at", "-pk")
    kind, _sign, key = text.partition(":")
    if (number := whole_number(key)) is not None:
        rows = rows.filter(subject_kind=kind, subject_id=number)
    else:
        for word in text.split()[:6]:
            rows = rows.filter(
                Q(actor_name__icontains=word) | Q(verb__icontains=word) | Q(subject_kind__icontains=word) | Q(reason__icontains=word)
            )
    if since:
        rows = rows.filter(at__date__gte=since)
    if until:
        rows = rows.filter(at__date__lte=until)
    found = Paginator(rows, A_PAGE).get_page(page)
    found.object_list = [_line(row) for row in found.object_list]
    return found


def _line(row: Any) -> AuditLine:
    before, after = row.before or {}, row.after or {}
    keys = list(dict.fromkeys([*before, *after]))
    changes = tuple((key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key))
    return AuditLine(
        row.at, row.actor_name, row.on_behalf_of, row.audience, row.verb, row.subject_kind, row.subject_id, changes, row.reason
    )
