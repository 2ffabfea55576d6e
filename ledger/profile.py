"""What a conversation needs to know of its person at every turn, in one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from db.engine import Transaction
from ledger.preferences import Preferences


@dataclass(frozen=True, slots=True)
class Profile:
    """Preferences, the names of categories and accounts in alphabetical order, the tenant of the user's tokens, and the
    day of the oldest transaction."""

    preferences: Preferences
    categories: tuple[str, ...]
    accounts: tuple[str, ...]
    tenant: str = ""
    records_begin: date | None = None


QUERY: Final = """
    SELECT p.*,
           ARRAY(SELECT name FROM category WHERE user_id = $1 ORDER BY lower(name)) AS categories,
           ARRAY(SELECT name FROM account WHERE user_id = $1 ORDER BY lower(name)) AS accounts,
           (SELECT tenant FROM identity WHERE user_id = $1 ORDER BY issuer, tenant LIMIT 1) AS tenant,
           (SELECT min(day) FROM txn WHERE user_id = $1) AS records_begin
      FROM (SELECT $1::uuid AS user_id) me LEFT JOIN preference p USING (user_id)
"""
"""One row about the user $1, to be read by itself or along with something else."""


async def get(tx: Transaction) -> Profile:
    """The transaction's user, as they are now."""
    return of(await tx.pg.fetchrow(QUERY, tx.user))


def of(row: Mapping[str, Any]) -> Profile:
    """The profile in a row of QUERY."""
    known = row["locale"] is not None
    names = (field.name for field in fields(Preferences))
    preferences = Preferences(**{name: row[name] for name in names}) if known else Preferences()
    return Profile(
        preferences, tuple(row["categories"]), tuple(row["accounts"]), row["tenant"] or "", row["records_begin"]
    )
