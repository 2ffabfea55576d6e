"""get_spending against the household's own truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.money import Money
from ledger.household import Household, SampleTxn
from tools import catalog
from tools.result import ToolResult
from tools.tool import ToolContext

Call = Callable[..., Awaitable[ToolResult]]


def spent(home: Household, start: str, end: str, category: str | None = None, currency: str = "USD") -> list[SampleTxn]:
    """The household's transactions in spending categories in these days, by plain Python."""
    kinds = {c.name: c.kind for c in home.categories}
    return [
        txn
        for txn in home.transactions
        if date.fromisoformat(start) <= txn.day <= date.fromisoformat(end)
        and (txn.category == category if category else kinds[txn.category] == "spending")
        and txn.amount.currency == currency
    ]


def dollars(txns: list[SampleTxn]) -> str:
    return Money(-sum(txn.amount.minor for txn in txns), "USD").format()


async def test_groceries_last_month_is_what_was_spent(call: Call, home: Household) -> None:
    """The answer has the exact sum, the number of transactions and the distance to the budget."""
    result = await call("get_spending", by="category", period="last month", category="grocery")
    txns = spent(home, "2026-10-01", "2026-10-31", "Groceries")
    total = -sum(txn.amount.minor for txn in txns)
    over = Money(total - 820_00, "USD").format()
    assert result.summary == (
        f"You spent {dollars(txns)} on Groceries in October 2026 ({len(txns)} transactions), "
        f"{over} over your $820.00 budget."
    )
    facts = {fact.label: fact.value for fact in result.facts}
    assert facts["spent on Groceries, October 2026"] == Money(total, "USD")
    assert facts["transactions on Groceries, October 2026"] == len(txns)
    assert facts["over the budget on Groceries, October 2026"] == Money(total - 820_00, "USD")
    assert facts["used of the budget on Groceries, October 2026"] == round(Decimal(total) / 820, 1)


async def test_the_month_that_runs_says_so_far(call: Call, home: Household) -> None:
    """Without a period it is this month, and the answer says that it is not over."""
    result = await call("get_spending", by="category", category="Dining")
    txns = spent(home, "2026-11-01", "2026-11-30", "Dining")
    left = Money(380_00 + sum(txn.amount.minor for txn in txns), "USD").format()
    assert f"You spent {dollars(txns)} on Dining in November 2026 so far" in result.summary
    assert f"which leaves {left} of your $380.00 budget" in result.summary


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("Q3", "2026-07-01", "2026-09-30"),
        ("last 30 days", "2026-10-24", "2026-11-22"),
        ("oct 5 - oct 12", "2026-10-05", "2026-10-12"),
        ("this year", "2026-01-01", "2026-12-31"),
    ],
)
async def test_categories_add_up_to_the_total(call: Call, home: Household, period: str, start: str, end: str) -> None:
    """The rows of the user's currency are the sums by category, and together the total in the summary."""
    result = await call("get_spending", by="category", period=period)
    expected: Counter[str] = Counter()
    for txn in spent(home, start, end):
        expected[txn.category] -= txn.amount.minor
    found = {row["label"]: Decimal(row["amount"]) for row in result.rows if row["currency"] == "USD"}
    assert found == {name: Decimal(minor) / 100 for name, minor in expected.items()}
    assert f"You spent {dollars(spent(home, start, end))}" in result.summary


async def test_other_currencies_stand_apart(call: Call, home: Household) -> None:
    """Euros of the trip are named beside the dollars and in no sum with them."""
    result = await call("get_spending", by="category", period="march 2026")
    euros = Money(-sum(t.amount.minor for t in spent(home, "2026-03-01", "2026-03-31", currency="EUR")), "EUR")
    assert euros.minor > 0
    assert f"Not counted in that, in other currencies: {euros.format()}." in result.summary
    assert f"You spent {dollars(spent(home, '2026-03-01', '2026-03-31'))}" in result.summary
    assert euros in [fact.value for fact in result.facts]


@pytest.mark.parametrize("by", ["merchant", "month", "weekday", "account"])
async def test_one_category_by_anything_adds_up(call: Call, home: Household, by: str) -> None:
    """However it is broken down, the lines of a category add up to what was spent in it."""
    result = await call("get_spending", by=by, period="Q3", category="Groceries")
    total = -sum(txn.amount.minor for txn in spent(home, "2026-07-01", "2026-09-30", "Groceries"))
    assert sum(Decimal(row["amount"]) for row in result.rows) == Decimal(total) / 100
    assert result.chart is None or sum(y for _, y in result.chart.series[0].points) == Decimal(total) / 100


async def test_a_full_month_averages_only_full_months(call: Call, home: Household) -> None:
    """The average by month leaves out the month that runs and months before the records begin."""
    result = await call("get_spending", by="month", period="all time")
    months = Counter(txn.day.replace(day=1) for txn in spent(home, "1900-01-01", "2026-10-31"))
    total = -sum(txn.amount.minor for txn in spent(home, "1900-01-01", "2026-10-31"))
    average = Money(total, "USD").split(Decimal(1) / len(months))
    assert f"A full month averages {average.format()}." in result.summary
    assert len(result.rows) <= 50


async def test_income_is_received(call: Call, home: Household) -> None:
    """An income category is what came in, said so."""
    result = await call("get_spending", by="merchant", period="last month", category="salary")
    came = sum(t.amount.minor for t in spent(home, "2026-10-01", "2026-10-31", "Income"))
    assert result.summary.startswith(f"You received {Money(came, 'USD').format()} as Income in October 2026")


async def test_transfers_are_not_spending(call: Call) -> None:
    """Moves between own accounts are refused as spending."""
    result = await call("get_spending", by="category", category="Transfers")
    assert not result.ok
    assert "not spending" in result.summary


@pytest.mark.parametrize("known", ["2025-05-01", "2026-10-15"])
async def test_what_was_known_of_the_records_beginning_hides_no_transaction(
    resident: ToolContext, home: Household, known: str
) -> None:
    """Older transactions may have come since somebody looked: the sum is whole, whatever was known."""
    context = replace(resident, records_begin=date.fromisoformat(known))
    result = await catalog.call(
        context, "get_spending", {"by": "category", "category": "Groceries", "period": "2026-10"}
    )
    txns = spent(home, "2026-10-01", "2026-10-31", "Groceries")
    assert result.summary.startswith(
        f"You spent {dollars(txns)} on Groceries in October 2026 ({len(txns)} transactions)"
    )
    assert "begin" not in result.summary


async def test_before_the_records_begin_is_not_nothing_spent(call: Call, home: Household) -> None:
    """A period that reaches back further than the records says where they begin."""
    result = await call("get_spending", by="category", period="2024")
    assert min(txn.day for txn in home.transactions) == date(2025, 5, 1)
    assert result.summary == "You spent nothing in 2024. Your records begin on May 1, 2025."


async def test_a_long_table_says_what_it_leaves_out(call: Call, home: Household) -> None:
    """Ten lines are shown, and how many more there are and what they come to."""
    result = await call("get_spending", by="merchant", period="last month")
    sums: Counter[str] = Counter()
    for txn in spent(home, "2026-10-01", "2026-10-31"):
        sums[txn.merchant] -= txn.amount.minor
    rest = sorted(sums.values(), reverse=True)[10:]
    left_out = Money(sum(rest), "USD").format()
    assert f"Not shown: {len(rest)} other merchants, {left_out}." in result.summary
    assert result.summary.count("\n| ") == 12


async def test_nobody_elses_money_is_seen(newcomer: ToolContext, resident: ToolContext) -> None:
    """A user without transactions has spent nothing, whatever others did."""
    result = await catalog.call(newcomer, "get_spending", {"by": "category", "period": "all time"})
    assert resident.user != newcomer.user
    assert result.summary == "You spent nothing over all time."
