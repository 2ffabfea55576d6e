"""get_budget_status against the household's own truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal

from domain.money import Money
from domain.periods import Month
from ledger.household import Household
from tools import catalog
from tools.result import ToolResult
from tools.tool import ToolContext

Call = Callable[..., Awaitable[ToolResult]]


def month_of(home: Household, month: Month) -> tuple[Counter[str], dict[str, int]]:
    """Spent and budgeted in cents by category, by plain Python."""
    spent: Counter[str] = Counter()
    for txn in home.transactions:
        if txn.day in month.days and txn.amount.currency == "USD":
            spent[txn.category] -= txn.amount.minor
    return spent, {b.category: b.amount.minor for b in home.budgets if b.month == month}


async def test_every_line_is_spent_budget_and_left(call: Call, home: Household) -> None:
    """The rows are the month's sums against its budgets, to the cent."""
    result = await call("get_budget_status", month="September")
    spent, budgets = month_of(home, Month(2026, 9))
    rows = {row["category"]: (row["spent"], row["budget"], row["left"]) for row in result.rows}
    cents = {name: (spent[name], budget, budget - spent[name]) for name, budget in budgets.items()}
    assert {name: tuple(Decimal(v) * 100 for v in row) for name, row in rows.items()} == cents


async def test_who_is_over_is_named_with_how_much(call: Call, home: Household) -> None:
    """Each category over its budget is named with the amount, and nobody else."""
    result = await call("get_budget_status", month="september")
    spent, budgets = month_of(home, Month(2026, 9))
    over = {name: spent[name] - budget for name, budget in budgets.items() if spent[name] > budget}
    head = result.summary.partition("\n\n")[0]
    assert over
    for name, minor in over.items():
        assert f"{name} by {Money(minor, 'USD').format()}" in head
    assert head.count(" by $") == len(over)
    total = Money(sum(spent[name] for name in budgets), "USD").format()
    assert f"In September 2026 you spent {total} of the {Money(sum(budgets.values()), 'USD').format()}" in head


async def test_this_month_is_so_far(call: Call) -> None:
    """The month that runs says so and which day of it it is."""
    result = await call("get_budget_status")
    assert result.summary.startswith("In November 2026 so far you spent ")
    assert "It is day 22 of 30." in result.summary


async def test_december_is_the_coming_one(call: Call) -> None:
    """A month ahead shows its budgets and that nothing is spent."""
    result = await call("get_budget_status", month="December", category="dining")
    assert result.summary == "Your Dining budget for December 2026 is $380.00; nothing is spent of it yet."


async def test_one_category_is_one_sentence(call: Call, home: Household) -> None:
    """The answer for a category has spent, budget, share and what is left."""
    result = await call("get_budget_status", month="last month", category="eating out")
    spent, budgets = month_of(home, Month(2026, 10))
    share = round(Decimal(spent["Dining"]) * 100 / budgets["Dining"], 1)
    total, left = (Money(m, "USD").format() for m in (spent["Dining"], budgets["Dining"] - spent["Dining"]))
    assert result.summary == f"You spent {total} of your $380.00 Dining budget ({share}%) in October 2026: {left} left."
    assert {"spent on Dining in October 2026", "left of the Dining budget in October 2026"} <= {
        f.label for f in result.facts
    }


async def test_food_asks_which(call: Call) -> None:
    """A word for two categories is asked back, and is no answer."""
    result = await call("get_budget_status", category="food")
    assert not result.ok
    assert result.summary == "Which category: Dining or Groceries?"


async def test_income_has_no_budget(call: Call) -> None:
    """Only spending categories have budgets."""
    assert (await call("get_budget_status", category="Income")).summary.startswith("Income has no budget")


async def test_without_budgets_it_says_so(newcomer: ToolContext) -> None:
    """A new user has no budgets."""
    result = await catalog.call(newcomer, "get_budget_status", {})
    assert result.summary == "You have no budgets for November 2026 so far. You spent $0.00."
