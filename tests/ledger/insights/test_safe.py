"""What is safe to spend, and shares that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.periods import DateRange, Month
from ledger.accounts import Account, Kind
from ledger.budgets import BudgetLine, BudgetStatus
from ledger.insights.history import Entry, History
from ledger.insights.safe import Payday, Safe, safe_to_spend
from ledger.insights.shares import shares

FUN, HOME = uuid4(), uuid4()
TODAY = date(2026, 11, 21)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def account(kind: Kind, minor: int, currency: str = "USD") -> Account:
    money = Money(minor, currency)
    return Account(uuid4(), kind, kind, currency, money, money, 0, 1)


def line(category: UUID, left: int) -> BudgetLine:
    budget = usd(500_00)
    return BudgetLine(category, "x", "", budget, Month.of(TODAY), budget - usd(left), usd(left), ())


def known() -> History:
    """Rent of 100.00 on the 25th of each month."""
    days = [Month(2026, 5).plus(n).first.replace(day=25) for n in range(6)]
    rent = tuple(Entry(no, day, 100_00, "Rent", HOME, "Home") for no, day in enumerate(days, start=1))
    return History(TODAY, "USD", days[0], rent, names={HOME: "Home"})


def compute(
    *accounts: Account, lines: tuple[BudgetLine, ...] = (), payday: Payday | None = None, until: date | None = None
) -> Safe:
    status = BudgetStatus(Month.of(TODAY), lines, ())
    return safe_to_spend(known(), accounts, status, payday, until)


def test_the_lower_limit_decides() -> None:
    """Budgets leave 200.00 less the rent of 100.00 over ten days; the accounts would leave more."""
    safe = compute(account("checking", 2_000_00), lines=(line(FUN, 50_00), line(HOME, 150_00)))
    assert safe.budgets is not None
    assert safe.money is not None
    assert (safe.budgets.free, safe.money.free) == (usd(100_00), usd(1_900_00))
    assert safe.by is safe.budgets
    assert (safe.today, safe.in_all, len(safe.days)) == (usd(10_00), usd(100_00), 10)


def test_an_overspent_budget_takes_from_the_others() -> None:
    """A hundred over in one leaves nothing of fifty left in the other."""
    safe = compute(account("checking", 9_000_00), lines=(line(FUN, -100_00), line(uuid4(), 50_00)))
    assert safe.today == usd(0)


def test_what_was_carried_counts() -> None:
    """Twenty left over from earlier months are to spend too; thirty overspent before are not there any more."""
    more = replace(line(FUN, 50_00), carried=usd(20_00))
    safe = compute(account("checking", 9_000_00), lines=(more,))
    assert safe.budgets is not None
    assert (safe.budgets.free, safe.budgets.carried, safe.in_all) == (usd(70_00), usd(20_00), usd(70_00))
    assert compute(account("checking", 9_000_00), lines=(replace(more, carried=usd(-30_00)),)).in_all == usd(20_00)


def test_cards_are_owed_savings_and_other_currencies_are_not_for_spending() -> None:
    """Only checking and cash in the base currency, less cards."""
    own = [account("checking", 500_00), account("cash", 30_00), account("credit", -130_00)]
    safe = compute(*own, account("savings", 10_000_00), account("cash", 99_00, "EUR"))
    assert safe.money is not None
    assert (safe.money.have, safe.money.owed, safe.money.free) == (usd(530_00), usd(130_00), usd(300_00))
    assert safe.budgets is None


def test_it_lasts_until_the_day_before_the_next_income() -> None:
    """Bills after that day come out of the next income; without an income it is the month's end."""
    payday = Payday(TODAY + timedelta(days=3), "Employer", usd(2_000_00))
    safe = compute(account("checking", 300_00), payday=payday)
    assert safe.days == DateRange(TODAY, TODAY + timedelta(days=2))
    assert (safe.today, safe.in_all) == (usd(100_00), usd(300_00))
    assert compute(account("checking", 300_00)).days.end == date(2026, 11, 30)
    assert compute(account("checking", 300_00), until=TODAY).today == usd(300_00)


def test_without_budgets_and_accounts_nothing_is_claimed() -> None:
    """No figure rather than a guess."""
    assert compute(account("savings", 5_00)).today is None


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=40))
def test_shares_add_up_to_exactly_a_hundred(parts: list[int]) -> None:
    """Whatever the parts and their signs; each is within a tenth of its exact share. Of nothing there are none."""
    found = shares(parts)
    total = sum(parts)
    if total == 0:
        assert found is None
        return
    assert found is not None
    assert sum(found) == 100
    assert all(
        abs(share - Decimal(part) * 100 / total) <= Decimal("0.1") for share, part in zip(found, parts, strict=True)
    )
