"""A command's work on the database, which is opened for it and closed after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from penny import settings
from penny.cli.output import quiet

if TYPE_CHECKING:
    import asyncpg

    from db.engine import Database

T = TypeVar("T")


def with_database(act: Callable[[Database], Awaitable[T]]) -> T:
    """What `act` gives."""
    from penny.database import open_database

    async def run() -> T:
        async with open_database(settings.load(), quiet) as db:
            return await act(db)

    return asyncio.run(run())


def with_worker(act: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """What `act` gives on a connection of the worker's role, which sees the queues of all users and no words."""

    async def on_connection(db: Database) -> T:
        worker = await db.worker_connection()
        try:
            return await act(worker)
        finally:
            await worker.close()

    return with_database(on_connection)
