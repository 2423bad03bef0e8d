"""Groups, and what a person follows or muted."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.errors import NotAllowed, Refused
from social_feed.selectors.follows import colleagues, follows_of, state_of
from social_feed.selectors.groups import groups_for, members_of
from social_feed.services import groups as services
from social_feed.services.follows import set_follow
from social_feed.views.common import number, subject_or_404
from social_feed.views.feed import group_or_404


@require_http_methods(["GET", "POST"])
def groups(request: HttpRequest) -> HttpResponse:
    """All groups that the reader may read, and a form for a new one."""
    actor = request.actor  # type: ignore[attr-defined]
    context: dict = {"typed": {}}
    if request.method == "POST":
        try:
            made = services.create_group(
                actor, request.POST.get("name", ""), purpose=request.POST.get("purpose", ""), is_open=request.POST.get("closed") != "1"
            )
        except Refused as refusal:
            context = {"refusal": refusal, "typed": request.POST}
        else:
            return redirect("social_feed:group", made)
    context["groups"] = groups_for(actor)
    refusal = context.get("refusal")
    return render(request, "social_feed/groups.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def group(request: HttpRequest, group_id: int) -> HttpResponse:
    """Who belongs to a group; its administrators change it."""
    actor = request.actor  # type: ignore[attr-defined]
    found = group_or_404(request, group_id)
    if request.method == "POST":
        if not found.may_manage:
            raise NotAllowed(_("Only the group's administrators say who belongs to it."))
        services.set_members(actor, group_id, [k for k in map(number, request.POST.getlist("members")) if k])
        return redirect("social_feed:group", group_id)
    members = members_of(actor, group_id)
    context = {
        "group": found,
        "members": members,
        "member_ids": {key for key, _name in members},
        "state": state_of(actor, f"group:{group_id}"),
    }
    if found.may_manage:
        context["colleagues"] = colleagues()
    return render(request, "social_feed/group.html", context)


@require_POST
def group_join(request: HttpRequest, group_id: int) -> HttpResponse:
    """Join a group or leave it."""
    services.join_group(request.actor, group_id, request.POST.get("joined") == "1")  # type: ignore[attr-defined]
    return redirect("social_feed:groups")


@require_POST
def follow(request: HttpRequest) -> HttpResponse:
    """Follow, mute or neither; the answer is the button as it stands now."""
    actor = request.actor  # type: ignore[attr-defined]
    target, state = request.POST.get("target", "")[:64], request.POST.get("state", "")
    set_follow(actor, target, state)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("social_feed:following")
    return render(request, "social_feed/parts/_follow.html", {"target": target, "state": state})


@require_GET
def follow_panel(request: HttpRequest, ref: str) -> HttpResponse:
    """The follow button of a record, for its card."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = subject_or_404(actor, ref)
    return render(request, "social_feed/parts/_follow.html", {"target": str(subject.ref), "state": state_of(actor, str(subject.ref))})


@require_GET
def following(request: HttpRequest) -> HttpResponse:
    """Everything the reader follows or muted."""
    return render(request, "social_feed/following.html", {"follows": follows_of(request.actor)})  # type: ignore[attr-defined]
