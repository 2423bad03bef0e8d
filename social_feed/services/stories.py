"""Writing a story into the feed and telling those who follow its record."""

from __future__ import annotations

from portal import rows
from portal.access import Actor, Audience
from portal.live import ping
from social_feed.models import Group, Post
from social_feed.selectors.follows import followers_of
from social_feed.services.notifications import audience_people, notify, tell_followers
from social_feed.stories import Story, kept


def tell_story(story: Story, kind: str) -> int:
    """Write one post in the caller's transaction, tell followers, and give outsiders their own words; gives the post's id."""
    actor = story.actor or Actor.system()
    group = Group.objects.filter(name=story.team).first() if story.team else None
    values = kept(story.values)
    row = Post(
        group=group,
        author_id=actor.user_id if actor.is_internal else None,
        author_name=actor.name or "Tandem",
        body=story.text,
        story=kind,
        values=values,
        icon=story.icon,
        subject_kind=story.subject.kind if story.subject else "",
        subject_id=story.subject.id if story.subject else None,
    )
    rows.insert([row])
    if story.subject is not None:
        tell_followers(followers_of(str(story.subject)), story.subject, story.text, by=actor, values=story.values)
        for audience, words in story.outside.items():
            people = audience_people(story.subject, Audience(audience))
            notify("news", people, story.subject, words, by=actor, values=story.values, source=f"post:{row.pk}")
    ping("feed:all" if group is None else f"feed:{group.pk}")
    return row.pk
