"""What the kernel itself keeps about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.personal import CLEAR, DROP, KEEP, NAME, Trace, register_traces

AUDIT = _("The record of who changed what, when: we must be able to show it, and nobody may change it.")
CONSENT = _("That you agreed, and when: we must be able to show it. Your address is taken off.")


def register() -> None:
    """The account, its places, files, consents and settings."""
    register_traces(
        Trace(
            "account",
            _("Your account"),
            "portal.User",
            "email",
            ("email", "name", "job_title", "phone", "language", "time_zone", "date_joined", "last_login"),
            KEEP,  # emptied by the erasure itself, once everything else is done
        ),
        Trace("addresses", _("Your e-mail addresses"), "account.EmailAddress", "user", ("email", "verified", "primary"), DROP),
        Trace("sign-ins", _("Where you are signed in"), "usersessions.UserSession", "user", ("ip", "user_agent", "created_at"), KEEP),
        Trace("second-steps", _("Your second steps"), "mfa.Authenticator", "user", ("type", "created_at", "last_used_at"), DROP),
        Trace(
            "organisations",
            _("Your organisations"),
            "portal.Membership",
            "user",
            ("organisation__name", "audience", "is_active", "created", "manager__name"),
            KEEP,  # closed by the erasure itself
        ),
        Trace(
            "invitations-for-you",
            _("Invitations you got"),
            "portal.Invitation",
            "email",
            ("email", "name", "created", "accepted", "organisation__name"),
            CLEAR,
            {"email": "erased@erased.invalid", "name": NAME},
        ),
        Trace("invitations", _("Invitations you sent"), "portal.Invitation", "invited_by", ("email", "name", "created"), KEEP),
        Trace(
            "consents",
            _("What you agreed to"),
            "portal.Consent",
            "email",
            ("email", "purpose", "text", "text_version", "source", "given", "withdrawn"),
            CLEAR,
            {"email": ""},
            CONSENT,
        ),
        Trace(
            "consents-with-account",
            _("What you agreed to, signed in"),
            "portal.Consent",
            "user",
            ("email", "purpose", "text", "text_version", "source", "given", "withdrawn"),
            CLEAR,
            {"email": ""},
        ),
        Trace(
            "audit",
            _("What you changed"),
            "portal.AuditEntry",
            "actor",
            ("at", "verb", "subject_kind", "subject_id", "before", "after", "reason"),
            KEEP,
            why=AUDIT,
        ),
        Trace(
            "files",
            _("Files you gave us"),
            "portal.StoredFile",
            "uploaded_by",
            ("name", "content_type", "size", "sha256", "created", "subject_kind", "subject_id"),
            CLEAR,
            {"uploaded_by_name": NAME},
            _("Files that belong to a request, a project or a document stay with it, without your name."),
        ),
        Trace("saved-views", _("Your saved views"), "portal.SavedView", "author", ("list_key", "name", "query", "shared_with"), DROP),
        Trace("jobs", _("Long work you started"), "portal.Job", "owner", ("kind", "title", "state", "created", "ended"), DROP),
        Trace("exports", _("Exports of your data"), "portal.DataExport", "user", ("created", "ready", "expires", "size"), DROP),
        Trace(
            "erasures",
            _("Erasures you asked for"),
            "portal.ErasureRequest",
            "user",
            ("asked", "answer_by", "state", "decided", "reason", "words"),
            KEEP,  # emptied by the erasure itself
        ),
    )
