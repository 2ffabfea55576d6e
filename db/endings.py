"""How a connection is left: rolled back or thrown away, whole, also when the task that held it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

ROLLBACK_SECONDS = 1.0
"""How long a cancelled transaction is waited for; a request to cancel its query may come too early to have effect."""


async def discard(conn: AsyncConnection, pg: asyncpg.Connection) -> None:
    pg.terminate()
    await conn.invalidate()
    await conn.close()


async def undo(conn: AsyncConnection, pg: asyncpg.Connection) -> None:
    """Roll back and give the connection back; one that does not follow is thrown away, and its transaction with it."""
    try:
        if not pg.is_closed():
            await pg.execute("ROLLBACK", timeout=ROLLBACK_SECONDS)
            await conn.close()
            return
    except Exception:  # noqa: S110 - whatever it was, the connection goes
        pass
    await discard(conn, pg)


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` whole even when this task is cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:
            break
    if cancelled:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()
