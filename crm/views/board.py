"""The board, and moves that ask the process."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm import services
from crm.access import CrmPermission, visible_deals
from crm.lists import DEALS
from crm.models import Stage
from crm.selectors.board import board as read_board
from crm.views.common import is_fragment
from portal.access import Audience, requires
from portal.errors import Refused


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def board(request: HttpRequest) -> HttpResponse:
    """All stages; the fragment alone when it is re-read."""
    columns = read_board(request.actor, request.GET)
    filters = [(one, list(one.choices(request.actor)), request.GET.get(one.key, "")) for one in DEALS.filters if one.key != "stage"]
    context = {
        "columns": columns,
        "filters": filters,
        "text": request.GET.get("q", ""),
        "mine": bool(request.GET.get("mine")),
        "query": request.GET.urlencode(),
        "may_move": request.actor.can(CrmPermission.EDIT),
    }
    return render(request, "crm/parts/_board.html" if is_fragment(request, "board") else "crm/board.html", context)


@require_POST
@requires(Audience.INTERNAL, permission=CrmPermission.EDIT)
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the process to move a deal. A card of the board gets JSON; the deal's page goes to the step that is needed."""
    deal = visible_deals(request.actor).filter(pk=pk).first()
    if deal is None:
        raise Http404
    wants_page = request.POST.get("page") == "yes"
    to = request.POST.get("to", "")
    try:
        services.move_deal(request.actor, pk, to, key=request.POST.get("key", ""))
    except services.StepNeeded as needed:
        url = reverse("workflows:task", args=[needed.task_id])
        if wants_page:
            messages.warning(request, needed.message)
            return redirect(url)
        return JsonResponse({"message": needed.message, "url": url}, status=needed.status)
    except Refused as refused:
        if wants_page:
            messages.warning(request, refused.message)
            return redirect("crm:card", "deals", pk)
        return JsonResponse({"message": refused.message}, status=refused.status)
    deal.refresh_from_db()
    told = _("“%(deal)s” is now at “%(stage)s”.") % {"deal": deal.title, "stage": Stage(deal.stage).label}
    if wants_page:
        messages.success(request, told)
        return redirect("crm:card", "deals", pk)
    return JsonResponse({"message": told})
