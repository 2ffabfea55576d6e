"""Who sees which rows: the facts that keep one user's money from another's sight."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from db.embedded import Server
from db.engine import Database

ADD_ACCOUNT = "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, $2, 'checking', 'USD') RETURNING id"


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection, for looking at the catalogue and behind the policies."""
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


@pytest.fixture
async def app(postgres: Server, database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection as penny_app, without a user."""
    connection = await asyncpg.connect(postgres.app_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


@pytest.fixture
async def owned(database: Database, user: UUID) -> UUID:
    """An account that belongs to `user`."""
    async with database.transaction(user) as tx:
        return UUID(str(await tx.pg.fetchval(ADD_ACCOUNT, user, "Checking")))


async def test_every_table_is_guarded(admin: asyncpg.Connection) -> None:
    """Every table but Alembic's own has forced row-level security and at least one policy for penny_app."""
    rows = await admin.fetch(
        """SELECT relname, relrowsecurity AND relforcerowsecurity AS forced,
                  EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid
                             AND 'penny_app'::regrole = ANY (polroles)) AS policy
             FROM pg_class c
            WHERE relnamespace = 'penny'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'"""
    )
    assert len(rows) >= 14
    assert [row["relname"] for row in rows if not (row["forced"] and row["policy"])] == []


async def test_every_policy_of_the_app_names_the_user(admin: asyncpg.Connection) -> None:
    """No policy lets penny_app through without comparing to the transaction's user."""
    rows = await admin.fetch(
        """SELECT polrelid::regclass::text AS name, pg_get_expr(polqual, polrelid) AS condition FROM pg_policy
            WHERE 'penny_app'::regrole = ANY (polroles) OR polroles = '{0}'"""
    )
    assert rows
    assert [row["name"] for row in rows if "app.user_id" not in (row["condition"] or "")] == []


async def test_no_role_that_serves_can_pass_the_policies(admin: asyncpg.Connection) -> None:
    """penny_app and penny_worker own nothing, are no superusers, and cannot bypass row-level security."""
    roles = await admin.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname IN ('penny_app', 'penny_worker') "
        "AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb "
        "OR pg_has_role(rolname, 'penny_owner', 'MEMBER'))"
    )
    assert roles == []
    owned = await admin.fetchval(
        "SELECT count(*) FROM pg_class WHERE relowner IN ('penny_app'::regrole, 'penny_worker'::regrole)"
    )
    assert owned == 0


async def test_no_user_sees_no_rows(app: asyncpg.Connection, admin: asyncpg.Connection, owned: UUID) -> None:
    """A session in which no user was named sees none of the rows of any guarded table."""
    tables = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'penny'::regnamespace AND relkind IN ('r', 'p') "
        "AND relrowsecurity"
    )
    for table in tables:
        assert await app.fetch(f'TABLE "{table["relname"]}"') == [], table["relname"]


async def test_user_sees_own_rows_only(database: Database, user: UUID, owned: UUID) -> None:
    """A user finds their account; another user does not, by its id either."""
    stranger = await database.resolve_user("test", "", uuid.uuid4().hex)
    async with database.transaction(user) as tx:
        assert await tx.pg.fetchval("SELECT count(*) FROM account WHERE id = $1", owned) == 1
    async with database.transaction(stranger) as tx:
        assert await tx.pg.fetchval("SELECT count(*) FROM account WHERE id = $1", owned) == 0
        assert await tx.pg.execute("UPDATE account SET name = 'mine' WHERE id = $1", owned) == "UPDATE 0"
        assert await tx.pg.execute("DELETE FROM account WHERE id = $1", owned) == "DELETE 0"


async def test_insert_for_another_is_refused(database: Database, user: UUID) -> None:
    """A row that names another user cannot be inserted, nor can one be handed over by an update."""
    stranger = await database.resolve_user("test", "", uuid.uuid4().hex)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, stranger, "Theirs")
    async with database.transaction(user) as tx:
        mine = await tx.pg.fetchval(ADD_ACCOUNT, user, "Mine")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.transaction(user) as tx:
            await tx.pg.execute("UPDATE account SET user_id = $1 WHERE id = $2", stranger, mine)


async def test_foreign_key_cannot_reach_another_users_row(database: Database, user: UUID, owned: UUID) -> None:
    """A transaction cannot be posted to another user's account, though foreign keys are checked past the policies."""
    stranger = await database.resolve_user("test", "", uuid.uuid4().hex)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with database.transaction(stranger) as tx:
            await tx.pg.execute(
                "INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency) "
                "VALUES ($1, 1, $2, current_date, -100, 'USD')",
                stranger,
                owned,
            )


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
async def test_nothing_of_the_user_is_left(postgres: Server, user: UUID, owned: UUID, end: str) -> None:
    """After the transaction ends, the same connection sees nothing until a user is named again."""
    connection = await asyncpg.connect(postgres.app_url, server_settings={"search_path": "penny"})
    try:
        await connection.execute(f"BEGIN; SET LOCAL app.user_id = '{user}'")
        assert await connection.fetchval("SELECT count(*) FROM account") == 1
        await connection.execute(end)
        assert await connection.fetchval("SELECT count(*) FROM account") == 0
        assert not await connection.fetchval("SELECT current_setting('app.user_id', true)")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT text FROM message",
        "SELECT * FROM proposal",
        "SELECT * FROM journal",
        "SELECT * FROM txn",
        "SELECT * FROM account",
        "SELECT * FROM budget",
        "SELECT * FROM preference",
        "SELECT * FROM identity",
        "SELECT * FROM session",
        "SELECT events FROM run_event",
        "SELECT count(*) FROM run_event",
        "SELECT error FROM run",
        "UPDATE run_event SET events = ''",
        "DELETE FROM run_event",
        "DELETE FROM run",
        "UPDATE run SET user_id = gen_random_uuid()",
        "INSERT INTO run DEFAULT VALUES",
        "SELECT resolve_user('a', '', 'b')",
    ],
)
async def test_worker_is_denied(worker: asyncpg.Connection, statement: str) -> None:
    """penny_worker may not read or change people's words, money, proposals or events, nor learn who anybody is."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await worker.execute(statement)


async def test_worker_moves_the_queue(worker: asyncpg.Connection, database: Database, user: UUID) -> None:
    """penny_worker finds any user's run, claims it and appends its events; the user reads them."""
    run, session = uuid.uuid4(), uuid.uuid4()
    async with database.transaction(user) as tx:
        await tx.pg.execute("INSERT INTO session (user_id, id) VALUES ($1, $2)", user, session)
        await tx.pg.execute(
            "INSERT INTO run (user_id, id, session_id, turn, message_id, text_hash, status) "
            "VALUES ($1, $2, $3, 1, $2, '', 'queued')",
            user,
            run,
            session,
        )
    found = await worker.fetchrow(
        "UPDATE run SET status = 'running', attempt = 1, owner = 'w' WHERE id = $1 RETURNING user_id, session_id", run
    )
    assert tuple(found) == (user, session)
    await worker.execute(
        "INSERT INTO run_event (user_id, run_id, seq, last_seq, attempt, events) VALUES ($1, $2, 1, 1, 1, '[]')",
        user,
        run,
    )
    async with database.transaction(user) as tx:
        assert await tx.pg.fetchval("SELECT count(*) FROM run_event WHERE run_id = $1", run) == 1


async def test_app_makes_no_users_by_hand(database: Database, user: UUID) -> None:
    """penny_app cannot insert users or identities except through resolve_user, nor read another's identity."""
    for statement in (
        "INSERT INTO app_user DEFAULT VALUES",
        "INSERT INTO identity (issuer, subject, user_id) VALUES ('x', 'y', '00000000-0000-0000-0000-000000000000')",
        "UPDATE identity SET subject = 'z'",
        "CREATE TABLE mine (id int)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(user) as tx:
                await tx.pg.execute(statement)
    async with database.transaction(user) as tx:
        assert await tx.pg.fetchval("SELECT count(*) FROM identity") == 1
        assert await tx.pg.fetchval("SELECT count(*) FROM app_user") == 1


async def test_user_leaves_with_everything(database: Database, admin: asyncpg.Connection) -> None:
    """Deleting one's own app_user row, which penny_app may do, takes every row that names the user along."""
    leaving = await database.resolve_user("test", "", uuid.uuid4().hex)
    async with database.transaction(leaving) as tx:
        await tx.pg.fetchval(ADD_ACCOUNT, leaving, "Checking")
        assert await tx.pg.execute("DELETE FROM app_user WHERE id = $1", leaving) == "DELETE 1"
    left = "SELECT user_id FROM account UNION ALL SELECT user_id FROM identity UNION ALL SELECT user_id FROM preference"
    assert leaving not in {row["user_id"] for row in await admin.fetch(left)}
