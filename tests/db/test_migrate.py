"""Bringing a database to the schema this code needs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from db.connection import DatabaseUnavailable, Login
from db.embedded import Server, embedded
from db.engine import Database
from db.migrate import MIGRATIONS, current, head, migrate
from domain.errors import SetupError


@asynccontextmanager
async def admin(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for as long as the block lasts."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def empty_url(postgres: Server, admin_url: str) -> AsyncIterator[str]:
    """The superuser's URL of a new database in the session's cluster, whose roles exist."""
    name = f"empty_{uuid.uuid4().hex}"
    async with admin(admin_url) as connection:
        await connection.execute(f"CREATE DATABASE {name}")
        yield postgres.url("penny_admin", postgres.credentials.admin, name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_head_is_the_newest_migration() -> None:
    """The constant that a start compares with names Alembic's one head."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [head()]


async def test_empty_database_is_brought_to_the_head_once(empty_url: str) -> None:
    """An empty database gets all revisions; again, none; every table belongs to penny_owner."""
    assert await current(empty_url) is None
    assert (await migrate(empty_url))[-1] == head()
    assert await migrate(empty_url) == []
    assert await current(empty_url) == head()
    async with admin(empty_url) as connection:
        owners = await connection.fetch(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'penny'::regnamespace"
        )
    assert [tuple(each) for each in owners] == [("penny_owner",)]


async def test_migrations_at_once_apply_once(empty_url: str) -> None:
    """Five processes that migrate at once all succeed, and one of them did it."""
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(5)))
    assert sorted(len(each) for each in applied)[:4] == [0, 0, 0, 0]
    assert await current(empty_url) == head()


async def test_failed_migration_leaves_nothing(empty_url: str) -> None:
    """A migration that fails in its middle leaves no table, no schema and no version."""
    async with admin(empty_url) as connection:
        await connection.execute(
            """CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF tg_tag = 'CREATE FUNCTION' THEN RAISE 'refused'; END IF; END $$;
               CREATE EVENT TRIGGER refuse ON ddl_command_end EXECUTE FUNCTION refuse()"""
        )
        with pytest.raises(Exception, match="refused"):
            await migrate(empty_url)
        assert await connection.fetchval("SELECT to_regnamespace('penny')") is None
        await connection.execute("DROP EVENT TRIGGER refuse")
    assert (await migrate(empty_url))[-1] == head()


async def test_database_of_ones_own(home: Path) -> None:
    """One login that owns its database and may create roles is enough: it migrates, and serves as both roles."""
    async with embedded(home, durable=False) as server:
        async with admin(server.admin_url) as connection:
            await connection.execute("CREATE ROLE owner LOGIN CREATEROLE PASSWORD 'o'")
            await connection.execute("CREATE DATABASE mine OWNER owner")
            await connection.execute("CREATE ROLE guest LOGIN PASSWORD 'g'")
        url = server.url("owner", "o", "mine")
        with pytest.raises(SetupError, match="run `penny migrate`"):
            await Database.connect(url)
        with pytest.raises(SetupError, match="may not create Penny's roles"):
            await migrate(server.url("guest", "g", "mine"))
        assert (await migrate(url))[-1] == head()
        database = await Database.connect(url)
        try:
            user = await database.resolve_user("test", "", "someone")
            async with database.transaction(user) as tx:
                assert await tx.pg.fetchval("SELECT current_user::text") == "penny_app"
                assert await tx.pg.fetchval("SELECT count(*) FROM preference") == 1
            worker = await database.worker_connection()
            assert await worker.fetchval("SELECT current_user::text") == "penny_worker"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await worker.fetch("SELECT * FROM txn")
            await worker.close()
        finally:
            await database.close()


async def test_an_empty_database_gets_its_login_in_the_same_breath(empty_url: str, postgres: Server) -> None:
    """A first migration makes schema and login at once; a second one leaves both as they are."""
    service = Login(f"service_{uuid.uuid4().hex[:8]}", "first")
    assert (await migrate(empty_url, login=service))[-1] == head()
    assert await migrate(empty_url, login=service) == []
    name = empty_url.partition("?")[0].rpartition("/")[2]
    database = await Database.connect(postgres.url(str(service.user), service.password, name))
    await database.close()


async def test_unreachable_database_is_said() -> None:
    """Migrating a database that does not answer names its place and not its password."""
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/penny") as caught:
        await migrate("postgresql://penny:hidden@127.0.0.1:1/penny")
    assert "hidden" not in str(caught.value)
