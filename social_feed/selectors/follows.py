"""Who follows what, and what a person follows or muted."""

from __future__ import annotations

from dataclasses import dataclass

from portal import rows
from portal.access import Actor, Audience
from portal.registry import SubjectRef, registry
from portal.selectors import actors_of, names_of, organisations_of
from social_feed.access import visible_groups
from social_feed.models import Follow


@dataclass(frozen=True, slots=True)
class FollowView:
    """Something followed or muted."""

    target: str
    label: str
    url: str | None
    icon: str
    state: str


def colleagues(user_ids: set[int] | None = None) -> list[Actor]:
    """Employees as actors, by name; only those asked for where ids are given."""
    if user_ids is not None and not user_ids:
        return []
    own = [o.id for o in organisations_of(Audience.INTERNAL)]
    return [a for a in actors_of(own, Audience.INTERNAL) if user_ids is None or a.user_id in user_ids]


_FOLLOWS = rows.Prepared(lambda target: Follow.objects.filter(target=target), "?target?")


def followers_of(*targets: str) -> list[Actor]:
    """The employees who follow any of these and muted none of them. Outsiders never follow: they take part or they don't."""
    found = _FOLLOWS.rows(targets[0]) if len(targets) == 1 else list(Follow.objects.filter(target__in=targets))
    muted = {row.user_id for row in found if row.state == Follow.State.MUTED}
    return colleagues({row.user_id for row in found if row.state == Follow.State.FOLLOWED} - muted)


def state_of(actor: Actor, target: str) -> str:
    """ "follow", "mute" or nothing."""
    return Follow.objects.filter(user_id=actor.user_id, target=target).values_list("state", flat=True).first() or ""


def followed_ids(actor: Actor, kind: str, most: int = 500) -> list[int]:
    """The records of a kind that a person follows, the newest first; whether they may still see them is asked by who shows them."""
    if actor.user_id is None or not actor.is_internal:
        return []
    rows = Follow.objects.filter(user_id=actor.user_id, state=Follow.State.FOLLOWED, target__startswith=f"{kind}:").order_by("-created")
    return [SubjectRef.parse(target).id for target in rows.values_list("target", flat=True)[:most]]


def follows_of(actor: Actor) -> list[FollowView]:
    """Everything a person follows or muted that they may still see."""
    rows = list(Follow.objects.filter(user_id=actor.user_id).order_by("state", "-created"))
    groups = {f"group:{g.pk}": g.name for g in visible_groups(actor)}
    people = names_of(int(r.target.partition(":")[2]) for r in rows if r.target.startswith("person:"))
    refs = [SubjectRef.parse(r.target) for r in rows if not r.target.startswith(("group:", "person:"))]
    seen = {str(ref): view for ref, view in registry.resolve_many(actor, refs).items()}
    shown = []
    for row in rows:
        if row.target in groups:
            shown.append(FollowView(row.target, groups[row.target], f"/work/feed/?group={row.target[6:]}", "users", row.state))
        elif row.target.startswith("person:") and int(row.target[7:]) in people:
            shown.append(FollowView(row.target, people[int(row.target[7:])], None, "user", row.state))
        elif row.target in seen:
            shown.append(FollowView(row.target, seen[row.target].title, seen[row.target].url, seen[row.target].icon, row.state))
    return shown
