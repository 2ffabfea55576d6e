"""The recurring charges (or income) of a user: their series by merchant, and the rules of ledger.insights.patterns."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal
from uuid import UUID

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month
from ledger.categories import UNCATEGORIZED
from ledger.insights.packed import int4s, int8s
from ledger.insights.patterns import Cadence, Found, Pattern, PriceChange, detect, separate

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
    within a currency. Three queries; the patterns are looked for in a thread. A merchant that charges in two currencies
    counts as two, and the parts of a split as one charge, in the first part's category."""
    start = Month.of(today).plus(-HISTORY_MONTHS).first
    rows = await tx.pg.fetch(
        """
        SELECT s.*, m.name AS merchant
          FROM (SELECT t.merchant_key, t.currency, string_agg(int8send(t.no), ''::bytea) AS nos,
                       string_agg(int4send(t.day - $2::date), ''::bytea) AS days,
                       string_agg(int8send(t.amount_minor), ''::bytea) AS minors
                  FROM txn t
                 WHERE t.user_id = $1 AND t.day BETWEEN $2 AND $3 AND t.merchant_key <> '' AND t.amount_minor * $4 > 0
                   AND t.split_of IS NULL AND t.transfer_id IS NULL
                   AND (t.category_id IS NULL OR t.category_id <> ALL (
                           ARRAY(SELECT id FROM category WHERE user_id = $1 AND kind <> $5)))
                 GROUP BY t.merchant_key, t.currency HAVING count(*) >= 2) s
          JOIN merchant m ON m.user_id = $1 AND m.key = s.merchant_key
        """,
        tx.user,
        start,
        today,
        1 if flow == "income" else -1,
        flow,
    )
    series = [_Series(*(row[name] for name in ("merchant", "currency", "nos", "days", "minors"))) for row in rows]
    found = await asyncio.to_thread(_patterns, series, await _parts(tx), start, today, flow == "income")
    filed = await _categories(tx, [last for _, last, _ in found])
    return tuple(
        Recurring(merchant, *filed[last], own.pattern, own.among)
        for merchant, last, own in found
        if category is None or filed[last][0] == category
    )


@dataclass(frozen=True, slots=True)
class _Series:
    """One merchant's charges in one currency, in no order: numbers, days since the first one looked at, minor units;
    packed (ledger.insights.packed)."""

    merchant: str
    currency: str
    nos: bytes
    days: bytes
    minors: bytes


_Charge = tuple[str, int, Found]
"""A merchant, the number of the latest charge, and the pattern."""


def _patterns(
    series: Sequence[_Series], parts: Mapping[int, int], start: date, today: date, income: bool
) -> list[_Charge]:
    found: list[_Charge] = []
    for own in series:
        columns = zip(int4s(own.days), int8s(own.nos), int8s(own.minors), strict=True)
        charges = sorted(columns)
        days = [start + timedelta(days=ahead) for ahead, _, _ in charges]
        amounts = [Money(abs(minor + parts.get(no, 0)), own.currency) for _, no, minor in charges]
        found += [(own.merchant, charges[one.at[-1]][1], one) for one in separate(days, amounts, today, income=income)]
    found.sort(
        key=lambda f: (f[2].pattern.lapsed, f[2].pattern.last.currency, -f[2].pattern.per_month.minor, f[0].lower())
    )
    return found


async def _parts(tx: Transaction) -> dict[int, int]:
    """What the other parts of each split come to, by the first part's number."""
    rows = await tx.pg.fetch(
        """
        SELECT w.no, sum(p.amount_minor)::bigint AS minor
          FROM txn p JOIN txn w ON w.user_id = $1 AND w.id = p.split_of
         WHERE p.user_id = $1 AND p.split_of IS NOT NULL GROUP BY w.no
        """,
        tx.user,
    )
    return {row["no"]: row["minor"] for row in rows}


async def _categories(tx: Transaction, nos: Sequence[int]) -> dict[int, tuple[UUID | None, str]]:
    """The categories of these transactions, by number."""
    rows = await tx.pg.fetch(
        """
        SELECT t.no, k.id, k.name FROM txn t LEFT JOIN category k ON k.user_id = $1 AND k.id = t.category_id
         WHERE t.user_id = $1 AND t.no = ANY ($2)
        """,
        tx.user,
        nos,
    )
    return {row["no"]: (row["id"], row["name"] or UNCATEGORIZED) for row in rows}
