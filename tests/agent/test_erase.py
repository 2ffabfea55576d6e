"""Erasing a user: nothing of theirs is left in any table, and nothing of anybody else's is gone."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from agent.scripted import ScriptedModel
from db.connection import UserErased
from db.engine import Database
from domain.ids import new_id
from ledger import household
from memory import sessions
from memory.erase import erase

CASCADES = """
SELECT c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent, c.confdeltype = 'c' AS cascades,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
                  AND a.attname IN ('user_id', 'run_id')) AS by_owner
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
 WHERE c.contype = 'f' AND t.relnamespace = 'penny'::regnamespace AND NOT t.relispartition
"""
OWNED = """
SELECT c.relname::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'penny'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attname = 'user_id' AND NOT a.attisdropped ORDER BY 1
"""
FOREIGN = """
SELECT c.confrelid::regclass::text AS parent,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, at)
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.at) AS here,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (n, at)
               JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.at) AS there
  FROM pg_constraint c WHERE c.contype = 'f' AND c.conrelid = to_regclass($1) AND c.confrelid <> c.conrelid
"""
COLUMNS = """
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AS needed,
       (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
         WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS rule
  FROM pg_attribute a
 WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
   AND a.attidentity = '' AND (NOT a.atthasdef OR a.attnotnull AND NOT a.atthasdef)
 ORDER BY a.attnum
"""


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


async def test_every_table_of_users_goes_with_its_user(admin: asyncpg.Connection) -> None:
    """From each table that names a user, foreign keys that cascade lead to the user's own row."""
    owned = {row["name"] for row in await admin.fetch(OWNED)}
    assert len(owned) > 20
    parents: dict[str, set[str]] = {}
    for row in await admin.fetch(CASCADES):
        if row["cascades"] and row["by_owner"]:
            parents.setdefault(row["child"], set()).add(row["parent"])
    reached = {"app_user"}
    while more := {child for child, over in parents.items() if over & reached} - reached:
        reached |= more
    assert owned - reached == set()


async def test_nothing_is_left_and_nobody_else_loses_anything(
    admin: asyncpg.Connection, database: Database, user: UUID
) -> None:
    """Two users with a row in every table there is; one is erased: no row of theirs, all rows of the other. Again does
    no harm."""
    stranger = await database.resolve_user("test", "", uuid.uuid4().hex)
    for who in (user, stranger):
        await live(database, admin, who)
    tables = [row["name"] for row in await admin.fetch(OWNED)]
    before = await counts(admin, tables, stranger)
    mine = await counts(admin, tables, user)
    assert [table for table, count in mine.items() if not count] == []
    await erase(database, user)
    assert {table: count for table, count in (await counts(admin, tables, user)).items() if count} == {}
    assert await admin.fetchval("SELECT count(*) FROM app_user WHERE id = $1", user) == 0
    assert await counts(admin, tables, stranger) == before
    await erase(database, user)


async def live(database: Database, admin: asyncpg.Connection, user: UUID) -> None:
    """A household, a conversation, and a made-up row in every table that has none of the user's then."""
    async with database.transaction(user) as tx:
        await household.seed(tx, date(2026, 11, 22))
        session = await sessions.create(tx)
        run = new_id()
        await tx.pg.execute(
            """
            INSERT INTO run (user_id, id, session_id, turn, message_id, text_hash, status)
            VALUES ($1, $2, $3, 1, $4, '', 'finished')
            """,
            user, run, session.id, new_id(),
        )  # fmt: skip
    waiting = [row["name"] for row in await admin.fetch(OWNED)]
    while waiting:
        left = [table for table in waiting if not await make_up(admin, table, user)]
        assert len(left) < len(waiting), left
        waiting = left


async def make_up(admin: asyncpg.Connection, table: str, user: UUID) -> bool:
    """A row of the user's in the table, if it has none; its values are of the right types, and refer to rows that are
    there. False while there are none to refer to."""
    if await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE user_id = $1', user):  # noqa: S608
        return True
    values: dict[str, Any] = {"user_id": user}
    columns = await admin.fetch(COLUMNS, f"penny.{table}")
    optional = {column["name"] for column in columns if not column["needed"]}
    for key in await admin.fetch(FOREIGN, f"penny.{table}"):
        if optional.intersection(key["here"]):
            continue
        own = "id" if key["parent"] == "app_user" else "user_id"
        row = await admin.fetchrow(f'SELECT * FROM "{key["parent"]}" WHERE {own} = $1 LIMIT 1', user)  # noqa: S608
        if row is None:
            return False
        values |= {here: row[there] for here, there in zip(key["here"], key["there"], strict=True)}
    for column in columns:
        if column["needed"]:
            values.setdefault(column["name"], _value(column))
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await admin.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', *values.values())  # noqa: S608
    return True


def _value(column: asyncpg.Record) -> Any:
    kind, rule = column["type"], column["rule"] or ""
    if kind == "uuid":
        return new_id()
    if kind in ("integer", "bigint", "smallint"):
        return 1
    if kind == "date":
        return date(2026, 11, 1)
    if kind.startswith("timestamp"):
        return datetime.now(UTC)
    if kind == "numeric":
        return Decimal(1)
    if kind == "boolean":
        return False
    if kind == "jsonb":
        return "{}"
    if kind == "bytea":
        return b"x"
    if "A-Z" in rule or column["name"] in ("base", "quote"):
        return "EUR" if column["name"] == "quote" else "USD"
    return rule.split("'")[1] if "'" in rule else uuid.uuid4().hex[:8]


async def counts(admin: asyncpg.Connection, tables: list[str], user: UUID) -> dict[str, int]:
    counted = "SELECT count(*) FROM {} WHERE user_id = $1"
    return {table: await admin.fetchval(counted.format(table), user) for table in tables}


async def test_a_running_reply_is_stopped_first(database: Database, user: UUID, start, collect, session) -> None:
    """Its model is closed, its owner writes nothing more, and the user's next word is a stranger's."""
    model = ScriptedModel([{"text": "word " * 2000}], delay=0.01)
    async with start(model) as runner:
        accepted = await runner.submit(user, session, "talk")
        async for frame in runner.events(user, accepted.run_id):
            if frame.type == "text.delta":
                break

        async def stop(run_id: UUID) -> None:
            await runner.cancel(user, run_id)

        await erase(database, user, stop)
        assert model.open_streams == 0
        async with database.read(user) as tx:
            assert await tx.pg.fetchval("SELECT count(*) FROM message") == 0


async def test_a_server_that_still_knows_the_user_makes_a_new_one(database: Database) -> None:
    """Another server's memory of the token is put right by the first write that fails; the next one is a new user's."""
    name = uuid.uuid4().hex
    user = await database.resolve_user("test", "", name)
    async with database.transaction(user) as tx:
        await tx.pg.execute("DELETE FROM app_user WHERE id = $1", user)  # as if by another server
    assert await database.resolve_user("test", "", name) == user
    with pytest.raises(UserErased):
        async with database.transaction(user) as tx:
            await sessions.create(tx)
    again = await database.resolve_user("test", "", name)
    assert again != user
    async with database.transaction(again) as tx:
        await sessions.create(tx)
