"""Reads of the feed: pages of posts with their comments, signs and files, at a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, Max, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.access import Actor
from portal.files import FileView, files_for_many
from portal.registry import SearchHit, SubjectRef, SubjectView, registry
from social_feed.access import POST, FeedPermission, visible_comments, visible_groups, visible_posts
from social_feed.models import Comment, Follow, Post, Reaction
from social_feed.selectors.stories import Piece, pieces_of
from social_feed.stories import refs_in
from social_feed.text import excerpt, render

PAGE = 20
COMMENTS_SHOWN = 3
SIGNS = {  # key → (icon, word)
    "like": ("thumb-up", _("Good")),
    "love": ("heart", _("Lovely")),
    "cheer": ("trophy", _("Congratulations")),
    "smile": ("mood-smile", _("Funny")),
    "idea": ("bulb", _("Good idea")),
    "seen": ("eye", _("I'm looking into it")),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment as shown."""

    id: int
    author: str
    author_id: int | None
    body: str
    html: SafeString
    created: datetime
    edited: datetime | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class SignView:
    """One sign under a post: how many gave it, and whether the reader did."""

    key: str
    icon: str
    word: str
    count: int
    mine: bool


@dataclass(frozen=True, slots=True)
class PostView:
    """A post or story as shown."""

    id: int
    author: str
    author_id: int | None
    group_id: int | None
    group: str
    body: str
    html: SafeString | str
    story: str
    icon: str
    pieces: tuple[Piece, ...]
    subject: SubjectView | None
    created: datetime
    edited: datetime | None
    is_own: bool
    may_delete: bool
    cursor: str
    signs: tuple[SignView, ...] = ()
    comments: tuple[CommentView, ...] = ()
    comment_count: int = 0
    files: tuple[FileView, ...] = field(default=())

    @property
    def earlier_comments(self) -> int:
        """How many comments aren't shown yet."""
        return self.comment_count - len(self.comments)


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """Which part of the feed: everything, people's posts alone, what one follows; one group, one record, one person, a text."""

    show: str = "all"
    group_id: int | None = None
    subject: SubjectRef | None = None
    author_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Posts, newest first, and the cursor of the next page."""

    posts: list[PostView]
    next_cursor: str
    newest_cursor: str


def cursor_of(row: Post) -> str:
    """Where a post stands: its moment in microseconds and its id."""
    return f"{(row.created - _EPOCH) // timedelta(microseconds=1)}-{row.pk}"


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    moment, _dash, key = text.partition("-")
    if not (moment.isdecimal() and key.isdecimal() and len(moment) <= 17 and len(key) <= 18):
        return None
    return _EPOCH + timedelta(microseconds=int(moment)), int(key)


def _followed(actor: Actor, rows: QuerySet[Post], show: str) -> QuerySet[Post]:
    """Leave out what is muted; for "following", keep only what is followed, written to one's groups, or mentions one."""
    targets: dict[str, dict[str, list[int]]] = {"follow": defaultdict(list), "mute": defaultdict(list)}
    for target, state in Follow.objects.filter(user_id=actor.user_id).values_list("target", "state"):
        kind, _colon, key = target.partition(":")
        targets[state][kind].append(int(key))

    def any_of(chosen: dict[str, list[int]]) -> Q:
        found = Q(pk__in=[])
        for kind, ids in chosen.items():
            match kind:
                case "group":
                    found |= Q(group_id__in=ids)
                case "person":
                    found |= Q(author_id__in=ids, author_id__isnull=False)
                case _:
                    found |= Q(subject_kind=kind, subject_id__in=ids)
        return found

    if targets["mute"]:
        muted = any_of(targets["mute"]) & (Q(author_id__isnull=True) | ~Q(author_id=actor.user_id))
        rows = rows.exclude(pk__in=Post.objects.filter(muted).values("pk"))
    if show == "following":
        mentioned = Q(mentions__has_key=str(actor.user_id))
        rows = rows.filter(any_of(targets["follow"]) | mentioned | Q(author_id=actor.user_id, story=""))
    return rows


def _chosen(actor: Actor, what: FeedFilter) -> QuerySet[Post]:
    rows = visible_posts(actor)
    if what.group_id is not None:
        rows = rows.filter(group_id=what.group_id)
    elif what.subject is not None:
        rows = rows.filter(subject_kind=what.subject.kind, subject_id=what.subject.id)
    elif what.author_id is not None:
        rows = rows.filter(author_id=what.author_id, story="")
    else:
        rows = _followed(actor, rows, what.show)
    if what.show == "posts":
        rows = rows.filter(story="")
    if what.text:
        rows = rows.filter(body__icontains=what.text, story="")
    return rows


def feed_page(actor: Actor, what: FeedFilter = FeedFilter(), *, cursor: str = "", limit: int = PAGE) -> FeedPage:
    """One page of the feed."""
    rows = _chosen(actor, what).select_related("group")
    at = _read_cursor(cursor)
    if at is not None:
        rows = rows.filter(Q(created__lt=at[0]) | Q(created=at[0], pk__lt=at[1]))
    page = list(rows.order_by("-created", "-pk")[: limit + 1])
    more = len(page) > limit
    page = page[:limit]
    return FeedPage(_views(actor, page), cursor_of(page[-1]) if more else "", cursor_of(page[0]) if page else "0-0")


def newer(actor: Actor, what: FeedFilter, cursor: str, limit: int = 50) -> list[PostView]:
    """Posts of others and one's own that came after a cursor, newest first."""
    at = _read_cursor(cursor)
    if at is None:
        return []
    rows = _chosen(actor, what).select_related("group").filter(Q(created__gt=at[0]) | Q(created=at[0], pk__gt=at[1]))
    return _views(actor, rows.order_by("-created", "-pk")[:limit])


def count_newer(actor: Actor, what: FeedFilter, cursor: str, limit: int = 50) -> int:
    """How many posts came after a cursor, at most `limit`."""
    at = _read_cursor(cursor)
    if at is None:
        return 0
    rows = _chosen(actor, what).filter(Q(created__gt=at[0]) | Q(created=at[0], pk__gt=at[1]))
    return rows.order_by()[:limit].count()


def post(actor: Actor, post_id: int) -> PostView | None:
    """One post with all its comments, or None where the actor may not read it."""
    row = visible_posts(actor).filter(pk=post_id).select_related("group").first()
    return _views(actor, [row], comments=500)[0] if row else None


def post_brief(actor: Actor, post_id: int, comments: int = COMMENTS_SHOWN) -> PostView | None:
    """One post as it stands in the list."""
    row = visible_posts(actor).filter(pk=post_id).select_related("group").first()
    return _views(actor, [row], comments=comments)[0] if row else None


def comment(actor: Actor, comment_id: int) -> tuple[CommentView, int] | None:
    """One comment and its post's id."""
    row = visible_comments(actor).filter(pk=comment_id).first()
    return (_comment(actor, row), row.post_id) if row else None


def _comment(actor: Actor, row: Comment) -> CommentView:
    return CommentView(
        row.pk,
        row.author_name,
        row.author_id,
        row.body,
        render(row.body, row.mentions),
        row.created,
        row.edited,
        row.author_id is not None and row.author_id == actor.user_id,
    )


def _comments_of(actor: Actor, ids: list[int], most: int) -> tuple[dict[int, list[CommentView]], dict[int, int]]:
    """The newest comments of each post, oldest first, and how many there are; one query."""
    rows = (
        Comment.objects.filter(post_id__in=ids, deleted__isnull=True)
        .annotate(
            place=Window(RowNumber(), partition_by=F("post_id"), order_by=F("pk").desc()),
            total=Window(Count("pk"), partition_by=F("post_id")),
        )
        .filter(place__lte=most)
        .order_by("pk")
    )
    found: dict[int, list[CommentView]] = defaultdict(list)
    totals: dict[int, int] = {}
    for row in rows:
        found[row.post_id].append(_comment(actor, row))
        totals[row.post_id] = row.total
    return found, totals


def _signs_of(actor: Actor, ids: list[int]) -> dict[int, list[SignView]]:
    counted: dict[int, dict[str, tuple[int, bool]]] = defaultdict(dict)
    rows = (
        Reaction.objects.filter(post_id__in=ids)
        .values("post_id", "sign")
        .annotate(count=Count("pk"), mine=Max("pk", filter=Q(user_id=actor.user_id)))
        .order_by()
    )
    for row in rows:
        counted[row["post_id"]][row["sign"]] = (row["count"], row["mine"] is not None)
    return {pk: [SignView(key, icon, str(word), *counted[pk].get(key, (0, False))) for key, (icon, word) in SIGNS.items()] for pk in ids}


def _views(actor: Actor, rows: Iterable[Post], comments: int = COMMENTS_SHOWN) -> list[PostView]:
    page = list(rows)
    if not page:
        return []
    ids = [row.pk for row in page]
    shown, totals = _comments_of(actor, ids, comments)
    signs = _signs_of(actor, ids)
    refs = [SubjectRef(row.subject_kind, row.subject_id) for row in page if row.subject_kind]
    refs += [ref for row in page for ref in refs_in(row.values)]
    seen = registry.resolve_many(actor, refs)
    with_files = [SubjectRef(POST, row.pk) for row in page if row.file_count]
    files = files_for_many(actor, with_files) if with_files else {}
    moderates = actor.can(FeedPermission.MODERATE)
    return [
        PostView(
            row.pk,
            row.author_name,
            row.author_id,
            row.group_id,
            row.group.name if row.group else "",
            row.body,
            "" if row.story else render(row.body, row.mentions),
            row.story,
            row.icon,
            pieces_of(row.body, row.values, seen, actor=row.author_name) if row.story else (),
            seen.get(SubjectRef(row.subject_kind, row.subject_id)) if row.subject_kind and row.subject_id else None,
            row.created,
            row.edited,
            (own := row.author_id is not None and row.author_id == actor.user_id and not row.story),
            own or (moderates and not row.story),
            cursor_of(row),
            tuple(signs[row.pk]),
            tuple(shown.get(row.pk, ())),
            totals.get(row.pk, 0),
            tuple(files.get(SubjectRef(POST, row.pk), ())),
        )
        for row in page
    ]


def search_posts(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    """Posts that hold a text, for the palette."""
    rows = visible_posts(actor).filter(story="", body__icontains=text).order_by("-created", "-pk")[:limit]
    return [SearchHit(excerpt(row.body, 70), row.author_name, f"/work/feed/{row.pk}/", "news") for row in rows]


def topics_of(actor: Actor, what: FeedFilter) -> str:
    """The live topics whose pings mean that a part of the feed may have grown."""
    if what.group_id is not None:
        return f"feed:{what.group_id}"
    return " ".join(["feed:all", *(f"feed:{pk}" for pk in visible_groups(actor).values_list("pk", flat=True)[:100])])
