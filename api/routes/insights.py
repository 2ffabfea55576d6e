"""What is worth knowing about the user's money now, computed by code, each with its facts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from api.caller import CallerDep
from api.shapes import Output, Page
from domain.clock import today
from ledger import preferences
from tools import insights
from tools.tool import ToolContext

router = APIRouter(prefix="/v1", tags=["money"])


class FactView(Output):
    """One figure that code computed; `value` is exact decimal text, `unit` a currency, "percent", "count", "days",
    "times" or "date"."""

    id: str
    label: str
    value: str
    unit: str


class ChartView(Output):
    """Data for a picture: points are [label, value]."""

    kind: str
    title: str
    unit: str
    series: list[dict[str, Any]]


class InsightView(Output):
    """One thing worth knowing: `text` says it, `facts` hold every figure in it. Names in it come from outside."""

    kind: str = Field(
        description=(
            "safe_to_spend, forecast_over_budget, price_change, possibly_cancelled, charge_due, unusual_purchase, "
            "unusual_category or possibly_charged_twice; more may come."
        )
    )
    text: str
    facts: list[FactView]
    chart: ChartView | None


@router.get("/insights", summary="List current insights")
async def list_insights(caller: CallerDep) -> Page[InsightView]:
    """What holds today: budgets that will not, what is safe to spend, what is unusual, changes of recurring charges."""
    services = caller.services
    async with caller.report() as tx:
        own = await preferences.get(tx)
    ctx = ToolContext(
        db=services.db.reports,
        user=caller.user,
        today=today(services.clock, own.time_zone),
        preferences=own,
        clock=services.clock,
    )
    found = await insights.current(ctx)
    return Page(items=[_view(insight) for insight in found], next=None)


def _view(insight: insights.Insight) -> InsightView:
    return InsightView(
        kind=insight.kind,
        text=insight.text,
        facts=[FactView(**fact.json(f"f{at}")) for at, fact in enumerate(insight.facts, start=1)],
        chart=ChartView(**insight.chart.json()) if insight.chart else None,
    )
