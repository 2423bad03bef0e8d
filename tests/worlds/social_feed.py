"""The feed's rows in the cast: messages on every organisation's record, posts to all and to groups, what follows from them."""

from __future__ import annotations

from portal import demo
from portal.access import Audience
from portal.registry import SubjectRef
from social_feed.services import posts
from social_feed.services.follows import set_follow
from social_feed.services.groups import create_group
from social_feed.services.messages import post_message
from social_feed.services.notifications import choose_notifications
from social_feed.services.stories import tell_story
from social_feed.stories import Story


def organisation(cast, name: str) -> SubjectRef:
    """An organisation as a record."""
    return SubjectRef("portal.organisation", cast.organisations[name].pk)


def build(cast) -> None:
    """Messages of every audience, a post to all, one to a closed group, comments, signs, follows, a story."""
    for name, owner, audience, person in (
        (demo.ACME, "acme", Audience.CUSTOMER, cast.cara),
        (demo.BIRCH, "birch", Audience.CUSTOMER, cast.bea),
        (demo.PINE, "pine", Audience.PARTNER, cast.paul),
        (demo.QUILL, "quill", Audience.PARTNER, cast.quinn),
    ):
        ref = organisation(cast, name)
        post_message(cast.erin, ref, Audience.INTERNAL, f"Careful with them LEAK:internal ({owner})", [_file("internal")])
        post_message(cast.erin, ref, audience, f"Good morning LEAK:{owner}", [_file(owner)])
        post_message(person, ref, audience, f"Good morning to you LEAK:{owner}")
    everybody = create_group(cast.erin, "Sales talk LEAK:internal", purpose="LEAK:internal")
    closed = create_group(cast.fiona, "Money LEAK:fiona", is_open=False, member_ids=[cast.mona.user_id])
    first = posts.write_post(cast.erin, "To all LEAK:internal, hello @Mona Manager", files=[_file("internal")])
    posts.write_post(cast.erin, "To the group LEAK:internal", group_id=everybody)
    secret = posts.write_post(cast.fiona, "Among us LEAK:fiona+mona", group_id=closed)
    posts.write_comment(cast.mona, first, "Welcome LEAK:internal")
    posts.write_comment(cast.mona, secret, "Agreed LEAK:fiona+mona")
    posts.set_reaction(cast.mona, first, "like", True)
    set_follow(cast.mona, str(organisation(cast, demo.ACME)), "follow")
    choose_notifications(cast.erin, {"comment": (True, True)})
    acme = organisation(cast, demo.ACME)
    tell_story(
        Story(
            "%(actor)s visited %(company)s LEAK:internal",
            {"company": acme},
            acme,
            cast.dan,
            outside={Audience.CUSTOMER: "%(actor)s visited you LEAK:acme"},
        ),
        "Visit",
    )


def _file(owner: str):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(f"LEAK-{owner}.txt", f"LEAK:{owner}".encode())
