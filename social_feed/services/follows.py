"""Following and muting records, groups and people."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.errors import NotAllowed, Refused
from portal.registry import SubjectRef, registry
from social_feed.access import visible_groups
from social_feed.models import Follow
from social_feed.selectors.follows import colleagues
from workflows.services import set_followed


def _check(actor: Actor, target: str) -> None:
    if not actor.is_internal or actor.user_id is None:
        raise NotAllowed(_("Only colleagues follow records."))
    prefix, _colon, key = target.partition(":")
    known = False
    if key.isdecimal() and len(key) <= 18:
        if prefix == "group":
            known = visible_groups(actor).filter(pk=int(key)).exists()
        elif prefix == "person":
            known = bool(colleagues({int(key)}))
        else:
            known = registry.resolve(actor, SubjectRef(prefix, int(key))) is not None
    if not known:
        raise Refused(_("That isn't there any more."))


def set_follow(actor: Actor, target: str, state: str) -> None:
    """Follow ("follow"), mute ("mute") or neither ("")."""
    if state not in {"", *Follow.State.values}:
        raise Refused(_("Choose to follow, to mute or neither."))
    _check(actor, target)
    with transaction.atomic():
        if state:
            Follow.objects.update_or_create(user_id=actor.user_id, target=target, defaults={"state": state})
        else:
            Follow.objects.filter(user_id=actor.user_id, target=target).delete()
        if target.startswith("workflows.instance:"):
            anybody = Follow.objects.filter(target=target, state=Follow.State.FOLLOWED).exists()
            set_followed(SubjectRef.parse(target).id, anybody)


def follow_by_taking_part(actor: Actor, *subjects: SubjectRef) -> None:
    """An employee who does something on a record follows it from then on, unless they muted it. Outsiders never do."""
    if actor.is_internal and actor.user_id is not None:
        rows = [Follow(user_id=actor.user_id, target=str(ref), state=Follow.State.FOLLOWED) for ref in subjects]
        Follow.objects.bulk_create(rows, ignore_conflicts=True)
