"""The sales dashboard: figures, charts, and the deals behind each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from analytics.access import AnalyticsPermission
from crm import reports
from crm.reports import Period
from portal.access import Actor, Audience, requires

viewer = requires(Audience.INTERNAL, permission=AnalyticsPermission.VIEW_SALES)
DEALS = "/work/crm/deals/"


def _period(request: HttpRequest) -> Period:
    """The months that a reader has chosen; anything unreadable is no limit."""

    def day(name: str) -> date | None:
        try:
            return date.fromisoformat(request.GET.get(name, ""))
        except ValueError:
            return None

    return Period(day("from"), day("to"))


def _deals(**query: Any) -> str:
    """The list of deals behind a number."""
    return f"{DEALS}?{urlencode({key: value for key, value in query.items() if value not in (None, '')})}"


def _group_words() -> list[tuple[str, str]]:
    return [("seller", _("Sellers")), ("product", _("Products")), ("sector", _("Sectors")), ("office", _("Offices"))]


def _context(request: HttpRequest) -> dict[str, Any]:
    actor, period = request.actor, _period(request)  # type: ignore[attr-defined]
    group = request.GET.get("by", "seller")
    group = group if group in reports.GROUPS else "seller"
    return {
        "figures": reports.sales_figures(actor, period),
        "stages": [(row, _deals(stage=row.stage)) for row in reports.pipeline_by_stage(actor)],
        "months": reports.closed_by_month(actor, period),
        "rows": [
            (row, _deals(**{"owner": row.id} if group == "seller" else {group: row.id})) for row in reports.sales_by(actor, group, period)
        ],
        "group": group,
        "groups": _group_words(),
        "period": period,
        "currency": settings.DEFAULT_CURRENCY,
        "query": urlencode({k: v for k, v in (("from", period.start), ("to", period.end)) if v}),
        "won_url": _deals(stage="won"),
        "lost_url": _deals(stage="lost"),
        "open_url": DEALS,
    }


@require_GET
@viewer
def sales(request: HttpRequest) -> HttpResponse:
    """The dashboard."""
    return render(request, "analytics/sales.html", _context(request))


@require_GET
@viewer
def sales_body(request: HttpRequest) -> HttpResponse:
    """The part that changes live."""
    return render(request, "analytics/parts/_sales.html", _context(request))


@require_GET
@viewer
def sales_chart(request: HttpRequest, chart: str) -> JsonResponse:
    """The numbers of one chart, with the address behind each."""
    draw = CHARTS.get(chart)
    if draw is None:
        raise Http404
    return JsonResponse(draw(request.actor, _period(request)))  # type: ignore[attr-defined]


def _funnel(actor: Actor, period: Period) -> dict[str, Any]:
    rows = [row for row in reports.pipeline_by_stage(actor) if row.deals]
    return {
        "categories": [row.label for row in rows],
        "unit": "count",
        "series": [{"name": _("Open deals"), "data": [row.deals for row in rows], "urls": [_deals(stage=row.stage) for row in rows]}],
    }


def _by_month(actor: Actor, period: Period) -> dict[str, Any]:
    rows = reports.closed_by_month(actor, period)
    return {
        "categories": [date_format(row.month, "M Y") for row in rows],
        "unit": "money",
        "currency": settings.DEFAULT_CURRENCY,
        "series": [{"name": _("Won revenue"), "data": [float(row.revenue) for row in rows]}],
    }


def _outcomes(actor: Actor, period: Period) -> dict[str, Any]:
    rows = reports.closed_by_month(actor, period)
    return {
        "categories": [date_format(row.month, "M Y") for row in rows],
        "unit": "count",
        "series": [
            {"name": _("Won"), "data": [row.won for row in rows]},
            {"name": _("Lost"), "data": [row.lost for row in rows]},
        ],
    }


def _by_product(actor: Actor, period: Period) -> dict[str, Any]:
    rows = reports.sales_by(actor, "product", period, limit=10)
    return {
        "categories": [row.label for row in rows],
        "unit": "money",
        "currency": settings.DEFAULT_CURRENCY,
        "series": [
            {"name": _("Won revenue"), "data": [float(row.revenue) for row in rows], "urls": [_deals(product=row.id) for row in rows]}
        ],
    }


CHARTS: dict[str, Callable[[Actor, Period], dict[str, Any]]] = {
    "funnel": _funnel,
    "by-month": _by_month,
    "outcomes": _outcomes,
    "by-product": _by_product,
}
