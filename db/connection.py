"""A connection to PostgreSQL: its address, the role it acts as, JSON as Python values, and errors a person can act
on."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import asyncpg
import orjson

from db.schema import SCHEMA
from domain.errors import SetupError, Unauthorized, Unavailable

CONNECT_SECONDS = 5.0
LOGINS = 3
"""Tried for one connection: the one that is known, the current and the pending one of a rotation."""
STATEMENT_SECONDS = 60.0


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, or the connection to it was lost; nothing of the transaction was saved."""

    code = "database_unavailable"


class CommitUnknown(DatabaseUnavailable):
    """The connection was lost during COMMIT: the transaction is there as a whole or not at all. Look before
    repeating."""

    code = "commit_unknown"


class DatabaseUntrusted(DatabaseUnavailable):
    """What answers cannot show that it is the database: no TLS, or a certificate of another authority or host."""

    code = "database_untrusted"


class PoolExhausted(Unavailable):
    """Every connection was busy for the time that a request may wait; `details["retry_after"]` is in seconds."""

    code = "pool_exhausted"


class UserErased(Unauthorized):
    """The user whose row this was to be was erased, maybe through another server."""

    code = "user_erased"


@dataclass(frozen=True)
class Login:
    """With what a connection is opened; without a user it is the address's."""

    user: str | None
    password: str = field(repr=False)


class Logins(Protocol):
    """Logins that change while the service runs."""

    async def current(self) -> Login:
        """The one to use now. Raises SetupError, Unavailable."""
        ...

    async def instead_of(self, refused: Login) -> Login | None:
        """Another one, as the database has refused this; None when there is none. Raises SetupError, Unavailable."""
        ...


@dataclass(frozen=True)
class Endpoint:
    """A database's address, `postgresql://user:password@host:port/name` with libpq's options such as sslmode; with
    `logins`, they count and not what stands in the address, and so does `tls`."""

    dsn: str = field(repr=False)
    logins: Logins | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str, logins: Logins | None = None, tls: ssl.SSLContext | None = None) -> Endpoint:
        """From a URL with the scheme postgresql, postgres or postgresql+asyncpg. Raises SetupError for anything
        else."""
        scheme, separator, rest = url.strip().partition("://")
        if not separator or scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
            raise SetupError("PENNY_DATABASE_URL must look like postgresql://user:password@host:5432/database.")
        endpoint = cls(f"postgresql://{rest}", logins, tls)
        try:
            _ = endpoint.place
        except ValueError as error:
            raise SetupError(f"PENNY_DATABASE_URL cannot be read ({error}).") from None
        return endpoint

    @property
    def place(self) -> str:
        """host:port/name, for people: no user and no password in it."""
        parts = urlsplit(self.dsn)
        hosts = parts.netloc.rpartition("@")[2] or "localhost"
        if "," not in hosts:
            hosts = f"{parts.hostname or 'localhost'}:{parts.port or 5432}"
        return f"{hosts}/{parts.path.lstrip('/')}"


async def open_connection(
    endpoint: Endpoint, role: str | None, application: str, patience: float = STATEMENT_SECONDS
) -> asyncpg.Connection:
    """A driver connection that acts as `role` (None: as the login itself), with search_path penny, in UTC. A statement
    that has no answer after `patience` seconds raises TimeoutError: the network may have forgotten the connection, and
    then nobody would ever close it.

    json and jsonb go in and come out as Python values. Raises DatabaseUnavailable, or SetupError when waiting cannot
    help.
    """
    settings = {"search_path": SCHEMA, "application_name": application, "TimeZone": "UTC"}
    settings["client_connection_check_interval"] = "2s"  # the query of a client that has gone ends
    if role:
        settings["role"] = role
    with connecting(endpoint):
        connection = await log_in(endpoint, settings, patience)
        try:
            await _set_codecs(connection)
        except BaseException:
            connection.terminate()
            raise
    return connection


async def log_in(endpoint: Endpoint, settings: Mapping[str, str], patience: float | None = None) -> asyncpg.Connection:
    """A connection as its login, whose statements have so much time. A login that is refused is looked up again, as it
    may have been rotated. Raises what the driver raises, SetupError, Unavailable."""
    if endpoint.logins is None:
        return await asyncpg.connect(
            endpoint.dsn, ssl=endpoint.tls, timeout=CONNECT_SECONDS, command_timeout=patience, server_settings=settings
        )
    login = await endpoint.logins.current()
    for further in reversed(range(LOGINS)):
        try:
            return await asyncpg.connect(
                endpoint.dsn,
                user=login.user,
                password=login.password,
                ssl=endpoint.tls,
                timeout=CONNECT_SECONDS,
                command_timeout=patience,
                server_settings=settings,
            )
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
            other = await endpoint.logins.instead_of(login) if further else None
            if other is None:
                raise
            login = other
    raise AssertionError("the last login either connects or raises")


async def _set_codecs(connection: asyncpg.Connection) -> None:
    # jsonb's binary form is a version byte, 1, before the text.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda sent: orjson.loads(sent[1:]),
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", format="binary", encoder=orjson.dumps, decoder=orjson.loads
    )


@contextmanager
def connecting(endpoint: Endpoint) -> Iterator[None]:
    """Turn what can go wrong while connecting into errors that name the place and the way out."""
    place = endpoint.place
    try:
        yield
    except asyncpg.InvalidCatalogNameError:
        raise DatabaseUnavailable(
            f"There is no such database: {place}. Create it, or correct PENNY_DATABASE_URL."
        ) from None
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        raise DatabaseUnavailable(
            f"The database {place} refuses this user or password; correct PENNY_DATABASE_URL or PENNY_DATABASE_SECRET."
        ) from None
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
        raise SetupError(
            f"The login may not act as Penny's roles in {place} ({error}); run `penny migrate` with this URL."
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise DatabaseUntrusted(
            f"What answers as the database {place} has a certificate not to be trusted ({error.verify_message}); "
            "correct PENNY_DATABASE_CA, or the host in PENNY_DATABASE_URL."
        ) from error
    except ConnectionError as error:
        if "rejected SSL upgrade" not in str(error):
            raise _silent(place) from error
        raise DatabaseUntrusted(
            f"What answers as the database {place} speaks no TLS, which PENNY_DATABASE_CA or sslmode asks for."
        ) from error
    except asyncpg.TooManyConnectionsError:
        raise DatabaseUnavailable(f"The database {place} has no connection left for Penny; try again soon.") from None
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as error:
        raise _silent(place) from error
    except (ValueError, asyncpg.ClientConfigurationError) as error:
        raise SetupError(f"PENNY_DATABASE_URL cannot be used: {error}") from None


def _silent(place: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"The database {place} does not answer; check that it runs and that PENNY_DATABASE_URL is right."
    )


def lost(error: BaseException, connection: asyncpg.Connection) -> bool:
    """Whether `error` (the driver's, or SQLAlchemy's around it) came of losing the connection."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, asyncpg.QueryCanceledError):
            return False
        if isinstance(seen, (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)):
            return True
        if isinstance(seen, asyncpg.InternalClientError):  # the server's last words came while nothing was asked
            return True
        if isinstance(seen, (asyncpg.InterfaceError, OSError)):
            return bool(connection.is_closed())
        seen = seen.__cause__
    return False


def demoted(error: BaseException) -> bool:
    """Whether `error` came of writing to a server that takes no writes: it was one that did before a failover, or an
    address that leads to the new one only in a moment."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, asyncpg.ReadOnlySQLTransactionError):
            return True
        seen = seen.__cause__
    return False


def without_user(error: BaseException) -> bool:
    """Whether `error` came of a row whose user is no more."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, asyncpg.ForeignKeyViolationError):
            return 'table "app_user"' in str(seen.detail)
        seen = seen.__cause__
    return False
