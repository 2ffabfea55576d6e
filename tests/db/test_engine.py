"""The way in: transactions, users, the pool, and what a lost connection or a cancelled task leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.connection import CommitUnknown, DatabaseUnavailable, Endpoint, PoolExhausted
from db.embedded import Server
from db.engine import Database, Transaction
from domain.errors import InvalidInput, SetupError

ADD_ACCOUNT = "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, $2, 'checking', 'USD')"
COUNT = "SELECT count(*) FROM account"


@pytest.fixture
async def small(postgres: Server, admin_url: str) -> AsyncIterator[Database]:
    """The database through a pool of two that waits a tenth of a second."""
    opened = await Database.connect(
        postgres.app_url, worker_url=postgres.worker_url, pool_size=2, pool_seconds=0.1, application="small"
    )
    yield opened
    await opened.close()


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await asyncpg.connect(admin_url)
    yield connection
    await connection.close()


async def count(database: Database, user: UUID) -> int:
    """How many accounts the user has."""
    async with database.read(user) as tx:
        return int(await tx.pg.fetchval(COUNT))


async def quiet(admin: asyncpg.Connection) -> None:
    """Return when no session of the small pool has a query or a transaction under way on the server."""
    busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'small' AND state <> 'idle'"
    while await admin.fetchval(busy):  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)


async def test_block_commits_at_its_end(database: Database, user: UUID) -> None:
    """What a transaction wrote, by Core or by the driver, is there after its block."""
    async with database.transaction(user) as tx:
        await tx.pg.execute(ADD_ACCOUNT, user, "A")
        insert = text("INSERT INTO account (user_id, name, kind, currency) VALUES (:user, 'B', 'cash', 'USD')")
        await tx.conn.execute(insert, {"user": user})
        assert tx.user == user
    assert await count(database, user) == 2


async def test_exception_rolls_back(database: Database, user: UUID) -> None:
    """An exception that leaves the block undoes all of it and is raised as it was."""

    async def work() -> None:
        async with database.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, "A")
            raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        await work()
    assert await count(database, user) == 0


async def test_swallowed_error_is_not_taken_for_saved(database: Database, user: UUID) -> None:
    """A block that swallowed a failed statement's error does not end as though it had saved."""

    async def work() -> None:
        async with database.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, "A")
            with contextlib.suppress(asyncpg.DivisionByZeroError):
                await tx.pg.execute("SELECT 1/0")

    with pytest.raises(RuntimeError, match="nothing was saved"):
        await work()
    assert await count(database, user) == 0


async def test_savepoint_is_undone_alone(database: Database, user: UUID) -> None:
    """An error in a savepoint undoes that part, in nested ones too, and the rest is saved."""

    async def fails(tx: Transaction) -> None:
        async with tx.savepoint():
            await tx.pg.execute(ADD_ACCOUNT, user, "C")
            await tx.pg.execute(ADD_ACCOUNT, user, "b")

    async with database.transaction(user) as tx:
        await tx.pg.execute(ADD_ACCOUNT, user, "A")
        async with tx.savepoint():
            await tx.pg.execute(ADD_ACCOUNT, user, "B")
            with pytest.raises(asyncpg.UniqueViolationError):
                await fails(tx)
    assert await count(database, user) == 2


async def test_read_refuses_writes(database: Database, user: UUID) -> None:
    """A write in a reading transaction is refused by the database."""
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.read(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, "A")


async def test_sessions_are_set_up(database: Database, user: UUID) -> None:
    """Every session acts as penny_app, in UTC, with search_path penny alone, and says whose it is."""
    async with database.transaction(user) as tx:
        row = await tx.pg.fetchrow(
            "SELECT current_user::text, current_setting('TimeZone'), current_setting('search_path'), "
            "current_setting('application_name'), current_setting('app.user_id')"
        )
    assert tuple(row) == ("penny_app", "UTC", "penny", "test", str(user))


async def test_beginning_is_one_round_trip(small: Database, user: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEGIN and the user go in one message, COMMIT in another, and giving the connection back sends nothing."""
    sent: list[str] = []
    execute = asyncpg.Connection.execute

    async def counted(self: asyncpg.Connection, query: str, *args: object, **options: float) -> str:
        sent.append(query)
        return str(await execute(self, query, *args, **options))

    monkeypatch.setattr(asyncpg.Connection, "execute", counted)
    async with small.transaction(user) as tx:
        assert await tx.pg.fetchval(COUNT) == 0
    assert sent == [f"BEGIN; SET LOCAL app.user_id = '{user}'", "COMMIT"]


@pytest.mark.parametrize(
    "value", [{"a": [1, None, True, "é✓"], "b": {}}, [], "text", 0, 12.5, False, {"minor": 10**15}, [[{"x": "'; --"}]]]
)
async def test_json_is_python_values_both_ways(database: Database, user: UUID, value: object) -> None:
    """The driver takes Python values for json and jsonb and gives equal ones back."""
    async with database.transaction(user) as tx:
        assert await tx.pg.fetchval("SELECT $1::jsonb", value) == value
        assert await tx.pg.fetchval("SELECT $1::json", value) == value


async def test_user_must_be_a_uuid(database: Database) -> None:
    """Text can never be spliced into the statement that names the user."""
    with pytest.raises(AttributeError):
        async with database.transaction("x'; DROP TABLE account; --"):  # type: ignore[arg-type]
            pass


async def test_resolve_user_is_one_user(postgres: Server, database: Database) -> None:
    """Twenty processes that meet a new person at once agree on who it is, and on one preference row."""
    subject = uuid.uuid4().hex
    opened = [await Database.connect(postgres.app_url, pool_size=2) for _ in range(4)]
    try:
        calls = [opened[n % 4].resolve_user("iss", "t", subject) for n in range(20)]
        found = set(await asyncio.gather(*calls))
    finally:
        await asyncio.gather(*(each.close() for each in opened))
    assert found == {await database.resolve_user("iss", "t", subject)}
    async with database.transaction(found.pop()) as tx:
        assert await tx.pg.fetchval("SELECT count(*) FROM preference") == 1
    assert await database.resolve_user("iss", "other", subject) not in found


async def test_pool_exhaustion_is_said_and_passes(small: Database, user: UUID) -> None:
    """A request that finds no connection for the waiting time gets PoolExhausted; later ones do well."""
    async with small.transaction(user), small.transaction(user):
        with pytest.raises(PoolExhausted) as caught:
            async with small.transaction(user):
                pass
    assert caught.value.details["retry_after"] == 1
    assert caught.value.status == 503
    await small.ping()


async def test_hundred_requests_on_two_connections(postgres: Server, admin_url: str, user: UUID) -> None:
    """A hundred requests on two connections are all answered when there is time to wait, and none leaks."""
    opened = await Database.connect(postgres.app_url, pool_size=2, pool_seconds=30)
    try:
        assert await asyncio.gather(*(count(opened, user) for _ in range(100))) == [0] * 100
        async with opened.transaction(user), opened.transaction(user):
            pass
    finally:
        await opened.close()


async def test_cancelled_query_leaves_a_healthy_pool(small: Database, user: UUID, admin: asyncpg.Connection) -> None:
    """Tasks cancelled in mid-query give their connections back, rolled back, and their queries end on the server."""

    async def slow(name: str) -> None:
        async with small.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, name)
            started.release()
            await tx.pg.execute("SELECT pg_sleep(60)")

    started = asyncio.Semaphore(0)
    for attempt in range(5):
        tasks = [asyncio.create_task(slow(f"{attempt}{n}")) for n in range(2)]
        for _ in tasks:
            await started.acquire()
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in outcomes)
    assert await count(small, user) == 0
    await quiet(admin)


async def test_cancelling_anywhere_leaks_nothing(small: Database, user: UUID, admin: asyncpg.Connection) -> None:
    """Cancelled after any number of steps of the loop, a transaction leaves no connection taken."""

    async def work() -> None:
        async with small.transaction(user) as tx:
            await tx.conn.execute(text("SELECT 1"))
            await tx.pg.fetchval("SELECT 2")

    for steps in range(60):
        task = asyncio.create_task(work())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with small.transaction(user), small.transaction(user):
        pass
    await quiet(admin)


async def test_cancel_during_commit_waits_for_it(small: Database, user: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task cancelled while COMMIT is under way has saved when the cancellation comes out."""
    execute = asyncpg.Connection.execute

    async def cancelling(self: asyncpg.Connection, query: str, *args: object, **options: float) -> str:
        if query == "COMMIT":
            task.cancel()
        return str(await execute(self, query, *args, **options))

    async def work() -> None:
        async with small.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, "A")

    monkeypatch.setattr(asyncpg.Connection, "execute", cancelling)
    task = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    assert await count(small, user) == 1


async def test_idle_connections_that_died_are_replaced(small: Database, user: UUID, admin: asyncpg.Connection) -> None:
    """A server that closed every idle connection, as a restart does, is not noticed by the next request."""
    async with small.transaction(user), small.transaction(user):
        pass
    for _ in range(3):
        killed = await admin.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'small'"
        )
        assert killed
        assert await asyncio.gather(count(small, user), count(small, user)) == [0, 0]


async def test_a_statement_that_is_given_up_is_a_passing_error(small: Database, user: UUID) -> None:
    """A statement that takes too long is DatabaseUnavailable, nothing of its transaction is saved, and the pool goes
    on."""

    async def work() -> None:
        async with small.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, "A")
            await tx.pg.execute("SELECT pg_sleep(60)", timeout=0.1)

    with pytest.raises(DatabaseUnavailable, match="took too long"):
        await work()
    for _ in range(3):
        assert await count(small, user) == 0


@pytest.mark.parametrize("way", ["driver", "core"])
async def test_connection_lost_in_a_transaction(
    small: Database, user: UUID, admin: asyncpg.Connection, way: str
) -> None:
    """Losing the connection in a transaction is DatabaseUnavailable, retryable, nothing saved, and the pool mends."""

    async def work() -> None:
        async with small.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, "A")
            await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", tx.pg.get_server_pid())
            await (tx.pg.fetchval("SELECT 1") if way == "driver" else tx.conn.execute(text("SELECT 1")))

    with pytest.raises(DatabaseUnavailable) as caught:
        await work()
    assert not isinstance(caught.value, CommitUnknown)
    assert caught.value.retryable
    assert await count(small, user) == 0


async def test_connection_lost_at_commit_is_told_apart(small: Database, user: UUID, admin: asyncpg.Connection) -> None:
    """When the connection dies before COMMIT is answered, the error says that the outcome is not known."""

    async def work() -> None:
        async with small.transaction(user) as tx:
            await tx.pg.execute(ADD_ACCOUNT, user, "A")
            await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", tx.pg.get_server_pid())

    with pytest.raises(CommitUnknown):
        await work()
    assert await count(small, user) == 0


async def test_error_of_the_block_is_not_taken_for_a_lost_connection(database: Database, user: UUID) -> None:
    """A ConnectionError of something else inside the block stays what it is."""
    with pytest.raises(ConnectionResetError):
        async with database.transaction(user):
            raise ConnectionResetError("of the model's stream")
    with pytest.raises(DBAPIError):
        async with database.transaction(user) as tx:
            await tx.conn.execute(text("SELECT 1/0"))


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        (
            "postgresql://penny_app:wrong-secret@127.0.0.1:{port}/penny",
            DatabaseUnavailable,
            "refuses this user or password",
        ),
        ("postgresql://penny_app:{password}@127.0.0.1:{port}/nowhere", DatabaseUnavailable, "no such database"),
        (
            "postgresql://penny_app:wrong-secret@127.0.0.1:1/penny",
            DatabaseUnavailable,
            "127.0.0.1:1/penny does not answer",
        ),
        ("postgresql://u:wrong-secret@no-such-host.invalid/penny", DatabaseUnavailable, "does not answer"),
        ("postgresql://penny_app:{password}@127.0.0.1:{port}/postgres", SetupError, "run `penny migrate`"),
        ("postgresql://penny_worker:{worker}@127.0.0.1:{port}/penny", SetupError, "penny migrate"),
        ("mysql://u:wrong-secret@h/penny", SetupError, "must look like postgresql://"),
        ("postgresql://u:wrong-secret@h:port/penny", SetupError, "cannot be read"),
        ("postgresql://u:wrong-secret@h/penny?sslmode=sideways", SetupError, "cannot be used"),
    ],
)
async def test_connecting_says_what_is_wrong(
    postgres: Server, database: Database, url: str, error: type[Exception], says: str
) -> None:
    """Each way of not getting in is one sentence with the place and the way out, and no password in it."""
    passwords = postgres.credentials
    filled = url.format(port=postgres.port, password=passwords.app, worker=passwords.worker)
    with pytest.raises(error, match="(?s).*" + says) as caught:
        await Database.connect(filled)
    for secret in ("wrong-secret", passwords.app, passwords.worker):
        assert secret not in str(caught.value)


async def test_url_schemes_and_options_are_understood(postgres: Server, database: Database) -> None:
    """The three spellings of a PostgreSQL URL work, sslmode with them."""
    rest = postgres.app_url.partition("://")[2].partition("?")[0]
    for scheme in ("postgresql", "postgres", "postgresql+asyncpg"):
        opened = await Database.connect(f"{scheme}://{rest}?sslmode=prefer")
        await opened.ping()
        await opened.close()


def test_place_is_shown_without_secrets() -> None:
    """What people see of an address is host, port and database."""
    endpoint = Endpoint.parse("postgres://user:se%40cret@db.example/penny?sslmode=require")
    assert endpoint.place == "db.example:5432/penny"
    assert "cret" not in repr(endpoint)
