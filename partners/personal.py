"""What partnering keeps about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.personal import KEEP, Trace, register_traces


def register() -> None:
    """Registrations, invitations to deals, partners looked after."""
    register_traces(
        Trace(
            "registrations",
            _("Deals you registered"),
            "partners.DealRegistration",
            "submitted_by",
            ("number", "company", "need", "state", "submitted"),
            KEEP,
        ),
        Trace(
            "registrations-decided",
            _("Registrations you decided on"),
            "partners.DealRegistration",
            "decided_by",
            ("number", "decided"),
            KEEP,
        ),
        Trace("partners", _("Partners you look after"), "partners.PartnerProfile", "manager", ("organisation__name",), KEEP),
        Trace("joint-invited", _("Partners you invited to deals"), "partners.JointDeal", "invited_by", ("deal__title", "invited"), KEEP),
        Trace(
            "joint-decided", _("Joint deals you decided on"), "partners.JointDeal", "decided_by", ("deal__title", "decided", "reason"), KEEP
        ),
    )
