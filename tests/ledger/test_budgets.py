"""A month against its budgets: effective amounts, what was spent of them, what is left."""

from __future__ import annotations

from uuid import UUID

from db.engine import Database
from domain.money import Money
from domain.periods import Month
from ledger import budgets
from ledger.budgets import BudgetLine
from ledger.changes import apply, inserted
from ledger.household import Household
from ledger.rows import new_key

OCTOBER = Month(2026, 10)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


async def line(database: Database, user: UUID, month: Month, category: str) -> BudgetLine:
    """The status line of one category."""
    async with database.read(user) as tx:
        status = await budgets.status(tx, month, "USD")
    return next(found for found in status.lines if found.category == category)


async def test_status_equals_the_truth_in_every_month(database: Database, resident: UUID, home: Household) -> None:
    """Budget, spent and left of every category and month are what the generated rows add up to."""
    async with database.read(resident) as tx:
        for number in range(19):
            month = home.first_month.plus(number)
            status = await budgets.status(tx, month, "USD")
            truth = {b.category: b.amount for b in home.budgets if b.month == month}
            assert {found.category: found.budget for found in status.lines} == truth
            for found in status.lines:
                own = [t.amount for t in home.transactions if t.day in month.days and t.category == found.category]
                spent = -sum(m.minor for m in own if m.currency == "USD")
                assert (found.spent, found.left) == (usd(spent), truth[found.category] - usd(spent))
                abroad = -sum(m.minor for m in own if m.currency == "EUR")
                assert [m.minor for m in found.elsewhere] == ([abroad] if abroad else [])
            total = status.totals[0]
            assert total.budget == sum(truth.values(), usd(0))
            assert total.spent == sum((found.spent for found in status.lines), usd(0))
            assert (total.left, total.unbudgeted) == (total.budget - total.spent, usd(0))


async def test_a_month_without_a_row_goes_by_the_latest_earlier_one(
    database: Database, resident: UUID, home: Household
) -> None:
    """Next year goes by this month's budgets; before the first month there are none."""
    later = await line(database, resident, Month(2027, 6), "Dining")
    assert (later.budget, later.since, later.spent, later.left) == (
        usd(380_00), Month.of(home.today), usd(0), usd(380_00)
    )  # fmt: skip
    earlier = await line(database, resident, home.first_month.plus(-1), "Dining")
    assert (earlier.budget, earlier.since, earlier.left) == (None, None, None)


async def test_setting_a_budget_holds_until_the_next_row(database: Database, owner: UUID, home: Household) -> None:
    """An amount for October replaces October's row and leaves November's as it is."""
    dining = next(c.id for c in home.categories if c.name == "Dining")
    async with database.transaction(owner) as tx:
        await apply(tx, [await budgets.setting(tx, OCTOBER, dining, usd(250_00))])
        held = {month: (await budgets.effective(tx, month))[dining].amount for month in (OCTOBER, OCTOBER.plus(1))}
    assert held == {OCTOBER: usd(250_00), OCTOBER.plus(1): usd(380_00)}


async def test_a_budget_for_one_month_leaves_the_following_ones(
    database: Database, owner: UUID, home: Household
) -> None:
    """Set once for this month, the next one goes back to what held before."""
    dining = next(c.id for c in home.categories if c.name == "Dining")
    now = Month.of(home.today)
    async with database.transaction(owner) as tx:
        changes = await budgets.setting_once(tx, now, dining, usd(250_00))
        await apply(tx, changes)
        held = [(await budgets.effective(tx, now.plus(n)))[dining].amount for n in range(3)]
    assert held == [usd(250_00), usd(380_00), usd(380_00)]


async def test_spending_without_a_budget_is_told_apart(database: Database, owner: UUID, home: Household) -> None:
    """A category without a budget has a line with what was spent; the total keeps it out of what is left."""
    key = new_key()
    dental = next(t for t in home.transactions if t.merchant == "Bayview Dental")
    month = Month.of(dental.day)
    async with database.transaction(owner) as tx:
        await apply(tx, [inserted("category", key, name="Teeth")])
        await tx.pg.execute("UPDATE txn SET category_id = $2::text::uuid WHERE id = $1", dental.id, str(key["id"]))
        status = await budgets.status(tx, month, "USD")
    teeth = next(found for found in status.lines if found.category == "Teeth")
    assert (teeth.budget, teeth.spent, teeth.left) == (None, usd(1_240_00), None)
    assert status.totals[0].unbudgeted == usd(1_240_00)
    budgeted = [found.spent for found in status.lines if found.budget]
    assert status.totals[0].spent == sum(budgeted, usd(0))


async def test_a_budget_of_nothing_is_a_budget(database: Database, owner: UUID, home: Household) -> None:
    """Zero is an amount like any other: all spending is over it."""
    dining = next(c.id for c in home.categories if c.name == "Dining")
    async with database.transaction(owner) as tx:
        await apply(tx, [await budgets.setting(tx, OCTOBER, dining, usd(0))])
    found = await line(database, owner, OCTOBER, "Dining")
    assert (found.budget, found.left) == (usd(0), -found.spent)
    assert found.spent.minor > 0
