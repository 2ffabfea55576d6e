"""Bring a database to the schema that this code needs: roles, the schema's owner, then the Alembic migrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from db.compatibility import KEEP, oldest_served, schema_of
from db.connection import Endpoint, connecting, log_in
from db.schema import APP, HEAD, OWNER, SCHEMA, WORKER
from db.service_login import ServiceLogin, make_login
from domain.errors import SetupError

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x70656E6E79  # "penny": one migration of a database at a time
OLDEST = 18
"""The schema uses uuidv7(), which came with PostgreSQL 18."""

EXISTS = f"SELECT to_regclass('{SCHEMA}.alembic_version') IS NOT NULL"

MAKE_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- made meanwhile by way of another database
END $$
"""

ACT_AS = """
DO $$ BEGIN
    IF NOT pg_has_role(current_user, '{role}', 'SET') THEN GRANT {role} TO CURRENT_USER; END IF;
END $$
"""


async def migrate(
    admin: str | Endpoint, *, passwords: Mapping[str, str] | None = None, login: ServiceLogin | None = None
) -> list[str]:
    """Migrate the database at `admin` (a login that may create roles and schemas); the revisions applied, oldest first.

    `passwords` ({"app": ..., "worker": ...}) makes the two roles logins of their own; without it the login of
    `admin` may act as both. `login` is made, or given this password, and may act as both. The migrations are one
    transaction: all of them or nothing. When the schema is current, or a newer one on which this code runs, it is one
    look and changes nothing but `login`. Raises DatabaseUnavailable, or SetupError when the login may not do it, the
    schema is too new or the server is older than PostgreSQL 18.
    """
    endpoint = admin if isinstance(admin, Endpoint) else Endpoint.parse(admin)
    pg = await _open(endpoint)
    try:
        found = await schema_of(pg)
        if found is not None and found.revision >= HEAD:
            found.check(endpoint.place)
            await make_login(pg, login)
            return []
        if pg.get_server_version().major < OLDEST:
            raise SetupError(f"The database {endpoint.place} is older than PostgreSQL {OLDEST}, which Penny needs.")
        applied = await _upgrade(pg, passwords)
        if login is not None:
            pg = await _open(endpoint)  # the migrations' engine has closed the one it was given
            await make_login(pg, login)
        return applied
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
        found = await schema_of(connection)
        return found.revision if found else None
    finally:
        await connection.close()


def head() -> str:
    """The revision that this code needs."""
    return HEAD


async def _open(endpoint: Endpoint) -> asyncpg.Connection:
    with connecting(endpoint):
        return await log_in(endpoint, {"application_name": "penny-migrate"})


async def _make_roles(pg: asyncpg.Connection, passwords: Mapping[str, str] | None) -> None:
    for role in (OWNER, APP, WORKER):
        await pg.execute(MAKE_ROLE.format(role=role))
    for role in (OWNER,) if passwords else (OWNER, APP, WORKER):
        await pg.execute(ACT_AS.format(role=role))
    if passwords:
        login = "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)"
        for role, password in ((APP, passwords["app"]), (WORKER, passwords["worker"])):
            await pg.execute(await pg.fetchval(login, role, password))
    if not await pg.fetchval("SELECT to_regnamespace($1)", SCHEMA):
        await pg.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {OWNER}")


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
    scripts = ScriptDirectory.from_config(config)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=give, isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    async with engine.connect() as connection:
        await pg.execute(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK})")
        schema = await schema_of(pg) if await pg.fetchval(EXISTS) else None
        if schema is not None and schema.revision >= HEAD:  # migrated meanwhile
            schema.check("that is migrated")
            return []
        before = schema.revision if schema else None
        await _make_roles(pg, passwords)
        await pg.execute(f"SET LOCAL ROLE {OWNER}; SET LOCAL search_path = {SCHEMA}, pg_temp")
        await pg.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {APP}, {WORKER}")
        await connection.run_sync(run)
        await pg.execute(KEEP.format(oldest=oldest_served(scripts)))
        await pg.execute(f"GRANT SELECT ON {SCHEMA}.alembic_version TO {APP}, {WORKER}")
        await pg.execute("COMMIT")
    return [step.revision for step in scripts.iterate_revisions(HEAD, before)][::-1]
