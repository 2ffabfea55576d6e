"""Where a user's records begin: before that day nothing is known, which is not the same as nothing spent."""

from __future__ import annotations

from datetime import date

from db.engine import Transaction


async def first_day(tx: Transaction) -> date | None:
    """The day of the oldest transaction, or None without any."""
    found: date | None = await tx.pg.fetchval("SELECT min(day) FROM txn WHERE user_id = $1", tx.user)
    return found
