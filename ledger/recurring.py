"""The recurring charges (or income) of a user: one query, and the rules of ledger.insights.patterns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month
from ledger.categories import UNCATEGORIZED
from ledger.insights.patterns import Cadence, Pattern, PriceChange, detect, separate

__all__ = ["HISTORY_MONTHS", "Cadence", "Pattern", "PriceChange", "Recurring", "detect", "find"]

HISTORY_MONTHS: Final = 26
"""How far back charges are looked at: a yearly one shows twice in it, whenever it comes."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """A merchant's recurring charge and the category of its latest one. `among`: other purchases are made there too."""

    merchant: str
    category_id: UUID | None
    category: str
    pattern: Pattern
    among: bool = False


async def find(
    tx: Transaction, today: date, category: UUID | None = None, flow: Literal["spending", "income"] = "spending"
) -> tuple[Recurring, ...]:
    """The recurring charges of the last 26 months up to `today`, running ones before lapsed ones, dearest month first
    within a currency. One query; a merchant that charges in two currencies counts as two, and
    the parts of a split as one charge, in the first part's category."""
    rows = await tx.pg.fetch(
        """
        SELECT (array_agg(t.merchant ORDER BY t.day DESC, t.no DESC))[1] AS merchant, t.currency,
               array_agg(t.category_id ORDER BY t.day, t.no) AS ids,
               array_agg(k.name ORDER BY t.day, t.no) AS names,
               array_agg(t.day ORDER BY t.day, t.no) AS days,
               array_agg(abs(t.amount_minor + coalesce(p.minor, 0)) ORDER BY t.day, t.no) AS minors
          FROM txn t LEFT JOIN category k ON k.user_id = $1 AND k.id = t.category_id
          LEFT JOIN (SELECT split_of, sum(amount_minor)::bigint AS minor FROM txn
                      WHERE user_id = $1 AND split_of IS NOT NULL GROUP BY split_of) p ON p.split_of = t.id
         WHERE t.split_of IS NULL AND t.transfer_id IS NULL
           AND t.user_id = $1 AND t.day BETWEEN $2 AND $3 AND t.merchant <> ''
           AND t.amount_minor * $5 > 0 AND coalesce(k.kind, $6) = $6
         GROUP BY t.merchant_key, t.currency
        HAVING count(*) >= 2 AND ($4::uuid IS NULL OR $4 = ANY (array_agg(t.category_id)))
        """,
        tx.user,
        Month.of(today).plus(-HISTORY_MONTHS).first,
        today,
        category,
        1 if flow == "income" else -1,
        flow,
    )
    found = []
    for row in rows:
        charges = [Money(minor, row["currency"]) for minor in row["minors"]]
        for own in separate(row["days"], charges, today, income=flow == "income"):
            last = own.at[-1]
            if category is None or row["ids"][last] == category:
                name = row["names"][last] or UNCATEGORIZED
                found.append(Recurring(row["merchant"], row["ids"][last], name, own.pattern, own.among))
    found.sort(
        key=lambda r: (r.pattern.lapsed, r.pattern.last.currency, -r.pattern.per_month.minor, r.merchant.lower())
    )
    return tuple(found)
