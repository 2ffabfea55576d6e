"""The tables that code names and the tables that the migrations make."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import Table, insert, select
from sqlalchemy.dialects import postgresql

from db.engine import Database
from db.tables import account, journal, metadata
from domain.ids import new_id

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable, atthasdef AS has_default,
       attnum = ANY ((SELECT conkey FROM pg_constraint WHERE conrelid = attrelid AND contype = 'p')::int2[]) AS key
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""

SPELLED = {
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "INTEGER": "integer",
    "UUID": "uuid",
    "NUMERIC(24, 12)": "numeric(24,12)",
}


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
async def test_core_table_is_the_database_table(table: Table, admin_url: str) -> None:
    """A Core table has exactly the columns, order, types, nullability, defaults and key that the database has."""
    connection = await asyncpg.connect(admin_url)
    try:
        found = [tuple(row) for row in await connection.fetch(COLUMNS, f"penny.{table.name}")]
    finally:
        await connection.close()
    dialect = postgresql.dialect()
    declared = []
    for column in table.columns:
        spelled = column.type.compile(dialect)
        kind = SPELLED.get(spelled, spelled.lower())
        declared.append(
            (column.name, kind, bool(column.nullable), column.server_default is not None, column.primary_key)
        )
    assert found == declared


async def test_core_statements_carry_json_values(database: Database, user: object) -> None:
    """JSON given to a Core statement as Python values comes back equal, by Core and by the driver alike."""
    value = [{"table": "budget", "before": None, "after": {"amount_minor": 9007199254740993, "name": "Café ✓"}}]
    async with database.transaction(user) as tx:  # type: ignore[arg-type]
        row = {"user_id": user, "id": new_id(), "kind": "t", "text": "", "changes": value, "approval": "test"}
        await tx.conn.execute(insert(journal).values(row))
        by_core = (await tx.conn.execute(select(journal.c.changes).where(journal.c.id == row["id"]))).scalar_one()
        by_driver = await tx.pg.fetchval(
            "SELECT changes FROM journal WHERE id = $1 AND changes @> $2", row["id"], value
        )
    assert by_core == by_driver == value


async def test_core_fills_in_defaults(database: Database, user: object) -> None:
    """A row inserted through Core takes the database's identifier, version and time."""
    async with database.transaction(user) as tx:  # type: ignore[arg-type]
        values = {"user_id": user, "name": "Checking", "kind": "checking", "currency": "USD"}
        made = (await tx.conn.execute(insert(account).values(values).returning(account))).one()
    assert made.version == 1
    assert made.id.version == 7
    assert made.created_at.tzinfo is not None
