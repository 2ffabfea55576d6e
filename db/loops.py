"""Work that a process repeats on a connection of the worker's role."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from db.engine import Database
from domain.errors import PennyError

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 1.0


async def forever(db: Database, step: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    """Repeats `step` on a connection of its own; after an error of the database's with a fresh one."""
    connection: asyncpg.Connection | None = None
    try:
        while True:
            try:
                if connection is None or connection.is_closed():
                    connection = await db.worker_connection()
                await step(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PennyError) as error:
                log.warning("loop.step_failed", step=getattr(step, "__name__", ""), error=type(error).__name__)
                if connection is not None:
                    connection.terminate()
                connection = None
                await asyncio.sleep(RECONNECT_SECONDS)
    finally:
        if connection is not None:
            connection.terminate()
