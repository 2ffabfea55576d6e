"""The database that the settings name, opened: all that the commands need which talk to no model."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from db.connection import Endpoint
from db.embedded import EmbeddedPostgres
from db.engine import Database
from db.migrate import migrate
from db.sealing.keys import Keys
from db.service_login import ServiceLogin, TokenLogin
from db.tls import trusting
from domain.errors import SetupError
from domain.metrics import UNTOLD, Metrics
from penny.encryption.setting import keys_of
from penny.logins import SecretLogins, logins_of
from penny.settings import Settings

Progress = Callable[[str], None]
"""Told in a few words what is being done now."""


@asynccontextmanager
async def open_database(
    settings: Settings, progress: Progress, *, migrated: bool = False, metrics: Metrics = UNTOLD
) -> AsyncIterator[Database]:
    """The database that the settings name. The embedded one is started and migrated as needed; another one is migrated
    only when `migrated` asks for it. Raises SetupError, DatabaseUnavailable."""
    async with AsyncExitStack() as stack:
        keys = Keys() if migrated else await keys_of(settings)  # migrations touch no texts, and need no right to
        if settings.database_url is not None:
            url, worker_url, passwords = settings.database_url.get_secret_value(), None, None
            admin_url, logins, tls = url, logins_of(settings, url), tls_of(settings)
        else:
            progress("starting the embedded database")
            embedded = EmbeddedPostgres(settings.home)
            server = await embedded.acquire()
            stack.push_async_callback(embedded.release)
            url, worker_url, admin_url, logins = server.app_url, server.worker_url, server.admin_url, None
            tls = None
            passwords = {"app": server.credentials.app, "worker": server.credentials.worker}
        if settings.database_url is None or migrated:
            login = await _login_to_make(settings) if migrated else None
            if applied := await migrate(Endpoint.parse(admin_url, logins, tls), passwords=passwords, login=login):
                progress(f"database schema brought to {applied[-1]}")
        database = await Database.connect(
            url,
            logins=logins,
            tls=tls,
            worker_url=worker_url,
            pool_size=settings.database_pool,
            metrics=metrics,
            keys=keys,
        )
        stack.push_async_callback(database.close)
        if settings.database_reader_url is not None:
            reader = await _reader(settings, settings.database_reader_url.get_secret_value())
            stack.push_async_callback(reader.close)
            database.read_reports_from(reader)
        yield database


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """The authorities that the database's certificate must come from; None: as its address says. Raises SetupError."""
    return None if settings.database_ca is None else trusting(settings.database_ca)


async def _reader(settings: Settings, url: str) -> Database:
    """The replica, with the same login. Raises SetupError, DatabaseUnavailable."""
    if settings.database_url is None:
        raise SetupError("PENNY_DATABASE_READER_URL is a replica of PENNY_DATABASE_URL, which is not set.")
    return await Database.connect(
        url,
        logins=logins_of(settings, url),
        tls=tls_of(settings),
        pool_size=settings.database_pool,
        application="penny-reports",
    )


async def _login_to_make(settings: Settings) -> ServiceLogin | None:
    secret_id, by_token = settings.database_login_secret, settings.database_login_iam
    if secret_id is not None and by_token is not None:
        raise SetupError("PENNY_DATABASE_LOGIN_SECRET and PENNY_DATABASE_LOGIN_IAM exclude each other.")
    if by_token is not None:
        return TokenLogin(by_token)
    return None if secret_id is None else await SecretLogins(secret_id, "PENNY_DATABASE_LOGIN_SECRET").current()
