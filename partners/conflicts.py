"""Finding out whether a company that a partner registers is already somebody's: ours, another partner's, or their own."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import selectors as crm
from partners.models import DealRegistration


def company_key(name: str) -> str:
    """A company's name as it is compared, so that spellings of one company meet; at most 200 characters."""
    return crm.plain_name(name)[:200] or name.strip().lower()[:200]


@dataclass(frozen=True, slots=True)
class Conflict:
    """What was found. `words` is for the partner and tells nothing of others; `internal` is for those who decide."""

    code: str
    words: str
    internal: str
    own_registration_id: int | None = None


def find_conflict(organisation_id: int, company: str, *, exclude_id: int | None = None) -> Conflict | None:
    """Look for the company in the partner's own registrations, others' running or protected ones, and our customers."""
    key = company_key(company)
    if not key:
        return None
    today = timezone.localdate()
    rows = DealRegistration.objects.filter(company_key=key).exclude(pk=exclude_id)
    rows = rows.filter(
        Q(state__in=[DealRegistration.State.SUBMITTED, DealRegistration.State.QUESTION])
        | Q(state=DealRegistration.State.APPROVED, protected_until__gte=today)
    )
    own = rows.filter(partner_organisation_id=organisation_id).order_by("-pk").first()
    if own is not None:
        words = _("You have already registered this company: %(number)s.") % {"number": own.number}
        return Conflict("own", words, _("The partner's own registration %(number)s.") % {"number": own.number}, own.pk)
    maybe = _(
        "This company may already be known to us. You can register it all the same; we look at it and tell you why we decide as we do."
    )
    other = rows.select_related("partner_organisation").order_by("-pk").first()
    if other is not None:
        internal = _("Registered by %(partner)s as %(number)s.") % {
            "partner": other.partner_organisation.name,
            "number": other.number,
        }
        return Conflict("registered", maybe, internal)
    known = next(iter(crm.similar_accounts(company, limit=1)), None)
    if known is not None:
        deals = _("with an open deal") if known.has_open_deal else _("without an open deal")
        internal = _("Our account “%(name)s”, %(deals)s.") % {"name": known.name, "deals": deals}
        return Conflict("open_deal" if known.has_open_deal else "customer", maybe, internal)
    return None
