"""The kernel's rows: an invitation, a line of the audit, files for each audience, pages of the site."""

from __future__ import annotations

import base64
import io
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.utils import timezone
from wagtail.images import get_image_model

from portal import demo
from portal.access import Actor, Audience
from portal.audit import record
from portal.demo_site import seed_site
from portal.files import store_file
from portal.models import ArticleVote, Consent, DataExport, ErasureRequest, Job, KnowledgeIndexPage, KnowledgePage, LandingPage
from portal.registry import SubjectRef
from portal.services.invitations import invite
from portal.services.saved_views import save_view

ONE_PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


def build(world) -> None:
    """Make them."""
    seed_site()
    picture = get_image_model().objects.create(title="A picture", file=ImageFile(io.BytesIO(ONE_PIXEL), name="pixel.png"))
    world.rows["picture"] = picture.get_rendition("original").file.name.removeprefix("images/")
    _write_articles(world)
    system = Actor.system("world")
    erin = world.erin
    Job.objects.create(kind="world", title="LEAK:erin", total=10, done=3, owner_id=erin.user_id, membership_id=erin.membership_id)
    save_view(world.mona, "deals", name="LEAK:mona own view", query="stage=lost")
    save_view(erin, "deals", name="LEAK:internal view", query="stage=won", shared_with="*")
    save_view(world.fiona, "inbox", name="LEAK:fiona and her group", query="box=group", shared_with="finance")
    _own_data(world)
    for name, owner in ((demo.ACME, "acme"), (demo.BIRCH, "birch"), (demo.PINE, "pine"), (demo.QUILL, "quill")):
        audience = Audience.CUSTOMER if owner in ("acme", "birch") else Audience.PARTNER
        pk = world.organisations[name].pk
        ref = SubjectRef("portal.organisation", pk)
        invite(
            system, organisation_id=pk, audience=audience, email=f"new@{owner}.example", name=f"LEAK:{owner}", roles=[f"{audience}_member"]
        )
        record(system, "organisation.checked", ref, reason="LEAK:internal")
        for file_owner, audiences in ((owner, {audience}), ("internal", set())):
            store_file(system, ref, f"LEAK:{file_owner}".encode(), audiences, name=f"LEAK-{file_owner}.txt")


def _own_data(world) -> None:
    """What people agreed to, asked for and had made about themselves: theirs alone, a request to be erased the administrators' too."""
    now = timezone.now()
    world.users["erin@northwind.example"].picture.save("erin.webp", ContentFile(ONE_PIXEL))
    for name in ("cara", "bea", "paul"):
        actor = getattr(world, name)
        Consent.objects.create(
            user_id=actor.user_id,
            email=actor.email,
            purpose="newsletter",
            text=f"LEAK:{name} words",
            text_version="1",
            source=f"LEAK:{name}",
        )
        export = DataExport.objects.create(user_id=actor.user_id, ready=now, expires=now + timedelta(days=7))
        export.content.save(f"{export.pk}.zip", ContentFile(f"LEAK:{name} data".encode()))
        ErasureRequest.objects.create(
            user_id=actor.user_id,
            name=f"LEAK:{name}+internal",
            audience=str(actor.audience),
            organisation_id=actor.organisation_id,
            words=f"LEAK:{name}+internal",
            state=ErasureRequest.State.REFUSED,
            reason=f"LEAK:{name}+internal reason",
            answer_by=now + timedelta(days=30),
            decided=now,
        )


def _write_articles(world) -> None:
    """An article for employees alone, and what a reader missed in one for everybody; a page that works out a price."""
    index = KnowledgeIndexPage.objects.get()
    inside = KnowledgePage(
        title="LEAK:internal article", slug="inside", topic="LEAK:internal topic", intro="LEAK:internal intro", audience="internal"
    )
    index.add_child(instance=inside)
    for audience, owners in (("customer", "acme+birch"), ("partner", "pine+quill")):
        title = f"LEAK:{owners} article"
        index.add_child(instance=KnowledgePage(title=title, slug=f"for-{audience}", topic="Support", intro=title, audience=audience))
    article = KnowledgePage.objects.get(slug="start-a-request")
    ArticleVote.objects.create(page=article, voter="LEAK:internal voter", helped=False, missing="LEAK:internal remark")
    page = LandingPage.objects.get(slug="prices")
    block = next(block for block in page.body if block.block_type == "calculator")
    world.rows |= {"article": article, "offer": {"page_id": page.pk, "block_id": block.id}}


def samples(world) -> dict[str, list[dict]]:
    """Values that no row can give: a mailed token is kept nowhere."""
    return {
        "site-offer": [world.rows["offer"]],
        "article-vote": [{"page_id": world.rows["article"].pk}],
        "view-as": [{"membership_id": world.erin.membership_id}],  # refused: a started view would be the visitor's in all later tests
        "person-picture": [{"user_id": world.erin.user_id}],
        "join": [{"token": "nobody-has-this-token"}],
        "ui-kit-data": [{"example": "months"}],
        "site-picture": [{"path": world.rows["picture"]}],
    }
