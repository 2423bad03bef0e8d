"""The kernel's gates to rows: `visible_<things>(actor)`."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet

from portal.access import Actor, Audience, PortalPermission
from portal.models import (
    ArticleVote,
    AuditEntry,
    Consent,
    DataExport,
    ErasureRequest,
    Invitation,
    Job,
    KnowledgePage,
    Organisation,
    SavedView,
)
from portal.pages import articles_for


def visible_organisations(actor: Actor) -> QuerySet[Organisation]:
    """Employees see all organisations, outsiders their own and ours."""
    match actor.audience:
        case Audience.INTERNAL:
            return Organisation.objects.all()
        case Audience.CUSTOMER | Audience.PARTNER:
            return Organisation.objects.filter(pk=actor.organisation_id) | Organisation.objects.filter(is_own=True)
        case _:
            return Organisation.objects.none()


def visible_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Administrators see all invitations, those who invite outsiders theirs, an organisation's administrator those of their place."""
    if actor.can(PortalPermission.ADMINISTER):
        return Invitation.objects.all()
    if actor.is_internal and actor.can(PortalPermission.INVITE_OUTSIDERS):
        return Invitation.objects.exclude(audience=str(Audience.INTERNAL))
    if actor.can(PortalPermission.INVITE_COLLEAGUES):
        return Invitation.objects.filter(organisation_id=actor.organisation_id, audience=str(actor.audience))
    return Invitation.objects.none()


def visible_audit(actor: Actor) -> QuerySet[AuditEntry]:
    """Those who may read the audit see all of it."""
    return AuditEntry.objects.all() if actor.can(PortalPermission.VIEW_AUDIT) else AuditEntry.objects.none()


def visible_saved_views(actor: Actor) -> QuerySet[SavedView]:
    """Employees see their own views of lists, those of their groups and everybody's; who sees the list itself, its page says."""
    if not actor.is_internal or actor.user_id is None:
        return SavedView.objects.none()
    return SavedView.objects.filter(Q(author_id=actor.user_id) | Q(shared_with="*") | Q(shared_with__in=[*actor.roles]))


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """Everybody sees their own jobs, administrators all."""
    if actor.can(PortalPermission.ADMINISTER):
        return Job.objects.all()
    return Job.objects.filter(owner_id=actor.user_id) if actor.user_id else Job.objects.none()


def visible_articles(actor: Actor) -> QuerySet[KnowledgePage]:
    """The published articles of the knowledge base that are for this reader."""
    return KnowledgePage.objects.live().public().filter(audience__in=articles_for(actor))


def visible_votes(actor: Actor) -> QuerySet[ArticleVote]:
    """What readers thought of articles is for the site's editors."""
    return ArticleVote.objects.all() if actor.can(PortalPermission.EDIT_SITE) else ArticleVote.objects.none()


def addresses_of(user_id: int) -> QuerySet:
    """The e-mail addresses that are a person's own for sure."""
    return EmailAddress.objects.filter(user_id=user_id, verified=True).values("email")


def visible_consents(actor: Actor) -> QuerySet[Consent]:
    """Everybody sees what they agreed to themselves, also before they had an account."""
    if actor.user_id is None:
        return Consent.objects.none()
    return Consent.objects.filter(Q(user_id=actor.user_id) | Q(email__in=addresses_of(actor.user_id)))


def visible_exports(actor: Actor) -> QuerySet[DataExport]:
    """A file with somebody's data is theirs alone; whoever looks through their eyes doesn't see it."""
    if actor.user_id is None or actor.viewed_by:
        return DataExport.objects.none()
    return DataExport.objects.filter(user_id=actor.user_id)


def visible_erasures(actor: Actor) -> QuerySet[ErasureRequest]:
    """Administrators see who asks to be erased, everybody what they asked for themselves."""
    if actor.can(PortalPermission.ADMINISTER):
        return ErasureRequest.objects.all()
    return ErasureRequest.objects.filter(user_id=actor.user_id) if actor.user_id else ErasureRequest.objects.none()
