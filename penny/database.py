"""The database that the settings name, opened: all that the commands need which talk to no model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from db.embedded import EmbeddedPostgres
from db.engine import Database
from db.migrate import migrate
from domain.metrics import UNTOLD, Metrics
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
        if settings.database_url is not None:
            url, worker_url, passwords = settings.database_url.get_secret_value(), None, None
            admin_url = url
        else:
            progress("starting the embedded database")
            embedded = EmbeddedPostgres(settings.home)
            server = await embedded.acquire()
            stack.push_async_callback(embedded.release)
            url, worker_url, admin_url = server.app_url, server.worker_url, server.admin_url
            passwords = {"app": server.credentials.app, "worker": server.credentials.worker}
        if settings.database_url is None or migrated:
            for revision in await migrate(admin_url, passwords=passwords):
                progress(f"database schema brought to {revision}")
        database = await Database.connect(url, worker_url=worker_url, metrics=metrics)
        stack.push_async_callback(database.close)
        yield database
