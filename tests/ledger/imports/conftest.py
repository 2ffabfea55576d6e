"""Accounts to import into, and importing as a user does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from ledger.imports import mapping
from ledger.imports.run import Report, import_file

Import = Callable[..., Awaitable[Report]]
Rows = Callable[[], Awaitable[list[dict[str, Any]]]]

ACCOUNTS = (
    ("Checking", "checking", "USD"), ("Card", "credit", "USD"), ("Giro", "checking", "EUR"),
    ("Pounds", "checking", "GBP"), ("Yen", "checking", "JPY"), ("Dinar", "cash", "KWD"),
    ("Kronor", "checking", "SEK"), ("Kroner", "checking", "DKK"), ("Zloty", "checking", "PLN"),
    ("Franken", "checking", "CHF"), ("Reais", "checking", "BRL"), ("Rupees", "checking", "INR"),
    ("Dollars", "checking", "AUD"),
)  # fmt: skip


@pytest.fixture
def samples() -> Path:
    """The folder of sample files, in the shapes that banks export."""
    return Path(__file__).parent / "samples"


@pytest.fixture
async def holder(database: Database, user: UUID) -> UUID:
    """A user with an account in each of several currencies, and categories Groceries, Salary and Transport."""
    async with database.transaction(user) as tx:
        await tx.pg.executemany(
            "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, $2, $3, $4)",
            [(user, *account) for account in ACCOUNTS],
        )
        await tx.pg.executemany(
            "INSERT INTO category (user_id, name, kind) VALUES ($1, $2, $3)",
            [(user, "Groceries", "spending"), (user, "Transport", "spending"), (user, "Salary", "income")],
        )
    return user


@pytest.fixture
def bring(database: Database, holder: UUID) -> Import:
    """Imports text or bytes: `await bring(data, "Checking", map={...}, dry_run=True)`."""

    async def bringing(
        data: bytes | str,
        account: str = "Checking",
        map: dict[str, Any] | None = None,  # noqa: A002
        **more: Any,
    ) -> Report:
        chosen = mapping.Mapping.model_validate(map) if map else None
        raw = data.encode() if isinstance(data, str) else data
        return await import_file(database, holder, raw, account=account, mapping=chosen, source="bank.csv", **more)

    return bringing


@pytest.fixture
def rows(database: Database, holder: UUID) -> Rows:
    """All of the user's transactions, by number."""

    async def read() -> list[dict[str, Any]]:
        async with database.read(holder) as tx:
            found = await tx.pg.fetch(
                """
                SELECT t.no, t.day::text AS day, t.amount_minor AS minor, t.merchant, t.memo, t.import_id, t.pending,
                       c.name AS category, a.name AS account
                  FROM txn t JOIN account a ON a.id = t.account_id LEFT JOIN category c ON c.id = t.category_id
                 ORDER BY t.no
                """
            )
        return [dict(row) for row in found]

    return read
