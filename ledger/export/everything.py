"""The rows that exports are made of, read in batches by cursors of one transaction, so that they agree."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from db.engine import Transaction
from ledger import journal

_AT_ONCE: Final = 1_000

_TRANSACTIONS: Final = """
    SELECT t.id, t.no, t.day, t.amount_minor, t.currency, t.merchant, t.memo, c.name AS category, c.kind, t.pending,
           t.import_id, t.category_id, t.account_id, a.name AS account
      FROM txn t
      JOIN account a ON a.user_id = $1 AND a.id = t.account_id
      LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id
     WHERE t.user_id = $1
     ORDER BY t.day, t.no
"""


async def transactions(tx: Transaction) -> AsyncIterator[Record]:
    """Every transaction with its account's and category's names, the oldest first."""
    async for row in tx.pg.cursor(_TRANSACTIONS, tx.user, prefetch=_AT_ONCE):
        yield row


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
