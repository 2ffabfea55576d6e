"""How the database finds words, told from its plan and not from a clock."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from own_database import create

from db.engine import Database
from ledger import transactions
from ledger.filters import TxnFilter

FILL = """
WITH one AS (INSERT INTO account (user_id, name, kind, currency) VALUES ($1, 'One', 'checking', 'USD') RETURNING id)
INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, memo)
SELECT $1, i, one.id, date '2026-01-01' + i % 300, -i, 'USD', 'Merchant ' || i % 40,
       CASE WHEN i % 50 = 0 THEN 'memo ' || i ELSE '' END
  FROM generate_series(1, 5000) i, one
"""
"""A hundred of five thousand have a memo."""


@pytest.fixture
async def long_history(admin_url: str) -> AsyncIterator[tuple[Database, uuid.UUID]]:
    url = await create(admin_url, "search_plan")
    db = await Database.connect(url)
    try:
        user = await db.resolve_user("test", "", "someone")
        async with db.transaction(user) as tx:
            await tx.pg.execute(FILL, user)
        admin = await asyncpg.connect(url)
        await admin.execute("VACUUM ANALYZE penny.txn, penny.merchant")
        await admin.close()
        yield db, user
    finally:
        await db.close()


async def test_a_search_for_words_looks_only_at_transactions_that_have_some(
    long_history: tuple[Database, uuid.UUID],
) -> None:
    """As the service's role, under row-level security: from the index on those with words, and those of a merchant."""
    db, user = long_history
    asked: list[Any] = []
    async with db.read(user) as tx:
        tx.pg.add_query_logger(asked.append)
        found = await transactions.search(tx, TxnFilter(text="memo 7"), 50)
        await asyncio.sleep(0)  # the driver tells of a statement in the loop's next round
        (search,) = [one for one in asked if "FROM txn" in one.query]
        tx.pg.remove_query_logger(asked.append)
        plan = await tx.pg.fetch(f"EXPLAIN {search.query}", *search.args)
    assert found.count == 2
    lines = "\n".join(row[0] for row in plan)
    assert "Bitmap Index Scan on txn_words" in lines
    assert "Seq Scan on txn t" not in lines
