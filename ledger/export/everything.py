"""The rows that exports are made of, read in batches by cursors of one transaction, so that they agree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from asyncpg import Record

from db.engine import Transaction
from db.sealing.places import TXN_MEMO, TXN_NOTE
from db.sealing.ring import Ring
from domain.money import Money
from ledger import journal

_AT_ONCE: Final = 1_000

_TRANSACTIONS: Final = """
    WITH part AS (
        SELECT t.split_of, sum(t.amount_minor)::bigint AS minor,
               json_agg(json_build_object('id', t.id, 'minor', t.amount_minor, 'category_id', t.category_id,
                                          'category', c.name, 'note', t.note, 'tags', t.tags)
                        ORDER BY t.no)::text AS told
          FROM txn t LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id
         WHERE t.user_id = $1 AND t.split_of IS NOT NULL GROUP BY t.split_of)
    SELECT t.id, t.no, t.day, t.amount_minor, t.currency, t.merchant, t.memo, c.name AS category, t.pending,
           t.import_id, t.category_id, t.account_id, a.name AS account, t.note, t.tags, t.transfer_id, t.refund_of,
           part.minor AS rest_minor, part.told AS rest,
           o.id AS other_id, o.account_id AS other_account_id, o.amount_minor AS other_minor,
           o.currency AS other_currency, o.import_id AS other_import_id
      FROM txn t
      JOIN account a ON a.user_id = $1 AND a.id = t.account_id
      LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id
      LEFT JOIN part ON part.split_of = t.id
      LEFT JOIN txn o ON o.user_id = $1 AND o.transfer_id = t.transfer_id AND o.id <> t.id AND o.day = t.day
     WHERE t.user_id = $1 AND t.split_of IS NULL
     ORDER BY t.day, t.no
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a split; the first has the id of the whole."""

    id: UUID
    amount: Money
    category_id: UUID | None
    category: str | None
    note: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Posted:
    """A transaction as the bank has it: `amount` is the whole, and `parts` are what a split made of it, which add up to
    it; without a split there are none. `row` has the columns and the account's and category's names, of a split those
    of its first part; `other_*` are the other end of a transfer."""

    row: Mapping[str, Any]
    amount: Money
    parts: tuple[Part, ...]

    @property
    def category(self) -> str | None:
        """The category's name. A split has none of its own."""
        return None if self.parts else self.row["category"]


async def transactions(tx: Transaction) -> AsyncIterator[Posted]:
    """Every transaction, the parts of a split in one, the oldest first."""
    ring = tx.ring
    async for found in tx.pg.cursor(_TRANSACTIONS, tx.user, prefetch=_AT_ONCE):
        row = dict(found)
        row["memo"] = ring.open(TXN_MEMO, row["id"], row["memo"])
        row["note"] = ring.open(TXN_NOTE, row["id"], row["note"])
        first = Money(row["amount_minor"], row["currency"])
        if row["rest"] is None:
            yield Posted(row, first, ())
        else:
            yield Posted(row, first + Money(row["rest_minor"], row["currency"]), _parts(ring, row, first))


def _parts(ring: Ring, row: Mapping[str, Any], first: Money) -> tuple[Part, ...]:
    own = Part(row["id"], first, row["category_id"], row["category"], row["note"], tuple(row["tags"].split()))
    rest = (
        Part(
            id=UUID(told["id"]),
            amount=Money(told["minor"], first.currency),
            category_id=UUID(told["category_id"]) if told["category_id"] else None,
            category=told["category"],
            note=ring.open(TXN_NOTE, told["id"], told["note"]),
            tags=tuple(told["tags"].split()),
        )
        for told in orjson.loads(row["rest"])
    )
    return (own, *rest)


async def accounts(tx: Transaction) -> list[Record]:
    """Every account with its first transaction's day (None without any) and its balance, by name."""
    found: list[Record] = await tx.pg.fetch(
        """
        SELECT a.id, a.name, a.kind, a.currency, a.opening_minor, a.created_at, t.first_day,
               a.opening_minor + coalesce(t.minor, 0) AS balance_minor
          FROM account a
          LEFT JOIN (SELECT account_id, min(day) AS first_day, sum(amount_minor)::bigint AS minor
                       FROM txn WHERE user_id = $1 GROUP BY account_id) t ON t.account_id = a.id
         WHERE a.user_id = $1 ORDER BY lower(a.name)
        """,
        tx.user,
    )
    return found


async def budgets(tx: Transaction) -> AsyncIterator[Record]:
    """Every budget as it was set, by month: it holds until the category's next one."""
    query = """
        SELECT b.month, c.name AS category, b.amount_minor, b.currency
          FROM budget b JOIN category c ON c.user_id = $1 AND c.id = b.category_id
         WHERE b.user_id = $1 ORDER BY b.month, lower(c.name)
    """
    async for row in tx.pg.cursor(query, tx.user, prefetch=_AT_ONCE):
        yield row


async def journal_entries(tx: Transaction) -> AsyncIterator[dict[str, Any]]:
    """Every change that was applied, as `GET /v1/journal` shows it, the newest first."""
    after: tuple[datetime, UUID] | None = None
    while True:
        entries, after = await journal.list_(tx, 200, after)
        for entry in entries:
            yield entry.json()
        if after is None:
            return


async def holds(tx: Transaction) -> list[Record]:
    """What was held back for the month after each month."""
    found: list[Record] = await tx.pg.fetch(
        "SELECT month, amount_minor, currency FROM hold WHERE user_id = $1 ORDER BY month", tx.user
    )
    return found


async def exchange_rates(tx: Transaction) -> AsyncIterator[Record]:
    """Every exchange rate, the oldest first."""
    query = "SELECT base, quote, day, rate, source FROM rate WHERE user_id = $1 ORDER BY day, base, quote"
    async for row in tx.pg.cursor(query, tx.user, prefetch=_AT_ONCE):
        yield row
