"""Taking a question back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from workflows import services
from workflows.errors import NotFound
from workflows.selectors.approvals import instance_of_approval


@require_POST
@requires(Audience.INTERNAL)
def withdraw(request: HttpRequest, approval_id: int) -> HttpResponse:
    """Take it back; those who were asked are no longer."""
    instance_id = instance_of_approval(request.actor, approval_id)
    if instance_id is None:
        raise Http404
    try:
        services.withdraw_approval(request.actor, approval_id, request.POST.get("reason", ""))
        messages.success(request, _("The question is taken back. Nobody is asked any more."))
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("workflows:instance", instance_id)
