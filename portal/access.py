"""Who acts, and what they may do: Actor, Audience, and the declarations every URL carries."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver

from portal.registry import registry
from portal.stack_room import with_room

if TYPE_CHECKING:
    from portal.models import Membership


class Audience(StrEnum):
    """The three audiences, and everybody else."""

    INTERNAL = "internal"
    PARTNER = "partner"
    CUSTOMER = "customer"
    PUBLIC = "public"


class PortalPermission(StrEnum):
    """What the kernel itself guards."""

    ADMINISTER = "portal.administer"
    INVITE_COLLEAGUES = "portal.invite_colleagues"
    INVITE_OUTSIDERS = "portal.invite_outsiders"
    EDIT_SITE = "portal.edit_site"
    VIEW_AUDIT = "portal.view_audit"
    VIEW_AS = "portal.view_as"  # see, read only, what an outsider sees
    TAKE_PART = "portal.take_part"  # outsiders: write at all; without it one only reads
    DO_STEPS = "portal.do_steps"  # outsiders: do the steps of a lane that names no role


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts: a person in one membership, nobody, or the system itself. Built once a request."""

    user_id: int | None
    name: str
    audience: Audience
    organisation_id: int | None = None
    organisation_name: str = ""
    membership_id: int | None = None
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = field(default=frozenset(), repr=False)
    is_system: bool = False
    email: str = ""
    time_zone: str = ""
    language: str = ""
    viewed_by: str = ""  # the employee who looks through this person's eyes; nothing may be written then

    @classmethod
    def system(cls, reason: str = "") -> Actor:
        """The product itself, in tasks and service steps; `reason` is the name that the audit shows."""
        return cls(None, reason or "Tandem", Audience.INTERNAL, is_system=True)

    @classmethod
    def anonymous(cls) -> Actor:
        """A visitor who hasn't signed in."""
        return cls(None, "", Audience.PUBLIC)

    @classmethod
    def for_membership(cls, membership: Membership, roles: Iterable[str] | None = None) -> Actor:
        """The actor that a membership makes; `roles` saves a query when they are known."""
        keys = frozenset(roles if roles is not None else membership.role_rows.values_list("role", flat=True))
        user, organisation = membership.user, membership.organisation
        return cls(
            user.pk,
            user.name or user.email,
            Audience(membership.audience),
            organisation.pk,
            organisation.name,
            membership.pk,
            keys,
            registry.permissions_of(keys),
            email=user.email,
            time_zone=user.time_zone,
            language=user.language,
        )

    def can(self, permission: str) -> bool:
        """Whether the actor holds a permission; the system holds all."""
        return self.is_system or permission in self.permissions

    def has_role(self, role: str) -> bool:
        """Whether the membership carries a role."""
        return role in self.roles

    @property
    def is_internal(self) -> bool:
        """An employee, or the system."""
        return self.audience is Audience.INTERNAL

    @property
    def is_partner(self) -> bool:
        """A partner organisation's person."""
        return self.audience is Audience.PARTNER

    @property
    def is_customer(self) -> bool:
        """A customer organisation's person."""
        return self.audience is Audience.CUSTOMER

    @property
    def is_reader(self) -> bool:
        """Somebody from outside who may look at everything of their organisation and change nothing."""
        return (self.is_customer or self.is_partner) and not self.can(PortalPermission.TAKE_PART)

    @property
    def is_anonymous(self) -> bool:
        """Nobody signed in."""
        return self.audience is Audience.PUBLIC


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declares of itself; `test_every_url.py` fails for a view without one."""

    audiences: frozenset[Audience]
    permission: str | None = None

    @property
    def is_public(self) -> bool:
        """Open to visitors."""
        return Audience.PUBLIC in self.audiences

    def admits(self, actor: Actor) -> bool:
        """Whether this actor may open the view."""
        if self.is_public:
            return True
        return actor.audience in self.audiences and (self.permission is None or actor.can(self.permission))


SIGNED_IN = (Audience.INTERNAL, Audience.PARTNER, Audience.CUSTOMER)


def requires(*audiences: Audience, permission: str | None = None) -> Callable:
    """Declare who may open a view. Visitors are sent to sign in; anybody else who may not sees the same 404 as for an absent page."""
    access = Access(frozenset(audiences), permission)

    def decorate(view: Callable) -> Callable:
        @with_room
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            actor: Actor = request.actor  # type: ignore[attr-defined]
            if not access.admits(actor):
                if actor.is_anonymous and not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path())
                raise Http404
            return view(request, *args, **kwargs)

        guarded.access = access  # type: ignore[attr-defined]
        guarded.login_required = True  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: Callable) -> Callable:
    """Declare that visitors may open a view."""

    @with_room
    @functools.wraps(view)
    def opened(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        return view(request, *args, **kwargs)

    opened.access = Access(frozenset({Audience.PUBLIC}))  # type: ignore[attr-defined]
    return login_not_required(opened)


def audience_urls(
    audience: Audience | Sequence[Audience], patterns: list[URLPattern | URLResolver], permission: str | None = None
) -> list[URLPattern | URLResolver]:
    """Wrap a whole tree of URLs so that one audience reaches it; views that declare their own access keep theirs as well."""
    audiences = (audience,) if isinstance(audience, Audience) else tuple(audience)
    guard = public if audiences == (Audience.PUBLIC,) else requires(*audiences, permission=permission)
    return decorate_urls(guard, patterns)


def decorate_urls(decorator: Callable, patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """Wrap every view below a list of patterns; a view that already declares an access is left to it."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            decorate_urls(decorator, pattern.url_patterns)
        elif not hasattr(pattern.callback, "access"):
            pattern.callback = decorator(pattern.callback)
    return patterns
