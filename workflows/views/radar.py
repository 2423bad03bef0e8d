"""The radar: what is late or stuck, and what can be done about it, shown before it is done."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from portal.access import Audience, requires
from portal.errors import Refused
from portal.numbers import whole_number
from portal.selectors import employees
from workflows import services
from workflows.access import WorkflowPermission
from workflows.selectors.radar import KINDS, findings, open_incident_count, radar, rows_of
from workflows.services.radar import MOST

FIXES = {  # fix → button, icon, what it will do
    "hand": (gettext_lazy("Hand on"), "share", gettext_lazy("These steps go to the person you choose; what was typed into them stays.")),
    "due": (
        gettext_lazy("New due date"),
        "calendar",
        gettext_lazy("These steps get the due date you choose; their owners see it at once."),
    ),
    "remind": (
        gettext_lazy("Remind"),
        "bell",
        gettext_lazy("Whoever has these steps gets a notice and a letter that they wait; nothing else changes."),
    ),
    "fire": (gettext_lazy("Fire now"), "player-play", gettext_lazy("These timers fire now, and their processes go on.")),
    "send": (
        gettext_lazy("Send again"),
        "send",
        gettext_lazy("These calls are tried again from now, with the same key: nothing is done twice."),
    ),
    "drop": (gettext_lazy("Drop"), "trash", gettext_lazy("These messages are forgotten. This can't be undone.")),
}


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.OPERATE)
def index(request: HttpRequest) -> HttpResponse:
    """Everything that would make a promise late."""
    return render(request, "workflows/radar.html", _shown(request))


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.OPERATE)
def listing(request: HttpRequest) -> HttpResponse:
    """The same, re-read while nobody is choosing."""
    return render(request, "workflows/parts/_radar.html", _shown(request))


def _shown(request: HttpRequest) -> dict:
    groups = [(group, [(fix, *FIXES[fix]) for fix in group.fixes]) for group in radar(request.actor)]  # type: ignore[attr-defined]
    return {"groups": groups, "incidents": open_incident_count(request.actor)}  # type: ignore[attr-defined]


@require_POST
@requires(Audience.INTERNAL, permission=WorkflowPermission.OPERATE)
def mend(request: HttpRequest, kind: str) -> HttpResponse:
    """Show what a fix will do to the chosen findings; with `apply` do it."""
    fix = request.POST.get("fix", "")
    if kind not in KINDS:
        raise Http404
    if fix not in KINDS[kind][3]:
        messages.error(request, _("Choose what is to be done with them."))
        return redirect("workflows:radar")
    ids = [pk for raw in request.POST.getlist("id")[:MOST] if (pk := whole_number(raw)) is not None]
    rows = rows_of(request.actor, kind)
    if request.POST.get("everything") == "yes" and not request.POST.get("apply"):
        ids = list(rows.values_list("pk", flat=True)[:MOST])
    chosen = findings(kind, rows.filter(pk__in=ids))
    if not chosen:
        messages.info(request, _("Nothing of what you chose is left; it was mended meanwhile."))
        return redirect("workflows:radar")
    refused = None
    if request.POST.get("apply"):
        try:
            return _applied(request, kind, fix, ids)
        except Refused as found:
            refused = found
    label, icon, effect = FIXES[fix]
    context = {
        "kind": kind,
        "group": KINDS[kind][0],
        "fix": fix,
        "label": label,
        "icon": icon,
        "effect": effect,
        "chosen": chosen,
        "people": employees() if fix == "hand" else [],
        "typed": request.POST,
        "refused": refused,
    }
    return render(request, "workflows/radar_fix.html", context, status=422 if refused else 200)


def _applied(request: HttpRequest, kind: str, fix: str, ids: list[int]) -> HttpResponse:
    raw, day = request.POST.get("user_id", ""), parse_date(request.POST.get("due", "")[:10] or "")
    due = timezone.make_aware(dt.datetime.combine(day, dt.time(18))) if day else None
    reason = request.POST.get("reason", "")[:500]
    mended = services.mend(request.actor, kind, fix, ids, reason, user_id=whole_number(raw), due=due)
    if mended.done:
        messages.success(request, ngettext("%(n)d was mended.", "%(n)d were mended.", mended.done) % {"n": mended.done})
    for words in sorted(set(mended.refused))[:5]:
        messages.warning(request, words)
    return redirect("workflows:radar")
