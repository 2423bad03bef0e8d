"""The board: columns by stage with their sums from the database, and the newest cards of each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import Count, QuerySet, Sum
from djmoney.money import Money

from crm.lists import DEALS, narrowed
from crm.models import Deal, Stage
from portal.access import Actor

CARDS = 15


@dataclass(frozen=True, slots=True)
class BoardCard:
    """A deal on the board."""

    id: int
    title: str
    account_name: str
    amount: Money | None
    owner_name: str
    since: datetime
    is_joint: bool
    is_closed: bool


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """A stage with its newest deals, and count and sum of all of them."""

    stage: str
    label: str
    cards: list[BoardCard]
    count: int
    totals: list[Money]

    @property
    def more(self) -> int:
        """How many aren't shown."""
        return self.count - len(self.cards)


def board(actor: Actor, query: Any) -> list[BoardColumn]:
    """The stages in their order (deals start past “new”, so that one only when it holds some); three queries, whatever they hold."""
    found = narrowed(actor, DEALS, {k: v for k, v in query.items() if k not in ("stage", "sort")})
    rows = cast("QuerySet[Deal]", found.order_by())
    counts: dict[str, int] = defaultdict(int)
    totals: dict[str, list[Money]] = defaultdict(list)
    for line in rows.values("stage", "amount_currency").annotate(n=Count("pk"), total=Sum("amount")).order_by("stage"):
        counts[line["stage"]] += line["n"]
        if line["total"]:
            totals[line["stage"]].append(Money(line["total"], line["amount_currency"]))
    # The newest of each stage are read off the index, however many deals there are; a window would number all of them.
    tops = [rows.filter(stage=stage).order_by("-updated_at", "-pk").values("pk")[:CARDS] for stage in counts]
    each = [rows.filter(pk__in=top).values("pk") for top in tops]  # SQLite takes no LIMIT right inside a union
    newest = [line["pk"] for line in each[0].union(*each[1:], all=True)] if each else []
    cards: dict[str, list[BoardCard]] = defaultdict(list)
    for row in rows.filter(pk__in=newest).select_related("account", "owner").order_by("-updated_at", "-pk"):
        cards[row.stage].append(
            BoardCard(
                row.pk,
                row.title,
                row.account.name if row.account else "",
                row.amount,
                row.owner.name if row.owner else "",
                row.stage_since,
                row.partner_state == "accepted",
                bool(row.outcome),
            )
        )
    return [
        BoardColumn(str(stage), str(label), cards[str(stage)], counts[str(stage)], totals[str(stage)])
        for stage, label in Stage.choices
        if stage != Stage.NEW or counts[str(stage)]
    ]
