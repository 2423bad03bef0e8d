"""What a person's own pages show: how they sign in, what they agreed to, their exports, what an erasure would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.utils import timezone

from portal.access import Actor
from portal.consents import PURPOSES, Purpose
from portal.models import Consent, DataExport, ErasureRequest, Job, User
from portal.personal import DROP, kept_words, traces
from portal.querysets import visible_consents, visible_erasures, visible_exports
from portal.services.erasure import to_hand_over


@dataclass(frozen=True, slots=True)
class Security:
    """How somebody signs in."""

    has_password: bool
    addresses: tuple[tuple[str, bool, bool], ...]  # address, confirmed, first
    has_app: bool
    passkeys: int
    codes_left: int | None  # None: there are none to fall back on

    @property
    def has_second_step(self) -> bool:
        """A password alone isn't enough to get in."""
        return self.has_app or self.passkeys > 0


def security_of(user: User) -> Security:
    """How a person signs in now."""
    addresses = EmailAddress.objects.filter(user=user).order_by("-primary", "email")
    rows = list(Authenticator.objects.filter(user=user))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return Security(
        user.has_usable_password(),
        tuple((row.email, row.verified, row.primary) for row in addresses),
        any(row.type == Authenticator.Type.TOTP for row in rows),
        sum(1 for row in rows if row.type == Authenticator.Type.WEBAUTHN),
        len(codes.wrap().get_unused_codes()) if codes else None,
    )


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One thing that somebody agreed to."""

    id: int
    label: Any
    text: str
    version: str
    source: str
    given: datetime
    withdrawn: datetime | None
    after: Any


def consents_of(actor: Actor) -> list[ConsentView]:
    """What the actor agreed to, what holds now first, then the newest."""
    rows = sorted(visible_consents(actor), key=lambda row: (row.withdrawn is not None, -row.given.timestamp()))
    return [_consent(row) for row in rows]


def _consent(row: Consent) -> ConsentView:
    purpose = PURPOSES.get(row.purpose)
    label, after = (purpose.label, purpose.after) if purpose else (row.purpose, "")
    return ConsentView(row.pk, label, row.text, row.text_version, row.source, row.given, row.withdrawn, after)


def purposes_to_offer(actor: Actor) -> list[Purpose]:
    """What one may agree to here and hasn't."""
    given = set(visible_consents(actor).filter(withdrawn=None).values_list("purpose", flat=True))
    return [purpose for purpose in PURPOSES.values() if purpose.offered and purpose.key not in given]


def agreed(actor: Actor, email: str) -> list[tuple[Any, datetime]]:
    """What the owner of an address agrees to now, with since when; for the employees who keep the customer base."""
    if not actor.is_internal or not email:
        return []
    rows = Consent.objects.filter(email=email.lower(), withdrawn=None).order_by("given")
    return [(PURPOSES[row.purpose].label if row.purpose in PURPOSES else row.purpose, row.given) for row in rows]


@dataclass(frozen=True, slots=True)
class ExportView:
    """A file with one's data: being made, ready until a day, or stopped by an error."""

    id: UUID
    created: datetime
    expires: datetime | None
    size: int
    job: Job | None

    @property
    def is_ready(self) -> bool:
        """It can be fetched."""
        return self.expires is not None and self.expires > timezone.now()

    @property
    def is_running(self) -> bool:
        """It is being made."""
        return self.expires is None and self.job is not None and not self.job.is_over


def exports_of(actor: Actor) -> list[ExportView]:
    """The actor's files, the newest first."""
    rows = visible_exports(actor).select_related("job").order_by("-created")[:5]
    return [_export(row) for row in rows]


def _export(row: DataExport) -> ExportView:
    return ExportView(row.pk, row.created, row.expires, row.size, row.job)


def own_erasure(actor: Actor) -> ErasureRequest | None:
    """What came of the actor's last wish to be erased."""
    return ErasureRequest.objects.filter(user_id=actor.user_id).order_by("-asked", "-pk").first() if actor.user_id else None


def erasures(actor: Actor) -> list[ErasureRequest]:
    """The requests that the actor may decide on, those that wait first, soonest due first."""
    rows = visible_erasures(actor).select_related("organisation").order_by("answer_by", "pk")
    return sorted(rows, key=lambda row: row.state != ErasureRequest.State.ASKED)[:200]


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What an erasure does, in words: what goes, what stays and why, and who must hand over first."""

    goes: list[Any]
    nameless: list[Any]
    stays: list[tuple[Any, Any]]
    hand_over: list[str]


def erasure_plan(user_id: int | None) -> ErasurePlan:
    """What an erasure would do now."""
    kept = kept_words()
    reasons = {label for label, _why in kept}
    return ErasurePlan(
        [trace.label for trace in traces() if trace.erase == DROP],
        [trace.label for trace in traces() if trace.clear and trace.label not in reasons],
        kept,
        to_hand_over(user_id) if user_id else [],
    )
