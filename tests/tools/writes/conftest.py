"""A small ledger with round figures, a call of a write tool, and a look at every row that must not change by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.engine import Database
from domain.clock import FixedClock
from domain.ids import new_id
from domain.money import Money
from ledger.preferences import Preferences
from ledger.transactions import NewTxn, insert
from memory import sessions
from tools.result import ToolResult
from tools.tool import ToolContext
from tools.writes import WRITES

TODAY = date(2026, 11, 22)
LEDGER_TABLES = ("account", "budget", "category", "rule", "txn", "journal")


@dataclass(frozen=True)
class Penny:
    """One user's Penny, without a model: tools are called by name with a person's arguments."""

    db: Database
    user: UUID
    context: ToolContext

    async def call(self, name: str, /, **args: Any) -> ToolResult:
        """Calls the tool; its errors are raised."""
        tool = next(tool for tool in WRITES if tool.name == name)
        return await tool.run(self.context, tool.args.model_validate(args))

    async def propose(self, name: str, /, **args: Any) -> dict[str, Any]:
        """The proposal that the call makes."""
        proposal = (await self.call(name, **args)).proposal
        assert proposal is not None
        return proposal

    def at(self, **changes: Any) -> Penny:
        """The same with another context."""
        return replace(self, context=replace(self.context, **changes))

    async def rows(self, *tables: str) -> dict[str, list[dict[str, Any]]]:
        """The user's rows of these tables (default: all of the ledger and the journal)."""
        async with self.db.read(self.user) as tx:
            return {
                table: [dict(row) for row in await tx.pg.fetch(f"SELECT * FROM {table} ORDER BY {table}::text")]  # noqa: S608
                for table in tables or LEDGER_TABLES
            }

    async def values(self) -> dict[str, list[dict[str, Any]]]:
        """The ledger's rows without what a change and its undoing may differ in: versions and times of making."""
        rows = await self.rows("account", "budget", "category", "rule", "txn")
        plain = {
            table: [{k: v for k, v in row.items() if k not in ("version", "created_at")} for row in found]
            for table, found in rows.items()
        }
        return {table: sorted(found, key=str) for table, found in plain.items()}

    async def budget(self, category: str, month: date) -> int | None:
        """The minor units that the category's own row for the month has."""
        async with self.db.read(self.user) as tx:
            found: int | None = await tx.pg.fetchval(
                """
                SELECT amount_minor FROM budget JOIN category c ON c.id = category_id WHERE c.name = $1 AND month = $2
                """,
                category,
                month,
            )
            return found


@pytest.fixture
async def penny(database: Database, user: UUID) -> Penny:
    """A user in dollars on 22 November 2026: Dining 300 and Travel 250 from October on, Groceries 600 for November
    alone, Gifts without a budget; purchases at a few merchants; a rule for Shell."""
    async with database.transaction(user) as tx:
        ids = {
            name: new_id() for name in ("Dining", "Groceries", "Travel", "Gifts", "Transport", "Salary", "Transfers")
        }
        kinds = {"Salary": "income", "Transfers": "transfer"}
        await tx.pg.executemany(
            "INSERT INTO category (user_id, id, name, kind) VALUES ($1, $2, $3, $4)",
            [(user, id_, name, kinds.get(name, "spending")) for name, id_ in ids.items()],
        )
        places = {name: new_id() for name in ("Checking", "Card", "Euro Cash")}
        await tx.pg.executemany(
            "INSERT INTO account (user_id, id, name, kind, currency) VALUES ($1, $2, $3, $4, $5)",
            [
                (user, places["Checking"], "Checking", "checking", "USD"),
                (user, places["Card"], "Card", "credit", "USD"),
                (user, places["Euro Cash"], "Euro Cash", "cash", "EUR"),
            ],
        )
        await tx.pg.executemany(
            "INSERT INTO budget (user_id, month, category_id, amount_minor, currency) VALUES ($1, $2, $3, $4, 'USD')",
            [
                (user, date(2026, 10, 1), ids["Dining"], 300_00),
                (user, date(2026, 10, 1), ids["Travel"], 250_00),
                (user, date(2026, 11, 1), ids["Groceries"], 600_00),
                (user, date(2026, 12, 1), ids["Groceries"], 650_00),
            ],
        )
        await tx.pg.execute(
            "INSERT INTO rule (user_id, id, merchant, category_id) VALUES ($1, $2, 'Shell', $3)",
            user,
            new_id(),
            ids["Transport"],
        )

        def spent(day: int, cents: int, merchant: str, category: str | None, account: str = "Card") -> NewTxn:
            filed = ids[category] if category else None
            return NewTxn(places[account], date(2026, 11, day), Money(-cents, "USD"), merchant, "", filed)

        await insert(
            tx,
            [
                spent(2, 40_10, "Shell", None),
                spent(3, 82_15, "Trader Joe's #123", "Groceries"),
                spent(10, 61_00, "Trader Joe's #88", "Groceries"),
                spent(11, 9_99, "Apple TV", "Gifts"),
                spent(12, 120_00, "Apple Store", None),
                spent(14, 35_00, "Luigi's", "Groceries", "Checking"),
                NewTxn(places["Checking"], date(2026, 11, 1), Money(3_000_00, "USD"), "Acme", "", ids["Salary"]),
            ],
        )
        session = await sessions.create(tx, "Budget")
    context = ToolContext(
        db=database,
        user=user,
        today=TODAY,
        preferences=Preferences(),
        clock=FixedClock(datetime(2026, 11, 22, 12, tzinfo=UTC)),
        session_id=session.id,
    )
    return Penny(database, user, context)


@pytest.fixture
async def run_id(penny: Penny) -> UUID:
    """A run of the user's session, as the row that proposals refer to."""
    run, message = new_id(), new_id()
    async with penny.db.transaction(penny.user) as tx:
        await tx.pg.execute(
            """
            WITH s AS (UPDATE session SET last_turn = 1 WHERE id = $2),
                 m AS (INSERT INTO message (user_id, session_id, turn, pos, id, run_id, role, text)
                       VALUES ($1, $2, 1, 0, $4, $3, 'user', 'set dining to 250'))
            INSERT INTO run (user_id, id, session_id, turn, message_id, text_hash, status, prompt_version)
            VALUES ($1, $3, $2, 1, $5, '', 'running', 'penny-1')
            """,
            penny.user,
            penny.context.session_id,
            run,
            message,
            new_id(),
        )
    return run


@pytest.fixture
async def expire(admin_url: str) -> Callable[[str], Awaitable[None]]:
    """Ends a proposal's time."""

    async def end(proposal_id: str) -> None:
        admin = await asyncpg.connect(admin_url)
        try:
            await admin.execute(
                "UPDATE penny.proposal SET expires_at = clock_timestamp() - interval '1 second' WHERE id = $1",
                UUID(proposal_id),
            )
        finally:
            await admin.close()

    return end
