"""The visibility contract: what of a joint deal a partner may see. Both sides read the same rows that the selectors obey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.access import PartnerPermission, visible_programmes
from partners.models import PartnerProfile, Programme, VisibilityRule
from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.live import ping
from portal.registry import SubjectRef

FIELD, STEP, FILE = VisibilityRule.Kind.FIELD, VisibilityRule.Kind.STEP, VisibilityRule.Kind.FILE
KINDS = {FIELD: gettext_lazy("Fields"), STEP: gettext_lazy("Steps"), FILE: gettext_lazy("Files")}

# Every line a contract can have: key, words, and whether a new programme shows it. What isn't listed here is never shared.
FIELDS: dict[str, tuple[Any, bool]] = {
    "title": (gettext_lazy("Deal's title"), True),
    "account": (gettext_lazy("Customer's company"), True),
    "product": (gettext_lazy("Product"), True),
    "stage": (gettext_lazy("Stage"), True),
    "amount": (gettext_lazy("Expected amount"), True),
    "expected_close": (gettext_lazy("Expected close"), True),
    "owner": (gettext_lazy("Our contact person"), True),
    "contact": (gettext_lazy("Customer's contact person"), False),
    "description": (gettext_lazy("Customer's wish in their words"), True),
    "discount": (gettext_lazy("Discount"), False),
    "list_price": (gettext_lazy("List price"), False),
    "lost_reason": (gettext_lazy("Why a deal was lost"), False),
}
STEPS: dict[str, tuple[Any, bool]] = {
    "partner": (gettext_lazy("Steps that are yours"), True),
    "labelled": (gettext_lazy("Steps that the process shows to partners"), True),
}
FILES: dict[str, tuple[Any, bool]] = {
    "shared": (gettext_lazy("Files that we share with you on the deal"), True),
    "own": (gettext_lazy("Files that you add"), True),
}
CATALOGUE: dict[str, dict[str, tuple[Any, bool]]] = {FIELD: FIELDS, STEP: STEPS, FILE: FILES}
# A partner must always see and do what is theirs; these can't be switched off.
FIXED = {(STEP, "partner"), (FILE, "own"), (FIELD, "title")}


@dataclass(frozen=True, slots=True)
class ContractLine:
    """One line as both sides read it."""

    kind: str
    key: str
    label: str
    is_visible: bool
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """A programme's contract."""

    programme_id: int
    programme: str
    description: str
    version: int
    decision_hours: int
    protection_days: int
    lines: tuple[ContractLine, ...]

    def shows(self, kind: str, key: str) -> bool:
        """Whether the partner sees this."""
        return any(line.is_visible for line in self.lines if line.kind == kind and line.key == key)

    def keys(self, kind: str) -> frozenset[str]:
        """Everything of a kind that the partner sees."""
        return frozenset(line.key for line in self.lines if line.kind == kind and line.is_visible)

    def of_kind(self, kind: str) -> tuple[ContractLine, ...]:
        """The lines of a kind, in the catalogue's order."""
        return tuple(line for line in self.lines if line.kind == kind)


def ensure_rules(programme: Programme) -> None:
    """Give a programme a row for every line of the catalogue, new ones at their default."""
    VisibilityRule.objects.bulk_create(
        (
            VisibilityRule(programme=programme, kind=kind, key=key, is_visible=shown)
            for kind, lines in CATALOGUE.items()
            for key, (_label, shown) in lines.items()
        ),
        ignore_conflicts=True,
    )


def _contract(programme: Programme) -> Contract:
    shown = {(rule.kind, rule.key): rule.is_visible for rule in programme.rules.all()}
    lines = tuple(
        ContractLine(kind, key, str(label), (kind, key) in FIXED or shown.get((kind, key), False), (kind, key) in FIXED)
        for kind, entries in CATALOGUE.items()
        for key, (label, _default) in entries.items()
    )
    return Contract(
        programme.pk, programme.name, programme.description, programme.version, programme.decision_hours,
        programme.protection_days, lines,
    )  # fmt: skip


def contract_of_organisation(organisation_id: int) -> Contract | None:
    """The contract a partner organisation works under; None outside any programme, which shares nothing."""
    profile = (
        PartnerProfile.objects.select_related("programme")
        .prefetch_related("programme__rules")
        .filter(organisation_id=organisation_id)
        .first()
    )
    return _contract(profile.programme) if profile else None


def contracts(actor: Actor) -> list[Contract]:
    """The contracts that the actor may read."""
    return [_contract(p) for p in visible_programmes(actor).prefetch_related("rules").order_by("name").distinct()]


def change_contract(actor: Actor, programme_id: int, shown: Mapping[tuple[str, str], bool], *, version: int) -> Contract:
    """Set which lines partners see; from the next page on the selectors obey. Raises Refused when somebody changed it meanwhile."""
    if not actor.can(PartnerPermission.EDIT_PROGRAMME):
        raise NotAllowed(_("Only those who look after the programme change its contract."))
    with transaction.atomic():
        programme = visible_programmes(actor).select_for_update().filter(pk=programme_id).first()
        if programme is None:
            raise Refused(_("This programme isn't there any more."))
        if programme.version != version:
            raise Refused(_("Somebody changed the contract a moment ago. Read it again, then decide."))
        before = {f"{r.kind}:{r.key}": r.is_visible for r in programme.rules.all()}
        for kind, entries in CATALOGUE.items():
            for key in entries:
                if (kind, key) not in FIXED and (kind, key) in shown:
                    programme.rules.filter(kind=kind, key=key).update(is_visible=shown[kind, key])
        programme.version += 1
        programme.save(update_fields=["version", "changed"])
        after = {f"{r.kind}:{r.key}": r.is_visible for r in programme.rules.all()}
        changed = {key for key in after if before.get(key) != after[key]}
        record(
            actor,
            "programme.contract_changed",
            SubjectRef("partners.programme", programme.pk),
            before={k: before.get(k) for k in sorted(changed)},
            after={k: after[k] for k in sorted(changed)},
        )
        ping(f"programme:{programme.pk}")
    fresh = Programme.objects.prefetch_related("rules").get(pk=programme_id)
    return _contract(fresh)
