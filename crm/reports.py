"""Aggregations over deals for dashboards and the command line; every figure is one SQL statement over `visible_deals(actor)`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from crm.access import visible_deals
from crm.models import OPEN_STAGES, Deal, Stage
from portal.access import Actor

# An opportunity not yet qualified is prospecting; one beyond that, and open, is engaging.
PROSPECTING = [Stage.NEW, Stage.QUALIFICATION]
WON, LOST, OPEN = Q(outcome=Deal.Outcome.WON), Q(outcome=Deal.Outcome.LOST), Q(outcome=None)


@dataclass(frozen=True, slots=True)
class Period:
    """Closed deals are counted when they closed from `start` to `end`, both included; None is open-ended."""

    start: date | None = None
    end: date | None = None

    @property
    def closed_in(self) -> Q:
        """The condition on a closed deal."""
        condition = Q()
        if self.start:
            condition &= Q(close_date__gte=self.start)
        if self.end:
            condition &= Q(close_date__lte=self.end)
        return condition


@dataclass(frozen=True, slots=True)
class SalesFigures:
    """The figures of sales. Money is in the company's currency; `win_rate` is percent of closed deals; `mean_cycle_days` is from
    engagement to close of closed deals."""

    won: int
    lost: int
    engaging: int
    prospecting: int
    won_revenue: Decimal
    win_rate: Decimal | None
    mean_cycle_days: Decimal | None
    open_pipeline_list_price: Decimal
    mean_won_value: Decimal | None
    without_product: int
    samples_left_out: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON: money and rates as strings of exact decimals, counts as numbers."""
        return {key: str(value) if isinstance(value, Decimal) else value for key, value in asdict(self).items()}


def counted_deals(actor: Actor) -> QuerySet[Deal]:
    """The deals that figures count: the demo's samples only as long as there is nothing else."""
    deals = visible_deals(actor)
    return deals.filter(is_sample=False) if deals.filter(is_sample=False).exists() else deals


def _two(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(Decimal("0.01"))


def sales_figures(actor: Actor, period: Period = Period()) -> SalesFigures:
    """The figures on top of the sales dashboard."""
    deals = counted_deals(actor)
    closed = period.closed_in
    cycle = ExpressionWrapper(F("close_date") - F("engage_date"), output_field=DurationField())
    row = deals.aggregate(
        won=Count("pk", filter=WON & closed),
        lost=Count("pk", filter=LOST & closed),
        prospecting=Count("pk", filter=OPEN & Q(stage__in=PROSPECTING)),
        engaging=Count("pk", filter=OPEN & ~Q(stage__in=PROSPECTING)),
        revenue=Sum("close_value", filter=WON & closed),
        mean_won=Avg("close_value", filter=WON & closed),
        cycle=Avg(cycle, filter=~OPEN & closed & Q(engage_date__isnull=False)),
        pipeline=Sum("list_price", filter=OPEN),
        without_product=Count("pk", filter=OPEN & Q(product=None)),
    )
    ended = row["won"] + row["lost"]
    mean: timedelta | None = row["cycle"]
    return SalesFigures(
        won=row["won"],
        lost=row["lost"],
        engaging=row["engaging"],
        prospecting=row["prospecting"],
        won_revenue=_two(row["revenue"] or 0) or Decimal(0),
        win_rate=_two(Decimal(100 * row["won"]) / ended) if ended else None,
        mean_cycle_days=_two(Decimal(mean / timedelta(days=1))) if mean is not None else None,
        open_pipeline_list_price=_two(row["pipeline"] or 0) or Decimal(0),
        mean_won_value=_two(row["mean_won"]),
        without_product=row["without_product"],
        samples_left_out=visible_deals(actor).filter(is_sample=True).count() if deals.filter(is_sample=False).exists() else 0,
    )


@dataclass(frozen=True, slots=True)
class StageRow:
    """A step of the funnel."""

    stage: str
    label: str
    deals: int
    money: Decimal


def pipeline_by_stage(actor: Actor) -> list[StageRow]:
    """Open deals and their expected money by stage, in the order of the stages."""
    rows = {
        row["stage"]: row
        for row in counted_deals(actor).filter(OPEN).values("stage").annotate(deals=Count("pk"), money=Sum("amount")).order_by()
    }
    return [
        StageRow(
            str(stage), str(stage.label), rows.get(stage, {}).get("deals", 0), _two(rows.get(stage, {}).get("money") or 0) or Decimal(0)
        )
        for stage in OPEN_STAGES
    ]


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What closed in a month."""

    month: date
    won: int
    lost: int
    revenue: Decimal


def closed_by_month(actor: Actor, period: Period = Period()) -> list[MonthRow]:
    """Won and lost deals and won revenue by month of closing."""
    rows = (
        counted_deals(actor)
        .filter(~OPEN, period.closed_in, close_date__isnull=False)
        .annotate(month=TruncMonth("close_date"))
        .values("month")
        .annotate(won=Count("pk", filter=WON), lost=Count("pk", filter=LOST), revenue=Sum("close_value", filter=WON))
        .order_by("month")
    )
    return [MonthRow(row["month"], row["won"], row["lost"], _two(row["revenue"] or 0) or Decimal(0)) for row in rows]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Sales of a seller, a product, a sector or an office. `id` opens the deals behind it."""

    id: str
    label: str
    won: int
    lost: int
    open: int
    revenue: Decimal
    win_rate: Decimal | None


GROUPS = {
    "seller": ("owner_id", "owner__name"),
    "product": ("product_id", "product__name"),
    "sector": ("account__sector", "account__sector"),
    "office": ("owner__team__office", "owner__team__office"),
    "team": ("owner__team_id", "owner__team__manager_name"),
}


def sales_by(actor: Actor, group: str, period: Period = Period(), limit: int = 50) -> list[GroupRow]:
    """Sales by one of `GROUPS`, the highest revenue first. Raises KeyError for another group."""
    key, label = GROUPS[group]
    rows = (
        counted_deals(actor)
        .values(key, label)
        .annotate(
            won=Count("pk", filter=WON & period.closed_in),
            lost=Count("pk", filter=LOST & period.closed_in),
            open=Count("pk", filter=OPEN),
            revenue=Sum("close_value", filter=WON & period.closed_in),
        )
        .order_by(F("revenue").desc(nulls_last=True), label)[:limit]
    )
    return [
        GroupRow(
            str(row[key] or ""),
            row[label] or "—",
            row["won"],
            row["lost"],
            row["open"],
            _two(row["revenue"] or 0) or Decimal(0),
            _two(Decimal(100 * row["won"]) / (row["won"] + row["lost"])) if row["won"] + row["lost"] else None,
        )
        for row in rows
    ]
