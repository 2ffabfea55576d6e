"""Bring a database to the schema that this code needs: roles, the schema's owner, then the Alembic migrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from db.connection import Endpoint, connecting
from db.schema import APP, HEAD, OWNER, SCHEMA, WORKER
from domain.errors import SetupError

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x70656E6E79  # "penny": one migration of a database at a time
OLDEST = 18
"""The schema uses uuidv7(), which came with PostgreSQL 18."""

MAKE_ROLE = """
DO $$ BEGIN CREATE ROLE {role} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
"""


async def migrate(admin_url: str, *, passwords: Mapping[str, str] | None = None) -> list[str]:
    """Migrate the database at `admin_url` (a login that may create roles and schemas); the revisions applied, oldest first.

    `passwords` ({"app": ..., "worker": ...}) makes the two roles logins of their own; without it the login of `admin_url` may
    act as both. It is one transaction: all of it or nothing. When the schema is current it is one look and changes nothing.
    Raises DatabaseUnavailable, or SetupError when the login may not do it or the server is older than PostgreSQL 18.
    """
    endpoint = Endpoint.parse(admin_url)
    pg = await _open(endpoint)
    try:
        if await _version(pg) == HEAD:
            return []
        if pg.get_server_version().major < OLDEST:
            raise SetupError(f"The database {endpoint.place} is older than PostgreSQL {OLDEST}, which Penny needs.")
        return await _upgrade(pg, passwords)
    except asyncpg.InsufficientPrivilegeError as error:
        raise SetupError(
            f"The login for {endpoint.place} may not create Penny's roles and schema ({error}); "
            "run `penny migrate` as one that may."
        ) from error
    finally:
        await pg.close()


async def current(admin_url: str) -> str | None:
    """The revision that the database has; None when it has none of Penny's tables."""
    connection = await _open(Endpoint.parse(admin_url))
    try:
        return await _version(connection)
    finally:
        await connection.close()


def head() -> str:
    """The revision that this code needs."""
    return HEAD


async def _open(endpoint: Endpoint) -> asyncpg.Connection:
    with connecting(endpoint):
        return await asyncpg.connect(endpoint.dsn, timeout=10, server_settings={"application_name": "penny-migrate"})


async def _version(connection: asyncpg.Connection) -> str | None:
    try:
        found: str | None = await connection.fetchval(f"SELECT version_num FROM {SCHEMA}.alembic_version")  # noqa: S608
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
    return found


async def _make_roles(pg: asyncpg.Connection, passwords: Mapping[str, str] | None) -> None:
    for role in (OWNER, APP, WORKER):
        await pg.execute(MAKE_ROLE.format(role=role))
    await pg.execute(f"GRANT {OWNER} TO CURRENT_USER")
    if passwords is None:
        await pg.execute(f"GRANT {APP}, {WORKER} TO CURRENT_USER")
    else:
        login = "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)"
        for role, password in ((APP, passwords["app"]), (WORKER, passwords["worker"])):
            await pg.execute(await pg.fetchval(login, role, password))
    await pg.execute(
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA} AUTHORIZATION {OWNER}; GRANT USAGE ON SCHEMA {SCHEMA} TO {APP}, {WORKER}"
    )


async def _upgrade(pg: asyncpg.Connection, passwords: Mapping[str, str] | None) -> list[str]:
    """Roles, schema and migrations in one transaction on `pg`, one such at a time in a database."""
    # Imported here because a start on a current schema does not need them, and they take a quarter of a second.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    async def give() -> asyncpg.Connection:
        return pg

    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=give, isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    async with engine.connect() as connection:
        await pg.execute(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK})")
        before = await _version(pg) if await pg.fetchval("SELECT to_regclass($1)", f"{SCHEMA}.alembic_version") else None
        await _make_roles(pg, passwords)
        await pg.execute(f"SET LOCAL ROLE {OWNER}; SET LOCAL search_path = {SCHEMA}, pg_temp")
        await connection.run_sync(run)
        await pg.execute(f"GRANT SELECT ON {SCHEMA}.alembic_version TO {APP}, {WORKER}")
        await pg.execute("COMMIT")
    scripts = ScriptDirectory.from_config(config)
    return [step.revision for step in scripts.iterate_revisions(HEAD, before)][::-1]
