"""What envelopes carry from month to month, and the money that has no envelope yet. Nothing of it is stored: it follows
from budgets, transactions, each category's rollover setting and what was held back.

A category's envelope in a month holds what it carried in and the month's budget, less what was spent. At the month's
end it takes along nothing, what is left, or what is left or overspent, as the user chose for the category; the first
month that passes anything on is `rollover_since`. What is not taken along goes back to the unassigned money, or off it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month

if TYPE_CHECKING:
    from ledger.budgets import BudgetStatus


@dataclass(frozen=True, slots=True)
class Unassigned:
    """The money of a month that no budget has taken, in the base currency.

    `amount` = `brought` + `income` - `assigned` - `unbudgeted` - `held`. `brought` is what earlier months left over
    outside of envelopes (with what they held back); `income` came in this month; `assigned` is all budgets of the
    month; `unbudgeted` was spent where there is no budget; `held` is kept for the next month. Negative: more was given
    out than there is.
    """

    brought: Money
    income: Money
    assigned: Money
    unbudgeted: Money
    held: Money

    @property
    def amount(self) -> Money:
        return self.brought + self.income - self.assigned - self.unbudgeted - self.held


async def carried(tx: Transaction, month: Month) -> dict[UUID, Money]:
    """What each category that carries anything took into the month, in its budget's currency. One query.

    Months whose budget was in another currency, or that had none, count for nothing. An envelope that takes along only
    what is left is the running sum of budget less spending, less the lowest that sum ever was (0 included).
    """
    rows = await tx.pg.fetch(
        """
        WITH held AS (
            SELECT DISTINCT ON (category_id) category_id, currency
              FROM budget WHERE user_id = $1 AND month <= $2 ORDER BY category_id, month DESC),
        rolling AS (
            SELECT c.id, c.rollover, c.rollover_since AS since, h.currency
              FROM category c JOIN held h ON h.category_id = c.id
             WHERE c.user_id = $1 AND c.kind = 'spending' AND c.rollover_since < $2),
        spent AS (
            SELECT t.category_id, date_trunc('month', t.day::timestamp)::date AS month, -sum(t.amount_minor) AS minor
              FROM rolling r JOIN txn t ON t.user_id = $1 AND t.category_id = r.id AND t.currency = r.currency
               AND t.day >= r.since AND t.day < $2
             GROUP BY 1, 2),
        running AS (
            SELECT r.id, r.rollover, r.currency, m.month,
                   sum(CASE WHEN b.currency = r.currency THEN b.amount_minor - coalesce(s.minor, 0) ELSE 0 END)
                       OVER (PARTITION BY r.id ORDER BY m.month) AS minor
              FROM rolling r
             CROSS JOIN LATERAL generate_series(r.since::timestamp, $2::date::timestamp - interval '1 month',
                                                interval '1 month') AS m (month)
              LEFT JOIN LATERAL (SELECT amount_minor, currency FROM budget
                                  WHERE user_id = $1 AND category_id = r.id AND month <= m.month
                                  ORDER BY month DESC LIMIT 1) b ON true
              LEFT JOIN spent s ON s.category_id = r.id AND s.month = m.month)
        SELECT id, currency,
               ((array_agg(minor ORDER BY month DESC))[1]
                - CASE rollover WHEN 'left' THEN least(0, min(minor)) ELSE 0 END)::bigint AS minor
          FROM running GROUP BY id, rollover, currency
        """,
        tx.user,
        month.first,
    )
    return {row["id"]: Money(row["minor"], row["currency"]) for row in rows}


async def unassigned(tx: Transaction, status: BudgetStatus, since: date | None) -> Unassigned:
    """The money without an envelope in the status's month. Two queries at most.

    `since` is the first day of the month from which it adds up (`Preferences.envelopes_since`); without it, or when it
    is later, the month stands for itself and brings only what the month before held back for it.
    """
    month, total = status.month, status.totals[0]
    base = total.budget.currency
    start = min(Month.of(since), month) if since else month
    row = await tx.pg.fetchrow(
        """
        SELECT coalesce(sum(t.amount_minor) FILTER (WHERE t.day < $4 AND NOT income), 0)::bigint AS spent,
               coalesce(sum(t.amount_minor) FILTER (WHERE t.day < $4 AND income), 0)::bigint AS earned,
               coalesce(sum(t.amount_minor) FILTER (WHERE t.day >= $4 AND income), 0)::bigint AS income,
               (SELECT amount_minor FROM hold WHERE user_id = $1 AND month = $4 AND currency = $2) AS held,
               (SELECT amount_minor FROM hold WHERE user_id = $1 AND month = $6 AND currency = $2) AS before
          FROM (SELECT t.day, t.amount_minor, coalesce(c.kind = 'income', t.amount_minor > 0) AS income
                  FROM txn t LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id
                 WHERE t.user_id = $1 AND t.currency = $2 AND t.day BETWEEN $3 AND $5
                   AND c.kind IS DISTINCT FROM 'transfer') t
        """,
        tx.user,
        base,
        start.first,
        month.first,
        month.last,
        start.plus(-1).first,
    )
    brought = row["earned"] + row["spent"] + (row["before"] or 0)
    if start < month:
        now = [line.carried for line in status.lines if line.carried is not None]
        for amount, sign in [(money, -1) for money in now] + [(c, 1) for c in (await carried(tx, start)).values()]:
            brought += sign * amount.minor if amount.currency == base else 0
    return Unassigned(
        brought=Money(brought, base),
        income=Money(row["income"], base),
        assigned=total.budget,
        unbudgeted=total.unbudgeted,
        held=Money(row["held"] or 0, base),
    )
