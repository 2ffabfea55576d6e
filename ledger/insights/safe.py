"""What may be spent a day without breaking budgets or bills, with every term of the sum.

Two limits hold at once. Budgets: what is left of them with what they carried in, less the bills that are still to come
out of them, spread over the days left. Money: what is in checking and cash accounts, less what is owed on cards and the
bills due until the next income, spread over the days until then. The lower one is what is safe. Savings are not for
spending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from domain.money import Money
from domain.periods import DateRange, Month
from ledger.accounts import Account
from ledger.budgets import BudgetStatus
from ledger.insights.history import History
from ledger.insights.patterns import due
from ledger.recurring import Recurring

SPENDABLE: Final = ("checking", "cash")
OWED: Final = ("credit",)
MOST_DAYS: Final = 62


@dataclass(frozen=True, slots=True)
class Bill:
    """A recurring charge that is due, at its usual amount."""

    merchant: str
    day: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Limit:
    """One side of the sum: `have` less `owed` less the `bills` is `free` (negative when it does not suffice), spread
    over `days`: `a_day`, rounded down, never negative. `carried` is what of `have` came along from earlier months."""

    have: Money
    owed: Money
    bills: tuple[Bill, ...]
    days: DateRange
    carried: Money | None = None

    @property
    def bills_total(self) -> Money:
        return Money(sum(bill.amount.minor for bill in self.bills), self.have.currency)

    @property
    def free(self) -> Money:
        return self.have - self.owed - self.bills_total

    @property
    def a_day(self) -> Money:
        share = (Decimal(max(0, self.free.minor)) / len(self.days)).to_integral_value(ROUND_DOWN)
        return Money(int(share), self.have.currency)


@dataclass(frozen=True, slots=True)
class Payday:
    """The next expected income."""

    day: date
    source: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Safe:
    """`today` may be spent each day of `days`, `in_all` over all of them. `budgets` is None without any budget;
    `money` is None without an account to spend from. `by` is the limit that decides, None when there is neither."""

    days: DateRange
    payday: Payday | None
    budgets: Limit | None
    money: Limit | None

    @property
    def by(self) -> Limit | None:
        limits = [limit for limit in (self.budgets, self.money) if limit]
        return min(limits, key=lambda limit: limit.a_day.minor) if limits else None

    @property
    def today(self) -> Money | None:
        return self.by.a_day if self.by else None

    @property
    def in_all(self) -> Money | None:
        return Money(self.today.minor * len(self.days), self.today.currency) if self.today else None


def next_income(incomes: Sequence[Recurring], today: date, currency: str) -> Payday | None:
    """The first running income expected after today, in the base currency; interest and the like, under a tenth of the
    largest one, is no payday."""
    running = [i for i in incomes if i.pattern.next and i.pattern.typical.currency == currency]
    largest = max((i.pattern.typical.minor for i in running), default=0)
    coming = [
        Payday(day, income.merchant, income.pattern.typical)
        for income in running
        if income.pattern.typical.minor * 10 >= largest
        for day in due(income.pattern, today, today + timedelta(days=MOST_DAYS))
    ]
    return min(coming, key=lambda payday: (payday.day, -payday.amount.minor), default=None)


def safe_to_spend(
    history: History,
    accounts: Sequence[Account],
    status: BudgetStatus,
    payday: Payday | None,
    until: date | None = None,
) -> Safe:
    """What may be spent a day, from `history.today` until `until`, or the day before the next income, or the month's
    end, whichever comes first. `status` is the present month; days after it go by its daily rate."""
    today, currency = history.today, history.currency
    last = Month.of(today).last
    before_payday = max(today, payday.day - timedelta(days=1)) if payday else last
    days = DateRange(today, until or min(last, before_payday))
    month = DateRange(today, last)
    return Safe(days, payday, _budgets(history, status, month), _money(history, accounts, days, currency))


def _budgets(history: History, status: BudgetStatus, month: DateRange) -> Limit | None:
    """The budgets of the base currency, with what they carried in: what is over in one is missing in the others."""
    lines = [line for line in status.lines if line.left is not None and line.left.currency == history.currency]
    if not lines:
        return None
    left = sum((line.available for line in lines if line.available is not None), history.money(0))
    carried = sum((line.carried for line in lines if line.carried is not None), history.money(0))
    budgeted = {line.category_id for line in lines}
    bills = [bill for category, bill in _due(history, month.end) if category in budgeted]
    return Limit(left, history.money(0), tuple(bills), month, carried)


def _money(history: History, accounts: Sequence[Account], days: DateRange, currency: str) -> Limit | None:
    own = [account for account in accounts if account.currency == currency]
    if not any(account.kind in SPENDABLE for account in own):
        return None
    have = sum((a.balance for a in own if a.kind in SPENDABLE), history.money(0))
    owed = sum((-a.balance for a in own if a.kind in OWED and a.balance.minor < 0), history.money(0))
    return Limit(have, owed, tuple(bill for _, bill in _due(history, days.end)), days)


def _due(history: History, until: date) -> list[tuple[object, Bill]]:
    found = [
        (charge.category_id, Bill(charge.merchant, day, charge.pattern.typical))
        for charge in history.charges
        for day in due(charge.pattern, history.today, until)
    ]
    return sorted(found, key=lambda pair: (pair[1].day, pair[1].merchant))
