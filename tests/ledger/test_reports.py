"""What SQL adds up is what plain Python adds up over the generated household."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from db.engine import Database
from domain.money import Money
from domain.periods import DateRange, Month
from ledger import accounts, reports
from ledger.categories import UNCATEGORIZED
from ledger.changes import apply, editing
from ledger.filters import TxnFilter
from ledger.household import Household, SampleTxn
from ledger.reports import By

WHOLE = DateRange(date(2025, 5, 1), date(2026, 11, 22))


def spent(home: Household, days: DateRange) -> list[SampleTxn]:
    """The generated spending in the period, refunds among it."""
    kinds = {category.name: category.kind for category in home.categories}
    return [txn for txn in home.transactions if txn.day in days and kinds[txn.category] == "spending"]


def sums(txns: Iterable[SampleTxn], label: Callable[[SampleTxn], str]) -> dict[tuple[str, str], int]:
    """Spent minor units by label and currency."""
    found: Counter[tuple[str, str]] = Counter()
    for txn in txns:
        found[label(txn), txn.amount.currency] -= txn.amount.minor
    return dict(found)


LABELS: dict[By, Callable[[SampleTxn], str]] = {
    "category": lambda txn: txn.category,
    "merchant": lambda txn: txn.merchant,
    "month": lambda txn: str(Month.of(txn.day)),
    "weekday": lambda txn: txn.day.strftime("%A"),
    "account": lambda txn: txn.account,
}


async def test_every_month_and_category_equals_the_truth(database: Database, resident: UUID, home: Household) -> None:
    """Spending by category is exact in each of the 19 months, and so are its totals per currency."""
    async with database.read(resident) as tx:
        for number in range(19):
            days = home.first_month.plus(number).days
            report = await reports.spending(tx, days, "category", "USD")
            truth = sums(spent(home, days), LABELS["category"])
            assert {(line.label, line.amount.currency): line.amount.minor for line in report.lines} == truth
            assert report.count == len(spent(home, days))
            by_currency = sums(spent(home, days), lambda _: "all")
            assert {("all", m.currency): m.minor for m in report.totals} == {("all", "USD"): 0} | by_currency


@pytest.mark.parametrize("by", LABELS)
async def test_every_grouping_equals_the_truth(database: Database, resident: UUID, home: Household, by: By) -> None:
    """Over the whole time, each way of grouping adds up to the minor unit, and its lines make its totals."""
    async with database.read(resident) as tx:
        report = await reports.spending(tx, WHOLE, by, "USD")
    truth = sums(spent(home, WHOLE), LABELS[by])
    assert {(line.label, line.amount.currency): line.amount.minor for line in report.lines} == truth
    for total in report.totals:
        assert total.minor == sum(m for (_, currency), m in truth.items() if currency == total.currency)


async def test_unlike_currencies_are_never_added(database: Database, resident: UUID, home: Household) -> None:
    """The month abroad has dollar lines and euro lines of the same category, and two totals, the base first."""
    abroad = next(txn.day for txn in home.transactions if txn.merchant == "Cervejaria Ramiro")
    async with database.read(resident) as tx:
        dollars = await reports.spending(tx, Month.of(abroad).days, "category", "USD")
        euros = await reports.spending(tx, Month.of(abroad).days, "category", "EUR")
        yen = await reports.spending(tx, Month.of(abroad).days, "category", "JPY")
    assert {line.amount.currency for line in dollars.lines if line.label == "Dining"} == {"USD", "EUR"}
    assert [total.currency for total in dollars.totals] == ["USD", "EUR"]
    assert [total.currency for total in euros.totals] == ["EUR", "USD"]
    assert euros.total == dollars.totals[1]
    assert yen.total == Money(0, "JPY")


async def test_a_refund_takes_away_from_spending(database: Database, resident: UUID, home: Household) -> None:
    """The refunded Amazon order counts for nothing in its month."""
    refund = next(t for t in home.transactions if t.merchant == "Amazon" and t.amount.minor > 0)
    days = Month.of(refund.day).days
    kept = [t for t in spent(home, days) if t.merchant == "Amazon" and "4471920" not in t.memo]
    async with database.read(resident) as tx:
        report = await reports.spending(tx, days, "merchant", "USD", TxnFilter(merchant_is="amazon"))
    assert report.total == Money(-sum(t.amount.minor for t in kept), "USD")


async def test_transfers_are_neither_spending_nor_income(database: Database, resident: UUID, home: Household) -> None:
    """No transfer shows in either, although most money moves that way."""
    async with database.read(resident) as tx:
        out = await reports.spending(tx, WHOLE, "category", "USD")
        into = await reports.spending(tx, WHOLE, "merchant", "USD", flow="income")
    assert "Transfers" not in {line.label for line in out.lines}
    truth = sums((t for t in home.transactions if t.category == "Income"), LABELS["merchant"])
    assert {(line.label, line.amount.currency): -line.amount.minor for line in into.lines} == truth


async def test_months_and_weekdays_come_in_order_with_empty_ones(database: Database, resident: UUID) -> None:
    """A rare category still has a line for every month and weekday."""
    travel = TxnFilter(merchant="tap air")
    async with database.read(resident) as tx:
        months = await reports.spending(tx, WHOLE, "month", "USD", travel)
        weekdays = await reports.spending(tx, WHOLE, "weekday", "USD", travel)
    assert [line.label for line in months.lines] == [str(Month(2025, 5).plus(n)) for n in range(19)]
    assert [line.label for line in weekdays.lines] == list(reports.WEEKDAYS)
    assert sum(line.count for line in months.lines) == 1


async def test_a_period_without_spending_has_a_zero_total(database: Database, resident: UUID) -> None:
    """Nothing spent is zero in the base currency, not nothing at all."""
    async with database.read(resident) as tx:
        report = await reports.spending(tx, Month(2001, 1).days, "category", "USD")
    assert (report.lines, report.totals, report.count) == ((), (Money(0, "USD"),), 0)


async def test_two_periods_side_by_side(database: Database, resident: UUID, home: Household) -> None:
    """Every category's amounts in both months are the truth's, and the change is their difference."""
    a, b = Month(2026, 9).days, Month(2026, 10).days
    async with database.read(resident) as tx:
        compared = await reports.compare(tx, a, b, "USD")
    truth: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for at, days in enumerate((a, b)):
        for (label, _), minor in sums(spent(home, days), LABELS["category"]).items():
            truth[label][at] = minor
    assert {line.label: [line.a.minor, line.b.minor] for line in compared.lines} == truth
    (total,) = compared.totals
    assert total.change.minor == sum(y - x for x, y in truth.values())
    sizes = [abs(line.change.minor) for line in compared.lines]
    assert sizes == sorted(sizes, reverse=True)


async def test_overlapping_periods_count_shared_days_in_both(database: Database, resident: UUID) -> None:
    """A month compared with itself shows no change."""
    days = Month(2026, 10).days
    async with database.read(resident) as tx:
        compared = await reports.compare(tx, days, days, "USD")
    assert compared.totals[0].a == compared.totals[0].b
    assert compared.totals[0].percent == Decimal("0.0")


def test_percent_is_none_without_a_base() -> None:
    """From nothing, no percentage can be told; otherwise it is rounded half to even to a tenth."""
    assert reports.Compared("x", Money(0, "USD"), Money(5, "USD")).percent is None
    assert reports.Compared("x", Money(300, "USD"), Money(400, "USD")).percent == Decimal("33.3")


async def test_uncategorized_money_out_is_spending_and_in_is_income(
    database: Database, owner: UUID, home: Household
) -> None:
    """What has no category yet is not lost: its sign decides."""
    out = next(t for t in home.transactions if t.merchant == "Bayview Dental")
    into = next(t for t in home.transactions if t.merchant == "Brightwater Hospital")
    async with database.transaction(owner) as tx:
        for txn in (out, into):
            await apply(tx, [await editing(tx, "txn", {"id": str(txn.id)}, category_id=None)])
        spending = await reports.spending(tx, Month.of(out.day).days, "category", "USD")
        income = await reports.spending(tx, Month.of(into.day).days, "category", "USD", flow="income")
    assert {line.label: line.amount for line in spending.lines}[UNCATEGORIZED] == -out.amount
    assert {line.label: line.amount for line in income.lines}[UNCATEGORIZED] == into.amount


async def test_balances_are_opening_and_transactions(database: Database, resident: UUID, home: Household) -> None:
    """Each account's balance is its opening amount and all its transactions, in its own currency."""
    async with database.read(resident) as tx:
        stored = {account.name: account for account in await accounts.list_(tx)}
    for account in home.accounts:
        own = [txn.amount for txn in home.transactions if txn.account == account.name]
        assert stored[account.name].balance == sum(own, account.opening)
        assert stored[account.name].transactions == len(own)
