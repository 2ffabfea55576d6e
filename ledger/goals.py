"""Goals: an amount to have by a day, what is saved of it, and whether that is on track.

What is saved is never stored. A goal linked to an account counts the account's balance, one linked to a category what
is available in its envelope; goals on the same place are filled one after the other, the earliest due first, so that
no money counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month
from ledger import accounts, budgets


@dataclass(frozen=True, slots=True)
class Goal:
    """`amount` is to be there on `due` (None: whenever). `start` was saved on `start_day`, when the goal was set."""

    id: UUID
    name: str
    amount: Money
    due: date | None
    account_id: UUID | None
    account: str | None
    category_id: UUID | None
    category: str | None
    start_day: date
    start: Money
    version: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How a goal stands. `saved` is None when the goal is linked to nothing. `monthly` is what each month up to the due
    one, this one included, has to bring (all that is missing when it is overdue), rounded up; None without a due day.
    `expected` is what an even pace would have saved by today; on track is to have at least that."""

    goal: Goal
    saved: Money | None
    missing: Money
    months: int | None
    monthly: Money | None
    expected: Money | None

    @property
    def done(self) -> bool:
        return self.missing.minor == 0

    @property
    def on_track(self) -> bool | None:
        """None when it cannot be told: no due day, or nothing is known of what is saved."""
        if self.saved is None or self.expected is None:
            return None
        return self.saved.minor >= self.expected.minor


async def list_(tx: Transaction) -> tuple[Goal, ...]:
    """Every goal, the earliest due first, those without a day last. One query."""
    rows = await tx.pg.fetch(
        """
        SELECT g.*, a.name AS account, c.name AS category
          FROM goal g
          LEFT JOIN account a ON a.user_id = $1 AND a.id = g.account_id
          LEFT JOIN category c ON c.user_id = $1 AND c.id = g.category_id
         WHERE g.user_id = $1 ORDER BY g.due NULLS LAST, g.id
        """,
        tx.user,
    )
    return tuple(
        Goal(
            id=row["id"],
            name=row["name"],
            amount=Money(row["amount_minor"], row["currency"]),
            due=row["due"],
            account_id=row["account_id"],
            account=row["account"],
            category_id=row["category_id"],
            category=row["category"],
            start_day=row["start_day"],
            start=Money(row["start_minor"], row["currency"]),
            version=row["version"],
        )
        for row in rows
    )


async def progress(tx: Transaction, today: date, base: str) -> tuple[Progress, ...]:
    """How every goal stands, in the order of `list_`. `base` is the user's currency."""
    found = await list_(tx)
    there: dict[UUID, Money | None] = dict(await places(tx, today, base)) if found else {}
    standing = []
    for goal in found:
        place = goal.account_id or goal.category_id
        saved: Money | None = None
        if place is not None:
            saved, there[place] = fill(there.get(place), goal.amount)
        standing.append(stand(goal, saved, today))
    return tuple(standing)


async def places(tx: Transaction, today: date, base: str) -> dict[UUID, Money]:
    """What each account, and each category's envelope this month, has in it."""
    status = await budgets.status(tx, Month.of(today), base)
    there = {line.category_id: line.available for line in status.lines if line.category_id and line.available}
    return {account.id: account.balance for account in await accounts.list_(tx)} | there


def fill(there: Money | None, amount: Money) -> tuple[Money, Money | None]:
    """What of the amount is there, and what then remains for other goals. Money of another currency is not."""
    if there is None or there.currency != amount.currency:
        return Money(0, amount.currency), there
    saved = Money(max(0, min(there.minor, amount.minor)), amount.currency)
    return saved, there - saved


def free(there: Money | None, others: Iterable[Goal], amount: Money) -> Money:
    """What of a new goal's amount its place has already, after the `others` there took theirs."""
    for goal in others:
        _, there = fill(there, goal.amount)
    return fill(there, amount)[0]


def stand(goal: Goal, saved: Money | None, today: date) -> Progress:
    """The figures of one goal of which `saved` is there."""
    missing = goal.amount - saved if saved is not None else goal.amount
    if goal.due is None:
        return Progress(goal, saved, missing, None, None, None)
    months = max(0, (goal.due.year - today.year) * 12 + goal.due.month - today.month + 1) if goal.due >= today else 0
    monthly = Money(-(-missing.minor // max(1, months)), goal.amount.currency)
    whole, gone = (goal.due - goal.start_day).days, (min(today, goal.due) - goal.start_day).days
    pace = (goal.amount.minor - goal.start.minor) * max(0, gone) // whole if whole > 0 else goal.amount.minor
    expected = Money(min(goal.amount.minor, goal.start.minor + pace if whole > 0 else pace), goal.amount.currency)
    return Progress(goal, saved, missing, months, monthly, expected)
