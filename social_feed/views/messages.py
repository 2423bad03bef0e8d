"""The conversation and the files of a record, as fragments that every face's cards include."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import Actor, Audience
from portal.errors import Refused
from portal.files import FileView, add_version, keep_apart
from portal.registry import SubjectRef, registry
from social_feed.selectors.messages import (
    all_files_for,
    audiences_for,
    message,
    messages_for,
    recipients_of,
    seen_conversation,
    topics_of_conversation,
)
from social_feed.services import messages as services
from social_feed.services.notifications import mark_messages_read
from social_feed.views.common import key_of, new_key, number, subject_or_404, with_toast

PANEL = "social_feed/parts/_messages.html"
LIST = "social_feed/parts/_message_list.html"
MESSAGE = "social_feed/parts/_message.html"
EDIT = "social_feed/parts/_message_edit.html"
FILES = "social_feed/parts/_files.html"
FILE_LIST = "social_feed/parts/_file_list.html"
PAGE = 50


def _audience(text: str | None, actor: Actor) -> Audience:
    allowed = audiences_for(actor)
    return Audience(text) if text in set(allowed) else allowed[0]


def _list_context(request: HttpRequest, ref: SubjectRef) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    only = request.GET.get("only", "")
    shown = Audience(only) if actor.is_internal and only in set(audiences_for(actor)) else None
    rows = messages_for(actor, ref, audience=shown, before=number(request.GET.get("before")), limit=PAGE + 1)
    older = rows[1].id if len(rows) > PAGE else None
    return {
        "ref": str(ref),
        "topics": topics_of_conversation(actor, ref),
        "messages": rows[-PAGE:],
        "older": older,
        "only": shown or "",
        "filters": actor.is_internal,
        "audiences_shown": list(Audience)[:3],
    }


def _reach_context(actor: Actor, ref: SubjectRef, audience: Audience) -> dict[str, Any]:
    reach = recipients_of(actor, ref, audience)
    others = ", ".join(name for o in reach.organisations for key, name in o.people if key != actor.user_id)
    return {"reach": reach, "others": others}


def _compose_context(actor: Actor, ref: SubjectRef, audience: Audience) -> dict[str, Any]:
    return {
        "ref": str(ref),
        "audience": audience,
        "audiences": audiences_for(actor),
        **_reach_context(actor, ref, audience),
        "key": new_key(),
        "upload_limit": settings.UPLOAD_MAX_BYTES,
    }


@require_http_methods(["GET", "POST"])
def messages_panel(request: HttpRequest, ref: str) -> HttpResponse:
    """The conversation on a record: what was written to the reader's audience, and a box to answer in."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = subject_or_404(actor, ref)
    if request.method == "POST":
        return _post(request, actor, subject.ref)
    if request.GET.get("part") == "list":
        if request.headers.get("X-Seen"):  # a message came while the page is before the reader's eyes
            mark_messages_read(actor, seen_conversation(actor, subject.ref))
        return render(request, LIST, _list_context(request, subject.ref))
    mark_messages_read(actor, seen_conversation(actor, subject.ref))
    audience = _audience(request.GET.get("audience"), actor)
    return render(request, PANEL, _list_context(request, subject.ref) | _compose_context(actor, subject.ref, audience))


def _post(request: HttpRequest, actor: Actor, ref: SubjectRef) -> HttpResponse:
    audience = _audience(request.POST.get("audience"), actor)
    typed: dict[str, Any] = {}
    status = 200
    try:
        services.post_message(
            actor,
            ref,
            audience,
            request.POST.get("body", ""),
            request.FILES.getlist("files"),
            organisation_id=number(request.POST.get("organisation")),
            key=key_of(request),
        )
    except Refused as refusal:
        typed = {"refusal": refusal, "body": request.POST.get("body", "")}
        status = refusal.status
    context = _list_context(request, ref) | _compose_context(actor, ref, audience) | typed
    return render(request, PANEL, context, status=status)


@require_GET
def recipients(request: HttpRequest, ref: str) -> HttpResponse:
    """Who would read a message of the chosen audience, shown while it is being written."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = subject_or_404(actor, ref)
    audience = _audience(request.GET.get("audience"), actor)
    return render(request, "social_feed/parts/_recipients.html", {"audience": audience, **_reach_context(actor, subject.ref, audience)})


@require_GET
def mentionable(request: HttpRequest, ref: str) -> JsonResponse:
    """People whose name begins like the text after an @, among those who may read a message on this record; JSON for the text box."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = subject_or_404(actor, ref)
    audience = _audience(request.GET.get("audience"), actor)
    text = request.GET.get("q", "").strip().lower()
    people = [p for p in recipients_of(actor, subject.ref, audience).people if any(w.startswith(text) for w in _words(p[1]))]
    return JsonResponse({"results": [{"id": key, "title": name, "subtitle": ""} for key, name in people[:8]]})


def _words(name: str) -> list[str]:
    lower = name.lower()
    return [lower, *lower.split()]


@require_GET
def message_address(request: HttpRequest, message_id: int) -> HttpResponse:
    """A message's own address leads to its record's page, at the message."""
    actor = request.actor  # type: ignore[attr-defined]
    row = message(actor, message_id)
    subject = registry.resolve(actor, row.ref) if row else None
    if row is None or subject is None:
        raise Http404
    return redirect(f"{subject.url or reverse('shared:messages', args=[str(row.ref)])}#message-{row.id}")


@require_http_methods(["GET", "POST"])
def message_edit(request: HttpRequest, message_id: int) -> HttpResponse:
    """Change one's own message in place."""
    actor = request.actor  # type: ignore[attr-defined]
    row = message(actor, message_id)
    if row is None or not row.is_own:
        raise Http404
    if request.method == "GET":
        return render(request, MESSAGE if "cancel" in request.GET else EDIT, {"m": row})
    body = request.POST.get("body", "")
    try:
        services.edit_message(actor, message_id, body)
    except Refused as refusal:
        return render(request, EDIT, {"m": row, "refusal": refusal, "body": body}, status=refusal.status)
    return render(request, MESSAGE, {"m": message(actor, message_id)})


@require_POST
def message_delete(request: HttpRequest, message_id: int) -> HttpResponse:
    """Take back one's own message, with undo."""
    services.delete_message(request.actor, message_id)  # type: ignore[attr-defined]
    return with_toast(HttpResponse(""), _("Message taken back."), undo_url=reverse("shared:message-restore", args=[message_id]))


@require_POST
def message_restore(request: HttpRequest, message_id: int) -> HttpResponse:
    """Undo taking a message back; the page hears a ping and shows it again."""
    services.restore_message(request.actor, message_id)  # type: ignore[attr-defined]
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
def files_panel(request: HttpRequest, ref: str) -> HttpResponse:
    """The files of a record that the reader may see, and a place to add some, or a new version of one."""
    actor = request.actor  # type: ignore[attr-defined]
    subject = subject_or_404(actor, ref)
    refusal, versions = None, []
    if request.method == "POST":
        try:
            versions = [file for file in _take_in(request, actor, subject.ref) if file.version > 1]
        except Refused as problem:
            refusal = problem
    context = {
        "ref": ref,
        "topics": topics_of_conversation(actor, subject.ref),
        "files": all_files_for(actor, subject.ref),
        "audiences": audiences_for(actor),
        "upload_limit": settings.UPLOAD_MAX_BYTES,
        "refusal": refusal,
        "versions": versions,
    }
    if request.GET.get("part") == "list":
        return render(request, FILE_LIST, context)
    return render(request, FILES, context, status=refusal.status if refusal else 200)


def _take_in(request: HttpRequest, actor: Actor, ref: SubjectRef) -> list[FileView]:
    """Do what the panel's forms ask for: add files, add a version of one (`version`), or make a file of its own from one (`apart`).

    Gives what was added. Raises Refused in words."""
    post = request.POST
    try:
        apart, document = (UUID(text) if (text := post.get(name, "")) else None for name in ("apart", "version"))
    except ValueError:
        raise Refused(_("This file isn't there any more.")) from None
    if apart:
        keep_apart(actor, apart)
        return []
    uploads = request.FILES.getlist("files")
    if not uploads:
        raise Refused(_("Choose a file first."), "files")
    if document:
        add_version(actor, document, uploads[0])
        return []
    chosen = {Audience(a) for a in post.getlist("audiences") if a in set(audiences_for(actor))}
    return services.add_files(actor, ref, uploads, chosen)
