"""Erasing a user: nothing of theirs is left in any table, and nothing of anybody else's is gone."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from every_table import OWNED, live

from agent.scripted import ScriptedModel
from db.connection import UserErased
from db.engine import Database
from memory import sessions
from memory.erase import erase

CASCADES = """
SELECT c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent, c.confdeltype = 'c' AS cascades,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
                  AND a.attname IN ('user_id', 'run_id')) AS by_owner
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
 WHERE c.contype = 'f' AND t.relnamespace = 'penny'::regnamespace AND NOT t.relispartition
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
