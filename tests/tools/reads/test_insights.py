"""Forecast, anomalies, safe to spend, what-if and current insights for the sample household."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.clock import FixedClock
from domain.money import Money
from domain.periods import Month
from ledger import envelopes, household
from ledger.household import Household
from tools import catalog, insights
from tools.reads.limits import limits
from tools.result import Fact, ToolResult
from tools.tool import ToolContext

Call = Callable[..., Awaitable[ToolResult]]

CALLS = [
    ("get_forecast", {}),
    ("get_forecast", {"category": "groceries"}),
    ("get_forecast", {"month": "december"}),
    ("find_anomalies", {"period": "last 6 months"}),
    ("get_safe_to_spend", {}),
    ("get_safe_to_spend", {"date": "nov 30"}),
    ("get_safe_to_spend", {"date": "friday"}),
    ("simulate_what_if", {"change": "purchase", "amount": 800, "category": "travel"}),
    ("simulate_what_if", {"change": "income", "amount": 300, "date": "december"}),
    ("simulate_what_if", {"change": "recurring", "amount": -17.99, "category": "subscriptions", "date": "december"}),
    ("simulate_what_if", {"change": "budget_shift", "amount": 50, "category": "dining", "to_category": "groceries"}),
    ("find_recurring", {}),
    ("compare_periods", {"period_a": "september", "period_b": "october"}),
    ("get_spending", {"by": "weekday", "period": "last 90 days"}),
    ("get_spending", {"by": "month", "period": "last 9 months"}),
]


def amounts(facts: tuple[Fact, ...]) -> set[str]:
    return {abs(fact.value).format() for fact in facts if isinstance(fact.value, Money)}


@pytest.mark.parametrize(("tool", "args"), CALLS, ids=lambda value: str(value))
async def test_every_amount_of_an_answers_sentences_is_a_fact(call: Call, tool: str, args: dict[str, object]) -> None:
    """No figure of money in the words before a table lacks its fact."""
    result = await call(tool, **args)
    assert result.ok, result.summary
    said = set(re.findall(r"\$[\d,]+\.\d\d", result.summary.partition("\n\n|")[0]))
    assert said
    assert said - amounts(result.facts) == set()


async def test_a_forecast_of_the_month_holds_what_is_spent(call: Call, home: Household) -> None:
    """What is spent so far is exact; lines add up; the chart runs to the month's last day."""
    result = await call("get_forecast")
    facts = {fact.label: fact.value for fact in result.facts}
    kinds = {c.name: c.kind for c in home.categories}
    spent = -sum(
        t.amount.minor
        for t in home.transactions
        if t.day >= date(2026, 11, 1) and t.amount.currency == "USD" and kinds[t.category] == "spending"
    )
    assert facts["spent so far in November 2026"] == Money(spent, "USD")
    expected = facts["expected spending in November 2026"]
    assert isinstance(expected, Money)
    assert sum(Decimal(str(row["expected"])) for row in result.rows) == expected.amount
    assert result.chart is not None
    assert result.chart.kind == "line"
    assert [series.points[-1][0] for series in result.chart.series] == ["2026-11-22", *["2026-11-30"] * 3]
    assert "Not counted: spending in EUR." in result.summary


@pytest.mark.parametrize(
    ("tool", "args", "words"),
    [
        ("get_forecast", {"month": "september"}, "is over"),
        ("get_forecast", {"category": "income"}, "not spending"),
        ("get_safe_to_spend", {"date": "2026-11-01"}, "not a day from today"),
        ("get_safe_to_spend", {"date": "2027-11-01"}, "not a day from today"),
        ("simulate_what_if", {"change": "purchase", "amount": -5}, "more than 0"),
        ("simulate_what_if", {"change": "purchase", "amount": 0}, "must not be 0"),
        ("simulate_what_if", {"change": "purchase", "amount": 5, "date": "yesterday"}, "is over"),
        ("simulate_what_if", {"change": "purchase", "amount": 5, "category": "income"}, "not a spending category"),
        ("simulate_what_if", {"change": "budget_shift", "amount": 5, "category": "dining"}, "needs category"),
        (
            "simulate_what_if",
            {"change": "budget_shift", "amount": 5000, "category": "dining", "to_category": "rent"},
            "more than that",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(
    call: Call, tool: str, args: dict[str, object], words: str
) -> None:
    """The answer says why, and nothing is computed."""
    result = await call(tool, **args)
    assert not result.ok
    assert words in result.summary


async def test_anomalies_say_why(call: Call) -> None:
    """The dentist's crown with its multiple; the two coffees as a suspicion."""
    result = await call("find_anomalies", period="last 6 months")
    assert "$1,240.00 at Bayview Dental on Sep 11, 2026" in result.summary
    assert re.search(r"[\d.]+ times what you usually spend at once on Health; usual \$", result.summary)
    assert "Possibly charged twice: $5.25 at Blue Bottle Coffee on Oct 9, 2026" in result.summary
    assert "it may also be 2 real purchases" in result.summary


async def test_safe_to_spend_shows_its_sum(call: Call) -> None:
    """Free is what is left less the bills, and a day's share of it is what is safe."""
    result = await call("get_safe_to_spend")
    facts = {fact.label: fact.value for fact in result.facts}
    free = facts["free of your November 2026 budgets, bills taken off"]
    left, bills = facts["left of your November 2026 budgets"], facts["bills due of your November 2026 budgets"]
    assert isinstance(left, Money)
    assert isinstance(bills, Money)
    assert left - bills == free
    assert "= Free" in result.summary
    assert "Savings are not counted." in result.summary


async def test_a_budget_shift_is_only_tried_out(call: Call, resident: ToolContext) -> None:
    """It makes no proposal, and says how to get one."""
    shift = {"change": "budget_shift", "amount": 50, "category": "dining", "to_category": "groceries"}
    result = await call("simulate_what_if", **shift)
    assert result.proposal is None
    assert "ask me to move it" in result.summary
    assert "Dining would go from $380.00 to $330.00" in result.summary
    tool = catalog.find("simulate_what_if")
    assert tool is not None
    assert not tool.writes


async def test_the_contributions_add_up(call: Call) -> None:
    """Shares of the difference sum to exactly 100, by category and by merchant, what is not listed included."""
    result = await call("compare_periods", period_a="september", period_b="october")
    own = [fact for fact in result.facts if fact.label.startswith("share of the difference: ")]
    shares = {"merchant": Decimal(0), "category": Decimal(0)}
    for fact in own:
        assert isinstance(fact.value, Decimal)
        shares["merchant" if fact.label.startswith("share of the difference: at ") else "category"] += fact.value
    assert shares == {"merchant": 100, "category": 100}
    assert "Most of the difference by category: Health" in result.summary


async def test_a_newcomer_gets_no_made_up_figures(newcomer: ToolContext) -> None:
    """Without records there is no forecast, no safe amount, no anomaly and no insight."""
    forecast = await catalog.call(newcomer, "get_forecast", {})
    assert not forecast.ok
    assert "0 days of records" in forecast.summary
    safe = await catalog.call(newcomer, "get_safe_to_spend", {})
    assert safe.summary.startswith("I cannot tell what is safe to spend")
    assert (await catalog.call(newcomer, "find_anomalies", {})).summary.startswith("Nothing unusual")
    assert await insights.current(newcomer) == ()


async def test_insights_hold_today(resident: ToolContext) -> None:
    """In October: the double coffee, what is safe, and every figure of money has its fact."""
    october = replace(resident, today=date(2026, 10, 10), clock=FixedClock(datetime(2026, 10, 10, 12, tzinfo=UTC)))
    found = await insights.current(october)
    kinds = {insight.kind for insight in found}
    assert {"safe_to_spend", "possibly_charged_twice", "charge_due", "unusual_purchase"} <= kinds
    for insight in found:
        assert set(re.findall(r"\$[\d,]+\.\d\d", insight.text)) <= amounts(insight.facts), insight.text


async def test_a_forecast_honours_what_an_envelope_carried(newcomer: ToolContext) -> None:
    """What is left is told of the budget and the money carried in; every figure of it is a fact."""
    async with newcomer.db.transaction(newcomer.user) as tx:
        await household.seed(tx, newcomer.today)
        await tx.pg.execute(
            """
            UPDATE category SET rollover = 'all', rollover_since = '2026-10-01' WHERE user_id = $1 AND name = 'Dining'
            """,
            newcomer.user,
        )
        dining = await tx.pg.fetchval("SELECT id FROM category WHERE user_id = $1 AND name = 'Dining'", newcomer.user)
        carried = (await envelopes.carried(tx, Month(2026, 11)))[dining]
        held = (await limits(tx, Month(2026, 11), newcomer.today, "USD"))[dining]
        coming = (await limits(tx, Month(2026, 12), newcomer.today, "USD"))[dining]
    assert carried.minor
    assert (held.carried, held.all, coming.carried.minor) == (carried, held.budget + carried, 0)
    for tool, args in (
        ("get_forecast", {"category": "dining"}),
        ("simulate_what_if", {"change": "purchase", "amount": 10, "category": "dining"}),
    ):
        result = await catalog.call(newcomer, tool, args)
        assert held.told(newcomer) in result.summary
        facts = {fact.value for fact in result.facts}
        assert {held.budget, abs(carried), held.all} <= facts
