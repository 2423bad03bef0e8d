"""Being forgotten: asked for by the person, decided on by an employee within a month, done once, with what must stay kept."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.events import ErasureAsked, ErasureTakenBack, emit
from portal.live import ping
from portal.mail import absolute, send_mail_later
from portal.models import ErasureRequest, Membership, MembershipRole, User
from portal.personal import Person, traces
from portal.querysets import visible_erasures
from portal.registry import SubjectRef
from portal.services.exports import drop_exports, person_of
from portal.services.site import sync_editor

KIND = "portal.erasure"
WITHIN = timedelta(days=30)  # GDPR, Article 12(3): without undue delay, within one month
RULERS = {Audience.INTERNAL: "administrator", Audience.CUSTOMER: "customer_admin", Audience.PARTNER: "partner_admin"}


def ref_of(erasure_id: int) -> SubjectRef:
    """The request as a subject."""
    return SubjectRef(KIND, erasure_id)


def to_hand_over(user_id: int) -> list[str]:
    """The organisations that would have people but no administrator without this person; they hand over first."""
    found = []
    for place in Membership.objects.filter(user_id=user_id, is_active=True, organisation__is_active=True).select_related("organisation"):
        ruler = RULERS[Audience(place.audience)]
        if not place.role_rows.filter(role=ruler).exists():
            continue
        others = Membership.objects.filter(
            organisation_id=place.organisation_id, audience=place.audience, is_active=True, user__is_active=True
        ).exclude(user_id=user_id)
        if others.exists() and not MembershipRole.objects.filter(membership__in=others, role=ruler).exists():
            found.append(place.organisation.name)
    return found


def _must_hand_over(names: list[str]) -> str:
    return _("You are the only administrator of %(names)s. Make a colleague administrator first, then ask again.") % {
        "names": ", ".join(names)
    }


def ask_for_erasure(actor: Actor, words: str = "") -> ErasureRequest:
    """Ask that everything about oneself be erased; asking again gives the open request.

    Raises Refused for the only administrator of an organisation that has other people, NotAllowed where there is no account.
    """
    if actor.user_id is None or actor.viewed_by:
        raise NotAllowed(_("Everybody asks this for themselves."))
    if names := to_hand_over(actor.user_id):
        raise Refused(_must_hand_over(names), "words")
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=actor.user_id)
            if (found := ErasureRequest.objects.filter(user_id=actor.user_id, state=ErasureRequest.State.ASKED).first()) is not None:
                return found
            now = timezone.now()
            row = ErasureRequest.objects.create(
                user_id=actor.user_id,
                name=actor.name,
                email=actor.email,
                audience=str(actor.audience),
                organisation_id=actor.organisation_id,
                words=words.strip()[:2000],
                asked=now,
                answer_by=now + WITHIN,
            )
            record(actor, "erasure.asked", ref_of(row.pk), after={"answer_by": row.answer_by.isoformat()})
            emit(ErasureAsked(actor, row.pk, row.number, row.answer_by, actor.audience, actor.organisation_id))
            _tell(row)
    except IntegrityError as error:
        raise Conflict(_("You have asked for this already.")) from error
    return row


def take_back_erasure(actor: Actor) -> None:
    """Stay after all, as long as nobody has decided; doing it twice changes nothing."""
    if actor.user_id is None or actor.viewed_by:
        raise NotAllowed(_("Everybody asks this for themselves."))
    with transaction.atomic():
        row = ErasureRequest.objects.select_for_update().filter(user_id=actor.user_id).order_by("-asked", "-pk").first()
        if row is None or row.state == ErasureRequest.State.TAKEN_BACK:
            return
        if row.state != ErasureRequest.State.ASKED:
            raise Conflict(_("This is decided already."))
        row.state, row.decided, row.decided_by_name = ErasureRequest.State.TAKEN_BACK, timezone.now(), actor.name
        row.save(update_fields=["state", "decided", "decided_by_name"])
        record(actor, "erasure.taken_back", ref_of(row.pk))
        emit(ErasureTakenBack(actor, row.pk))
        _tell(row)


def refuse_erasure(actor: Actor, erasure_id: int, reason: str) -> bool:
    """Answer that it can't be, with the reason, which the person reads; gives whether there was something to answer."""
    reason = reason.strip()[:2000]
    if not reason:
        raise Refused(_("Say why it can't be."), "reason")
    with transaction.atomic():
        row = _open(actor, erasure_id)
        if row is None:
            return False
        _decide(row, actor, ErasureRequest.State.REFUSED, reason)
        record(actor, "erasure.refused", ref_of(row.pk), reason=reason)
        _write(row, "portal/mail/erasure_refused", _("We can't erase your data"), {"reason": reason})
        _tell(row)
    return True


def erase_person(actor: Actor, erasure_id: int) -> str:
    """Make the person unrecognisable everywhere but where the law makes us keep who it was, close the account and end its sign-ins.

    Gives why it can't be done yet, in words, or nothing once it is done. Doing it twice changes nothing.
    """
    with transaction.atomic():
        row = _open(actor, erasure_id)
        if row is None or row.user_id is None:
            return ""
        user = User.objects.select_for_update().get(pk=row.user_id)
        if names := to_hand_over(user.pk):
            words = _("This person is the only administrator of %(names)s. Somebody else must become administrator there first.")
            return words % {"names": ", ".join(names)}
        person = person_of(user)
        _write(row, "portal/mail/erasure_done", _("Your data are erased"), {})
        outcome = {trace.key: changed for trace in traces() if (changed := trace.forget(person))}
        _close_account(user, person)
        row.outcome, row.name, row.email, row.words = outcome, person.placeholder, "", ""
        _decide(row, actor, ErasureRequest.State.DONE, "")
        record(actor, "erasure.done", ref_of(row.pk), after={"rows": outcome})
        _tell(row)
    return ""


def _open(actor: Actor, erasure_id: int) -> ErasureRequest | None:
    rows = visible_erasures(Actor.system() if actor.is_system else actor)
    return rows.select_for_update(of=("self",)).filter(pk=erasure_id, state=ErasureRequest.State.ASKED).first()


def _decide(row: ErasureRequest, actor: Actor, state: str, reason: str) -> None:
    row.state, row.decided, row.decided_by_name, row.reason = state, timezone.now(), actor.name, reason
    row.save()


def _close_account(user: User, person: Person) -> None:
    """Nobody signs in as this person any more, and nothing about the account says who it was."""
    for session in UserSession.objects.filter(user=user):
        session.end()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    MembershipRole.objects.filter(membership__user=user).delete()
    Membership.objects.filter(user=user).update(is_active=False)
    Membership.objects.filter(manager=user).update(manager=None)
    drop_exports(user.pk)
    if user.picture:
        user.picture.delete(save=False)
    user.name, user.email = person.placeholder, f"erased-{user.pk}@erased.invalid"
    user.job_title = user.phone = user.language = user.time_zone = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
    sync_editor(user)


def _write(row: ErasureRequest, template: str, subject: str, context: dict[str, str]) -> None:
    language = User.objects.filter(pk=row.user_id).values_list("language", flat=True).first() or ""
    full = {"name": row.name, "number": row.number, "asked": row.asked, "url": absolute("/me/data/"), **context}
    send_mail_later(row.email, subject, template, full, idempotency_key=f"erasure:{row.pk}:{template}", language=language)


def _tell(row: ErasureRequest) -> None:
    ping(str(ref_of(row.pk)))
