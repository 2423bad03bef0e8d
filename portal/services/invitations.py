"""Invitations: the way people come in. A letter with a link, good once, for one address, for some days."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from portal.access import Actor, Audience, PortalPermission
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import PersonJoined, emit
from portal.live import ping
from portal.mail import absolute, send_mail_later
from portal.models import Invitation, Membership, Organisation, User
from portal.querysets import visible_invitations
from portal.registry import SubjectRef, registry
from portal.selectors import InvitationView, invitation_view
from portal.services.memberships import add_member, confirm_address

DAYS = 14
MAX_OPEN = 200  # an organisation's open invitations: nobody mails the whole world through us

KIND_OF = {Audience.INTERNAL: "is_own", Audience.CUSTOMER: "is_customer", Audience.PARTNER: "is_partner"}


def may_invite(actor: Actor, organisation_id: int, audience: Audience) -> bool:
    """Whether the actor may invite into this organisation and audience."""
    if actor.can(PortalPermission.ADMINISTER):
        return True
    if actor.is_internal and audience is not Audience.INTERNAL and actor.can(PortalPermission.INVITE_OUTSIDERS):
        return True
    own_place = actor.organisation_id == organisation_id and actor.audience is audience
    return own_place and not actor.is_anonymous and actor.can(PortalPermission.INVITE_COLLEAGUES)


def invite(
    actor: Actor, *, organisation_id: int, audience: Audience | str, email: str, name: str = "", roles: Iterable[str]
) -> InvitationView:
    """Invite somebody by mail.

    The system's own invitation of somebody who has an open one already gives that one back; a person is told instead. Raises
    NotAllowed, or Refused with the field for a wrong address, role or organisation, a member, a doubled invitation.
    """
    return invite_here(actor, organisation_id=organisation_id, audience=audience, email=email, name=name, roles=roles)[0]


def invite_here(
    actor: Actor, *, organisation_id: int, audience: Audience | str, email: str, name: str = "", roles: Iterable[str]
) -> tuple[InvitationView, str]:
    """As `invite`, and gives the link's token beside, for somebody who has just shown that the address is theirs; the letter goes out all
    the same. The token is empty where there was an open invitation already: what was mailed is kept nowhere."""
    audience = Audience(audience)
    roles = sorted(set(roles))
    email = email.strip().lower()
    if not may_invite(actor, organisation_id, audience):
        raise NotAllowed(_("You can't invite people there."))
    organisation = Organisation.objects.filter(pk=organisation_id, is_active=True).first()
    if organisation is None:
        raise Refused(_("This organisation isn't there any more."), "organisation")
    if audience not in KIND_OF or not getattr(organisation, KIND_OF[audience]):
        raise Refused(_("“%(name)s” has no people of this kind.") % {"name": organisation.name}, "audience")
    _check_address(email)
    _check_roles(roles, audience)
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation_id)
        if Membership.objects.filter(organisation=organisation, audience=str(audience), user__email=email, is_active=True).exists():
            raise Conflict(_("%(email)s is a member of %(name)s already.") % {"email": email, "name": organisation.name}, "email")
        waiting = _open().filter(organisation=organisation, audience=str(audience))
        same = waiting.filter(email=email).select_related("organisation", "invited_by").first()
        if same is not None:
            if actor.is_system:
                return invitation_view(same), ""
            raise Conflict(_("%(email)s has an invitation already. You can send it again.") % {"email": email}, "email")
        if waiting.count() >= MAX_OPEN:
            raise Refused(_("Too many invitations wait for an answer. Withdraw some first."))
        token = secrets.token_urlsafe(32)
        row = Invitation.objects.create(
            organisation=organisation,
            audience=str(audience),
            email=email,
            name=name.strip()[:150],
            roles=roles,
            token_digest=_digest(token),
            invited_by_id=actor.user_id,
            expires=timezone.now() + timedelta(days=DAYS),
        )
        record(actor, "invitation.sent", _ref(row), after={"email": email, "audience": str(audience), "roles": roles})
        _mail(row, token)
        ping(str(_ref(row)))
    return invitation_view(row), token


def invite_newcomer(actor: Actor, *, organisation_id: int, email: str, name: str = "") -> str:
    """Invite somebody of a customer whom we know and who has just shown that the address is theirs; gives the link's token.

    Empty, and nobody is invited, where they are a member, were one (their administrator closed the door), or can't be invited now.
    The first one there looks after the organisation.
    """
    places = Membership.objects.filter(organisation_id=organisation_id, audience=str(Audience.CUSTOMER))
    if places.filter(user__email=email.strip().lower()).exists():
        return ""
    ruled = places.filter(is_active=True, user__is_active=True, role_rows__role="customer_admin").exists()
    roles = ["customer_member"] if ruled else ["customer_admin", "customer_member"]
    try:
        return invite_here(actor, organisation_id=organisation_id, audience=Audience.CUSTOMER, email=email, name=name, roles=roles)[1]
    except Refused:
        return ""


def resend_invitation(actor: Actor, invitation_id: int) -> InvitationView:
    """Mail an invitation again with a new link; the old link stops working. An expired one is open again."""
    with transaction.atomic():
        row = _mine(actor, invitation_id)
        token = secrets.token_urlsafe(32)
        row.token_digest = _digest(token)
        row.expires = timezone.now() + timedelta(days=DAYS)
        row.save(update_fields=["token_digest", "expires"])
        record(actor, "invitation.sent_again", _ref(row), after={"email": row.email})
        _mail(row, token)
        ping(str(_ref(row)))
    return invitation_view(row)


def withdraw_invitation(actor: Actor, invitation_id: int) -> InvitationView:
    """Take an invitation back: its link stops working."""
    with transaction.atomic():
        row = _mine(actor, invitation_id)
        row.withdrawn = timezone.now()
        row.save(update_fields=["withdrawn"])
        record(actor, "invitation.withdrawn", _ref(row), before={"email": row.email})
        ping(str(_ref(row)))
    return invitation_view(row)


def read_invitation(token: str) -> InvitationView:
    """What a link offers; raises Refused with words for a link that is wrong, used, withdrawn or too old."""
    return invitation_view(_by_token(token, lock=False))


def accept_as_new_person(token: str, *, name: str, password: str) -> tuple[User, Membership]:
    """Make the account that an invitation is for. The link came by mail, so the address is the person's own."""
    name = name.strip()[:150]
    with transaction.atomic():
        row = _by_token(token, lock=True)
        if User.objects.filter(email=row.email).exists():
            raise Conflict(_("There is an account with this address already: sign in to accept."))
        if not name:
            raise Refused(_("Tell us your name."), "name")
        try:
            validate_password(password, User(email=row.email, name=name))
        except ValidationError as error:
            raise Refused(" ".join(error.messages), "password") from error
        user = User.objects.create_user(row.email, password, name=name)
        confirm_address(user)
        return user, _join(row, user)


def accept_as_member(token: str, user_id: int) -> Membership:
    """Join with an account that is there already; it must hold the address that was invited."""
    with transaction.atomic():
        row = _by_token(token, lock=True)
        user = User.objects.get(pk=user_id)
        if user.email.lower() != row.email:
            raise NotAllowed(
                _("This invitation is for %(email)s. You are signed in as %(other)s.") % {"email": row.email, "other": user.email}
            )
        return _join(row, user)


def _join(row: Invitation, user: User) -> Membership:
    row.accepted = timezone.now()
    row.save(update_fields=["accepted"])
    audience = Audience(row.audience)
    place = Membership.objects.filter(user=user, organisation_id=row.organisation_id, audience=row.audience, is_active=False).first()
    if place is not None:  # invited anew: as what the invitation says, not as what they once were
        place.role_rows.all().delete()
        place.is_active = True
        place.save(update_fields=["is_active"])
    actor = Actor(user.pk, user.name, audience, row.organisation_id, row.organisation.name, email=user.email)
    membership = add_member(actor, user, row.organisation_id, audience, row.roles)
    record(actor, "invitation.accepted", _ref(row), after={"email": row.email})
    emit(PersonJoined(Actor.for_membership(membership), user.pk, row.organisation_id, audience, row.pk))
    ping(str(_ref(row)))
    return membership


def _open():
    return Invitation.objects.filter(accepted=None, withdrawn=None, expires__gt=timezone.now())


def _by_token(token: str, *, lock: bool) -> Invitation:
    rows = Invitation.objects.select_related("organisation", "invited_by")
    rows = rows.select_for_update(of=("self",)) if lock else rows
    row = rows.filter(token_digest=_digest(token)).first()
    if row is None:
        raise Refused(_("This link isn't valid. Perhaps a newer invitation was mailed to you: use the newest one."))
    if row.accepted:
        raise Conflict(_("This invitation was accepted already. Sign in with %(email)s.") % {"email": row.email})
    if row.withdrawn or not row.organisation.is_active:
        raise Refused(_("This invitation was withdrawn. Ask the person who invited you."))
    if row.expires <= timezone.now():
        raise Refused(_("This invitation is too old. Ask for it to be sent again."))
    return row


def _mine(actor: Actor, invitation_id: int) -> Invitation:
    rows = visible_invitations(actor).select_related("organisation", "invited_by").select_for_update(of=("self",))
    row = rows.filter(pk=invitation_id).first()
    if row is None:
        raise Refused(_("This invitation isn't there any more."))
    if row.accepted:
        raise Conflict(_("%(email)s has accepted in the meantime.") % {"email": row.email})
    if row.withdrawn:
        raise Conflict(_("This invitation was withdrawn already."))
    return row


def _check_address(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused(_("“%(email)s” isn't an e-mail address.") % {"email": email[:100]}, "email") from error


def _check_roles(roles: list[str], audience: Audience) -> None:
    if not roles:
        raise Refused(_("Choose at least one role."), "roles")
    for role in roles:
        known = registry.roles.get(role)
        if known is None or known.audience != audience:
            raise Refused(_("There is no role “%(role)s” here.") % {"role": role}, "roles")


def _mail(row: Invitation, token: str) -> None:
    language = User.objects.filter(email=row.email).values_list("language", flat=True).first() or settings.LANGUAGE_CODE
    with override(language):
        expires = date_format(timezone.localtime(row.expires), "DATE_FORMAT")
    send_mail_later(
        row.email,
        gettext_lazy("An invitation to work together"),
        "portal/mail/invitation",
        {
            "name": row.name,
            "email": row.email,
            "organisation": row.organisation.name,
            "inviter": row.invited_by.name if row.invited_by else "",
            "url": absolute(reverse("join", args=[token])),
            "expires": expires,
        },
        idempotency_key=f"invitation:{row.pk}:{row.token_digest[:16]}",
        language=language,
        is_secret=True,
    )


def _ref(row: Invitation) -> SubjectRef:
    return SubjectRef("portal.organisation", row.organisation_id)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
