"""Begin and end looking at the product as an outsider."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from portal.access import SIGNED_IN, Audience, PortalPermission, requires
from portal.registry import SubjectRef, registry
from portal.services.memberships import actor_for_request
from portal.services.viewing import end_viewing, start_viewing
from portal.views.core import HOMES


@require_POST
@requires(Audience.INTERNAL, permission=PortalPermission.VIEW_AS)
def start(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Go to the home of the person whose eyes are borrowed."""
    return redirect(HOMES[start_viewing(request, membership_id).audience])


@require_POST
@requires(*SIGNED_IN)
def end(request: HttpRequest) -> HttpResponse:
    """Back to one's own work, to the organisation that was looked at."""
    organisation_id = end_viewing(request)
    if organisation_id is None:
        return redirect("home")
    kind = registry.subjects["portal.organisation"]
    return redirect(kind.url(actor_for_request(request), SubjectRef(kind.key, organisation_id).id) or "home")
