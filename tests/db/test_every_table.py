"""Row-level security proved on every table, from the catalogue: with a row of two users in each, neither role that
serves reads, changes, deletes, makes or takes over a row of the other's."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from every_table import OWNED, live

from db.embedded import Server
from db.engine import Database


@dataclass(frozen=True)
class Two:
    """Two users who have a row in every table."""

    me: UUID
    other: UUID
    tables: tuple[str, ...]


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


@pytest.fixture
async def two(database: Database, admin: asyncpg.Connection) -> Two:
    me, other = [await database.resolve_user("test", "", uuid.uuid4().hex) for _ in range(2)]
    for user in (me, other):
        await live(database, admin, user)
    return Two(me, other, tuple(row["name"] for row in await admin.fetch(OWNED)))


async def test_no_row_of_another_can_be_reached(
    two: Two, database: Database, admin: asyncpg.Connection, tell: Callable[[str], None]
) -> None:
    """Reading finds none; changing and deleting touch none or are refused; all of the other's rows stand afterwards."""

    async def theirs() -> dict[str, str]:
        return {
            table: str(await admin.fetch(f'SELECT * FROM "{table}" WHERE user_id = $1', two.other))  # noqa: S608
            for table in two.tables
        }

    before, tried = await theirs(), 0
    touching = (
        'SELECT count(*) FROM "{}" WHERE user_id = $1',
        'WITH c AS (UPDATE "{}" SET user_id = user_id WHERE user_id = $1 RETURNING 1) SELECT count(*) FROM c',
        'WITH c AS (DELETE FROM "{}" WHERE user_id = $1 RETURNING 1) SELECT count(*) FROM c',
    )
    for table in two.tables:
        for statement in touching:
            tried += 1
            try:
                async with database.transaction(two.me) as tx:
                    assert await tx.pg.fetchval(statement.format(table), two.other) == 0, (table, statement)
            except asyncpg.InsufficientPrivilegeError:
                continue
    assert await theirs() == before
    tell(f"row security: {len(two.tables)} tables, {tried} attempts on another's rows, 0 reached")


async def test_no_row_can_be_made_for_or_handed_to_another(
    two: Two, database: Database, admin: asyncpg.Connection
) -> None:
    """An insert that names the other user is refused, and so is an update that gives a row of one's own away: by the
    policies, or because the role may not write there at all."""
    for table in two.tables:
        row = await admin.fetchrow(f'SELECT * FROM "{table}" WHERE user_id = $1 LIMIT 1', two.other)  # noqa: S608
        assert row is not None, table
        plain = await writable(admin, table)
        columns = ", ".join(f'"{name}"' for name in plain)
        places = ", ".join(f"${n}" for n in range(1, len(plain) + 1))
        values = [row[name] for name in plain]
        making = f'INSERT INTO "{table}" ({columns}) VALUES ({places})'  # noqa: S608
        assert await refused(database, two.me, making, *values), table
        giving = f'UPDATE "{table}" SET user_id = $1 WHERE user_id = $2'  # noqa: S608
        assert await refused(database, two.me, giving, two.other, two.me), table


async def refused(database: Database, user: UUID, statement: str, *values: object) -> bool:
    """Whether the role may not do that, or the policies do not let this user."""
    try:
        async with database.transaction(user) as tx:
            await tx.pg.execute(statement, *values)
    except asyncpg.InsufficientPrivilegeError as error:
        return "row-level security" in str(error) or "permission denied" in str(error)
    return False


async def test_nobody_is_seen_when_no_user_is_named(two: Two, postgres: Server) -> None:
    """A bare connection of the role that serves sees no row of any table, although there are rows in all of them."""
    connection = await asyncpg.connect(postgres.app_url, server_settings={"search_path": "penny"})
    try:
        for table in two.tables:
            assert await connection.fetchval(f'SELECT count(*) FROM "{table}"') == 0, table  # noqa: S608
    finally:
        await connection.close()


async def writable(admin: asyncpg.Connection, table: str) -> list[str]:
    """The columns that a statement may give a value."""
    rows = await admin.fetch(
        """
        SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
           AND attgenerated = '' AND attidentity = '' ORDER BY attnum
        """,
        f"penny.{table}",
    )
    return [row["attname"] for row in rows]
