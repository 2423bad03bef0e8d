"""The bell, the notification centre and its choices, for all three audiences."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import Audience
from social_feed.selectors import notifications as reads
from social_feed.services import notifications as services
from social_feed.views.common import number, with_toast

BASES = {Audience.INTERNAL: "base_work.html", Audience.CUSTOMER: "base_cabinet.html", Audience.PARTNER: "base_partner.html"}
PAGE = 30


@require_GET
def bell_count(request: HttpRequest) -> HttpResponse:
    """How many notifications wait: what stands on the bell."""
    return render(request, "social_feed/parts/_bell_count.html", {"unread": reads.unread_count(request.actor)})  # type: ignore[attr-defined]


@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The newest notifications, under the bell."""
    rows = reads.notifications(request.actor, limit=8)  # type: ignore[attr-defined]
    return render(request, "social_feed/parts/_bell.html", {"rows": rows})


@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """The notification centre."""
    actor = request.actor  # type: ignore[attr-defined]
    unread = request.GET.get("show") == "unread"
    rows = reads.notifications(actor, unread=unread, before=number(request.GET.get("before")), limit=PAGE + 1)
    context = {
        "base": BASES[actor.audience],
        "rows": rows[:PAGE],
        "next": rows[PAGE - 1].id if len(rows) > PAGE else None,
        "only_unread": unread,
        "unread": reads.unread_count(actor),
        "topic": f"bell:{actor.user_id}",
    }
    if request.htmx and ("before" in request.GET or "part" in request.GET):  # type: ignore[attr-defined]
        return render(request, "social_feed/parts/_notifications.html", context)
    return render(request, "social_feed/notifications.html", context)


@require_GET
def notification_open(request: HttpRequest, notification_id: int) -> HttpResponse:
    """Go to what a notification tells of; it is read from then on."""
    actor = request.actor  # type: ignore[attr-defined]
    found = reads.notification(actor, notification_id)
    if found is None:
        raise Http404
    services.mark_read(actor, [notification_id])
    return redirect(found.subject.url if found.subject and found.subject.url else "shared:notifications")


@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Mark all as read."""
    services.mark_read(request.actor)  # type: ignore[attr-defined]
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("shared:notifications")
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
def notification_choices(request: HttpRequest) -> HttpResponse:
    """Which kinds reach the reader, and where."""
    actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        kinds = [choice.key for choice in reads.choices_of(actor)]
        chosen = {kind: (f"{kind}-bell" in request.POST, f"{kind}-mail" in request.POST) for kind in kinds}
        services.choose_notifications(actor, chosen)
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("shared:notification-choices")
        return with_toast(HttpResponse(status=204), _("Your choice is kept."))
    return render(request, "social_feed/notification_choices.html", {"choices": reads.choices_of(actor)})
