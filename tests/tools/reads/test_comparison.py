"""compare_periods against the household's own truth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from domain.money import Money
from ledger.household import Household
from tools.result import ToolResult

Call = Callable[..., Awaitable[ToolResult]]


def spent(home: Household, start: date, end: date, category: str | None = None) -> Money:
    """What was spent in these days in dollars, by plain Python."""
    kinds = {c.name: c.kind for c in home.categories}
    chosen = (
        t.amount.minor
        for t in home.transactions
        if start <= t.day <= end
        and t.amount.currency == "USD"
        and (t.category == category if category else kinds[t.category] == "spending")
    )
    return Money(-sum(chosen), "USD")


@pytest.mark.parametrize(("a", "b"), [("August", "September"), ("September", "August")])
async def test_the_change_runs_from_the_earlier_period_to_the_later(
    call: Call, home: Household, a: str, b: str
) -> None:
    """Whichever is said first, the answer is the change in time's order, exact, with its percentage."""
    result = await call("compare_periods", period_a=a, period_b=b)
    august = spent(home, date(2026, 8, 1), date(2026, 8, 31))
    september = spent(home, date(2026, 9, 1), date(2026, 9, 30))
    change = september - august
    share = (Decimal(change.minor) * 100 / august.minor).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    assert change.minor > 0
    assert result.summary.startswith(
        f"You spent {august.format()} in August 2026 and {september.format()} in September 2026: "
        f"{change.format()} more ({share}%) in the later period."
    )
    assert {august, september, change, share} <= {fact.value for fact in result.facts}


async def test_a_month_that_runs_is_also_compared_by_the_same_days(call: Call, home: Household) -> None:
    """Twenty-two days are not compared with thirty-one without saying what the first twenty-two were."""
    result = await call("compare_periods", period_a="this month", period_b="last month")
    same = spent(home, date(2026, 10, 1), date(2026, 10, 22))
    assert f"In the same days of the earlier month (Oct 1 – 22, 2026) it was {same.format()}" in result.summary
    assert "November 2026 so far" in result.summary


async def test_one_category_is_compared_alone(call: Call, home: Household) -> None:
    """With a category, only it counts, and no table of others is shown."""
    result = await call("compare_periods", period_a="October", period_b="September", category="dining")
    october = spent(home, date(2026, 10, 1), date(2026, 10, 31), "Dining")
    assert f"on Dining in September 2026 and {october.format()} in October 2026" in result.summary
    assert "|" not in result.summary


async def test_income_is_not_compared_as_spending(call: Call) -> None:
    """A category that is no spending is refused with where its figures are."""
    result = await call("compare_periods", period_a="October", period_b="September", category="Income")
    assert not result.ok
    assert "get_spending" in result.summary


async def test_the_same_period_twice_is_the_same(call: Call) -> None:
    """No change is said as such."""
    result = await call("compare_periods", period_a="last month", period_b="October 2026")
    assert result.summary.endswith("in October 2026: the same.")
