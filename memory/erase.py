"""Erasing a user: everything of theirs, everywhere, for good. Every table that has rows of users lets them go with the
user's own row (a test holds every table to that), so that nothing can be forgotten here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from db.engine import Database

WAIT_SECONDS = 5.0
"""How long running replies may take to stop; what they write after that is refused."""

_LOOK_SECONDS = 0.05


async def erase(
    db: Database,
    user: UUID,
    cancelled: Callable[[UUID], Awaitable[None]] | None = None,
    *,
    wait: float = WAIT_SECONDS,
) -> None:
    """Stops the user's replies and deletes the user. Again, and for a user whom nobody knows, it does nothing.

    `cancelled` is told of each run that is to stop, so that this process need not wait for a heartbeat.
    """
    async with db.transaction(user) as tx:
        active = await tx.pg.fetch(
            """
            UPDATE run SET cancel_requested = true WHERE user_id = $1 AND status IN ('queued', 'running') RETURNING id
            """,
            user,
        )
    if cancelled is not None:
        for row in active:
            await cancelled(row["id"])
    deadline = asyncio.get_running_loop().time() + wait
    while active and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
        async with db.read(user) as tx:
            active = await tx.pg.fetch("SELECT id FROM run WHERE user_id = $1 AND status = 'running'", user)
    async with db.transaction(user) as tx:
        await tx.pg.execute("DELETE FROM app_user WHERE id = $1", user)
    db.forget(user)
