"""Lists: search, filters, saved views, bulk actions, export."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from crm import services
from crm.access import CrmPermission
from crm.lists import DEALS, LISTS, ListSpec, narrowed, read_list
from crm.models import Account, Contact, Product, SalesTeamMember
from crm.views.common import is_fragment, spec_of
from portal.access import Actor, Audience, requires
from portal.audit import record
from portal.numbers import whole_number
from portal.registry import SubjectRef

MAX_BULK = 5000


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def listing(request: HttpRequest, key: str) -> HttpResponse:
    """A list's page, or its table alone when it is re-read."""
    spec = spec_of(key)
    part = is_fragment(request, "list")
    found = read_list(request.actor, spec, request.GET, with_views=not part)
    if not request.GET and found.views and found.views.default:
        return redirect(f"{request.path}?{found.views.default.query or 'view=none'}")
    template = "crm/parts/_table.html" if part else "crm/list.html"
    context = {
        "list": found,
        "spec": spec,
        "can_create": bool(spec.can_create) and request.actor.can(spec.can_create),
        "can_export": request.actor.can(CrmPermission.EXPORT),
        "can_assign": spec.bulk and request.actor.can(CrmPermission.ASSIGN),
        "query": request.GET.urlencode(),
        "part": part,
    }
    return render(request, template, context)


def _chosen(actor: Actor, spec: ListSpec, post: QueryDict) -> list[int]:
    """The ids that a bulk action is about: the marked ones, or everything that the list's filter finds."""
    if post.get("everything") == "yes":
        return list(narrowed(actor, spec, QueryDict(post.get("query", ""))).values_list("pk", flat=True)[:MAX_BULK])
    return [pk for one in post.getlist("id") if (pk := whole_number(one)) is not None][:MAX_BULK]


@require_POST
@requires(Audience.INTERNAL, permission=CrmPermission.ASSIGN)
def assign(request: HttpRequest) -> HttpResponse:
    """Give deals to a seller: first a preview with the exact count, then the act."""
    spec = DEALS
    ids = _chosen(request.actor, spec, request.POST)
    back = f"{reverse('crm:list', args=['deals'])}?{request.POST.get('query', '')}"
    if not ids:
        messages.warning(request, _("Choose at least one deal."))
        return redirect(back)
    if request.POST.get("confirm") == "yes":
        owner = request.POST.get("owner", "")
        count = services.assign_owner(request.actor, ids, whole_number(owner))
        messages.success(request, ngettext("%(n)d deal has a new owner.", "%(n)d deals have a new owner.", count) % {"n": count})
        return redirect(back)
    rows = spec.visible(request.actor).select_related("owner", "account").filter(pk__in=ids).order_by("title")
    context = {
        "ids": ids,
        "count": rows.count(),
        "sample": [(row.title, row.account.name if row.account else "", row.owner.name if row.owner else "—") for row in rows[:12]],
        "owners": SalesTeamMember.objects.filter(is_active=True).order_by("name").values_list("pk", "name"),
        "query": request.POST.get("query", ""),
        "back": back,
    }
    return render(request, "crm/assign.html", context)


class _Echo:
    """Hands each written line on."""

    def write(self, value: str) -> str:
        """The line."""
        return value


def _plain(value: Any) -> str:
    """A value for a spreadsheet that can't be taken for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" and not text[1:].replace(".", "").isdigit() else text


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.EXPORT)
def export(request: HttpRequest, key: str) -> HttpResponse | StreamingHttpResponse:
    """The list as CSV with every column; who took what is in the audit."""
    spec = spec_of(key)
    rows = narrowed(request.actor, spec, request.GET).select_related(*spec.related)
    count = rows.count()
    query = request.GET.urlencode()
    record(request.actor, f"{spec.key}.exported", SubjectRef("crm.list", 0), after={"rows": count, "query": query})
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow([_("Id"), *(str(column.label) for column in spec.columns)])
        for row in rows.iterator(chunk_size=500):
            yield writer.writerow([row.pk, *(_plain(column.cell(row).value) for column in spec.columns)])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{spec.key}-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


@require_GET
@requires(Audience.INTERNAL, permission=CrmPermission.VIEW)
def pick(request: HttpRequest, kind: str) -> JsonResponse:
    """Records found by typing, for pickers."""
    text = request.GET.get("q", "").strip()[:100]
    if kind == "owners":
        rows = SalesTeamMember.objects.filter(is_active=True, name__icontains=text).select_related("team").order_by("name")
        hits = [{"id": row.pk, "title": row.name, "subtitle": row.team.office if row.team else ""} for row in rows[:20]]
        return JsonResponse({"results": hits})
    spec = LISTS.get(kind)
    if spec is None:
        raise Http404
    rows = spec.visible(request.actor).select_related(*spec.related)
    rows = rows.filter(spec.search(text)) if text else rows
    hits = [{"id": row.pk, "title": str(row), "subtitle": _subtitle(row)} for row in rows.order_by(spec.sort)[:20]]
    return JsonResponse({"results": hits})


def _subtitle(row: Any) -> str:
    match row:
        case Account():
            return row.sector
        case Contact():
            return row.account.name if row.account else row.email
        case Product():
            return str(row.list_price or "")
        case _:
            return ""
