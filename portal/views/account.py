"""A person's own administration: picture, security, devices, consents, their data and its erasure. Nobody else sees any of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from portal import selectors_account as read
from portal.access import SIGNED_IN, requires
from portal.errors import NotAllowed, Refused
from portal.services import consents, devices, erasure, exports, pictures


def own(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only for oneself: whoever looks through another's eyes doesn't see these pages."""

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.actor.viewed_by:  # type: ignore[attr-defined]
            raise NotAllowed(_("These pages are this person’s own. Leave the view first."))
        return view(request, *args, **kwargs)

    return checked


@require_POST
@own
def picture(request: HttpRequest) -> HttpResponse:
    """Set or take off one's picture."""
    upload = request.FILES.get("picture")
    if upload is None and "remove" not in request.POST:
        messages.error(request, _("Choose a picture first."))
        return redirect("profile")
    try:
        pictures.set_picture(request.actor, None if "remove" in request.POST else upload.file)  # type: ignore
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Your picture is taken off.") if "remove" in request.POST else _("Your picture is kept."))
    return redirect("profile")


@require_GET
@requires(*SIGNED_IN)
def person_picture(request: HttpRequest, user_id: int) -> HttpResponse:
    """A person's picture, for those who work with them."""
    user = pictures.picture_of(request.actor, user_id)  # type: ignore[attr-defined]
    if user is None:
        raise Http404
    answer = FileResponse(user.picture.open("rb"), content_type="image/webp")
    answer["Cache-Control"] = "private, max-age=3600"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@require_GET
@own
def security(request: HttpRequest) -> HttpResponse:
    """How one signs in, with the way to each part."""
    return render(request, "portal/people/security.html", {"security": read.security_of(request.user)})  # type: ignore[arg-type]


@require_GET
@own
def device_list(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    return render(request, "portal/people/devices.html", {"devices": devices.devices_of(request)})


@requires(*SIGNED_IN)
def to_devices(request: HttpRequest) -> HttpResponse:
    """The address under which the list stood."""
    return redirect("my-devices")


@require_POST
@own
def devices_end(request: HttpRequest, device_id: int | None = None) -> HttpResponse:
    """Sign out of one other device, or of all."""
    ended = devices.sign_out_devices(request.actor, request.session.session_key or "", device_id)  # type: ignore[attr-defined]
    if ended:
        messages.success(request, ngettext("Signed out on %(n)d device.", "Signed out on %(n)d devices.", ended) % {"n": ended})
    else:
        messages.info(request, _("You weren’t signed in there any more."))
    return redirect("my-devices")


@require_GET
@own
def consent_list(request: HttpRequest) -> HttpResponse:
    """What one agreed to."""
    actor = request.actor  # type: ignore[attr-defined]
    return render(request, "portal/people/consents.html", {"consents": read.consents_of(actor), "offered": read.purposes_to_offer(actor)})


@require_POST
@own
def consent_withdraw(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Take a consent back."""
    try:
        consents.withdraw_consent(request.actor, consent_id)  # type: ignore[attr-defined]
    except Refused as refusal:
        raise Http404 from refusal
    messages.success(request, _("You have taken this back."))
    return redirect("my-consents")


@require_POST
@own
def consent_give(request: HttpRequest) -> HttpResponse:
    """Agree to something that is offered here."""
    actor = request.actor  # type: ignore[attr-defined]
    purpose = request.POST.get("purpose", "")
    if purpose in {one.key for one in read.purposes_to_offer(actor)}:
        consents.give_consent(actor, purpose, source=_("Your own page"))
        messages.success(request, _("Thank you. You can take this back here at any time."))
    return redirect("my-consents")


def _data(request: HttpRequest, **more: object) -> dict[str, object]:
    actor = request.actor  # type: ignore[attr-defined]
    found = read.own_erasure(actor)
    return {
        "exports": read.exports_of(actor),
        "erasure": found,
        "plan": read.erasure_plan(actor.user_id),
        "words": "",
        **more,
    }


@require_GET
@own
def data(request: HttpRequest) -> HttpResponse:
    """What is stored: fetch it, or have it erased."""
    return render(request, "portal/people/data.html", _data(request))


@require_GET
@own
def data_exports(request: HttpRequest) -> HttpResponse:
    """The files and how far the newest is, re-read while it is being made."""
    return render(request, "portal/people/parts/_exports.html", {"exports": read.exports_of(request.actor)})  # type: ignore[attr-defined]


@require_POST
@own
def export_start(request: HttpRequest) -> HttpResponse:
    """Have the file made."""
    exports.start_export(request.actor)  # type: ignore[attr-defined]
    return redirect("my-data")


@require_GET
@own
def export_download(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The file, for its owner, as long as it lasts."""
    row = exports.open_export(request.actor, export_id)  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    answer = FileResponse(row.content.open("rb"), as_attachment=True, filename=f"my-data-{row.created:%Y-%m-%d}.zip")
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_POST
@own
def erasure_ask(request: HttpRequest) -> HttpResponse:
    """Ask to be erased; what stands in the way is said beside the form, with what was typed."""
    words = request.POST.get("words", "")
    try:
        if "sure" not in request.POST:
            raise Refused(_("Say that you know what it means."), "sure")
        erasure.ask_for_erasure(request.actor, words)  # type: ignore[attr-defined]
    except Refused as refusal:
        return render(request, "portal/people/data.html", _data(request, words=words, problem=refusal.message), status=refusal.status)
    messages.success(request, _("We have your request. You read here and by mail what we decide."))
    return redirect("my-data")


@require_POST
@own
def erasure_take_back(request: HttpRequest) -> HttpResponse:
    """Stay after all."""
    try:
        erasure.take_back_erasure(request.actor)  # type: ignore[attr-defined]
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Your account stays as it is."))
    return redirect("my-data")
