"""Budgets by month, and how a month stands against them.

A budget holds from its month on: a month without a row of its own goes by the latest earlier row of the category. A
row of amount 0 is a budget of nothing; no row at all is no budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month
from ledger import envelopes
from ledger.categories import UNCATEGORIZED, Rollover
from ledger.changes import Change, inserted, read, updated
from ledger.rows import Row


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in a category in a month; `since` is the month whose row says so."""

    category_id: UUID
    amount: Money
    since: Month


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One category in a month. `budget` and `left` are None without a budget.

    `spent` is in the budget's currency (without one: in the base currency), refunds taken off; `elsewhere` is what was
    spent in other currencies, which is in no sum with it. `left` is negative when the budget is overspent. `carried` is
    what earlier months left to this one (negative: overspent), by the category's `rollover`.
    """

    category_id: UUID | None
    category: str
    group: str
    budget: Money | None
    since: Month | None
    spent: Money
    left: Money | None
    elsewhere: tuple[Money, ...]
    rollover: Rollover = "none"
    carried: Money | None = None

    @property
    def available(self) -> Money | None:
        """What may still be spent; negative when the envelope is overspent. None without a budget."""
        return self.left + self.carried if self.left is not None and self.carried is not None else self.left


@dataclass(frozen=True, slots=True)
class BudgetTotal:
    """All of one currency: what is budgeted, what was spent of it, what is left of it, and what was spent in
    categories that have no budget in that currency."""

    budget: Money
    spent: Money
    left: Money
    unbudgeted: Money


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A month against its budgets: a line per spending category by name, then what has no category, if any was spent.
    One total per currency that occurs, the base currency first and always there."""

    month: Month
    lines: tuple[BudgetLine, ...]
    totals: tuple[BudgetTotal, ...]


async def status(tx: Transaction, month: Month, base: str) -> BudgetStatus:
    """How the month stands, future ones too (budgets, nothing spent). `base` is the user's currency. Two queries."""
    carried = await envelopes.carried(tx, month)
    rows = await tx.pg.fetch(
        """
        WITH effective AS (
            SELECT DISTINCT ON (category_id) category_id, amount_minor, currency, month
              FROM budget WHERE user_id = $1 AND month <= $2 ORDER BY category_id, month DESC),
        spent AS (
            SELECT category_id, currency, -sum(amount_minor)::bigint AS minor
              FROM txn WHERE user_id = $1 AND day BETWEEN $2 AND $3 AND (category_id IS NOT NULL OR amount_minor < 0)
             GROUP BY category_id, currency)
        SELECT c.id, c.name, c.group_name, c.rollover, e.amount_minor, e.currency, e.month,
               array_remove(array_agg(s.currency ORDER BY s.currency), NULL) AS currencies,
               array_remove(array_agg(s.minor ORDER BY s.currency), NULL) AS minors
          FROM (SELECT id, name, group_name, rollover FROM category WHERE user_id = $1 AND kind = 'spending'
                UNION ALL SELECT NULL, NULL, '', 'none' WHERE EXISTS (SELECT FROM spent WHERE category_id IS NULL)) c
          LEFT JOIN effective e ON e.category_id = c.id
          LEFT JOIN spent s ON s.category_id IS NOT DISTINCT FROM c.id
         GROUP BY c.id, c.name, c.group_name, c.rollover, e.amount_minor, e.currency, e.month
         ORDER BY lower(c.name) NULLS LAST
        """,
        tx.user,
        month.first,
        month.last,
    )
    lines = []
    for row in rows:
        budget = Money(row["amount_minor"], row["currency"]) if row["currency"] else None
        sums = {c: Money(minor, c) for minor, c in zip(row["minors"], row["currencies"], strict=True)}
        own = budget.currency if budget else base
        spent = sums.pop(own, Money(0, own))
        lines.append(
            BudgetLine(
                category_id=row["id"],
                category=row["name"] or UNCATEGORIZED,
                group=row["group_name"],
                budget=budget,
                since=Month.of(row["month"]) if row["month"] else None,
                spent=spent,
                left=budget - spent if budget else None,
                elsewhere=tuple(sums.values()),
                rollover=row["rollover"],
                carried=carried.get(row["id"], Money(0, own)) if budget else None,
            )
        )
    return BudgetStatus(month, tuple(lines), _totals(lines, base))


async def effective(tx: Transaction, month: Month) -> dict[UUID, Budget]:
    """The budgets that hold in the month, by category."""
    rows = await tx.pg.fetch(
        """
        SELECT DISTINCT ON (category_id) category_id, amount_minor, currency, month
          FROM budget WHERE user_id = $1 AND month <= $2 ORDER BY category_id, month DESC
        """,
        tx.user,
        month.first,
    )
    return {
        row["category_id"]: Budget(
            row["category_id"], Money(row["amount_minor"], row["currency"]), Month.of(row["month"])
        )
        for row in rows
    }


async def setting(tx: Transaction, month: Month, category_id: UUID, amount: Money) -> Change:
    """The change that makes `amount` the category's budget from this month until the next one with a row of its own."""
    key = _key(month, category_id)
    before = await read(tx, "budget", key)
    if before is None:
        return inserted("budget", key, amount_minor=amount.minor, currency=amount.currency)
    return updated("budget", key, before, amount_minor=amount.minor, currency=amount.currency)


async def setting_once(tx: Transaction, month: Month, category_id: UUID, amount: Money) -> tuple[Change, ...]:
    """The changes that make `amount` the category's budget in this month alone: the following month, when it has no row
    of its own, gets one with what held so far. Where no budget held before, there is none to go back to: it goes on."""
    following = month.plus(1)
    held = (await effective(tx, month)).get(category_id)
    changes = [await setting(tx, month, category_id, amount)]
    if held and await read(tx, "budget", _key(following, category_id)) is None:
        kept = held.amount
        changes.append(
            inserted("budget", _key(following, category_id), amount_minor=kept.minor, currency=kept.currency)
        )
    return tuple(changes)


def _key(month: Month, category_id: UUID) -> Row:
    return {"month": month.first.isoformat(), "category_id": str(category_id)}


def _totals(lines: list[BudgetLine], base: str) -> tuple[BudgetTotal, ...]:
    spent_in = {money.currency for line in lines for money in (line.spent, *line.elsewhere)}
    totals = []
    for currency in [base, *sorted(spent_in - {base})]:
        nothing = Money(0, currency)
        budget = spent = unbudgeted = nothing
        for line in lines:
            if line.budget and line.budget.currency == currency:
                budget, spent = budget + line.budget, spent + line.spent
            else:
                unbudgeted = sum((m for m in (line.spent, *line.elsewhere) if m.currency == currency), unbudgeted)
        totals.append(BudgetTotal(budget, spent, budget - spent, unbudgeted))
    return tuple(totals)
