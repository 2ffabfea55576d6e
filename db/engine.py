"""The one way into the database: `Database.transaction(user)`, whose rows are that user's alone."""

from __future__ import annotations

import asyncio
import copy
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from db.compatibility import schema_of
from db.connection import (
    CommitUnknown,
    DatabaseUnavailable,
    Endpoint,
    Logins,
    UserErased,
    demoted,
    lost,
    open_connection,
    without_user,
)
from db.endings import discard, to_its_end, undo
from db.schema import APP, WORKER
from db.sealing.keys import Keys
from db.sealing.ring import Ring
from db.seats import Seats
from db.transaction import Transaction
from domain.errors import PennyError, SetupError
from domain.metrics import UNTOLD, Metrics

POOL_SECONDS = 2.0
"""How long a request waits for a connection before it is told to come back."""

BEGIN_SECONDS = 10.0
COMMIT_SECONDS = 30.0
WORKER_SECONDS = 10.0
"""The worker's statements are short, and leases hang on them."""

KNOWN_USERS = 10_000

__all__ = ["Database", "Transaction"]


class Database:
    """A pool of connections that act as penny_app, and the door to those that act as penny_worker."""

    def __init__(
        self,
        endpoint: Endpoint,
        worker: Endpoint,
        engine: AsyncEngine,
        seats: Seats,
        patience: float,
        application: str,
        keys: Keys,
    ) -> None:
        self.endpoint = endpoint
        self._worker = worker
        self._engine = engine
        self._seats = seats
        self._patience = patience
        self._application = application
        self._users: OrderedDict[tuple[str, str, str], UUID] = OrderedDict()
        self._reader: Database | None = None
        self._writer = self
        self.keys = keys

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        logins: Logins | None = None,
        tls: ssl.SSLContext | None = None,
        worker_url: str | None = None,
        pool_size: int = 10,
        pool_seconds: float = POOL_SECONDS,
        application: str = "penny",
        metrics: Metrics = UNTOLD,
        keys: Keys | None = None,
    ) -> Database:
        """Open the database at `url` and check that its schema is the one this code needs.

        `logins` count in place of the login in `url`, and `tls` in place of its sslmode. `worker_url` is for
        installations whose two roles are logins of their own; without it the one login acts as both. `keys` seal what
        users wrote. Raises DatabaseUnavailable when nobody answers, SetupError when `penny migrate` has to be run
        first.
        """
        endpoint = Endpoint.parse(url, logins, tls)
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: open_connection(endpoint, APP, application),
            isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are ours, so that BEGIN carries the user
            pool_reset_on_return=None,
            pool_size=pool_size,
            max_overflow=0,
            pool_use_lifo=True,
            json_serializer=_as_it_is,
        )
        # The connections have JSON codecs of their own (db/connection.py); the dialect would put its text ones over
        # them.
        engine.dialect.setup_asyncpg_json_codec = _leave_codec  # type: ignore[attr-defined]
        engine.dialect.setup_asyncpg_jsonb_codec = _leave_codec  # type: ignore[attr-defined]
        worker = Endpoint.parse(worker_url) if worker_url else endpoint
        seats = Seats(pool_size, metrics)
        database = cls(endpoint, worker, engine, seats, pool_seconds, application, keys or Keys())
        try:
            await database._check_schema()
        except BaseException:
            await database.close()
            raise
        return database

    def patient(self, seconds: float) -> Database:
        """The same pool, for work that was accepted already and may wait so long for a connection."""
        other = copy.copy(self)
        other._patience = seconds
        return other

    @property
    def reports(self) -> Database:
        """Where reports are read: the reader, if there is one, which may be a moment behind. Never for a turn, which
        has to see what was just written."""
        return self._reader or self

    def read_reports_from(self, reader: Database) -> None:
        """Has `reports` be that database, a replica of this one, which the caller closes."""
        self._reader = reader
        reader._writer, reader.keys = self, self.keys

    async def ring(self, user: UUID) -> Ring:
        """What seals and opens the user's texts. Raises as `transaction`."""
        return self.keys.at_hand(user) or await self.keys.of(self._writer, user)

    @asynccontextmanager
    async def transaction(self, user: UUID) -> AsyncIterator[Transaction]:
        """A transaction for `user`: committed at the end of the block, rolled back on any exception or cancellation.

        Raises PoolExhausted when no connection is free, DatabaseUnavailable when the connection is lost (nothing
        saved), CommitUnknown when it is lost during COMMIT, UserErased when something is to be written for a user who
        is no more.
        """
        ring = await self.ring(user)  # before there is a connection, which nobody else could have meanwhile
        async with self._begun(f"BEGIN; SET LOCAL app.user_id = '{UUID(int=user.int)}'", user) as (conn, pg):
            yield Transaction(conn, pg, user, ring)

    @asynccontextmanager
    async def read(self, user: UUID) -> AsyncIterator[Transaction]:
        """Like `transaction`, for reading only: a write in it is refused by the database."""
        ring = await self.ring(user)
        async with self._begun(f"BEGIN READ ONLY; SET LOCAL app.user_id = '{UUID(int=user.int)}'") as (conn, pg):
            yield Transaction(conn, pg, user, ring)

    @asynccontextmanager
    async def unsealed(self, user: UUID) -> AsyncIterator[asyncpg.Connection]:
        """A transaction for `user` without their keys: the one in which those are read and made."""
        async with self._begun(f"BEGIN; SET LOCAL app.user_id = '{UUID(int=user.int)}'") as (_, pg):
            yield pg

    async def call(self, query: str, *args: Any) -> Any:
        """The value of one statement that is a transaction of its own: the call of a function that is given its user.

        One round trip. Raises PoolExhausted when no connection is free, DatabaseUnavailable when there is no database,
        CommitUnknown when the connection is lost meanwhile.
        """
        async with self._seated():
            conn, pg = await self._check_out(None)
            try:
                value = await to_its_end(pg.fetchval(query, *args, timeout=COMMIT_SECONDS))
            except BaseException as error:
                gone = isinstance(error, TimeoutError) or lost(error, pg)
                await to_its_end(discard(conn, pg) if gone else conn.close())
                if gone:
                    raise CommitUnknown(
                        f"The connection to {self.endpoint.place} was lost while saving; look before repeating."
                    ) from error
                if demoted(error):
                    self._seats.move()
                    raise self._lost() from error
                raise
            await to_its_end(conn.close())
            return value

    async def resolve_user(self, issuer: str, tenant: str, subject: str) -> UUID:
        """The user that a token's issuer, tenant and subject name, made on first sight."""
        key = (issuer, tenant, subject)
        if found := self._users.get(key):
            self._users.move_to_end(key)
            return found
        async with self.unowned() as pg:
            user = UUID(int=(await pg.fetchval("SELECT resolve_user($1, $2, $3)", *key)).int)
        self._users[key] = user
        if len(self._users) > KNOWN_USERS:
            self._users.popitem(last=False)
        return user

    @asynccontextmanager
    async def unowned(self) -> AsyncIterator[asyncpg.Connection]:
        """A transaction of no user, which sees no rows: for the functions by which a user is found."""
        async with self._begun("BEGIN") as (_, pg):
            yield pg

    def forget(self, user: UUID) -> None:
        """The user was erased: whoever comes with their token next is a new one."""
        for key in [key for key, known in self._users.items() if known == user]:
            del self._users[key]
        self.keys.forget(user)

    async def worker_connection(self) -> asyncpg.Connection:
        """A connection outside the pool that acts as penny_worker; the caller closes it. Raises as `connect` does."""
        return await open_connection(self._worker, WORKER, f"{self._application}-worker", WORKER_SECONDS)

    @property
    def in_use(self) -> int:
        """How many of the pool's connections are taken."""
        return self._seats.taken

    async def ping(self) -> None:
        """Return when the database answers. Raises DatabaseUnavailable or PoolExhausted."""
        async with self._begun("BEGIN READ ONLY"):
            pass

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self._engine.dispose()

    async def _check_schema(self) -> None:
        """Raises SetupError when this code does not run on the database's schema."""
        place = self.endpoint.place
        try:
            async with self._begun("BEGIN READ ONLY") as (_, pg):
                found = await schema_of(pg)
                if found is None:
                    raise SetupError(f"The database {place} has no tables of Penny's: run `penny migrate`.")
        except asyncpg.InsufficientPrivilegeError:
            raise SetupError(f"The database {place} gives this login no rights: run `penny migrate`.") from None
        found.check(place)

    @asynccontextmanager
    async def _begun(
        self, begin: str, user: UUID | None = None
    ) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection]]:
        async with self._seated():
            conn, pg = await self._check_out(begin)
            try:
                yield conn, pg
            except BaseException as error:
                await to_its_end(undo(conn, pg))
                if not isinstance(error, PennyError) and lost(error, pg):
                    raise self._lost() from error
                if isinstance(error, TimeoutError):  # the driver's: a statement was given up
                    raise DatabaseUnavailable(
                        f"The database {self.endpoint.place} took too long for an answer; try again."
                    ) from error
                if not begin.startswith("BEGIN READ ONLY") and demoted(error):
                    self._seats.move()
                    raise self._lost() from error
                if user is not None and without_user(error):
                    self.forget(user)
                    raise UserErased("This user was erased; whoever comes again is a new one.") from error
                raise
            await to_its_end(self._save(conn, pg))

    @asynccontextmanager
    async def _seated(self) -> AsyncIterator[None]:
        await self._seats.take(self._patience)
        try:
            yield
        finally:
            self._seats.give_back()

    async def _check_out(self, begin: str | None) -> tuple[AsyncConnection, asyncpg.Connection]:
        """A connection of the pool on which `begin` has run, if given; ones that died while they lay idle are
        replaced."""
        while True:
            try:
                conn = await self._engine.connect()
            except DBAPIError as error:
                raise self._lost() from error
            try:
                raw = await conn.get_raw_connection()
            except BaseException:
                await to_its_end(conn.close())
                raise
            pg, used_before = raw.driver_connection, "used" in raw.info
            assert pg is not None
            raw.info["used"] = True
            try:
                if pg.is_closed() or raw.info.setdefault("moves", self._seats.moves) != self._seats.moves:
                    raise asyncpg.ConnectionDoesNotExistError("closed, or left behind, while it lay idle")
                if begin is not None:
                    await pg.execute(begin, timeout=BEGIN_SECONDS)
            except BaseException as error:
                await to_its_end(discard(conn, pg))
                if not lost(error, pg):
                    raise
                if not used_before:
                    raise self._lost() from error
            else:
                return conn, pg

    async def _save(self, conn: AsyncConnection, pg: asyncpg.Connection) -> None:
        try:
            done = await pg.execute("COMMIT", timeout=COMMIT_SECONDS)
        except (Exception, asyncio.CancelledError) as error:
            await undo(conn, pg)
            if isinstance(error, TimeoutError) or lost(error, pg):
                raise CommitUnknown(
                    f"The connection to {self.endpoint.place} was lost while saving; look before repeating."
                ) from error
            raise
        await conn.close()
        if done != "COMMIT":
            raise RuntimeError(
                "A statement of this transaction had failed and its error was swallowed: nothing was saved."
            )

    def _lost(self) -> DatabaseUnavailable:
        return DatabaseUnavailable(f"The connection to the database {self.endpoint.place} was lost; try again.")


def _as_it_is(value: Any) -> Any:
    return value


async def _leave_codec(_connection: object) -> None:
    return None
