"""The demo's groups, posts, comments and messages between colleagues."""

from __future__ import annotations

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from django.utils import timezone

from portal.access import Audience
from portal.demo import ACME, PINE, World
from portal.registry import SubjectRef
from social_feed.models import Comment, Group, Message, Post
from social_feed.services import posts
from social_feed.services.groups import create_group
from social_feed.services.messages import post_message

GROUPS = (
    ("Sales", "What we sell, to whom, and what we learn from it.", True, "mona@northwind.example", ("erin@northwind.example",)),
    (
        "Delivery",
        "Projects under way and what they need.",
        True,
        "dan@northwind.example",
        ("erin@northwind.example", "mona@northwind.example"),
    ),
    ("Management", "For the management alone.", False, "mona@northwind.example", ("fiona@northwind.example",)),
)
# Hours ago, author, group, text, signs (who, which), comments (who, text)
POSTS = (
    (50, "adam@northwind.example", "", "Good morning! From today customers and partners work with us in **one place**: a request, its deal and its project are the same process. Under *Processes* you can watch where each one stands.", (("erin", "cheer"), ("mona", "like"), ("dan", "like"), ("fiona", "love")), (("mona", "Finally no more copying stages from mails into a sheet."),)),
    (30, "mona@northwind.example", "Sales", "Reminder for the quarter: anything over the discount limit goes to @Fiona Finance and me at the same time. Write the reason into the form, it saves a round.", (("erin", "like"),), (("fiona", "I look at them twice a day, at ten and at three."), ("erin", "Understood, thank you."))),
    (22, "dora@northwind.example", "", "The process *Request to delivery* has a new version:\n\n- the partner is asked before the quote is made\n- a quote that nobody answers comes back to sales after its deadline\n\nTell me if a step reads oddly to your customers.", (("dan", "like"), ("erin", "idea")), ()),
    (5, "dan@northwind.example", "Delivery", "The workshop kits for next week have arrived. @Erin Employee, you can promise Acme the early date.", (("erin", "love"),), (("erin", "Great, I'll tell them today."),)),
    (2, "erin@northwind.example", "", "Who has a good answer when a customer asks why we quote per module and not per seat? Collecting the best ones for the knowledge base.", (("mona", "idea"),), ()),
)  # fmt: skip


def _key(text: str):
    return uuid5(NAMESPACE_URL, f"tandem-demo:{text}")


def seed(world: World) -> None:
    """Make the demo's talk; running it again changes nothing."""
    groups: dict[str, int] = {}
    for name, purpose, is_open, maker, members in GROUPS:
        found = Group.objects.filter(name=name).first()
        groups[name] = (
            found.pk
            if found
            else create_group(
                world.actor(maker), name, purpose=purpose, is_open=is_open, member_ids=[world.users[member].pk for member in members]
            )
        )
    now = timezone.now()
    for hours, author, group, text, signs, comments in POSTS:
        if Post.objects.filter(key=_key(text)).exists():
            continue
        number = posts.write_post(world.actor(author), text, group_id=groups.get(group), key=_key(text))
        Post.objects.filter(pk=number).update(created=now - timedelta(hours=hours))
        for who, sign in signs:
            posts.set_reaction(world.actor(f"{who}@northwind.example"), number, sign, True)
        for place, (who, words) in enumerate(comments, 1):
            comment = posts.write_comment(world.actor(f"{who}@northwind.example"), number, words)
            Comment.objects.filter(pk=comment).update(created=now - timedelta(hours=hours) + timedelta(minutes=20 * place))
    for name, audience, who, text in (
        (ACME, Audience.INTERNAL, "mona@northwind.example", "They decide quickly when the workshop manager is in the room: invite Colin too."),
        (ACME, Audience.CUSTOMER, "erin@northwind.example", "Welcome! Here we keep everything about our work together: your requests, quotes and projects."),
        (PINE, Audience.PARTNER, "mona@northwind.example", "Welcome to the programme. *What we share* shows which fields of a joint deal you see."),
    ):  # fmt: skip
        if not Message.objects.filter(key=_key(text)).exists():
            ref = SubjectRef("portal.organisation", world.organisations[name].pk)
            post_message(world.actor(who), ref, audience, text, key=_key(text))
