"""After a failover connections lead to a server that takes no writes: they are left behind, nothing is half saved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from db.connection import DatabaseUnavailable
from db.embedded import Server
from db.engine import Database

Demote = Callable[[Database, bool], Awaitable[None]]


@pytest.fixture
async def demoted(admin_url: str) -> AsyncIterator[Demote]:
    """Makes the pool's one connection lead to a reader, as the old writer becomes one, or to a writer again."""
    admin = await asyncpg.connect(admin_url)

    async def set_(pool: Database, on: bool) -> None:
        word = "on" if on else "off"
        await admin.execute(f"ALTER SYSTEM SET default_transaction_read_only = {word}")
        await admin.execute("SELECT pg_reload_conf()")
        async with pool.unowned() as pg:
            while await pg.fetchval("SHOW default_transaction_read_only") != word:  # noqa: ASYNC110 - told by nobody
                await asyncio.sleep(0.01)

    yield set_
    await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


async def _save(database: Database, user: UUID, value: str) -> None:
    async with database.transaction(user) as tx:
        await tx.pg.execute("INSERT INTO category (user_id, id, name) VALUES ($1, uuidv7(), $2)", user, value)


async def test_a_write_to_the_old_writer_is_an_error_to_try_again_on_fresh_connections(
    postgres: Server, database: Database, user: UUID, demoted: Demote
):
    """DatabaseUnavailable, nothing saved; what waits in the pool is not used again, so the next try finds the new
    writer at once."""
    own = await Database.connect(postgres.app_url, worker_url=postgres.worker_url, pool_size=1)
    try:
        async with own.unowned() as pg:
            before = pg.get_server_pid()
        await demoted(own, True)
        with pytest.raises(DatabaseUnavailable):
            await _save(own, user, "lost")
        await demoted(own, False)
        await _save(own, user, "kept")
        async with own.unowned() as pg:
            assert pg.get_server_pid() != before
        async with own.read(user) as tx:
            names = await tx.pg.fetch("SELECT name FROM category WHERE user_id = $1 AND name IN ('lost', 'kept')", user)
        assert [row["name"] for row in names] == ["kept"]
    finally:
        await own.close()


async def test_a_write_within_a_reading_transaction_is_a_defect_and_stays_one(database: Database, user: UUID):
    """It is not taken for a failover."""
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.read(user) as tx:
            await tx.pg.execute("INSERT INTO category (user_id, id, name) VALUES ($1, uuidv7(), 'x')", user)
