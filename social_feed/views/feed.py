"""The feed: its page, its live news, posts with comments and signs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.errors import Refused
from portal.registry import SubjectRef
from social_feed.selectors import posts as reads
from social_feed.selectors.follows import colleagues, state_of
from social_feed.selectors.groups import group as read_group
from social_feed.selectors.groups import groups_for
from social_feed.selectors.posts import FeedFilter
from social_feed.services import posts as services
from social_feed.views.common import key_of, new_key, number, with_toast

INNER = "social_feed/parts/_post_inner.html"
SHOWS = ("all", "posts", "following")


def filter_of(request: HttpRequest) -> FeedFilter:
    """Which part of the feed an address asks for; anything strange is left out."""
    given = request.GET
    subject = None
    if given.get("subject"):
        try:
            subject = SubjectRef.parse(given["subject"])
        except ValueError:
            subject = None
    show = given.get("show", "all")
    return FeedFilter(
        show=show if show in SHOWS else "all",
        group_id=number(given.get("group")),
        subject=subject,
        author_id=number(given.get("author")),
        text=given.get("q", "").strip()[:100],
    )


def query_of(what: FeedFilter) -> str:
    """The filter as the query of an address."""
    pairs = {"show": what.show if what.show != "all" else "", "group": what.group_id, "subject": what.subject, "author": what.author_id}
    return urlencode({k: str(v) for k, v in ({**pairs, "q": what.text}).items() if v})


def _news_context(request: HttpRequest, what: FeedFilter, cursor: str) -> dict[str, Any]:
    return {
        "query": query_of(what),
        "newest": cursor,
        "topics": reads.topics_of(request.actor, what),  # type: ignore[attr-defined]
        "count": 0,
    }


@require_GET
def feed(request: HttpRequest) -> HttpResponse:
    """The feed; with a cursor in a fragment request, its next page alone."""
    actor = request.actor  # type: ignore[attr-defined]
    what = filter_of(request)
    page = reads.feed_page(actor, what, cursor=request.GET.get("cursor", ""))
    context: dict[str, Any] = {"page": page, "query": query_of(what), "new_key": new_key()}
    if request.htmx and request.GET.get("cursor"):  # type: ignore[attr-defined]
        return render(request, "social_feed/parts/_posts.html", context)
    groups = groups_for(actor)
    group = next((g for g in groups if g.id == what.group_id), None)
    if what.group_id is not None and group is None:
        raise Http404
    context |= _news_context(request, what, page.newest_cursor)
    context |= _compose_context(what.group_id)
    context |= {
        "what": what,
        "groups": groups,
        "group": group,
        "group_target": f"group:{what.group_id}",
        "author_target": f"person:{what.author_id}",
        "group_state": state_of(actor, f"group:{group.id}") if group else "",
        "author_state": state_of(actor, f"person:{what.author_id}") if what.author_id else "",
        "author": next((a.name for a in colleagues({what.author_id})), "") if what.author_id else "",
    }
    return render(request, "social_feed/feed.html", context)


def _compose_context(group_id: int | None) -> dict[str, Any]:
    return {"key": new_key(), "chosen_group": group_id, "upload_limit": settings.UPLOAD_MAX_BYTES}


@require_POST
def post_write(request: HttpRequest) -> HttpResponse:
    """Post; the answer is a fresh box, with the new post put on top of the list."""
    actor = request.actor  # type: ignore[attr-defined]
    what = filter_of(request)
    body = request.POST.get("body", "")
    group_id = number(request.POST.get("group"))
    groups = groups_for(actor)
    try:
        number_ = services.write_post(actor, body, group_id=group_id, files=request.FILES.getlist("files"), key=key_of(request))
    except Refused as refusal:
        context = _compose_context(group_id) | {"refusal": refusal, "body": body, "groups": groups, "query": query_of(what)}
        return render(request, "social_feed/parts/_post_compose.html", context, status=refusal.status)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("social_feed:feed")
    fresh = reads.newer(actor, what, request.POST.get("newest", "")) or [p for p in [reads.post_brief(actor, number_)] if p]
    context = _compose_context(group_id) | _news_context(request, what, fresh[0].cursor if fresh else "0-0")
    context |= {"groups": groups, "fresh": fresh, "new_key": new_key()}
    return render(request, "social_feed/parts/_post_written.html", context)


@require_GET
def news(request: HttpRequest) -> HttpResponse:
    """How many posts came since the list was drawn; with `take`, the posts themselves."""
    actor = request.actor  # type: ignore[attr-defined]
    what = filter_of(request)
    cursor = request.GET.get("after", "")
    if "take" in request.GET:
        fresh = reads.newer(actor, what, cursor)
        context = _news_context(request, what, fresh[0].cursor if fresh else cursor)
        answer = render(request, "social_feed/parts/_news_taken.html", context | {"fresh": fresh, "new_key": new_key()})
        answer["HX-Retarget"], answer["HX-Reswap"] = "#feed-posts", "afterbegin"
        return answer
    context = _news_context(request, what, cursor) | {"count": reads.count_newer(actor, what, cursor)}
    return render(request, "social_feed/parts/_news.html", context)


@require_GET
def post_page(request: HttpRequest, post_id: int) -> HttpResponse:
    """One post with all its comments; `part=inner` gives what changes live."""
    actor = request.actor  # type: ignore[attr-defined]
    whole = "part" not in request.GET or "whole" in request.GET
    post = reads.post(actor, post_id) if whole else reads.post_brief(actor, post_id)
    if post is None:
        raise Http404
    if "part" in request.GET:
        return render(request, INNER, {"post": post, "whole": whole})
    state = state_of(actor, str(post.subject.ref)) if post.subject else ""
    return render(request, "social_feed/post.html", {"post": post, "whole": True, "new_key": new_key(), "subject_state": state})


def _inner(request: HttpRequest, post_id: int, *, whole: bool) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    post = reads.post(actor, post_id) if whole else reads.post_brief(actor, post_id)
    if post is None:
        raise Http404
    return render(request, INNER, {"post": post, "whole": whole})


def _is_whole(request: HttpRequest) -> bool:
    return request.POST.get("whole") == "1" or request.GET.get("whole") == "1"


@require_http_methods(["GET", "POST"])
def post_edit(request: HttpRequest, post_id: int) -> HttpResponse:
    """Change one's own post in place."""
    actor = request.actor  # type: ignore[attr-defined]
    post = reads.post_brief(actor, post_id)
    if post is None or not post.is_own:
        raise Http404
    whole = _is_whole(request)
    if request.method == "POST":
        try:
            services.edit_post(actor, post_id, request.POST.get("body", ""))
        except Refused as refusal:
            context = {"post": post, "whole": whole, "refusal": refusal, "body": request.POST.get("body", "")}
            return render(request, "social_feed/parts/_post_edit.html", context, status=refusal.status)
        return _inner(request, post_id, whole=whole)
    return render(request, "social_feed/parts/_post_edit.html", {"post": post, "whole": whole})


@require_POST
def post_delete(request: HttpRequest, post_id: int) -> HttpResponse:
    """Take a post back, with undo."""
    services.delete_post(request.actor, post_id)  # type: ignore[attr-defined]
    response = with_toast(HttpResponse(""), _("Post taken back."), undo_url=reverse("social_feed:post-restore", args=[post_id]))
    if _is_whole(request):
        response["HX-Redirect"] = reverse("social_feed:feed")
    return response


@require_POST
def post_restore(request: HttpRequest, post_id: int) -> HttpResponse:
    """Undo taking a post back."""
    services.restore_post(request.actor, post_id)  # type: ignore[attr-defined]
    return HttpResponse(status=204)


@require_POST
def post_sign(request: HttpRequest, post_id: int) -> HttpResponse:
    """Give or take back a sign under a post."""
    actor = request.actor  # type: ignore[attr-defined]
    services.set_reaction(actor, post_id, request.POST.get("sign", ""), request.POST.get("on") == "1")
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("social_feed:post", post_id)
    return _inner(request, post_id, whole=_is_whole(request))


@require_POST
def comment_write(request: HttpRequest, post_id: int) -> HttpResponse:
    """Comment; the answer is the post as it stands now, with a fresh box."""
    actor = request.actor  # type: ignore[attr-defined]
    whole = _is_whole(request)
    body = request.POST.get("body", "")
    post = reads.post_brief(actor, post_id)
    if post is None:
        raise Http404
    try:
        services.write_comment(actor, post_id, body, key=key_of(request))
    except Refused as refusal:
        context = {"post": post, "refusal": refusal, "body": body, "new_key": new_key(), "whole": whole}
        response = render(request, "social_feed/parts/_comment_box.html", context, status=refusal.status)
        response["HX-Retarget"] = f"#comment-box-{post_id}"
        return response
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("social_feed:post", post_id)
    post = reads.post(actor, post_id) if whole else reads.post_brief(actor, post_id)
    return render(request, "social_feed/parts/_commented.html", {"post": post, "whole": whole, "new_key": new_key()})


@require_http_methods(["GET", "POST"])
def comment_edit(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Change one's own comment in place."""
    actor = request.actor  # type: ignore[attr-defined]
    found = reads.comment(actor, comment_id)
    if found is None or not found[0].is_own:
        raise Http404
    context: dict[str, Any] = {"comment": found[0]}
    if request.method == "GET":
        template = "social_feed/parts/_comment.html" if "cancel" in request.GET else "social_feed/parts/_comment_edit.html"
        return render(request, template, context)
    try:
        services.edit_comment(actor, comment_id, request.POST.get("body", ""))
    except Refused as refusal:
        context |= {"refusal": refusal, "body": request.POST.get("body", "")}
        return render(request, "social_feed/parts/_comment_edit.html", context, status=refusal.status)
    found = reads.comment(actor, comment_id)
    return render(request, "social_feed/parts/_comment.html", {"comment": found[0] if found else None})


@require_POST
def comment_delete(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Take a comment back, with undo."""
    services.delete_comment(request.actor, comment_id)  # type: ignore[attr-defined]
    return with_toast(HttpResponse(""), _("Comment taken back."), undo_url=reverse("social_feed:comment-restore", args=[comment_id]))


@require_POST
def comment_restore(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Undo taking a comment back."""
    services.restore_comment(request.actor, comment_id)  # type: ignore[attr-defined]
    return HttpResponse(status=204)


@require_GET
def people(request: HttpRequest) -> JsonResponse:
    """Colleagues whose name has a word that begins like the text after an @; JSON for the text box."""
    text = request.GET.get("q", "").strip().lower()
    found = [a for a in colleagues() if any(word.startswith(text) for word in [a.name.lower(), *a.name.lower().split()])]
    return JsonResponse({"results": [{"id": a.user_id, "title": a.name, "subtitle": a.email} for a in found[:8]]})


def group_or_404(request: HttpRequest, group_id: int):
    """A group that the reader may read."""
    found = read_group(request.actor, group_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return found
