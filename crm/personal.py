"""What the customer base and sales keep about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.personal import CLEAR, KEEP, NAME, Trace, register_traces

SIGNED = _("Who signed what and when is part of the contract: the law makes us keep it for years.")
ORDERED = _("What was asked for and agreed stays with your organisation, without your name.")


def register() -> None:
    """Contacts, leads, requests, cases, signatures, activities."""
    register_traces(
        Trace(
            "contact",
            _("Your entry in our address book"),
            "crm.Contact",
            "user",
            ("account__name", "name", "email", "phone", "job_title", "created_at"),
            CLEAR,
            {"name": NAME, "email": "", "phone": "", "job_title": ""},
        ),
        Trace(
            "contact-by-address",
            _("Entries with your address in our address book"),
            "crm.Contact",
            "email",
            ("account__name", "name", "email", "phone", "job_title", "created_at"),
            CLEAR,
            {"name": NAME, "email": "", "phone": "", "job_title": ""},
        ),
        Trace(
            "enquiries",
            _("What you asked before you had an account"),
            "crm.Lead",
            "email",
            ("name", "company", "email", "phone", "message", "source", "consent_at", "created_at"),
            CLEAR,
            {"name": NAME, "email": "", "phone": "", "message": "", "consent_at": None},
        ),
        Trace(
            "requests",
            _("Requests you sent"),
            "crm.Request",
            "submitted_by",
            ("id", "title", "description", "state", "outcome", "created_at", "closed_at"),
            CLEAR,
            {"submitted_by_name": NAME},
            ORDERED,
        ),
        Trace(
            "cases",
            _("Cases you opened"),
            "crm.Case",
            "submitted_by",
            ("id", "title", "description", "category", "severity", "state", "rating", "rating_words", "created_at", "closed_at"),
            CLEAR,
            {"submitted_by_name": NAME, "rating_words": ""},
            ORDERED,
        ),
        Trace(
            "signatures",
            _("Quotes you signed"),
            "crm.QuoteSignature",
            "signer",
            ("quote_id", "signer_name", "signer_email", "signed_name", "signed_at", "address", "browser", "document_sha256"),
            KEEP,
            why=SIGNED,
        ),
        Trace(
            "approvals-asked",
            _("Quotes you had approved by a colleague"),
            "crm.QuoteApproval",
            "asked_by",
            ("quote_id", "asked_by_name", "asked_at", "state"),
            KEEP,
            why=SIGNED,
        ),
        Trace(
            "approvals-given",
            _("Quotes you decided on for your organisation"),
            "crm.QuoteApproval",
            "decided_by",
            ("quote_id", "decided_by_name", "decided_at", "state", "reason"),
            KEEP,
            why=SIGNED,
        ),
        Trace(
            "visitor-requests",
            _("Requests you sent as a visitor"),
            "crm.PublicStart",
            "email",
            ("name", "company", "email", "phone", "message", "answers", "created_at", "confirmed_at"),
            CLEAR,
            {"name": NAME, "phone": "", "message": "", "answers": {}},
        ),
        Trace(
            "activities",
            _("Calls, meetings and notes you wrote"),
            "crm.Activity",
            "author",
            ("kind", "text", "at"),
            CLEAR,
            {"author_name": NAME},
        ),
        Trace(
            "moves", _("Deals you moved"), "crm.StageChange", "actor", ("deal_id", "to_stage", "at", "reason"), CLEAR, {"actor_name": NAME}
        ),
        Trace(
            "imports",
            _("Tables you imported"),
            "crm.ImportRun",
            "started_by",
            ("name", "kind", "created"),
            CLEAR,
            {"started_by_name": NAME},
        ),
        Trace(
            "documents-asked",
            _("Documents you asked for"),
            "crm.DocumentRequest",
            "asked_by",
            ("title", "state", "due", "created_at"),
            CLEAR,
            {"asked_by_name": NAME},
        ),
        Trace(
            "appointments",
            _("Appointments you chose"),
            "crm.Appointment",
            "booked_by",
            ("title", "starts", "ends", "place", "state", "wish", "reason"),
            CLEAR,
            {"booked_by_name": NAME, "changed_by_name": NAME, "wish": ""},
        ),
        Trace(
            "appointments-held",
            _("Appointments you hold"),
            "crm.Appointment",
            "host",
            ("title", "starts", "ends", "place", "state"),
            CLEAR,
            {"host_name": NAME},
        ),
        Trace("seller", _("Your place in a sales team"), "crm.SalesTeamMember", "user", ("name", "team__manager_name"), KEEP),
        Trace("sales-teams", _("Sales teams you lead"), "crm.SalesTeam", "manager", ("manager_name", "office"), KEEP),
    )
